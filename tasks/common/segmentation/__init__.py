"""What a task that names the class of each pixel needs besides what all maps need.

`class_weights` balances rare classes in the loss; `measures` counts how well classes are found;
`baselines` are what a sceptic would try; `drawing` makes panels, `figures` and `report` the report;
`verbs` is for the commands on finished runs. Submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "class_weights",
        "drawing",
        "report",
        "verbs",
    ],
)
