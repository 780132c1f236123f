"""Fine-tunes to the same accuracy three times: this suite, the Keras guide, a PyTorch loop.

All see the same JPEG files and start from the same weights, each in a process of its own, one
after the other. The Keras guide trains the head and then the last stage for a fixed number of
epochs; what is measured is how long the others take to come to its test accuracy, within one
point. The suite's recipe is fixed beforehand (`suite_run.py`) and was chosen by validation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks import machine, plain_scripts, results, suite_run, timed_process, torch_weights
from benchmarks.measurement import Measurement
from tasks.common.command_line import import_tensorflow_quietly, run_command
from tasks.common.errors import UserError

Contestant = Literal["keras_guide", "suite", "suite_without_cache", "torch"]

TITLES: dict[Contestant, str] = {
    "keras_guide": "Keras guide",
    "suite": "this suite",
    "suite_without_cache": "this suite, no cache",
    "torch": "PyTorch loop",
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Compare this suite with the Keras guide and a PyTorch loop on the same pictures."""

    data: Literal["rendered", "stanford_cars", "folder"] = "rendered"
    """Drawn cars, a copy of Stanford Cars, or any folder of class folders."""
    data_dir: Path | None = None
    """Folder of the data; `stanford_cars` and `folder` need it."""
    rendered_count: tuple[int, int, int] = (800, 160, 400)
    """Drawn pictures for training, validation and test."""
    rendered_classes: int = 8
    """Classes of drawn cars."""
    validation_fraction: float = 0.1
    """Share of the training pictures kept for validation where the data has no own split."""
    test_fraction: float = 0.15
    """Share kept for the test where a folder has no own split."""

    backbone: str = "MobileNetV2"
    """Any network of `keras.applications`; PyTorch takes part for MobileNetV2 and ResNets v1."""
    weights: str = "imagenet"
    """`imagenet`, a weight file, or `none`: random ones, which only try the command."""
    image_size: tuple[int, int] = (224, 224)
    """Height and width of the pictures the networks see, in pixels."""
    seed: int = 0
    """Of the split, and of every contestant."""

    contestants: tuple[Contestant, ...] = ("keras_guide", "suite", "suite_without_cache", "torch")
    """Who takes part, in this order; without `keras_guide` nothing is compared."""
    head_epochs: int = 10
    """Of the guide and of PyTorch: the new head on the frozen network."""
    tail_epochs: int = 10
    """Of the guide and of PyTorch: the head and the last stage."""
    head_learning_rate: float = 1e-3
    """Of the guide and of PyTorch; Adam's usual one, which the guide leaves as it is."""
    tail_learning_rate: float = 1e-5
    """Of the guide and of PyTorch; the guide's."""
    batch_size: int = 32
    """Of the guide and of PyTorch, in pictures a step; the usual one of Keras."""

    work_dir: Path | None = None
    """New or empty folder for pictures, logs and run folders; a temporary one when not given."""
    output: Path = results.DEFAULT_FOLDER
    """Folder for transfer.json and transfer.png."""
    quick: bool = False
    """A few small pictures and one epoch a stage: does everything run to the end?"""


@dataclasses.dataclass(frozen=True)
class Contest:
    """What all contestants are given.

    Attributes:
        options: as the user gave them.
        work_dir: a folder with room for everything.
        pictures: class folders in it.
        counts: pictures by split.
        weights: `imagenet` or the path of a file.
        cost: multiply-adds of the classifier.
        first_layer: of the backbone's last stage, in Keras.
        modules: of the last stage, in PyTorch; empty where it has no such network.
        recipe: of the two plain scripts.
    """

    options: Options
    work_dir: Path
    pictures: Path
    counts: dict[str, int]
    weights: str
    cost: Any
    first_layer: str
    modules: tuple[str, ...]
    recipe: plain_scripts.PlainRecipe


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act(options: Options) -> None:
        options = check(_made_quick(options))
        results.require_writable(options.output)
        import_tensorflow_quietly()
        with _work_dir(options.work_dir) as work_dir:
            run(prepare(options, work_dir))

    return run_command(Options, "benchmarks.transfer", act, arguments)


def check(options: Options) -> Options:
    """The options with full paths; what does not fit is found before any work.

    Raises:
        UserError: the first one found.
    """
    if options.data != "rendered" and options.data_dir is None:
        raise UserError(f"--data {options.data} needs --data-dir: the folder of the pictures.")
    if options.data == "rendered" and options.data_dir is not None:
        raise UserError("--data-dir needs --data stanford_cars or --data folder.")
    if not options.contestants:
        raise UserError(f"--contestants must name at least one of {', '.join(TITLES)}.")
    for name in ("head_epochs", "tail_epochs", "batch_size"):
        if getattr(options, name) < 1:
            option = name.replace("_", "-")
            raise UserError(f"--{option} must be at least 1. Received: {getattr(options, name)}.")
    weights = options.weights
    if weights not in ("imagenet", "none"):
        if not Path(weights).is_file():
            raise UserError(
                "--weights must be `imagenet`, `none` or a weight file. "
                f"Received: {weights!r}, which is no file."
            )
        weights = str(Path(weights).resolve())
    data_dir = options.data_dir and options.data_dir.expanduser().resolve()
    return dataclasses.replace(options, weights=weights, data_dir=data_dir)


def _made_quick(options: Options) -> Options:
    """The same with few pictures and epochs where `--quick` asks for it."""
    if not options.quick:
        return options
    return dataclasses.replace(
        options,
        rendered_count=(16, 8, 8),
        rendered_classes=2,
        image_size=(64, 64),
        weights="none" if options.weights == "imagenet" else options.weights,
        head_epochs=1,
        tail_epochs=1,
        batch_size=8,
    )


@contextlib.contextmanager
def _work_dir(chosen: Path | None) -> Iterator[Path]:
    """The chosen folder, which stays, or a temporary one."""
    if chosen is None:
        with tempfile.TemporaryDirectory(prefix="benchmark-transfer-") as folder:
            yield Path(folder)
        return
    chosen.mkdir(parents=True, exist_ok=True)
    if any(chosen.iterdir()):
        raise UserError(f"--work-dir must be a new or an empty folder. Received: {chosen}.")
    yield chosen.resolve()


def prepare(options: Options, work_dir: Path) -> Contest:
    """Writes the pictures and looks at the network, before any clock runs.

    Raises:
        DataError: the pictures cannot be read.
        UserError: the network or its weights cannot be had.
    """
    from benchmarks import class_folders, multiply_adds
    from keras_models import transfer

    splits = _splits(options)
    print(f"{splits.info.description} Writing them to {work_dir / 'pictures'}.", flush=True)
    counts = class_folders.write(splits, work_dir / "pictures")
    backbone = _backbone(options)
    weights = options.weights
    if weights == "none":
        weights = str(work_dir / "random.weights.h5")
        backbone.save_weights(weights)
    last_stage = transfer.stage_layers(backbone)[-1]
    return Contest(
        options=options,
        work_dir=work_dir,
        pictures=work_dir / "pictures",
        counts=counts,
        weights=weights,
        cost=multiply_adds.of_classifier(backbone, len(splits.info.class_names)),
        first_layer=last_stage[0].name,
        modules=torch_weights.modules_of(last_stage),
        recipe=plain_scripts.PlainRecipe(
            options.image_size,
            options.batch_size,
            options.head_epochs,
            options.tail_epochs,
            options.head_learning_rate,
            options.tail_learning_rate,
            options.seed,
        ),
    )


def _splits(options: Options) -> Any:
    import datasets

    if options.data == "stanford_cars":
        return datasets.stanford_cars.load(
            options.data_dir, options.validation_fraction, options.seed
        )
    if options.data == "folder":
        return datasets.folder.load(
            options.data_dir, options.validation_fraction, options.test_fraction, options.seed
        )
    return datasets.rendered.cars.load(
        *options.rendered_count, options.image_size, options.seed, options.rendered_classes
    )


def _backbone(options: Options) -> Any:
    from keras_models import backbones

    weights = None if options.weights == "none" else options.weights
    try:
        return backbones.build_backbone(options.backbone, options.image_size, weights)
    except (ValueError, ConnectionError) as error:
        raise UserError(str(error)) from None


def run(contest: Contest) -> None:
    """Runs every contestant, prints the tables and writes the files.

    Raises:
        UserError: a contestant failed.
    """
    from benchmarks import transfer_results

    options = contest.options
    rate = machine.matrix_multiply_rate()
    print(f"matrix product: {rate / 1e9:.1f} x 10^9 multiply-adds a second", flush=True)
    measured: dict[str, Measurement] = {}
    for name in options.contestants:
        why_not = _why_left_out(name, options.backbone)
        if why_not:
            print(f"{TITLES[name]} is left out: {why_not}", flush=True)
            continue
        measured[name] = CONTESTANTS[name](contest)
        result = measured[name]
        print(
            f"{result.name}: {result.training_seconds:.1f} s, test accuracy {result.accuracy:.4f}",
            flush=True,
        )
    if not measured:
        raise UserError("None of the --contestants can take part here.")
    measurements, guide = list(measured.values()), measured.get("keras_guide")
    print()
    print(transfer_results.summary_table(measurements, guide), end="\n\n")
    print(transfer_results.parts_table(measurements), end="\n\n")
    print(transfer_results.stages_table(measurements, rate), end="\n\n")
    print("\n".join(transfer_results.verdicts(measurements, guide)))
    results.save(
        "transfer",
        options.output,
        transfer_results.document(options, machine.describe(), rate, measurements, guide),
        transfer_results.chart(measurements, guide),
    )


def _why_left_out(name: Contestant, backbone: str) -> str:
    """Why a contestant cannot take part; empty if it can."""
    if name != "torch":
        return ""
    if not torch_weights.available():
        return "it needs `pip install -r requirements-benchmarks.txt`."
    if backbone not in torch_weights.BACKBONES:
        return f"it has no {backbone} that is the same network as in Keras."
    return ""


def _run_guide(contest: Contest) -> Measurement:
    result = contest.work_dir / "keras_guide.json"
    words = plain_scripts.guide_words(
        contest.pictures,
        contest.options.backbone,
        contest.weights,
        contest.first_layer,
        contest.recipe,
        result,
    )
    process = timed_process.run(words, contest.work_dir / "keras_guide.log")
    return plain_scripts.read(
        TITLES["keras_guide"], result, process, contest.recipe, contest.counts, contest.cost
    )


def _run_torch(contest: Contest) -> Measurement:
    """Converts the weights, which nobody's clock sees, then trains."""
    model, result = contest.work_dir / "torch_model", contest.work_dir / "torch.json"
    size = map(str, contest.options.image_size)
    timed_process.run(
        (
            *("-m", "benchmarks.torch_weights", "--folder", str(model)),
            *("--backbone", contest.options.backbone, "--weights", contest.weights),
            *("--image-size", *size),
        ),
        contest.work_dir / "torch_weights.log",
    )
    words = plain_scripts.torch_words(
        contest.pictures, model, contest.modules, contest.recipe, result
    )
    process = timed_process.run(words, contest.work_dir / "torch.log")
    return plain_scripts.read(
        TITLES["torch"], result, process, contest.recipe, contest.counts, contest.cost
    )


def _run_suite(contest: Contest) -> Measurement:
    return _run_task(contest, "suite", suite_run.WITH_CACHE)


def _run_suite_without_cache(contest: Contest) -> Measurement:
    return _run_task(contest, "suite_without_cache", suite_run.WITHOUT_CACHE)


def _run_task(contest: Contest, name: Contestant, recipe: tuple[str, ...]) -> Measurement:
    options = contest.options
    quick = ("--head-epochs", "1", "--tail-epochs", "1", "--batch-size", "8")
    words = suite_run.words(
        contest.work_dir,
        name,
        (
            *("--data", "folder", "--data-dir", str(contest.pictures)),
            *("--backbone", options.backbone, "--weights", contest.weights),
            *("--image-size", *map(str, options.image_size), "--seed", str(options.seed)),
            *recipe,
            *(quick if options.quick else ()),
        ),
    )
    process = timed_process.run(words, contest.work_dir / f"{name}.log")
    folder = suite_run.run_folder(contest.work_dir, name)
    return suite_run.read(TITLES[name], folder, process, contest.counts, contest.cost)


CONTESTANTS: dict[Contestant, Callable[[Contest], Measurement]] = {
    "keras_guide": _run_guide,
    "suite": _run_suite,
    "suite_without_cache": _run_suite_without_cache,
    "torch": _run_torch,
}

if __name__ == "__main__":
    sys.exit(main())
