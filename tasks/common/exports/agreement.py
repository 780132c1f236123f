"""How far a reloaded export is from the model, and how large it is."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]

# Pictures computed at once. Called eagerly, a model keeps the output of every layer until its end:
# a MobileNetV2 of 224 pixels takes 0.1 GB a picture.
BATCH_SIZE = 8


class ExportError(RuntimeError):
    """An export that does not compute what the model computes."""


@dataclasses.dataclass(frozen=True)
class Agreement:
    """What a comparison of two sets of probabilities found.

    Attributes:
        largest_difference: largest absolute difference of one probability, in [0, 1].
        top1_agreement: share of pictures with the same most probable class, in [0, 1].
        spread: largest range of one class's probability over the pictures, in [0, 1]. Near 0 the
            model answers every picture alike, and agreement says little.
        examples: number of pictures compared.
    """

    largest_difference: float
    top1_agreement: float
    spread: float
    examples: int


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """What an export may differ by.

    Attributes:
        largest_difference: of one probability.
        top1_agreement: least share of equal most probable classes.
    """

    largest_difference: float
    top1_agreement: float


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


def compare(model: Predict | keras.Model, reloaded: Predict, batch: np.ndarray) -> Agreement:
    """Compares the probabilities of a model and of its reloaded export.

    Args:
        model: the model, or a function like `reloaded`.
        reloaded: from pictures to probabilities, shape (n, classes).
        batch: pictures, uint8, shape (n, height, width, 3), n > 0.

    Raises:
        ExportError: the shapes differ, or a probability is not a finite number.
    """
    expected = probabilities(model, batch)
    received = probabilities(reloaded, batch)
    if received.shape != expected.shape:
        raise ExportError(
            f"The export returns probabilities of shape {received.shape}, "
            f"the model {expected.shape}."
        )
    if not (np.isfinite(expected).all() and np.isfinite(received).all()):
        raise ExportError("The model or its export returns probabilities that are not finite.")
    same_class = expected.argmax(axis=-1) == received.argmax(axis=-1)
    return Agreement(
        largest_difference=float(np.abs(expected - received).max()),
        top1_agreement=float(same_class.mean()),
        spread=float(np.ptp(expected, axis=0).max()),
        examples=len(batch),
    )


def check(agreement: Agreement, name: str, quantize: str | None) -> None:
    """Refuses an export that is further from the model than its quantisation explains.

    Raises:
        ExportError: beyond `TOLERANCES`; the message names the measure and both values.
    """
    tolerance = TOLERANCES[quantize]
    kind = f"{quantize or 'float32'} {name}"
    if agreement.largest_difference > tolerance.largest_difference:
        raise ExportError(
            f"The {kind} export was not kept: a probability differs from the model's by "
            f"{agreement.largest_difference:.2g}, allowed is {tolerance.largest_difference:g}."
        )
    if agreement.top1_agreement < tolerance.top1_agreement:
        raise ExportError(
            f"The {kind} export was not kept: it chooses the model's class on "
            f"{agreement.top1_agreement:.1%} of {agreement.examples} pictures, at least "
            f"{tolerance.top1_agreement:.0%} is required; quantise less, or on more pictures."
        )


def size_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder, in bytes."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def probabilities(model: Predict | keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities of all pictures, the first by itself: an export may have fixed its batch.

    Args:
        model: the model, or a function from pictures to probabilities.
        images: pictures, uint8, shape (n, height, width, 3), n > 0.

    Returns:
        Shape (n, classes).
    """
    predict = _as_function(model)
    starts = [1, *range(1 + BATCH_SIZE, len(images), BATCH_SIZE)]
    batches = [part for part in np.split(images, starts) if len(part)]
    return np.concatenate([predict(part) for part in batches])


def _as_function(model: Predict | keras.Model) -> Predict:
    if not isinstance(model, keras.Model):
        return model
    return lambda images: keras.ops.convert_to_numpy(answer(model, images))


def answer(model: keras.Model, images: keras.KerasTensor) -> keras.KerasTensor:
    """Probabilities, as a tensor, in inference mode.

    Args:
        model: a functional model of one input.
        images: pictures, uint8, shape (n, height, width, 3), an array or a tensor.
    """
    # A loaded model may want its one input in a list, and warns at each call without it.
    return model(keras.tree.pack_sequence_as(model.input, [images]), training=False)
