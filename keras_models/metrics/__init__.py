"""Metrics, one task's family a file, on `keras.ops`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "depth",
        "landmarks",
        "logit_gradient",
        "reconstruction",
        "saliency",
        "segmentation",
    ],
)
