"""What `depth_cyclegan` does beyond any dense prediction: four networks that learn without pairs.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "baselines",
        "config",
        "figures",
        "image_pool",
        "measures",
        "networks",
        "panels",
        "report",
        "trainer",
        "training",
        "verbs",
    ],
)
