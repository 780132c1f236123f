"""What the study `initialization_study` measures in its networks, and its end.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["layer_spreads", "report"],
)
