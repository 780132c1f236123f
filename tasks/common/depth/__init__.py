"""What the task `depth_dense` is made of: loss and metrics, measures, drawing, clouds, report.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "baselines",
        "config",
        "drawing",
        "evaluation",
        "measures",
        "point_cloud",
        "report",
        "training",
        "verbs",
    ],
)
