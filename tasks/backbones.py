"""Compare the networks of `keras.applications` on this machine: size, depth, speed, accuracy.

Paper: none; the table is that of keras.io/api/applications, measured anew. Its time is "the
average of 30 batches and 10 repetitions", batches of 32 on a server of 92 cores or on an A100.
Data: none is needed. With --data-dir, a folder of pictures whose file names begin with the wnid
of their class, as ImageNet's do, and with weights at hand, top-1 and top-5 accuracy are measured.
Expected: ResNet50 has 98 MB, 25.6 million parameters and depth 107, as in the lecture; with
ImageNet's weights and its 50,000 validation pictures top-1 74.9 and top-5 92.1 (Keras's table).
Command: `python -m tasks.backbones`, see `--help`.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_study
from tasks.common.config import StudyConfig
from tasks.common.errors import UserError
from tasks.common.option_checks import check_study, refuse, require_at_least
from tasks.common.run_folder import RunFolder
from tasks.common.study import Cell, Study, StudyRun

if TYPE_CHECKING:
    import keras
    import numpy as np

    from datasets.wnid_pictures import ClassIndex
    from keras_models.imagenet_classifiers import Variant

SMALLEST, ALL = "smallest", "all"
CLASS_INDEX_FILE = "imagenet_class_index.json"


@dataclasses.dataclass(frozen=True)
class BackbonesConfig(StudyConfig):
    """Compare the networks of `keras.applications` on this machine: size, depth, speed, accuracy.

    With no option at all it measures the smallest network of each family, in a few minutes.
    Presets: `quick`; `seed`, the lecture's table, all 40 networks; `paper`, all of them timed as
    in Keras's documentation.
    """

    backbones: tuple[str, ...] = (SMALLEST,)
    """Names of networks, `smallest` (the first of each family) or `all`; MobileNet-0.25 is thin."""
    weights_dir: Path | None = None
    """Folder of weight files under the names of Keras's cache, looked at before that cache."""
    data_dir: Path | None = None
    """Folder of pictures whose names begin with the wnid of their class, to measure accuracy."""
    class_index: Path | None = None
    """The file `imagenet_class_index.json`; Keras's cache is looked at when not given."""
    limit: int | None = None
    """At most this many pictures, each class in its share."""
    seconds: float = 2.0
    """How long single pictures are timed, and batches as well."""
    least_calls: int = 3
    """Calls that are timed however long they take."""
    batch_size: int = 8
    """Pictures in a batch, for the time a picture takes among many; 1 leaves it out."""
    repetitions: int = 1
    """Processes in which each network is measured; the table has their medians."""
    jobs: int | Literal["auto"] = 1
    """Networks measured at the same time: only 1, because others at work would change the times."""
    workers: int = 4
    """Threads that read and decode pictures."""


PRESETS = {
    "quick": BackbonesConfig(),
    "seed": BackbonesConfig(preset="seed", backbones=(ALL,)),
    # keras.io/api/applications: batches of 32, 30 of them, 10 repetitions. The median here, the
    # average there.
    "paper": BackbonesConfig(
        preset="paper", backbones=(ALL,), batch_size=32, least_calls=30, repetitions=10
    ),
}


@dataclasses.dataclass(frozen=True)
class NetworkOptions:
    """What is measured in one process; the fields are those of `BackbonesConfig`."""

    network: str
    weights_dir: Path | None
    data_dir: Path | None
    class_index: Path | None
    limit: int | None
    seconds: float
    least_calls: int
    batch_size: int
    seed: int
    workers: int
    dry_run: bool


def check(config: BackbonesConfig) -> BackbonesConfig:
    """The options with the networks settled; what does not fit is found before any work."""
    check_study(config)
    require_at_least(config, ("batch_size", "least_calls", "workers", "limit"), 1)
    if not 0 < config.seconds < float("inf"):
        refuse("seconds", "above 0", config.seconds)
    if config.jobs != 1:
        refuse("jobs", "1, because networks side by side would slow each other", config.jobs)
    if config.weights_dir is not None and not config.weights_dir.is_dir():
        refuse("weights_dir", "a folder of weight files", config.weights_dir)
    if config.data_dir is not None:
        _check_pictures(config)
    found = _with_weights(config, named(config.backbones))
    return config if config.weights_dir is None else dataclasses.replace(config, backbones=found)


def named(words: tuple[str, ...]) -> tuple[str, ...]:
    """The networks that `--backbones` names, each once, as Keras writes them.

    Raises:
        UserError: there is no such network, or `smallest` or `all` does not stand alone.
    """
    families = keras_models.imagenet_classifiers.FAMILIES
    if words == (SMALLEST,):
        return tuple(names[0] for names in families.values())
    if words == (ALL,):
        return tuple(name for names in families.values() for name in names)
    if not words or SMALLEST in words or ALL in words:
        allowed = f"names of networks, or `{SMALLEST}` or `{ALL}` alone"
        refuse("backbones", allowed, " ".join(words) or "nothing")
    try:
        found = [keras_models.imagenet_classifiers.find(word).name for word in words]
    except ValueError as error:
        raise UserError(f"--backbones: {error}") from None
    return tuple(dict.fromkeys(found))


def _with_weights(config: BackbonesConfig, names: tuple[str, ...]) -> tuple[str, ...]:
    """The networks, and their thinner and wider variants that `--weights-dir` has a file for."""
    classifiers = keras_models.imagenet_classifiers
    usual = [name for name in names if classifiers.find(name).width == 1.0]
    every = [variant for name in usual for variant in classifiers.variants(name)]
    found = [
        variant.name
        for variant in every
        if config.weights_dir is not None and (config.weights_dir / variant.weights_file).is_file()
    ]
    return tuple(dict.fromkeys((*names, *found)))


def _check_pictures(config: BackbonesConfig) -> None:
    """Sees that each picture has a known class and can be read."""
    source = _pictures(config, _class_index(config))
    bad = datasets.check.find_bad_pictures(source, lambda done, total: None, config.workers)
    datasets.check.require_no_bad_pictures(bad)
    print(f"checked {len(source)} pictures of {len(set(source.labels.tolist()))} classes")


def _class_index(config: BackbonesConfig | NetworkOptions) -> ClassIndex:
    path = config.class_index
    if path is None:
        path = keras_models.backbone_weights.weights_folder() / CLASS_INDEX_FILE
        if not path.is_file():
            raise UserError(
                f"--data-dir needs --class-index: Keras's {CLASS_INDEX_FILE}, which is not in "
                f"{path.parent}."
            )
    index = datasets.wnid_pictures.read_class_index(path)
    expected = keras_models.imagenet_classifiers.CLASS_COUNT
    if len(index.wnids) != expected:
        raise UserError(
            f"{path} must have the {expected} classes that the networks know, received "
            f"{len(index.wnids)}: take Keras's {CLASS_INDEX_FILE}."
        )
    return index


def _pictures(config: BackbonesConfig | NetworkOptions, index: ClassIndex) -> Any:
    source = datasets.wnid_pictures.load(config.data_dir, index)
    limit = config.batch_size if config.dry_run else config.limit
    return source if limit is None else datasets.core.limit(source, limit, config.seed)


def cells(config: BackbonesConfig) -> list[Cell]:
    """One process a network and repetition, the networks family by family."""
    shared = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(NetworkOptions)
        if field.name != "network"
    }
    return [
        Cell(
            name if config.repetitions == 1 else f"{name}_{number}",
            NetworkOptions(network=name, **shared),
        )
        for number in range(1, config.repetitions + 1)
        for name in named(config.backbones)
    ]


def run_cell(options: NetworkOptions, folder: RunFolder) -> dict[str, Any]:
    """Builds one network, times it and, with weights and pictures, measures its accuracy."""
    measurement, classifiers = (
        common.backbones.network_measurement,
        keras_models.imagenet_classifiers,
    )
    variant = classifiers.find(options.network)
    weights = weights_at_hand(variant, options.weights_dir)
    began = time.monotonic()
    try:
        model = classifiers.build(variant, weights)
    except ValueError as error:
        raise UserError(str(error)) from None
    network = model.layers[-1]
    predict = measurement.compiled(model)
    side = variant.backbone.default_size
    pictures = _made_up_pictures(options, side)
    predict(pictures[:1])
    return {
        "network": variant.name,
        "family": variant.family,
        "weights": "random" if weights is None else str(weights),
        "image_side": side,
        "parameters": network.count_params(),
        "megabytes": classifiers.megabytes(network),
        "depth": classifiers.depth(network),
        "seconds_to_first_answer": time.monotonic() - began,
        **_times(options, predict, pictures),
        **({} if weights is None else _accuracy(options, model)),
        "memory_megabytes": measurement.peak_memory_megabytes(),
    }


def weights_at_hand(variant: Variant, weights_dir: Path | None) -> Path | None:
    """The file with the weights, in the user's folder or in Keras's cache; None without one."""
    folders = [weights_dir, keras_models.backbone_weights.weights_folder()]
    places = [folder / variant.weights_file for folder in folders if folder is not None]
    return next((place for place in places if place.is_file()), None)


def _made_up_pictures(options: NetworkOptions, side: int) -> np.ndarray:
    """Noise, uint8 (batch_size, side, side, 3): what a picture shows does not change the time."""
    import numpy as np

    shape = (options.batch_size, side, side, 3)
    return np.random.default_rng(options.seed).integers(0, 256, shape, np.uint8)


def _times(options: NetworkOptions, predict: Any, pictures: np.ndarray) -> dict[str, float]:
    seconds, least = (0.0, 1) if options.dry_run else (options.seconds, options.least_calls)
    median = common.backbones.network_measurement.median_milliseconds
    times = {"milliseconds": median(lambda: predict(pictures[:1]), seconds, least)}
    if options.batch_size > 1:
        batch = median(lambda: predict(pictures), seconds, least)
        times["milliseconds_in_batch"] = batch / options.batch_size
        times["batch_size"] = options.batch_size
    return times


def _accuracy(options: NetworkOptions, model: keras.Model) -> dict[str, float]:
    """Top-1 and top-5 on the user's pictures, cut to their central square; nothing without any."""
    if options.data_dir is None:
        return {}
    index = _class_index(options)
    source = _pictures(options, index)
    batching = datasets.pipeline.Batching(
        batch_size=min(options.batch_size, len(source)),
        image_size=model.input_shape[1:3],
        class_count=len(index.wnids),
        resizing="crop",
        workers=options.workers,
    )
    return common.backbones.report.accuracies(
        model.predict(datasets.pipeline.evaluation_batches(source, batching), verbose=0),
        source.labels,
        index.wnids,
    )


def summarise(result: Mapping[str, Any]) -> str:
    """A network in a few words, for the line of progress."""
    words = f"{result['parameters'] / 1e6:.1f} M parameters, {result['milliseconds']:.1f} ms"
    return words + (f", top-1 {result['top_1']:.3f}" if "top_1" in result else "")


def report(run: StudyRun) -> None:
    """The table, in the terminal, the report and a CSV file, and the chart."""
    common.backbones.report.report(TASK.name, run)


TASK = Study(
    name="backbones",
    summary="size, depth, speed and accuracy of the networks of Keras, here",
    presets=PRESETS,
    check=check,
    cells=cells,
    run_cell=run_cell,
    report=report,
    summarise=summarise,
)

if __name__ == "__main__":
    sys.exit(run_study(TASK))
