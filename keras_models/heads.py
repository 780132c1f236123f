"""Heads for classification: from feature maps to class probabilities.

Tensor contract: features (batch, height, width, channels), floating point; probabilities
(batch, classes), float32, each row sums to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_models")
class ClassProbabilities(keras.layers.Layer):
    """Softmax in float32 over logits; carries the class names, so a saved model knows its classes.

    Args:
        class_names: one name per logit, in order of the class ids.

    Raises:
        ValueError: no names, a name twice, or (when built) not one name per logit.
    """

    def __init__(self, class_names: Sequence[str], *, dtype="float32", **kwargs):
        """Check and keep `class_names`."""
        # float32 also under mixed precision: probabilities near 0 and 1 decide the loss.
        super().__init__(dtype=dtype, **kwargs)
        names = tuple(str(name) for name in class_names)
        if not names:
            raise ValueError("`class_names` must not be empty. Received: class_names=()")
        if len(set(names)) != len(names):
            repeated = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"`class_names` must be distinct. Received twice: {repeated}")
        self.class_names = names

    def build(self, input_shape):
        """Check that there is one name per logit."""
        if input_shape[-1] != len(self.class_names):
            raise ValueError(
                "`class_names` must have one name per logit. "
                f"Received: {len(self.class_names)} names, input_shape={tuple(input_shape)}"
            )

    def call(self, logits):
        """Probabilities, same shape as `logits`."""
        return ops.softmax(logits, axis=-1)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "class_names": list(self.class_names)}


def classification_head(
    features: keras.KerasTensor, class_names: Sequence[str], dropout: float = 0.2
) -> keras.KerasTensor:
    """Global average pooling -> dropout -> dense `logits` -> `probabilities`.

    Args:
        features: (batch, height, width, channels).
        class_names: one name per class id.
        dropout: share of pooled features dropped while training, in [0, 1).

    Returns:
        Probabilities (batch, classes), float32.
    """
    x = keras.layers.GlobalAveragePooling2D(name="pooling")(features)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(len(class_names), name="logits")(x)
    return ClassProbabilities(class_names, name="probabilities")(x)
