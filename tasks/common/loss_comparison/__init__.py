"""Output activations and losses beside each other: the end of the study `reuters_losses`.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["report"],
)
