"""The model that exports hold: batch normalisation folded into the layers before it.

At inference BatchNorm is a fixed scale and shift of each channel, so that a convolution before it
can do it with other weights and a bias. Runtimes that do not fold by themselves are spared a pass
over each feature map, and 8-bit weights get ranges that include the scale.
"""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from keras_models import folding
from tasks.common.exports import agreement, output_names
from tasks.common.exports.layers import every_layer


@dataclasses.dataclass(frozen=True, eq=False)
class Folded:
    """What folding made of a model.

    Attributes:
        model: the folded model; the one that was given where nothing could be folded, or not
            exactly enough.
        sentence: what was done, for the reader; None where there was nothing to fold.
    """

    model: keras.Model
    sentence: str | None


def fold(model: keras.Model, inputs: np.ndarray) -> Folded:
    """The folded twin of a model, if it computes the same on the inputs.

    Args:
        model: one input -> one output, float32, (batch, ..., columns), or class ids.
        inputs: shape (n, ...), n > 0.
    """
    before = count_batch_normalizations(model)
    if not before:
        return Folded(model, None)
    twin = folding.fold_batch_normalization(model)
    expected, received = (agreement.outputs(each, inputs) for each in (model, twin))
    if output_names.gives_ids(model):
        difference = float(np.mean(expected != received))
    else:
        difference = folding.relative_difference(expected, received)
    if not difference <= folding.FOLDING_TOLERANCE:
        return Folded(
            model,
            f"not folded: with batch normalisation folded, an output moves by {difference:.1e} of "
            f"the largest one, or of all class ids, allowed is {folding.FOLDING_TOLERANCE:.0e}",
        )
    count = before - count_batch_normalizations(twin)
    return Folded(twin, f"folded {count} of {before} batch normalisations into other layers")


def count_batch_normalizations(model: keras.Model) -> int:
    """Number of `BatchNormalization` layers, those of nested models included."""
    return sum(isinstance(layer, keras.layers.BatchNormalization) for layer in every_layer(model))
