"""How far a reloaded export is from the model, and how large it is."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]

# Examples computed at once. Called eagerly, a model keeps the output of every layer until its end:
# a MobileNetV2 of 224 pixels takes 0.1 GB a picture.
BATCH_SIZE = 8


class ExportError(RuntimeError):
    """An export that does not compute what the model computes."""


@dataclasses.dataclass(frozen=True)
class Agreement:
    """What a comparison of two sets of outputs found.

    Attributes:
        largest_difference: largest absolute difference of one number, a probability or a
            coordinate.
        mean_difference: mean absolute difference over all numbers.
        top1_agreement: share of examples with the same most probable class, in [0, 1]; None where
            the outputs are no probabilities.
        spread: largest range of one column over the examples. Near 0 the model answers every
            example alike, and agreement says little.
        examples: number of examples compared.
    """

    largest_difference: float
    mean_difference: float
    top1_agreement: float | None
    spread: float
    examples: int


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """What an export may differ by.

    Attributes:
        largest_difference: of one number.
        top1_agreement: least share of equal most probable classes; no matter for points.
        mean_difference: of all numbers.
    """

    largest_difference: float
    top1_agreement: float = 0.0
    mean_difference: float = math.inf


TOLERANCES = types.MappingProxyType(
    {
        # Same arithmetic in another order: float32 keeps 24 bits, a relative 6e-8 an operation,
        # and networks of 50 to 150 layers come out 1e-6 to 3e-5 apart. A wrong preprocessing, a
        # lost layer or a BatchNorm in training mode is 1e-2 and more. No demand on the top class,
        # which two equal probabilities may swap.
        None: Tolerance(1e-4, 0.0),
        # Weights keep 11 bits, a relative 5e-4. A probability near 0.5 moves the most: by 0.02 in
        # a MobileNet of width 0.25 on 120 ImageNet pictures, with every class kept, and by 0.07
        # in a ResNet50 of random weights, with 23 classes of 24 kept.
        "float16": Tolerance(0.1, 0.9),
        # 8 bits for weights, or weights and activations. A probability near a decision boundary
        # moves freely, so the class decides. The same MobileNet, 1000 classes and few spare
        # weights, keeps 81 to 85 % of its classes; with badly fitting ranges it keeps 0 to 14 %.
        "dynamic": Tolerance(1.0, 0.7),
        "int8": Tolerance(1.0, 0.7),
    }
)
"""What an export of a model that gives probabilities may differ by, by its quantisation."""

POINT_TOLERANCES = types.MappingProxyType(
    {
        # The same rounding as that of a probability, on numbers of the same size.
        None: Tolerance(1e-4),
        # A coordinate comes out of a last layer that is nowhere as steep as a softmax of logits
        # far apart, so weights of a relative 5e-4 move it by no more than a few times that: 5e-3
        # of the side is half a pixel of a picture of 100.
        "float16": Tolerance(5e-3),
        # 8 bits are steps of 1/255 = 0.004 in every layer, and their errors add up. There is no
        # class to hold a point to, and one hard picture may move far: so the mean decides. 0.02
        # is 2 % of the side; badly fitting ranges, which answer all pictures alike, are worse.
        "dynamic": Tolerance(math.inf, mean_difference=0.02),
        "int8": Tolerance(math.inf, mean_difference=0.02),
    }
)
"""What an export of a model that gives points, coordinates in [0, 1], may differ by."""


def compare(
    model: Predict | keras.Model,
    reloaded: Predict,
    batch: np.ndarray,
    output: str = "probabilities",
) -> Agreement:
    """Compares the outputs of a model and of its reloaded export.

    Args:
        model: the model, or a function like `reloaded`.
        reloaded: from inputs to outputs, shape (n, columns).
        batch: inputs of the model, shape (n, ...), n > 0.
        output: `probabilities` or `points`.

    Raises:
        ExportError: the shapes differ, or a number is not finite.
    """
    expected = outputs(model, batch)
    received = outputs(reloaded, batch)
    if received.shape != expected.shape:
        raise ExportError(
            f"The export returns {output} of shape {received.shape}, the model {expected.shape}."
        )
    if not (np.isfinite(expected).all() and np.isfinite(received).all()):
        raise ExportError(f"The model or its export returns {output} that are not finite.")
    difference = np.abs(expected - received)
    same_class = None
    if output == "probabilities":
        same_class = float(np.mean(expected.argmax(axis=-1) == received.argmax(axis=-1)))
    return Agreement(
        largest_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
        top1_agreement=same_class,
        spread=float(np.ptp(expected, axis=0).max()),
        examples=len(batch),
    )


def check(
    agreement: Agreement, name: str, quantize: str | None, output: str = "probabilities"
) -> None:
    """Refuses an export that is further from the model than its quantisation explains.

    Raises:
        ExportError: beyond `TOLERANCES`, or `POINT_TOLERANCES`; the message names the measure and
            both values.
    """
    tolerance = (POINT_TOLERANCES if output == "points" else TOLERANCES)[quantize]
    refused = f"The {quantize or 'float32'} {name} export was not kept:"
    number = "coordinate" if output == "points" else "probability"
    if agreement.largest_difference > tolerance.largest_difference:
        raise ExportError(
            f"{refused} a {number} differs from the model's by "
            f"{agreement.largest_difference:.2g}, allowed is {tolerance.largest_difference:g}."
        )
    if agreement.mean_difference > tolerance.mean_difference:
        raise ExportError(
            f"{refused} a {number} differs from the model's by {agreement.mean_difference:.2g} on "
            f"average over {agreement.examples} examples, allowed is "
            f"{tolerance.mean_difference:g}; quantise less, or on more examples."
        )
    same_class = agreement.top1_agreement
    if same_class is not None and same_class < tolerance.top1_agreement:
        raise ExportError(
            f"{refused} it chooses the model's class on {same_class:.1%} of {agreement.examples} "
            f"examples, at least {tolerance.top1_agreement:.0%} is required; quantise less, or on "
            "more examples."
        )


def size_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder, in bytes."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def outputs(model: Predict | keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Outputs for all inputs, the first by itself: an export may have fixed its batch.

    Args:
        model: the model, or a function from inputs to outputs.
        inputs: shape (n, ...), n > 0.

    Returns:
        Shape (n, columns).
    """
    predict = _as_function(model)
    starts = [1, *range(1 + BATCH_SIZE, len(inputs), BATCH_SIZE)]
    batches = [part for part in np.split(inputs, starts) if len(part)]
    return np.concatenate([predict(part) for part in batches])


def _as_function(model: Predict | keras.Model) -> Predict:
    if not isinstance(model, keras.Model):
        return model
    return lambda inputs: keras.ops.convert_to_numpy(answer(model, inputs))


def answer(model: keras.Model, inputs: keras.KerasTensor) -> keras.KerasTensor:
    """The output, as a tensor, in inference mode.

    Args:
        model: a functional model of one input.
        inputs: shape (n, ...), an array or a tensor.
    """
    # A loaded model may want its one input in a list, and warns at each call without it.
    return model(keras.tree.pack_sequence_as(model.input, [inputs]), training=False)
