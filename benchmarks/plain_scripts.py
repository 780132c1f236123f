"""The two scripts that know nothing of the suite as contestants: commands and results."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measurement import Measurement, Stage
from benchmarks.multiply_adds import NetworkCost, of_plain_stage
from benchmarks.timed_process import Finished


@dataclasses.dataclass(frozen=True)
class PlainRecipe:
    """What both scripts are told.

    Attributes:
        image_size: height and width, in pixels.
        batch_size: pictures a step.
        head_epochs: on the frozen network; likewise `tail_epochs` with its last stage.
        head_learning_rate: of Adam; likewise `tail_learning_rate`.
        seed: of order, augmentation and the head's first weights.
    """

    image_size: tuple[int, int]
    batch_size: int
    head_epochs: int
    tail_epochs: int
    head_learning_rate: float
    tail_learning_rate: float
    seed: int

    def words(self) -> tuple[str, ...]:
        """As options of either script."""
        return (
            *("--image-size", *map(str, self.image_size)),
            *("--batch-size", str(self.batch_size)),
            *("--head-epochs", str(self.head_epochs)),
            *("--tail-epochs", str(self.tail_epochs)),
            *("--head-learning-rate", str(self.head_learning_rate)),
            *("--tail-learning-rate", str(self.tail_learning_rate)),
            *("--seed", str(self.seed)),
        )


def guide_words(
    pictures: Path, backbone: str, weights: str, first_layer: str, recipe: PlainRecipe, result: Path
) -> tuple[str, ...]:
    """The words after the interpreter for `keras_guide.py`.

    Args:
        pictures: class folders.
        backbone: a name in `keras.applications`.
        weights: `imagenet` or a file.
        first_layer: of the last stage, from which on it trains.
        recipe: see there.
        result: JSON file for the result.
    """
    return (
        *("benchmarks/keras_guide.py", str(pictures)),
        *("--backbone", backbone, "--weights", weights, "--unfreeze-from", first_layer),
        *recipe.words(),
        *("--result", str(result)),
    )


def torch_words(
    pictures: Path, model: Path, modules: tuple[str, ...], recipe: PlainRecipe, result: Path
) -> tuple[str, ...]:
    """The words after the interpreter for `torch_loop.py`.

    Args:
        pictures: class folders.
        model: folder of the converted network.
        modules: of the last stage.
        recipe: see there.
        result: JSON file for the result.
    """
    return (
        *("benchmarks/torch_loop.py", str(pictures), "--model", str(model)),
        *("--unfreeze", *modules, *recipe.words()),
        *("--result", str(result)),
    )


def read(
    name: str,
    result: Path,
    process: Finished,
    recipe: PlainRecipe,
    counts: Mapping[str, int],
    cost: NetworkCost,
) -> Measurement:
    """What a finished script measured.

    Args:
        name: for the tables.
        result: what it wrote.
        process: that ran it.
        recipe: that it was told.
        counts: pictures by split.
        cost: of the network.
    """
    document = json.loads(result.read_text(encoding="utf-8"))
    clock = document["clock"]
    stages = []
    for stage, before, epochs, trainable in (
        ("head", "ready", recipe.head_epochs, 0),
        ("tail", "head", recipe.tail_epochs, 1),
    ):
        work = of_plain_stage(cost, trainable, counts["train"], counts["validation"], epochs)
        seconds = clock[stage] - clock[before]
        stages.append(Stage(stage, seconds, counts["train"] * epochs, work))
    return Measurement(
        name=name,
        command=process.words,
        accuracy=document["accuracy"],
        start_seconds=clock["ready"] - process.started,
        stages=tuple(stages),
        training_seconds=clock["tail"] - process.started,
        evaluation_seconds=clock["evaluated"] - clock["tail"],
        total_seconds=process.seconds,
        peak_bytes=process.peak_bytes,
    )
