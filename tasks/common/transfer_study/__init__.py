"""How much of a network to train anew: the grid of the study `transfer_study` and its end.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["report"],
)
