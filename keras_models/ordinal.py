"""A head for ordered classes: one score, and thresholds between each class and the next.

The proportional-odds model, also called cumulative logits: P. McCullagh, "Regression Models for
Ordinal Data", Journal of the Royal Statistical Society B 42 (1980), section 2:

    P(class <= k) = sigmoid(threshold_k - score)

Tensor contract: score (batch, 1), floating point; log-probabilities (batch, classes), float32,
whose exponentials sum to 1 in each row.
"""

from __future__ import annotations

import keras
from keras import ops

# Thresholds stay this far apart, so that no class between them becomes impossible.
SMALLEST_GAP = 1e-4
# Distance of neighbouring thresholds before training, in units of the logistic distribution: each
# middle class is then the likeliest one somewhere.
FIRST_GAP = 2.0


@keras.saving.register_keras_serializable(package="keras_models")
class CumulativeLogits(keras.layers.Layer):
    """Log-probabilities of ordered classes from one score.

    With a = threshold_(k-1) - score and b = threshold_k - score, the probability of class k is
    sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)). The logarithm of the right
    side is a sum of numbers that are finite for every score, where the difference on the left
    would be 0 far from the thresholds and leave no gradient.

    The thresholds are learned: the first one, and the positive gaps to the next ones.

    Args:
        class_count: number of classes, at least 2, in their order.

    Raises:
        ValueError: fewer than two classes, or (when built) more than one score.
    """

    def __init__(self, class_count: int, *, dtype="float32", **kwargs):
        """Check and keep `class_count`."""
        # float32 also under mixed precision: scores of some tens meet differences of hundredths.
        super().__init__(dtype=dtype, **kwargs)
        if class_count < 2:
            raise ValueError(f"`class_count` must be at least 2. Received: {class_count}")
        self.class_count = class_count

    def build(self, input_shape):
        """Make the thresholds, symmetrical around 0."""
        if input_shape[-1] != 1:
            raise ValueError(
                "there must be one score for each example, shape (batch, 1). "
                f"Received: input_shape={tuple(input_shape)}"
            )
        gaps = self.class_count - 2
        self.first_threshold = self.add_weight(
            shape=(1,),
            initializer=keras.initializers.Constant(-gaps * FIRST_GAP / 2),
            name="first_threshold",
        )
        # softplus(raw) + SMALLEST_GAP is the gap; log(exp(gap) - 1) turns it back.
        raw = float(ops.log(ops.expm1(FIRST_GAP - SMALLEST_GAP)))
        self.raw_gaps = self.add_weight(
            shape=(gaps,), initializer=keras.initializers.Constant(raw), name="raw_gaps"
        )

    def gaps(self):
        """Distances of neighbouring thresholds, float32 (classes - 2,), at least SMALLEST_GAP."""
        return ops.softplus(self.raw_gaps) + SMALLEST_GAP

    def thresholds(self):
        """The thresholds, float32 (classes - 1,), rising."""
        steps = ops.concatenate([self.first_threshold, self.gaps()])
        return ops.cumsum(steps)

    def call(self, score):
        """Log-probabilities (batch, classes)."""
        distances = self.thresholds() - score
        below = ops.log_sigmoid(distances)
        above = ops.log_sigmoid(-distances)
        between = ops.log(-ops.expm1(-self.gaps()))
        middle = below[:, 1:] + above[:, :-1] + between
        return ops.concatenate([below[:, :1], middle, above[:, -1:]], axis=-1)

    def compute_output_shape(self, input_shape):
        """One log-probability per class."""
        return (*input_shape[:-1], self.class_count)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "class_count": self.class_count}
