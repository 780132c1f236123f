"""Support vector machines on stored features, from their search to a dense layer of Keras.

`machines` says what is fitted; `search` chooses its constants by cross-validation; `dense` writes
a linear machine as the weights of a dense layer; `calibration` makes its decisions probabilities;
`solver` puts them in order for a network; `figures` and `report` tell what came out.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["machines", "report", "solver"],
)
