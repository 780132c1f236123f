"""One street, drawn in space: picture, depth, classes, boxes and fixations that agree."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["classes", "source"],
)
