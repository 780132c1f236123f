"""A real run of `cars_finetune` with its stages, the time between them and its callbacks timed.

    python -m benchmarks.step_run outcome.json --backbone MobileNetV2 ...

is what the benchmark starts, with the options of the task after the file that is to be written.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import psutil

if TYPE_CHECKING:
    import keras

    from tasks.common.task import Stage as TaskStage
    from tasks.common.task import Task

# What the runner does between two stages, by the names it has in the runner and in the task.
BETWEEN = ("load_best", "compile_model", "tail_training", "watch")


@dataclasses.dataclass
class Stage:
    """One call of `fit` and what came before it.

    Attributes:
        name: of the stage.
        between: seconds from the end of the `fit` before, or from the network being built, to the
            beginning of this one: the parts in `BETWEEN`, and `other`.
        fit_seconds: of `fit`.
        steps: training steps.
        first_step_seconds: of the first one, which is traced.
        later_step_seconds: mean of the others; None where there is none.
        first_validation_seconds: of the first whole validation.
        later_validation_seconds: mean of the others; None where there is none.
        callbacks: seconds inside each callback by its class, those of validation included.
    """

    name: str
    between: dict[str, float] = dataclasses.field(default_factory=dict)
    fit_seconds: float = 0.0
    steps: int = 0
    first_step_seconds: float = 0.0
    later_step_seconds: float | None = None
    first_validation_seconds: float | None = None
    later_validation_seconds: float | None = None
    callbacks: dict[str, float] = dataclasses.field(default_factory=dict)

    def lost_seconds(self) -> float:
        """What the first step and the first validation took beyond the later ones."""
        pairs = (
            (self.first_step_seconds, self.later_step_seconds),
            (self.first_validation_seconds, self.later_validation_seconds),
        )
        known = [(first, later) for first, later in pairs if None not in (first, later)]
        return sum(max(0.0, first - later) for first, later in known)


@dataclasses.dataclass(frozen=True)
class RunTimes:
    """A whole run.

    Attributes:
        import_seconds: from the start of the process until all libraries are there.
        build_seconds: of the network.
        data_seconds: of the pictures: they are drawn or read, and checked.
        report_seconds: of the evaluation and the report.
        total_seconds: from the start of the process to the end of the report.
        stages: in order.
    """

    import_seconds: float
    build_seconds: float
    data_seconds: float
    report_seconds: float
    total_seconds: float
    stages: tuple[Stage, ...]

    def training_seconds(self) -> float:
        """All stages with what lies before and between them."""
        return sum(stage.fit_seconds + sum(stage.between.values()) for stage in self.stages)

    def callback_seconds(self) -> dict[str, float]:
        """Seconds in each class of callback over all stages, the most first."""
        sums: dict[str, float] = defaultdict(float)
        for stage in self.stages:
            for name, seconds in stage.callbacks.items():
                sums[name] += seconds
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


def read(path: Path) -> RunTimes:
    """What `main` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    stages = tuple(Stage(**stage) for stage in document.pop("stages"))
    return RunTimes(**document, stages=stages)


class Observer:
    """Takes the times while a run goes on; what it times goes on as it would without."""

    def __init__(self) -> None:
        """Nothing seen so far."""
        self.stages: list[Stage] = []
        self.spent: dict[str, float] = defaultdict(float)
        self._stage_name = ""
        self._stage_ended = 0.0

    def watching(self, task: Task) -> Task:
        """The same task, its functions timed by name."""
        timed = ("load_data", "build_model", "tail_training", "watch", "report")
        functions = {name: self.timed(name, getattr(task, name)) for name in timed}
        compile_model = self.timed("compile_model", task.compile_model)

        def compile_named(config: Any, model: keras.Model, stage: TaskStage, steps: int) -> None:
            self._stage_name = stage.name
            compile_model(config, model, stage, steps)

        return dataclasses.replace(task, **functions, compile_model=compile_named)

    def timed(self, name: str, function: Callable) -> Callable:
        """The function with its seconds added to `spent[name]`."""

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.spent[name] += time.perf_counter() - started
                if name == "build_model":
                    self._stage_ended = time.perf_counter()

        return call

    @contextlib.contextmanager
    def observing_fit(self) -> Iterator[None]:
        """While in it, every `fit` of a Keras model is taken down as a stage."""
        import keras

        original = keras.Model.fit

        def fit(model: keras.Model, *arguments: Any, callbacks: Sequence[Any], **named: Any) -> Any:
            started = time.perf_counter()
            between = {name: self.spent.pop(name, 0.0) for name in BETWEEN}
            between["other"] = started - self._stage_ended - sum(between.values())
            stage = Stage(self._stage_name, between)
            self.stages.append(stage)
            hooks = HookTimes()
            for callback in callbacks:
                hooks.take_down(callback)
            try:
                return original(
                    model, *arguments, callbacks=[step_clock(stage), *callbacks], **named
                )
            finally:
                stage.callbacks = dict(hooks.seconds)
                self._stage_ended = time.perf_counter()
                stage.fit_seconds = self._stage_ended - started

        with mock.patch.object(keras.Model, "fit", fit):
            yield


class HookTimes:
    """Seconds spent inside the hooks of callbacks, by class."""

    def __init__(self) -> None:
        """Nothing spent."""
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = False

    def take_down(self, callback: keras.callbacks.Callback) -> None:
        """Times every hook of `callback` that does something."""
        for name in (name for name in dir(callback) if name.startswith("on_")):
            hook = getattr(callback, name)
            # Keras marks the hooks of its base class, and spares itself calling them.
            if not getattr(hook, "_is_default", False):
                setattr(callback, name, self._timed(type(callback).__name__, hook))

    def _timed(self, name: str, hook: Callable) -> Callable:
        @functools.wraps(hook)
        def call(*arguments: Any, **named: Any) -> Any:
            # A hook may call another one, whose time is within its own.
            if self._inside:
                return hook(*arguments, **named)
            self._inside = True
            started = time.perf_counter()
            try:
                return hook(*arguments, **named)
            finally:
                self._inside = False
                self.seconds[name] += time.perf_counter() - started

        return call


def step_clock(stage: Stage) -> keras.callbacks.Callback:
    """A callback that writes the times of steps and validations into `stage`.

    It has to stand first, so that a step has ended before the other callbacks hear of its end.
    """
    import keras

    class StepClock(keras.callbacks.Callback):
        """Times of training steps and whole validations."""

        def __init__(self) -> None:
            super().__init__()
            self._started = 0.0
            self._steps: list[float] = []
            self._validations: list[float] = []

        def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
            self._started = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self._steps.append(time.perf_counter() - self._started)

        def on_test_begin(self, logs: dict | None = None) -> None:
            self._started = time.perf_counter()

        def on_test_end(self, logs: dict | None = None) -> None:
            self._validations.append(time.perf_counter() - self._started)

        def on_train_end(self, logs: dict | None = None) -> None:
            stage.steps = len(self._steps)
            stage.first_step_seconds = self._steps[0]
            stage.later_step_seconds = _mean(self._steps[1:])
            if self._validations:
                stage.first_validation_seconds = self._validations[0]
                stage.later_validation_seconds = _mean(self._validations[1:])

    return StepClock()


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def main(words: Sequence[str]) -> None:
    """Runs the task with the options in `words[1:]`; writes its times to the path `words[0]`."""
    began = psutil.Process().create_time()
    from tasks import cars_finetune
    from tasks.common import config as configs
    from tasks.common import runner

    imported = time.time()
    observer = Observer()
    config = configs.parse(cars_finetune.PRESETS, words[1:], "python -m tasks.cars_finetune")
    task = observer.watching(cars_finetune.TASK)
    load_best = observer.timed("load_best", runner.load_best)
    with mock.patch.object(runner, "load_best", load_best), observer.observing_fit():
        runner.run(task, task.check(config))
    times = RunTimes(
        import_seconds=imported - began,
        build_seconds=observer.spent["build_model"],
        data_seconds=observer.spent["load_data"],
        report_seconds=observer.spent["report"],
        total_seconds=time.time() - began,
        stages=tuple(observer.stages),
    )
    Path(words[0]).write_text(json.dumps(dataclasses.asdict(times)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
