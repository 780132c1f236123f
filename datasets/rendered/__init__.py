"""Embedded data: scenes drawn by code from a seed, without any download."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "cars",
        "digits",
        "faces",
        "street",
        "textures",
    ],
)
