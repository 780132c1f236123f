"""What tasks share whose answer to a picture is a map: classes, metres, shares of attention.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "config",
        "figures",
        "kind",
        "panels",
        "report",
        "training",
        "verbs",
    ],
)
