"""Exports of a model that are shown, on real examples, to compute what the model computes.

The model is a functional Keras model of one input and one output. The input keeps its name, dtype
and shape (`model_input`): `image`, uint8, (batch, height, width, 3), RGB, range [0, 255];
`features`, float32, (batch, features); and so on. Preprocessing lies inside, so every format takes
what the data set gives. The output is float32, (batch, columns), and called after what it holds:
`probabilities`, one column a class, rows summing to 1; or `points`, coordinates in [0, 1].

`folded` makes the model that is written; `saved_model`, `litert` and `onnx` each write one format
and load it again; `agreement` compares; `verified` puts them in order: write beside, reload,
compare, move into place. `timing` and `benchmark` measure what was written, side by side.
`formats` alone imports no framework, for the command line.
"""
