"""Imports go one way: from the tasks down to networks, data sets and callbacks, never back.

Every module is parsed, not run, so that an import inside a function counts as well.
"""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.__main__ import VERBS, find_tasks

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("keras_models", "datasets", "callbacks", "tasks", "benchmarks")
# What lies on the far end of every arrow: nothing that is imported by others may know it.
FRONT = ("tasks", "tests", "webapps", "benchmarks")

# They stand for what users write without the suite, so they have to do without it.
STAND_ALONE = {"benchmarks.keras_guide", "benchmarks.torch_loop"}

# What all tasks share may use of the networks and the data sets: records and tools, and no network
# or data set in particular.
SHARED_BY_TASKS = {
    "datasets.texts": "`tasks.predict` counts the words of any text as the data sets do",
    "datasets.core": "the records that describe any data set",
    "datasets.pipeline": "from any source to batches",
    "datasets.feature_cache": "stored features of any frozen network",
    "datasets.feature_batches": "from stored features to batches",
    "datasets.augment": "the options `--augment` and `--mixing` of every image classifier",
    "datasets.check": "pictures are looked at before any task trains",
    "datasets.vectors": "rows of numbers, whatever they stand for",
    "datasets.number_table": "`tasks.predict` reads any table that has a model's columns",
    "datasets.vector_batches": "from rows of numbers to batches",
    "datasets.memory": "decoded pictures are kept whatever the data set is",
    "datasets.decoded_cache": "and on disk, where the memory does not take them",
    "datasets.folder": "`tasks.evaluate --data-dir` tests a run on any folder of class folders",
    "datasets.files": "`tasks.export` measures a quantised model on the user's picture files",
    "datasets.images": "`tasks.predict` reads any picture file",
    "keras_models.columns": "which columns of a table a model was made for",
    "keras_models.text_classifier": "the vocabulary that any classifier of texts carries",
    "keras_models.transfer": "freezing and parameter groups of any backbone",
    "keras_models.folding": "frozen and exported networks of any kind, made faster",
    "keras_models.model_file": "a saved model of any task is opened",
    "keras_models.schedules": "the option `--schedule` of every task",
    "keras_models.backbones": "whether the weights of the named backbone are in the cache",
    "datasets.landmark_augment": "the option `--augment` of every task that finds points",
    "datasets.landmark_batches": "from any source of points to batches",
    "datasets.landmark_files": "`tasks.evaluate --data-dir` tests a run on any table of points",
    "datasets.landmark_frames": "from shares of what a network sees to pixels of any picture",
    "datasets.landmark_records": "the records that describe any data set of points",
    "datasets.landmark_schemes": "names, pairs and lines of points, by their number",
    "keras_models.landmark_regressor": "what a saved model knows of its points",
    "keras_models.losses.regression": "the option `--loss` of every task that finds points",
    "keras_models.metrics.landmarks": "how far points are off, for training and for reports",
}

# Where one shared part is for a few tasks alone, or a package is one task's own: what it, and all
# that lies in it, may know besides.
SHARED_BY_SOME_TASKS = {
    "tasks.common.cyclegan": (
        "datasets.dense_augment",
        "datasets.dense_batches",
        "datasets.depth_range",
        "datasets.nyu_depth",
        "datasets.unpaired_batches",
        "keras_models.cyclegan",
        "keras_models.depth_scale",
        "keras_models.losses.adversarial",
    ),
    "tasks.common.dense": (
        "datasets.dense_augment",
        "datasets.dense_batches",
        "datasets.dense_maps",
        "keras_models.any_size",
        "keras_models.map_output",
    ),
    "tasks.common.segmentation": (
        "datasets.camvid",
        "datasets.cityscapes",
        "datasets.class_masks",
        "datasets.dense_batches",
        "keras_models.map_output",
        "keras_models.metrics.segmentation",
    ),
    "tasks.common.car_pictures": ("datasets.rendered.cars", "datasets.stanford_cars"),
    "tasks.common.car_pictures_config": ("datasets.rendered",),
    "tasks.common.depth": (
        "datasets.dense_batches",
        "datasets.depth_range",
        "datasets.nyu_depth",
        "keras_models.depth_quantity",
        "keras_models.losses.depth",
        "keras_models.metrics.depth",
    ),
    "tasks.common.inversion": (
        "datasets.picture_views",
        "datasets.plain_pictures",
        "keras_models.feature_inversion",
        "keras_models.losses.reconstruction",
        "keras_models.metrics.reconstruction",
    ),
    "tasks.common.initialization.layer_spreads": ("keras_models.layer_stack",),
    "tasks.common.saliency": (
        "datasets.dense_batches",
        "datasets.dense_maps",
        "datasets.fixation_maps",
        "datasets.saliency",
        "keras_models.losses.saliency",
        "keras_models.metrics.saliency",
    ),
    "tasks.common.phone_price.report": ("datasets.table_splits",),
}


def modules() -> list[Path]:
    """Every module of the suite but the tests."""
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a module imports, names included."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else None
            called = function.id if isinstance(function, ast.Name) else called
            name = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(name, ast.Constant):
                yield node.lineno, str(name.value)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def forbidden(module: str, name: str) -> str | None:
    """Why `module` may not import `name`; None if it may."""
    room = module.partition(".")[0]
    target = name.partition(".")[0]
    if target == "tests":
        return "no module knows the tests"
    if room in ("keras_models", "datasets", "callbacks"):
        if room == "keras_models" and target in {"tensorflow", "tensorflow_datasets"}:
            return "networks use keras.ops alone, so that they run on every back end"
        if target in FRONT or (target in ROOMS and target != room):
            return f"{room} imports no other room"
        return None
    if room == "benchmarks":
        if module in STAND_ALONE and target in ROOMS:
            return "what is compared with the suite does not use it"
        return "no benchmark measures a web page" if target == "webapps" else None
    if target in {"webapps", "benchmarks"}:
        return "tasks know nothing of what is built on them"
    if target == "tasks":
        if within(name, "tasks.common") or name == "tasks" == module.rpartition(".")[0]:
            return None
        return "no task, verb or shared part imports a task"
    if target not in ROOMS:
        return None
    if within(module, "tasks.common"):
        own = (parts for place, parts in SHARED_BY_SOME_TASKS.items() if within(module, place))
        known = (*SHARED_BY_TASKS, *itertools.chain.from_iterable(own))
        if target == "callbacks" or any(within(name, part) for part in known):
            return None
        return "tasks.common uses shared records and tools alone"
    if module.rpartition(".")[2] in {*VERBS, "__main__"}:
        return "verbs know run folders, by way of tasks.common"
    return None


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    return [
        f"{module}:{line} imports {name}: {reason}"
        for line, name in imported(ast.parse(source), module, is_package)
        if (reason := forbidden(module, name)) is not None
    ]


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_a_module_imports_only_what_it_may(path: Path) -> None:
    found = violations(path.read_text(), module_name(path), path.name == "__init__.py")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", SHARED_BY_TASKS)
def test_every_shared_tool_exists_and_is_used(name: str) -> None:
    """A permission that nobody needs any more is taken back."""
    assert (ROOT / f"{name.replace('.', '/')}.py").is_file()
    users = [
        path
        for path in (ROOT / "tasks" / "common").rglob("*.py")
        if any(
            within(target, name)
            for _, target in imported(ast.parse(path.read_text()), module_name(path))
        )
    ]
    assert users


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("keras_models.mlp", "import datasets.core"),
        ("keras_models.mlp", "from callbacks import standard"),
        ("keras_models.mlp", "from tasks.common import config"),
        ("keras_models.mlp", "import tensorflow as tf"),
        ("keras_models.mlp", "from tensorflow import keras"),
        ("keras_models.mlp", "def f():\n    import tensorflow"),
        ("keras_models.losses.depth", "from ...datasets import core"),
        ("datasets.muct", "from keras_models import transfer"),
        ("datasets.muct", "import callbacks"),
        ("datasets.muct", "from tasks import common"),
        ("datasets.rendered.faces", "import webapps.inference"),
        ("callbacks.standard", "from datasets.core import Splits"),
        ("callbacks.standard", "from keras_models.transfer import freeze"),
        ("callbacks.standard", "from tasks.common.errors import UserError"),
        ("tasks.common.runner", "from datasets import stanford_cars"),
        ("tasks.common.runner", "import datasets"),
        ("tasks.common.runner", "import keras_models"),
        ("tasks.common.runner", "from keras_models.lenet import build"),
        ("tasks.common.runner", "from tasks.cars_finetune import TASK"),
        ("tasks.common.runner", "from tasks import cars_finetune"),
        ("tasks.common.runner", "from .. import cars_finetune"),
        ("tasks.common.runner", "import importlib\nimportlib.import_module('tasks.faces')"),
        ("tasks.common.exports.onnx", "from tasks import predict"),
        ("tasks.faces", "from tasks.cars_finetune import TASK"),
        ("tasks.faces", "from tasks import cars_finetune"),
        ("tasks.faces", "from . import cars_finetune"),
        ("tasks.faces", "import tasks.evaluate"),
        ("tasks.faces", "import benchmarks.speed"),
        ("tasks.common.runner", "from benchmarks import machine"),
        ("datasets.muct", "from benchmarks import machine"),
        ("keras_models.mlp", "import benchmarks.multiply_adds"),
        ("benchmarks.keras_guide", "from keras_models import backbones"),
        ("benchmarks.keras_guide", "from benchmarks import machine"),
        ("benchmarks.torch_loop", "from datasets.images import read_picture"),
        ("benchmarks.transfer", "from tests.tiny_options import TINY_RUNS"),
        ("benchmarks.transfer", "import webapps.inference"),
        ("tasks.predict", "from tasks.cars_finetune import TASK"),
        ("tasks.predict", "from datasets import pipeline"),
        ("tasks.predict", "import keras_models.transfer"),
        ("tasks.predict", "from callbacks import standard"),
        ("tasks.__main__", "from datasets import core"),
        ("tasks.faces", "from tests.tiny_options import TINY_RUNS"),
    ],
)
def test_a_forbidden_arrow_is_found(module: str, source: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("keras_models.mlp", "import keras\nfrom keras import ops\nfrom keras_models import heads"),
        ("datasets.muct", "import tensorflow as tf\nfrom datasets.core import DataError"),
        ("datasets.rendered.faces", "from . import shapes\nfrom ..core import Splits"),
        ("callbacks.standard", "import keras\nfrom callbacks.progress import Progress"),
        ("tasks.common.runner", "from callbacks.standard import Monitoring"),
        ("tasks.common.runner", "from datasets import core, pipeline"),
        ("tasks.common.runner", "from datasets.core import Splits"),
        ("tasks.common.runner", "from tasks.common import config as configs"),
        ("tasks.common.exports.onnx", "from . import formats"),
        ("tasks.common.car_pictures", "from datasets import stanford_cars"),
        ("tasks.faces", "import datasets\nimport keras_models\nfrom datasets.muct import load"),
        ("tasks.faces", "from tasks import common\nfrom tasks.common.task import Task"),
        ("tasks.predict", "from tasks.common.saved_run import open_run"),
        ("tasks.__main__", "import tasks\nfrom tasks.common.task import Task"),
        ("benchmarks.transfer", "import datasets\nfrom tasks.common.errors import UserError"),
        ("benchmarks.transfer", "from tasks.cars_finetune import TASK\nimport keras_models"),
        ("benchmarks.transfer", "from benchmarks import machine\nfrom callbacks import standard"),
        ("benchmarks.keras_guide", "import keras\nimport tensorflow as tf"),
    ],
)
def test_an_allowed_arrow_passes(module: str, source: str) -> None:
    assert violations(source, module) == []


def faults(source: str) -> list[str]:
    """Statements that only tests may have, and what reads files that can run code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            found.append(f"line {node.lineno}: assert, which `python -O` leaves out")
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append(f"line {node.lineno}: except without a class")
        if (
            isinstance(node, ast.keyword)
            and node.arg == "allow_pickle"
            and not (isinstance(node.value, ast.Constant) and node.value.value is False)
        ):
            found.append(f"line {node.value.lineno}: allow_pickle")
    unsafe = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    for line, name in imported(ast.parse(source), "anything"):
        if name.partition(".")[0] in unsafe:
            found.append(f"line {line}: {name} can run code from a file")
    return found


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_a_module_has_no_assert_no_bare_except_and_no_pickle(path: Path) -> None:
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "assert True",
        "try:\n    pass\nexcept:\n    pass",
        "import pickle",
        "from joblib import load",
        "def f():\n    import pickle as p",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=choice)",
    ],
)
def test_each_fault_is_found(source: str) -> None:
    assert len(faults(source)) == 1
    assert faults("np.load(path, allow_pickle=False)") == []


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded at the end of `statement`."""
    report = "import atexit, sys; atexit.register(lambda: print(*sys.modules, sep='\\n'))"
    code = f"{report}\n{statement}"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        *(f"import tasks.{task.name}" for task in find_tasks()),
        *(f"import tasks.{verb}" for verb in VERBS),
        "import runpy; runpy.run_module('tasks', run_name='__main__')",
        "import keras_models, datasets, callbacks",
        "import benchmarks.transfer, benchmarks.growth",
    ],
)
def test_what_only_answers_a_question_loads_neither_tensorflow_nor_keras(statement: str) -> None:
    """`--help` and the list of tasks are there at once."""
    loaded = loaded_by(statement)
    assert "tasks" in loaded or "datasets" in loaded
    assert not loaded & {"tensorflow", "keras"}
