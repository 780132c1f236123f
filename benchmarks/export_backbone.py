"""Exports one network, folded and not, and times every export: a part of `benchmarks.export`.

It runs in a process of its own: memory that one network leaves behind, or a converter that brings
the process down, is then no matter of the next network.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.common.command_line import import_tensorflow_quietly, run_command
from tasks.common.wording import shorten

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tasks.common.exports.agreement import Predict

# Every format as float32, and as int8 where it can.
VARIANTS = (
    ("saved_model", None),
    ("litert", None),
    ("litert", "int8"),
    ("onnx", None),
    ("onnx", "int8"),
)


# Enough that the statistics of a normalisation are those of no single picture.
PICTURES = 32


@dataclasses.dataclass(frozen=True)
class BackboneOptions:
    """Measure the exports of one network."""

    backbone: str
    """Any network of `keras.applications`; its weights are random."""
    image_size: int
    """Side of the pictures, in pixels."""
    result: Path
    """The JSON file to write: what `measure` returns."""
    quick: bool = False
    """A few calls on a few pictures."""


@dataclasses.dataclass(frozen=True)
class Amount:
    """How much is measured.

    Attributes:
        rounds: turns of each contender with one picture.
        calls: timed calls a turn.
        batches: timed calls of each contender with a batch.
        batch_size: pictures a batch, at most `PICTURES`.
        calibration: the same, that int8 ranges are measured on. The weights are random, so that
            only the time of the result matters.
    """

    rounds: int
    calls: int
    batches: int
    batch_size: int
    calibration: int


FULL = Amount(rounds=10, calls=6, batches=5, batch_size=32, calibration=16)
QUICK = Amount(rounds=2, calls=1, batches=2, batch_size=2, calibration=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures one network; gives the exit status."""

    def act(options: BackboneOptions) -> None:
        import_tensorflow_quietly()
        amount = QUICK if options.quick else FULL
        document = measure(options.backbone, options.image_size, amount)
        options.result.write_text(json.dumps(document), encoding="utf-8")

    return run_command(BackboneOptions, "benchmarks.export", act, arguments)


@dataclasses.dataclass(frozen=True, eq=False)
class Entrant:
    """One way to run the network, or one export that could not be made.

    Attributes:
        runtime: what computes, in words.
        numbers: in what: `float32` or `int8`.
        folded: whether normalisation is folded into the layers before it.
        megabytes: size of the export, in 10^6 bytes; None for Keras itself.
        fault: why there is no export; None where there is one.
        predict: from pictures to probabilities; None with a fault.
    """

    runtime: str
    numbers: str
    folded: bool
    megabytes: float | None = None
    fault: str | None = None
    predict: Predict | None = None

    def row(self) -> dict:
        """What JSON can hold of it."""
        fields = dataclasses.asdict(dataclasses.replace(self, predict=None))
        del fields["predict"]
        return fields


def measure(backbone: str, image_size: int, amount: Amount) -> dict:
    """Exports the network with and without folded normalisation and times all in turn.

    Returns:
        `backbone`; `folding`, what was folded, in words or None; `rows`, each with the fields of
        `Entrant` but `predict` and, without a fault, those of `timing.Speed`.
    """
    from tasks.common.exports import timing
    from tasks.common.exports.folded import fold

    pictures = drawn_pictures(image_size, PICTURES)
    model = living_classifier(backbone, image_size, pictures)
    folded = fold(model, pictures)
    with tempfile.TemporaryDirectory(prefix="export-") as name:
        everyone = [
            entrant
            for is_folded, written in ((False, model), (True, folded.model))
            for entrant in entrants(
                written, Path(name) / str(is_folded), pictures[: amount.calibration], is_folded
            )
        ]
        speeds = timing.speeds(
            {str(n): one.predict for n, one in enumerate(everyone) if one.predict is not None},
            pictures[: amount.batch_size],
            timing.Plan(amount.rounds, amount.calls, settling=1),
            timing.Plan(amount.batches, calls=1, settling=0),
        )
    rows = [
        one.row() | (dataclasses.asdict(speeds[str(n)]) if one.predict is not None else {})
        for n, one in enumerate(everyone)
    ]
    return {"backbone": backbone, "folding": folded.sentence, "rows": rows}


def drawn_pictures(image_size: int, count: int) -> np.ndarray:
    """Drawn cars, uint8, shape (count, image_size, image_size, 3)."""
    import numpy as np

    from datasets.rendered import cars

    source = cars.RenderedCars(count, 0, (image_size, image_size), cars.CLASS_NAMES)
    return np.stack([source.example(index)["image"] for index in range(count)])


def living_classifier(backbone: str, image_size: int, pictures: np.ndarray) -> keras.Model:
    """A classifier of random weights in which the signal stays alive.

    Random weights shrink the signal layer by layer until all pictures look alike. One pass in
    training mode gives each normalisation the statistics of what reaches it, as training would:
    folding then has something to fold.

    Args:
        backbone: see `keras_models.backbones.names`.
        image_size: side, in pixels.
        pictures: uint8, shape (n, image_size, image_size, 3).
    """
    import keras

    from datasets.rendered import cars
    from keras_models import backbones, heads, preprocessing

    keras.utils.set_random_seed(0)
    entry = backbones.lookup(backbone)
    network = backbones.build_backbone(entry.name, image_size)
    preprocess = preprocessing.ImagePreprocessing(entry.preprocessing, name="preprocessing")
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(preprocess(keras.ops.convert_to_tensor(pictures)), training=True)
    image = keras.Input(pictures.shape[1:], dtype="uint8", name="image")
    answers = heads.classification_head(network(preprocess(image)), cars.CLASS_NAMES)
    return keras.Model(image, answers, name=f"{entry.name}_classifier")


def entrants(
    model: keras.Model, folder: Path, calibration: np.ndarray, folded: bool
) -> Iterator[Entrant]:
    """The model in Keras, then each of its exports, or why it could not be made.

    Args:
        model: a classifier as `living_classifier` makes it.
        folder: where the exports go; it must not exist.
        calibration: pictures for int8, uint8, shape (n, image_size, image_size, 3).
        folded: whether its normalisation is folded.
    """
    from keras_models import transfer
    from tasks.common.exports import agreement, benchmark, formats, verified

    folder.mkdir()
    for one in benchmark.contenders(model, ()):
        yield Entrant(one.runtime, one.numbers, folded, predict=one.predict)
    for name, quantize in VARIANTS:
        entrant = Entrant(benchmark.RUNTIMES[name], quantize or "float32", folded)
        path = folder / formats.file_name(name, quantize)
        try:
            write = functools.partial(verified.write, quantize=quantize, representative=calibration)
            write(model, transfer.class_names(model), name, path)
            predict = verified.load(name, path)
            predict(calibration[:1])
        except Exception as error:
            # Converters and runtimes raise errors of many classes; the others can be measured.
            fault = shorten(f"{type(error).__name__}: {error}", 200)
            yield dataclasses.replace(entrant, fault=fault)
        else:
            megabytes = agreement.size_bytes(path) / 1e6
            yield dataclasses.replace(entrant, megabytes=megabytes, predict=predict)


if __name__ == "__main__":
    sys.exit(main())
