"""Where people look: what the task that predicts it is measured by, drawn with and compared to.

`measures` scores one map by fixations; `evaluation` scores the maps of a whole split by all of the
field's measures; `baselines` are the centre bias, other observers and chance; `drawing` paints
maps; `training` says what a network learns by; `report` and `verbs` put them together.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "baselines",
        "drawing",
        "evaluation",
        "measures",
        "report",
        "training",
        "verbs",
    ],
)
