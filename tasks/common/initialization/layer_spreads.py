"""How widely signals and gradients spread in each layer of a stack, before and after training."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from datasets import core
from keras_models import layer_stack

EXAMPLES = 200
"""Pictures that spreads are measured on: enough for two digits, little work."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

# A derivative of the activation below this stops most of a gradient: |tanh| above 0.95, ReLU at 0.
_BLOCKED = 0.1


@dataclasses.dataclass(frozen=True)
class LayerSpread:
    """One hidden layer, over the examples of a batch and the layer's units (and places).

    Attributes:
        name: of the layer.
        activation: standard deviation of its outputs.
        quantiles: of its outputs, at `QUANTILES`.
        gradient: standard deviation of the derivative of an example's loss with respect to the
            weighted sums before the activation (Glorot & Bengio 2010, figure 7).
        weight_gradient: standard deviation of the derivative of the mean loss with respect to the
            weights: what a step of gradient descent is made of.
        blocked: share of the outputs at which the activation passes less than a tenth of the
            gradient on, in [0, 1].
    """

    name: str
    activation: float
    quantiles: tuple[float, ...]
    gradient: float
    weight_gradient: float
    blocked: float


@dataclasses.dataclass(frozen=True)
class WeightChange:
    """What training did to the weights of one layer.

    Attributes:
        name: of the layer.
        kernel: the largest change of a weight.
        bias: the largest change of a bias.
        distinct_units: units (or maps) of the layer no two of which have the same incoming
            weights: 1 where all are alike.
        units: all units of the layer.
    """

    name: str
    kernel: float
    bias: float
    distinct_units: int
    units: int


def layer_spreads(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> list[LayerSpread]:
    """Runs a batch forwards and backwards through a stack, in inference mode.

    Args:
        model: of `layer_stack.build_layer_stack`.
        images: uint8, shape (n, 28, 28, 3).
        labels: class ids, shape (n,).

    Returns:
        One record a hidden layer, from the input to the output.
    """
    pairs = layer_stack.hidden_layers(model)
    kernels = [layer.kernel.value for layer, _ in pairs]
    through = keras.Model(
        model.input,
        (
            [layer.output for layer, _ in pairs],
            [after.output for _, after in pairs],
            model.get_layer("logits").output,
        ),
    )
    with tf.GradientTape() as tape:
        sums, outputs, logits = through(images, training=False)
        # From the logits: a probability that underflowed to 0 would hide its gradient.
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))
        total = tf.reduce_sum(losses)
    none = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(total, [*sums, *kernels], unconnected_gradients=none)
    return [
        LayerSpread(
            name=layer.name,
            activation=_deviation(output),
            quantiles=tuple(np.quantile(_numbers(output), QUANTILES).tolist()),
            gradient=_deviation(gradient),
            weight_gradient=_deviation(kernel_gradient) / len(images),
            blocked=_blocked(after, _numbers(output)),
        )
        for (layer, after), output, gradient, kernel_gradient in zip(
            pairs, outputs, gradients[: len(sums)], gradients[len(sums) :], strict=True
        )
    ]


def _numbers(tensor: tf.Tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor).astype(np.float64)


def _deviation(tensor: tf.Tensor) -> float:
    return float(_numbers(tensor).std())


def _blocked(after: keras.layers.Layer, outputs: np.ndarray) -> float:
    """The derivative by the output a: 1 - a^2 for tanh; for ReLU 1 where a > 0, else 0."""
    slope = 1 - outputs**2 if after.activation is keras.activations.tanh else outputs > 0
    return float(np.mean(slope < _BLOCKED))


def weight_changes(before: keras.Model, after: keras.Model) -> list[WeightChange]:
    """Compares two models of the same structure, hidden layer by hidden layer and at the output."""
    changes = []
    for old, new in zip(before.layers, after.layers, strict=True):
        if re.fullmatch(r"layer_\d+|logits", old.name):
            (old_kernel, old_bias), (kernel, bias) = old.get_weights(), new.get_weights()
            incoming = kernel.reshape(-1, kernel.shape[-1])
            changes.append(
                WeightChange(
                    name=old.name,
                    kernel=float(np.abs(kernel - old_kernel).max()),
                    bias=float(np.abs(bias - old_bias).max()),
                    distinct_units=int(np.unique(incoming, axis=1).shape[1]),
                    units=int(kernel.shape[-1]),
                )
            )
    return changes


def measured(
    fresh: keras.Model, trained: keras.Model | None, source: core.LabelledSource
) -> dict[str, Any]:
    """What `as_json` gives for a stack before training and, where it did not diverge, after.

    A stack whose weights are no longer numbers counts as diverged. Its loss need not show it: the
    fused kernels of a CPU take the ReLU of NaN for 0, and the network answers with its last bias.

    Args:
        fresh: the stack with its first weights.
        trained: the same stack, trained; None where its training diverged.
        source: pictures of the stack's size, of which `EXAMPLES` are run through it.
    """
    chosen = np.unique(np.linspace(0, len(source) - 1, EXAMPLES).astype(int))
    images = np.stack([source.example(int(index))["image"] for index in chosen])
    labels = np.asarray(source.labels)[chosen]
    if trained is not None and not all(np.isfinite(w).all() for w in trained.get_weights()):
        trained = None
    after = None if trained is None else layer_spreads(trained, images, labels)
    changes = weight_changes(fresh, fresh if trained is None else trained)
    return as_json(layer_spreads(fresh, images, labels), after, changes)


def as_json(
    before: list[LayerSpread],
    after: list[LayerSpread] | None,
    changes: list[WeightChange],
) -> dict[str, Any]:
    """The records as JSON can hold them; `from_json` reads them back equal."""
    return {
        "before": [dataclasses.asdict(spread) for spread in before],
        "after": None if after is None else [dataclasses.asdict(spread) for spread in after],
        "changes": [dataclasses.asdict(change) for change in changes],
    }


def from_json(
    document: dict[str, Any],
) -> tuple[list[LayerSpread], list[LayerSpread] | None, list[WeightChange]]:
    """The records that `as_json` wrote."""

    def spreads(rows: list[dict[str, Any]]) -> list[LayerSpread]:
        return [LayerSpread(**{**row, "quantiles": tuple(row["quantiles"])}) for row in rows]

    after = document["after"]
    return (
        spreads(document["before"]),
        None if after is None else spreads(after),
        [WeightChange(**row) for row in document["changes"]],
    )
