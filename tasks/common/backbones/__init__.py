"""What the study `backbones` measures of networks, and its end.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["network_measurement", "report"],
)
