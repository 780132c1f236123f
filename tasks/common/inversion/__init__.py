"""The parts of the study that rebuilds pictures from features. Submodules load when first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "cell_report",
        "config",
        "study_report",
        "training",
        "verbs",
    ],
)
