"""Losses, one family a file: a pure function of `keras.ops` and a registered class around it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["depth", "reconstruction", "regression", "saliency", "segmentation"],
)
