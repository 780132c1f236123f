"""Points on pictures: what the task `landmarks` trains, measures, draws and reports.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["report", "training", "verbs"],
)
