"""What tasks share whose answer to a picture is a map: classes, metres, shares of attention.

Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "answer_files",
        "answer_lines",
        "answers",
        "config",
        "figures",
        "kind",
        "legend",
        "mapped",
        "own_size",
        "panels",
        "report",
        "training",
        "verbs",
        "video",
    ],
)
