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
        largest_difference: largest absolute difference of one number, such as a probability or a
            coordinate; None where the outputs are class ids.
        mean_difference: mean absolute difference over all numbers; None as well.
        top1_agreement: share of examples, or in maps of pixels, with the same most probable class,
            in [0, 1]; None where the outputs are no probabilities and no class ids.
        spread: largest range of one column over the examples, in maps over their pixels; of
            quantities as a share of the largest absolute one. Near 0 the model answers every
            example alike, and agreement says little.
        examples: number of examples compared.
        scale: what differences are large or small against: the range of the model's answers where
            they are quantities, else 1.
    """

    largest_difference: float | None
    mean_difference: float | None
    top1_agreement: float | None
    spread: float
    examples: int
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """What an export may differ by.

    Attributes:
        largest_difference: of one number, in `Agreement.scale`.
        top1_agreement: least share of equal most probable classes; no matter for points.
        mean_difference: of all numbers, in `Agreement.scale`.
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


MAP_TOLERANCES = types.MappingProxyType(
    {
        # The rounding of `TOLERANCES`; the largest of millions of differences lies further out than
        # that of hundreds, and their mean far below. At a border two classes may be equal.
        None: Tolerance(1e-3, 0.999, 1e-5),
        # A pixel at a border moves freely, as a probability near 0.5 does; few pixels are there.
        "float16": Tolerance(1.0, 0.98, 5e-3),
        # As in `TOLERANCES` the class decides. A picture has few classes, and its largest often
        # half of the pixels, so that 0.7 would be reached by a network that knows little.
        "dynamic": Tolerance(1.0, 0.8),
        "int8": Tolerance(1.0, 0.8),
    }
)
"""What an export may differ by that gives probabilities at each pixel, or class ids."""

QUANTITY_TOLERANCES = types.MappingProxyType(
    {
        # As in `MAP_TOLERANCES`, relative to the range of the answers, whatever their unit.
        None: Tolerance(1e-3, 0.0, 1e-5),
        # Weights of a relative 5e-4, added up over layers. A pixel at the edge of a thing moves
        # freely between what is before and what is behind, so the mean decides.
        "float16": Tolerance(math.inf, 0.0, 5e-3),
        # 8 bits are steps of 1/255 = 0.004 of the range of each layer. Independent errors of fifty
        # layers add up to 0.03; a network that answers all alike is 0.2 off and more.
        "dynamic": Tolerance(math.inf, 0.0, 0.05),
        "int8": Tolerance(math.inf, 0.0, 0.05),
    }
)
"""What an export may differ by that gives quantities at each pixel, as shares of their range."""

RESIZED_TOLERANCE = Tolerance(0.5, 0.999, 1e-4)
"""What a float32 export may differ by on pictures that it resizes by itself.

Sums in another order, 1e-5 of a grey level apart, round to another whole grey level once in 1e5
pixels, and what is near that pixel in the map moves by some thousandths. Half a pixel of shift, or
no antialiasing, moves all edges of a map: 1e-3 and more on average.
"""

_BY_OUTPUT = types.MappingProxyType(
    {
        "points": POINT_TOLERANCES,
        "probability_maps": MAP_TOLERANCES,
        "class_maps": MAP_TOLERANCES,
        "maps": QUANTITY_TOLERANCES,
    }
)
_WITH_CLASSES = ("probabilities", "probability_maps")
_NUMBERS = types.MappingProxyType({"points": "coordinate", "maps": "quantity"})


def compare(
    model: Predict | keras.Model,
    reloaded: Predict,
    batch: np.ndarray,
    output: str = "probabilities",
) -> Agreement:
    """Compares the outputs of a model and of its reloaded export, batch by batch.

    Args:
        model: the model, or a function like `reloaded`.
        reloaded: from inputs to outputs, shape (n, columns), or maps, (n, height, width, columns),
            or class ids, (n, height, width).
        batch: inputs of the model, shape (n, ...), n > 0.
        output: what the outputs hold, one of `output_names.KEYS`.

    Raises:
        ExportError: the shapes differ, or a number is not finite.
    """
    tally = _Tally(output)
    for part in batches(batch):
        tally.add(_as_function(model)(part), reloaded(part))
    return tally.agreement(len(batch))


class _Tally:
    """What is counted over batches of outputs, so that no more than one is in memory."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._largest, self._sum, self._numbers = 0.0, 0.0, 0
        self._same, self._rows = 0, 0
        self._low, self._high = math.inf, -math.inf

    def add(self, expected: np.ndarray, received: np.ndarray) -> None:
        """Outputs of the model and of the export for the same inputs."""
        if received.shape != expected.shape:
            raise ExportError(
                f"The export returns {self._output} of shape {received.shape}, the model "
                f"{expected.shape}."
            )
        if not (np.isfinite(expected).all() and np.isfinite(received).all()):
            raise ExportError(
                f"The model or its export returns {self._output} that are not finite."
            )
        difference = np.abs(expected - received)
        self._largest = max(self._largest, float(difference.max()))
        self._sum += float(difference.sum(dtype=np.float64))
        self._numbers += difference.size
        ids = [
            array if self._output == "class_maps" else array.argmax(axis=-1)
            for array in (expected, received)
        ]
        self._same += int(np.count_nonzero(ids[0] == ids[1]))
        self._rows += ids[0].size
        columns = tuple(range(expected.ndim - (self._output != "class_maps")))
        self._low = np.minimum(self._low, expected.min(axis=columns))
        self._high = np.maximum(self._high, expected.max(axis=columns))

    def agreement(self, examples: int) -> Agreement:
        """What was found on so many examples."""
        of_ids, of_quantities = self._output == "class_maps", self._output == "maps"
        spread, scale = float(np.max(self._high - self._low)), 1.0
        if of_quantities:
            scale = max(float(np.max(self._high) - np.min(self._low)), 1e-12)
            largest = max(float(np.max(np.abs(self._high))), float(np.max(np.abs(self._low))))
            spread = spread / max(largest, 1e-12)
        with_classes = of_ids or self._output in _WITH_CLASSES
        return Agreement(
            largest_difference=None if of_ids else self._largest,
            mean_difference=None if of_ids else self._sum / self._numbers,
            top1_agreement=self._same / self._rows if with_classes else None,
            spread=spread,
            examples=examples,
            scale=scale,
        )


def check(
    agreement: Agreement,
    name: str,
    quantize: str | None,
    output: str = "probabilities",
    resized: bool = False,
) -> None:
    """Refuses an export that is further from the model than its quantisation explains.

    Args:
        agreement: what was found.
        name: of the format.
        quantize: how it is quantised.
        output: what the outputs hold, one of `output_names.KEYS`.
        resized: whether on pictures of another size than the network's.

    Raises:
        ExportError: beyond the tolerance; the message names the measure and both values.
    """
    tolerance = _BY_OUTPUT.get(output, TOLERANCES)[quantize]
    if resized and quantize is None:
        tolerance = RESIZED_TOLERANCE
    refused = f"The {quantize or 'float32'} {name} export was not kept:"
    if agreement.largest_difference is not None:
        _check_numbers(agreement, tolerance, refused, _NUMBERS.get(output, "probability"))
    same_class = agreement.top1_agreement
    if same_class is not None and same_class < tolerance.top1_agreement:
        where = "of the pixels " if "maps" in output else ""
        least = 100 * tolerance.top1_agreement
        raise ExportError(
            f"{refused} it chooses the model's class on {100 * same_class:.1f} % {where}of "
            f"{agreement.examples} examples, at least {least:g} % is required; quantise less, or "
            "on more examples."
        )


def _check_numbers(agreement: Agreement, tolerance: Tolerance, refused: str, number: str) -> None:
    """See `check`."""
    scale = agreement.scale
    of_range = f" of the range of its answers, {scale:.2g}" if number == "quantity" else ""
    if agreement.largest_difference > tolerance.largest_difference * scale:
        raise ExportError(
            f"{refused} a {number} differs from the model's by "
            f"{agreement.largest_difference:.2g}, allowed is "
            f"{tolerance.largest_difference:g}{of_range}."
        )
    if agreement.mean_difference > tolerance.mean_difference * scale:
        raise ExportError(
            f"{refused} a {number} differs from the model's by {agreement.mean_difference:.2g} on "
            f"average over {agreement.examples} examples, allowed is "
            f"{tolerance.mean_difference:g}{of_range}; quantise less, or on more examples."
        )


def size_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder, in bytes."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def batches(inputs: np.ndarray) -> list[np.ndarray]:
    """All inputs in parts, the first by itself: an export may have fixed its batch."""
    starts = [1, *range(1 + BATCH_SIZE, len(inputs), BATCH_SIZE)]
    return [part for part in np.split(inputs, starts) if len(part)]


def outputs(model: Predict | keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Outputs for all inputs.

    Args:
        model: the model, or a function from inputs to outputs.
        inputs: shape (n, ...), n > 0.

    Returns:
        Shape (n, ...).
    """
    predict = _as_function(model)
    return np.concatenate([predict(part) for part in batches(inputs)])


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
