"""One training step, set up in one way, timed in a process of its own.

    python -m benchmarks.step_case '{"backbone": "MobileNetV2", ...}' outcome.json

is what the benchmark starts for each case: what a process has traced, compiled or taken as memory
for one case is not there for the next, and a case that takes too long is ended without the others.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil

from benchmarks.timed_process import ROOT, last_line

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# Classes of the drawn cars.
_CLASSES = tuple(f"class {number}" for number in range(8))
# Calls before the clock starts, after the one that traces: memory is taken, caches are filled.
_SETTLING_CALLS = 2
# Timed calls at least, however many steps are in each.
_LEAST_CALLS = 3


@dataclasses.dataclass(frozen=True)
class Case:
    """One training step.

    Attributes:
        backbone: the network.
        part: `full` trains all layers on pictures, `tail` the last stage on stored features.
        image_size: height and width of the pictures, in pixels.
        batch_size: pictures a step.
        variant: what differs from the suite's own configuration, for the tables.
        steps: to be timed.
        xla: compiled by XLA.
        steps_per_execution: steps in one call from Python.
        metrics: accuracy and top-5 accuracy, or only the loss.
        deterministic: only operations that give the same bits each time.
    """

    backbone: str
    part: Literal["full", "tail"]
    image_size: tuple[int, int]
    batch_size: int
    variant: str
    steps: int
    xla: bool = False
    steps_per_execution: int = 1
    metrics: bool = True
    deterministic: bool = True


@dataclasses.dataclass(frozen=True)
class Timing:
    """What was measured of a case.

    Attributes:
        import_seconds: from the start of the process until all libraries are there.
        build_seconds: from there to the compiled model, weights made.
        first_step_seconds: of the first call, which traces the step and compiles it.
        milliseconds: of a later step, the median over calls.
        fastest_milliseconds: the least.
    """

    import_seconds: float
    build_seconds: float
    first_step_seconds: float
    milliseconds: float
    fastest_milliseconds: float

    @property
    def start_seconds(self) -> float:
        """From the start of the process until the first step is done."""
        return self.import_seconds + self.build_seconds + self.first_step_seconds


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A case with its timing, or with what kept it from one.

    Attributes:
        case: what was to be timed.
        timing: None where it did not come to its end.
        fault: why not, in a few words; empty where it did.
    """

    case: Case
    timing: Timing | None
    fault: str = ""


def measure(case: Case, limit: float) -> Outcome:
    """Times a case in a process of its own, which is ended after `limit` seconds."""
    with tempfile.TemporaryDirectory(prefix="step-") as folder:
        place = Path(folder) / "outcome.json"
        words = ["-m", "benchmarks.step_case", json.dumps(dataclasses.asdict(case)), str(place)]
        fault = run_limited(words, Path(folder) / "log.txt", limit)
        if fault:
            return Outcome(case, None, fault)
        return Outcome(case, Timing(**json.loads(place.read_text(encoding="utf-8"))))


def run_limited(words: Sequence[str], log: Path, limit: float) -> str:
    """Runs `python WORDS` from the root of the code for at most `limit` seconds.

    Args:
        words: after the interpreter.
        log: takes what the process prints.
        limit: in seconds; the process is killed when they are over.

    Returns:
        Why it failed: that it took too long, or the last line that it printed; empty if it did not.
    """
    # Unbuffered, so that the last line is that of the error.
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("w", encoding="utf-8") as output:
        try:
            done = subprocess.run(
                [sys.executable, *words],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"over {limit:g} s"
    if done.returncode == 0:
        return ""
    return last_line(log) or f"ended with status {done.returncode}"


def time_case(case: Case) -> Timing:
    """Times a case in this process, which must be a new one."""
    began = psutil.Process().create_time()
    config = _prepared(case)
    imported = time.time()
    model = _compiled(case, config)
    iterator = iter(_same_batch(case, model))
    model.make_train_function()
    # What `fit` calls for each execution.
    step = model.train_function
    built = time.time()
    _call(step, iterator)
    first = time.time()
    for _ in range(_SETTLING_CALLS):
        _call(step, iterator)
    seconds = []
    for _ in range(max(_LEAST_CALLS, -(-case.steps // case.steps_per_execution))):
        started = time.perf_counter()
        _call(step, iterator)
        seconds.append((time.perf_counter() - started) / case.steps_per_execution)
    return Timing(
        import_seconds=imported - began,
        build_seconds=built - imported,
        first_step_seconds=first - built,
        milliseconds=1000 * statistics.median(seconds),
        fastest_milliseconds=1000 * min(seconds),
    )


def _prepared(case: Case) -> Any:
    """Imports what a run imports and sets up Keras as a run does; the options of that run."""
    from tasks import cars_finetune
    from tasks.common import runner

    config = cars_finetune.CarsFinetuneConfig(
        backbone=case.backbone,
        image_size=case.image_size,
        xla=case.xla,
        # Keras leaves XLA off where operations have to be deterministic.
        deterministic=case.deterministic and not case.xla,
    )
    runner.prepare_keras(config)
    return config


def _compiled(case: Case, config: Any) -> keras.Model:
    """What the stage of a pretrained network trains, compiled as the suite compiles it."""
    from keras_models import transfer
    from tasks.common import image_classifier
    from tasks.common.task import Stage

    network = transfer.build_classifier(
        case.backbone, case.image_size, _CLASSES, None, config.dropout, batch_norm_inference=True
    )
    trainable = None if case.part == "full" else 1
    stage = Stage(
        case.part, config.tail_epochs, config.tail_learning_rate, config.depth_factor, trainable
    )
    image_classifier.compile_model(config, network, stage, case.steps)
    model = network
    if trainable is not None:
        _, model = transfer.split(network, trainable)
        image_classifier.compile_tail(config, model, network)
    if not case.metrics:
        model.compile(model.optimizer, model.loss, jit_compile=config.xla)
    model.steps_per_execution = case.steps_per_execution
    model.optimizer.build(model.trainable_variables)
    return model


def _same_batch(case: Case, model: keras.Model) -> tf.data.Dataset:
    """One batch again and again, so that nothing waits for the input."""
    import numpy as np
    import tensorflow as tf

    generator = np.random.default_rng(0)
    shape = (case.batch_size, *model.input_shape[1:])
    if case.part == "full":
        inputs = generator.integers(0, 256, shape).astype(np.uint8)
    else:
        inputs = generator.random(shape, dtype=np.float32)
    labels = generator.integers(0, len(_CLASSES), case.batch_size)
    targets = np.eye(len(_CLASSES), dtype=np.float32)[labels]
    return tf.data.Dataset.from_tensors((inputs, targets)).repeat()


def _call(step: Callable[[Any], dict[str, tf.Tensor]], iterator: Any) -> None:
    # To ask for the loss is to wait for the step.
    float(step(iterator)["loss"])


def main(words: Sequence[str]) -> None:
    """Times the case of the first word and writes the timing to the path in the second."""
    case = Case(**json.loads(words[0]))
    timing = time_case(dataclasses.replace(case, image_size=tuple(case.image_size)))
    Path(words[1]).write_text(json.dumps(dataclasses.asdict(timing)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
