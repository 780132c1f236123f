"""Exports of a classifier that are shown, on real pictures, to compute what the model computes.

The model is a functional Keras model from pictures, uint8, shape (batch, height, width, 3), RGB,
range [0, 255], input named "image", to probabilities, float32, shape (batch, classes), rows
summing to 1. Preprocessing lies inside, so every format takes raw pictures of the model's size.

`folded` makes the model that is written; `saved_model`, `litert` and `onnx` each write one format
and load it again; `agreement` compares; `verified` puts them in order: write beside, reload,
compare, move into place. `timing` and `benchmark` measure what was written, side by side.
`formats` alone imports no framework, for the command line.
"""
