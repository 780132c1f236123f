"""How strongly a loss pulls at the logits: the gradient that reaches the last layer of a network.

Tensor contract: targets and scores are (batch, classes), floating point; targets are one-hot, or
smoothed and summing to 1; scores are what the output activation made of the logits.

With z the logits, s the scores, y the targets, K classes and e = 2 (s - y) / K:

| activation | loss | d loss / d z |
|---|---|---|
| sigmoid | binary cross-entropy, mean over the K outputs | (s - y) / K |
| softmax | categorical cross-entropy | s - y |
| sigmoid | squared error, mean over the K outputs | e * s * (1 - s) |
| softmax | the same | s * (e - sum(e * s)) |
| linear | the same | e |
| margin | squared hinge, mean over the K outputs, t = 2 y - 1 | -2 t max(0, 1 - t s) / K |

Source: Bishop, "Pattern Recognition and Machine Learning", 2006, sections 4.3.2, 4.3.4 and 4.3.6
for the canonical pairs, in which the derivative of the activation cancels; the others follow by the
chain rule with the Jacobians diag(s (1 - s)) and diag(s) - s s^T.
"""

from __future__ import annotations

import keras
from keras import ops

GRADIENTS = (
    ("sigmoid", "binary_crossentropy"),
    ("softmax", "categorical_crossentropy"),
    ("sigmoid", "mean_squared_error"),
    ("softmax", "mean_squared_error"),
    ("linear", "mean_squared_error"),
    ("margin", "squared_hinge"),
)
"""The pairs of activation and loss that `logit_gradient` knows."""


def logit_gradient(y_true, y_pred, activation: str, loss: str):
    """Gradient of the loss of each example with respect to its logits, (batch, classes).

    Args:
        y_true: targets.
        y_pred: scores.
        activation: that gave the scores.
        loss: name of the loss.

    Raises:
        ValueError: the pair is not in `GRADIENTS`, or the shapes differ.
    """
    if (activation, loss) not in GRADIENTS:
        raise ValueError(
            f"(activation, loss) must be one of {GRADIENTS}. Received: {activation, loss}"
        )
    scores = ops.convert_to_tensor(y_pred)
    targets = ops.cast(y_true, scores.dtype)
    if targets.shape != scores.shape:
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape (batch, classes). "
            f"Received: y_true.shape={tuple(targets.shape)}, y_pred.shape={tuple(scores.shape)}"
        )
    difference, classes = scores - targets, scores.shape[-1]
    if loss == "categorical_crossentropy":
        return difference
    if loss == "binary_crossentropy":
        return difference / classes
    if loss == "squared_hinge":
        side = 2.0 * targets - 1.0
        return -2.0 * side * ops.maximum(0.0, 1.0 - side * scores) / classes
    error = 2.0 * difference / classes
    if activation == "sigmoid":
        return error * scores * (1 - scores)
    if activation == "softmax":
        return scores * (error - ops.sum(error * scores, axis=-1, keepdims=True))
    return error


def logit_gradient_norm(y_true, y_pred, activation: str, loss: str, label_smoothing: float = 0.0):
    """L2 norm of `logit_gradient` of each example, (batch,).

    Args:
        label_smoothing: this share of a target goes evenly to all classes first.
    """
    classes = ops.shape(y_pred)[-1]
    targets = ops.cast(y_true, y_pred.dtype) * (1 - label_smoothing) + label_smoothing / classes
    return ops.norm(logit_gradient(targets, y_pred, activation, loss), axis=-1)


@keras.saving.register_keras_serializable(package="keras_models")
class LogitGradientNorm(keras.metrics.MeanMetricWrapper):
    """Mean over examples of the L2 norm of the gradient at the logits.

    On validation examples, which are the same in each epoch and see no dropout, it shows how much
    a loss still asks of a network, whatever the step size.

    Args:
        activation, loss, label_smoothing: as for `logit_gradient_norm`.
    """

    def __init__(
        self,
        activation: str,
        loss: str,
        label_smoothing: float = 0.0,
        name: str = "logit_gradient_norm",
        dtype=None,
    ):
        """Keep the arguments."""
        super().__init__(
            logit_gradient_norm,
            name=name,
            dtype=dtype,
            activation=activation,
            loss=loss,
            label_smoothing=label_smoothing,
        )
        self._own = {"activation": activation, "loss": loss, "label_smoothing": label_smoothing}

    def get_config(self):
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype, **self._own}


def first_norm(activation: str, loss: str, classes: int) -> float:
    """The norm before any training, where all logits are 0."""
    target = ops.one_hot([0], classes, dtype="float32")
    score = {"softmax": 1.0 / classes, "sigmoid": 0.5, "linear": 0.0, "margin": 0.0}[activation]
    scores = ops.full((1, classes), score, dtype="float32")
    return float(logit_gradient_norm(target, scores, activation, loss)[0])
