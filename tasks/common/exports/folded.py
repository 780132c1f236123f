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
from tasks.common.exports import agreement
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


def fold(model: keras.Model, pictures: np.ndarray) -> Folded:
    """The folded twin of a model, if it computes the same on the pictures.

    Args:
        model: pictures, uint8, (batch, height, width, 3) -> probabilities, float32.
        pictures: uint8, shape (n, height, width, 3), n > 0.
    """
    before = count_batch_normalizations(model)
    if not before:
        return Folded(model, None)
    twin = folding.fold_batch_normalization(model)
    difference = _relative_difference(model, twin, pictures)
    if not difference <= folding.FOLDING_TOLERANCE:
        return Folded(
            model,
            f"not folded: with batch normalisation folded, a probability moves by {difference:.1e} "
            f"of the largest one, allowed is {folding.FOLDING_TOLERANCE:.0e}",
        )
    count = before - count_batch_normalizations(twin)
    return Folded(twin, f"folded {count} of {before} batch normalisations into other layers")


def count_batch_normalizations(model: keras.Model) -> int:
    """Number of `BatchNormalization` layers, those of nested models included."""
    return sum(isinstance(layer, keras.layers.BatchNormalization) for layer in every_layer(model))


def _relative_difference(model: keras.Model, twin: keras.Model, pictures: np.ndarray) -> float:
    """Largest absolute difference, relative to the largest absolute output; may be NaN."""
    expected = agreement.probabilities(model, pictures)
    received = agreement.probabilities(twin, pictures)
    return float(np.abs(received - expected).max() / np.abs(expected).max())
