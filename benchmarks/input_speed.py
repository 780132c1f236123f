"""Steps per second of a training step that is fed in several ways in turn."""

from __future__ import annotations

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.input_options import InputOptions, draw_jpegs
from datasets import core, images
from tasks.common.errors import UserError
from tasks.common.tables import text_table

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

READY = "a ready batch"
# Steps per second with real input, at least so much of the same step fed by a ready batch.
GOAL = 0.95
# Steps before the clock starts, each time an input has its turn: more than the two batches that
# are made ahead, so that none that was made in another's time is counted.
_SETTLING_STEPS = 3
_LABELS = ("even", "odd")


@dataclasses.dataclass(frozen=True)
class Feeding:
    """How one way of feeding did under one network.

    Attributes:
        backbone: the network.
        source: what fed it.
        steps_per_second: one number a turn.
        ratios: of the steps per second, to those of a ready batch in the same round of turns.
        milliseconds: processor time a picture: of the step for a ready batch, otherwise of the
            input alone.
    """

    backbone: str
    source: str
    steps_per_second: tuple[float, ...]
    ratios: tuple[float, ...]
    milliseconds: float


def measure_speed(options: InputOptions, folder: Path) -> list[Feeding]:
    """Every network fed in every way."""
    paths = _speed_pictures(options, folder / "large")
    sources = _sources(options, paths, folder / "cache")
    return [
        feeding
        for backbone in options.backbones
        for feeding in _measure_backbone(options, backbone, sources)
    ]


def _speed_pictures(options: InputOptions, folder: Path) -> list[Path]:
    """Picture files, as many as make whole batches."""
    if options.data_dir is None:
        paths = draw_jpegs(folder, options.pictures, options.picture_size)
    else:
        found = images.list_pictures(options.data_dir.expanduser())
        spread = np.linspace(0, len(found) - 1, min(options.pictures, len(found))).astype(int)
        paths = [found[index] for index in spread]
    if len(paths) < options.batch_size:
        raise UserError(
            f"--data-dir must hold at least {options.batch_size} pictures, a batch. Received: "
            f"{len(paths)} in {options.data_dir}."
        )
    return paths[: len(paths) // options.batch_size * options.batch_size]


def _sources(
    options: InputOptions, paths: list[Path], cache: Path
) -> dict[str, core.LabelledSource]:
    from datasets.decoded_cache import DecodedCache
    from datasets.files import PictureFiles
    from datasets.memory import Remembered

    files = PictureFiles(paths, np.arange(len(paths)) % 2, image_size=options.image_size)
    remembered = Remembered(files, sys.maxsize)
    for index in range(len(remembered)):
        remembered.example(index)
    return {
        "JPEG files": files,
        "remembered": remembered,
        "decoded cache": DecodedCache(remembered, cache, options.image_size, "squash"),
    }


def _measure_backbone(
    options: InputOptions, backbone: str, sources: dict[str, core.LabelledSource]
) -> list[Feeding]:
    import tensorflow as tf

    print(f"{backbone}: {len(sources) + 1} inputs, {options.repeats} turns each", flush=True)
    feeds = {name: _batches(options, source) for name, source in sources.items()}
    ready = next(iter(feeds["JPEG files"]))
    iterators = {READY: iter(tf.data.Dataset.from_tensors(ready).repeat())}
    iterators |= {name: iter(batches) for name, batches in feeds.items()}
    step = _training_step(options, backbone)
    seconds, processor = _take_turns(options, step, iterators)
    alone = {name: _alone(options, batches) for name, batches in feeds.items()}
    alone[READY] = min(processor[READY]) / options.batch_size
    return [
        Feeding(
            backbone,
            name,
            tuple(1 / turn for turn in seconds[name]),
            tuple(base / turn for base, turn in zip(seconds[READY], seconds[name], strict=True)),
            1000 * alone[name],
        )
        for name in iterators
    ]


def _batches(options: InputOptions, source: core.LabelledSource) -> tf.data.Dataset:
    """The endless batches that `cars_finetune` would train on."""
    from tasks.common import image_classifier
    from tasks.common.image_classifier_config import ImageClassifierConfig

    config = ImageClassifierConfig(image_size=options.image_size, workers=options.workers)
    splits = core.Splits(source, source, source, _described())
    batches = image_classifier.make_batches(config, splits, options.batch_size)
    return batches.train(range(1_000_000), 0)


def _described() -> core.DatasetInfo:
    return core.DatasetInfo("pictures", _LABELS, "Pictures, labelled in turn.", "benchmark", "")


def _training_step(
    options: InputOptions, backbone: str
) -> Callable[[Iterator], dict[str, tf.Tensor]]:
    """What `fit` calls for each step of `cars_finetune`, with all layers trained."""
    from tasks import cars_finetune
    from tasks.common.task import Stage

    config = cars_finetune.CarsFinetuneConfig(
        backbone=backbone, weights="none", image_size=options.image_size
    )
    model: keras.Model = cars_finetune.build_model(config, _described())
    cars_finetune.compile_model(config, model, Stage("full", 1, 1e-4), options.steps)
    model.make_train_function()
    return model.train_function


def _take_turns(
    options: InputOptions, step: Callable, iterators: dict[str, Iterator]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds a step, by the clock and of processor time, one number a turn.

    A first round is not counted: in it the step is traced and memory is taken. Every other round
    goes backwards, so that none gains by coming first.
    """
    names = list(iterators)
    for name in names:
        _do(step, iterators[name], _SETTLING_STEPS)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    processor: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(options.repeats):
        for name in names if turn % 2 == 0 else reversed(names):
            _do(step, iterators[name], _SETTLING_STEPS)
            started, used = time.perf_counter(), time.process_time()
            _do(step, iterators[name], options.steps)
            seconds[name].append((time.perf_counter() - started) / options.steps)
            processor[name].append((time.process_time() - used) / options.steps)
    return seconds, processor


def _do(step: Callable, iterator: Iterator, count: int) -> None:
    for _ in range(count):
        # To ask for the loss is to wait for the step.
        float(step(iterator)["loss"])


def _alone(options: InputOptions, batches: tf.data.Dataset) -> float:
    """Seconds of processor time that the input takes for a picture when no step is done."""
    iterator = iter(batches)
    for _ in range(_SETTLING_STEPS):
        next(iterator)
    count = options.steps * options.repeats
    used = time.process_time()
    for _ in range(count):
        next(iterator)
    return (time.process_time() - used) / (count * options.batch_size)


def speed_table(feedings: Sequence[Feeding]) -> str:
    """One row for each network and input."""
    header = [
        *("network", "input", "steps/s", "of a ready batch", "lowest", "highest", "95 %"),
        *("CPU ms a picture", "share of CPU"),
    ]
    steps = {f.backbone: f.milliseconds for f in feedings if f.source == READY}
    rows = []
    for feeding in feedings:
        base = feeding.source == READY
        ratio = statistics.median(feeding.ratios)
        share = feeding.milliseconds / (feeding.milliseconds + steps[feeding.backbone])
        rows.append(
            [
                feeding.backbone,
                feeding.source,
                f"{statistics.median(feeding.steps_per_second):.2f}",
                *(
                    "" if base else f"{value:.1%}"
                    for value in (ratio, min(feeding.ratios), max(feeding.ratios))
                ),
                "" if base else "yes" if ratio >= GOAL else "no",
                f"{feeding.milliseconds:.2f}",
                "" if base else f"{share:.1%}",
            ]
        )
    return text_table(header, rows)
