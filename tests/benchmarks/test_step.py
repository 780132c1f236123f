"""The benchmark of the step: fair pairs, faults as rows, and times taken where they are spent."""

from __future__ import annotations

import dataclasses
import json
import math

import keras
import numpy as np
import pytest
from PIL import Image

from benchmarks import step as benchmark
from benchmarks import step_case, step_results, step_run
from benchmarks.step import Options, cases, checked
from benchmarks.step_case import Case, Outcome, Timing
from tasks.common.errors import UserError


def case(**changed: object) -> Case:
    own = Case("ResNet50", "tail", (64, 96), 8, step_results.OWN, 10)
    return dataclasses.replace(own, **changed)


def timing(first_step: float, milliseconds: float) -> Timing:
    return Timing(5.0, 1.5, first_step, milliseconds, milliseconds)


def test_every_variant_has_the_suites_own_step_beside_it():
    options = Options(backbones=("VGG16", "ResNet50"), batch_sizes=(32, 8))
    every = list(cases(options))
    assert len(every) == len(set(every)) == 2 * 2 * (5 + 2)
    seen = set()
    for one in every:
        key = (one.backbone, one.part, one.batch_size)
        assert (one.variant == step_results.OWN) == (key not in seen)
        seen.add(key)
    differing = {
        one.variant: {
            field.name
            for field in dataclasses.fields(one)
            if field.name != "variant" and getattr(one, field.name) != getattr(every[0], field.name)
        }
        for one in every[:5]
    }
    assert differing == {
        step_results.OWN: set(),
        "xla": {"xla"},
        "executions": {"steps_per_execution"},
        "no_metrics": {"metrics"},
        "not_deterministic": {"deterministic"},
    }
    assert {one.variant for one in every if one.batch_size == 8} == {step_results.OWN, "xla"}


@pytest.mark.parametrize(
    ("first_step", "milliseconds", "steps"),
    [
        # 6 s more at the start, 40 ms less a step.
        (8.0, 60.0, 150),
        (2.0, 60.0, 0),
        (1.0, 99.0, 0),
        (1.0, 100.0, math.inf),
        (8.0, 120.0, math.inf),
    ],
)
def test_a_longer_start_is_won_back_by_faster_steps(first_step, milliseconds, steps):
    own = timing(2.0, 100.0)
    assert step_results.steps_to_win_back(timing(first_step, milliseconds), own) == steps


def test_steps_are_compared_with_the_own_one_of_the_same_batch_size():
    table = step_results.step_table(
        [
            Outcome(case(), timing(2.0, 50.0)),
            Outcome(case(variant="xla"), timing(5.0, 40.0)),
            Outcome(case(batch_size=32), timing(2.0, 100.0)),
            Outcome(case(batch_size=32, variant="xla"), timing(5.0, 125.0)),
        ]
    )
    own, compiled, larger, larger_compiled = (line.split() for line in table.splitlines()[2:])
    assert own[-5:] == ["50.0", "160.0", "–", "2.0", "–"]
    assert compiled[-6:] == ["40.0", "200.0", "0.80", "5.0", "300", "steps"]
    assert larger[-5:] == ["100.0", "320.0", "–", "2.0", "–"]
    assert larger_compiled[-5:] == ["125.0", "256.0", "1.25", "5.0", "never"]


def test_a_case_without_a_timing_is_a_row():
    outcomes = [
        Outcome(case(), None, "over 240 s"),
        Outcome(case(variant="xla"), timing(5.0, 40.0)),
    ]
    failed, compiled = (line.split() for line in step_results.step_table(outcomes).splitlines()[2:])
    assert failed[-7:] == ["over", "240", "s", "–", "–", "–", "–"]
    assert compiled[-5:] == ["40.0", "200.0", "–", "5.0", "–"]
    assert len(step_results.start_table(outcomes).splitlines()) == 2
    step_results.draw(outcomes)
    step_results.draw([])


def test_the_start_is_the_sum_of_its_parts():
    outcomes = [Outcome(case(), timing(2.5, 50.0)), Outcome(case(variant="xla"), timing(9.0, 9.0))]
    rows = step_results.start_table(outcomes).splitlines()[2:]
    assert [row.split() for row in rows] == [["ResNet50", "tail", "8", "5.0", "1.5", "2.5", "9.0"]]


@pytest.mark.parametrize(
    ("code", "limit", "fault"),
    [
        ("print('done')", 300, ""),
        ("import time; time.sleep(300)", 0.5, "over 0.5 s"),
        ("print('one'); raise SystemExit('no memory')", 300, "no memory"),
        ("raise SystemExit(3)", 300, "ended with status 3"),
    ],
)
def test_a_process_that_fails_says_why_in_a_line(tmp_path, code, limit, fault):
    assert step_case.run_limited(["-c", code], tmp_path / "log.txt", limit) == fault


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(step_run.time, "perf_counter", lambda: Clock.now)
    return Clock


@pytest.fixture
def slow(clock):
    """A callback whose hooks take a known time; one calls another."""

    class Slow(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.now += 2.0

        def on_epoch_end(self, epoch, logs=None):
            self.on_epoch_begin(epoch)
            clock.now += 3.0

    return Slow()


def test_the_time_of_hooks_is_summed_and_not_counted_twice(slow):
    hooks = step_run.HookTimes()
    default = slow.on_train_batch_end
    hooks.take_down(slow)
    assert slow.on_train_batch_end == default
    slow.on_epoch_begin(0)
    slow.on_epoch_end(0)
    assert hooks.seconds == {"Slow": 7.0}


@pytest.fixture
def model(clock):
    """A model that takes 10 seconds each time it is traced, and no time in a step."""

    class Traced(keras.layers.Layer):
        def call(self, inputs):
            clock.now += 10.0
            return inputs

    model = keras.Sequential([keras.Input((2,)), Traced(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def test_a_fit_is_taken_down_as_a_stage_and_left_as_it_is(clock, slow, model):
    def passing(seconds: float) -> None:
        clock.now += seconds

    observer = step_run.Observer()
    fit = keras.Model.fit
    observer.timed("build_model", passing)(50.0)
    load_best = observer.timed("load_best", passing)
    data = np.ones((8, 2), np.float32), np.ones((8, 1), np.float32)
    callbacks = [slow]
    with observer.observing_fit():
        for _ in range(2):
            load_best(7.0)
            passing(0.5)
            history = model.fit(
                *data,
                batch_size=2,
                epochs=3,
                validation_data=data,
                verbose=0,
                callbacks=callbacks,
            )
            assert len(history.history["val_loss"]) == 3
    assert keras.Model.fit is fit
    assert callbacks == [slow]
    first, second = observer.stages
    for stage in (first, second):
        others = {"compile_model": 0.0, "tail_training": 0.0, "watch": 0.0}
        assert stage.between == {"load_best": 7.0, **others, "other": 0.5}
        assert stage.steps == 3 * 4
        assert stage.later_step_seconds == stage.later_validation_seconds == 0.0
    # The second fit has the same model, which is traced already.
    assert first.first_step_seconds >= 10.0 and first.first_validation_seconds >= 10.0
    assert first.lost_seconds() == first.first_step_seconds + first.first_validation_seconds
    assert second.lost_seconds() == 0.0
    assert second.callbacks == {"Slow": 3 * 7.0}
    assert second.fit_seconds == 3 * 7.0


def a_run() -> step_run.RunTimes:
    between = dict.fromkeys((*step_run.BETWEEN, "other"), 0.5)
    head = step_run.Stage("head", between, 8.0, 10, 2.0, 0.5, 1.0, 0.25, {"Progress": 0.1})
    tail = step_run.Stage("tail", between, 2.0, 1, 2.0, callbacks={"Progress": 0.1, "Slow": 0.6})
    return step_run.RunTimes(5.0, 2.0, 1.0, 10.0, 40.0, (head, tail))


def test_callbacks_are_judged_by_their_share_of_the_run():
    slow, progress, total = step_results.callback_table(a_run()).splitlines()[2:]
    assert slow.split() == ["Slow", "0.600", "1.50%", "6.00%"]
    assert progress.split() == ["Progress", "0.200", "0.50%", "2.00%"]
    assert total.split()[-3:] == ["0.800", "2.00%", "8.00%"]
    assert "above the goal of 2%" in total
    quicker = dataclasses.replace(a_run(), total_seconds=41.0)
    assert "within the goal of 2%" in step_results.callback_table(quicker)


def test_what_a_stage_loses_is_tracing_and_what_lies_before_its_fit():
    head, tail = step_results.stage_table(a_run()).splitlines()[2:]
    # 1.5 s of the first step and 0.75 s of the first validation; 4 parts of 0.5 s, no features.
    assert head.split()[-5:] == ["10", "2.00", "500.0", "2.25", "10.6%"]
    assert tail.split()[-5:] == ["1", "2.00", "–", "0.00", "5.0%"]
    # 10 s in both fits, 2.5 s before each.
    line = step_results.run_line("cache", a_run())
    assert line.startswith("run, cache: 40.0 s") and "training 15.0 s" in line


def test_times_of_a_run_are_read_back(tmp_path):
    place = tmp_path / "run.json"
    place.write_text(json.dumps(dataclasses.asdict(a_run())))
    assert step_run.read(place) == a_run()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"steps": 0}, "--steps must be at least 1. Received: 0"),
        ({"batch_sizes": (8, 0)}, "--batch-sizes must be at least 1. Received: 0"),
        ({"batch_sizes": ()}, "must have at least one value"),
        ({"parts": ()}, "must have at least one value"),
        ({"run_epochs": (0, 1)}, "--run-epochs must be at least 1"),
        ({"image_size": (64, -1)}, "--image-size must be at least 1"),
        ({"case_seconds": 0.0}, "--case-seconds must be above 0"),
        ({"backbones": ("MobileNetV2", "LeNet")}, "--backbones.*LeNet"),
        ({"run_backbone": "LeNet"}, "--run-backbone.*LeNet"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, changed, why):
    with pytest.raises(UserError, match=why):
        checked(Options(output=tmp_path, **changed))


def test_a_run_that_takes_too_long_does_not_lose_the_rest(tmp_path, capsys):
    options = Options(
        backbones=(),
        runs=("no_cache",),
        run_backbone="MobileNet",
        image_size=(32, 32),
        run_seconds=0.1,
        output=tmp_path,
    )
    benchmark.run(options)
    assert "run, no cache: over 0.1 s" in capsys.readouterr().out
    document = json.loads((tmp_path / "step.json").read_text())
    assert document["run_faults"] == {"no_cache": "over 0.1 s"}
    assert document["runs"] == {}


@pytest.mark.slow
def test_a_case_that_cannot_be_set_up_is_an_outcome():
    outcome = step_case.measure(case(backbone="LeNet"), 120)
    assert outcome.timing is None
    assert "LeNet" in outcome.fault


@pytest.mark.slow
def test_the_quick_run_writes_what_it_prints(tmp_path, capsys):
    assert benchmark.main(["--quick", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    document = json.loads((tmp_path / "step.json").read_text())
    assert [step["case"]["variant"] for step in document["steps"]] == ["own", "xla"]
    for step in document["steps"]:
        assert step["fault"] == ""
        assert 0 < step["timing"]["fastest_milliseconds"] <= step["timing"]["milliseconds"]
        assert step["timing"]["first_step_seconds"] > step["timing"]["milliseconds"] / 1000
    (run,) = document["runs"].values()
    assert [stage["name"] for stage in run["stages"]] == ["head", "tail"]
    assert run["stages"][0]["between"]["tail_training"] > 0
    assert run["stages"][1]["between"]["load_best"] > 0
    parts = run["import_seconds"] + run["build_seconds"] + run["data_seconds"]
    assert parts + run["report_seconds"] < run["total_seconds"]
    for name in ("Progress", "BestModel", "goal of 2%"):
        assert name in printed
    assert Image.open(tmp_path / "step.png").format == "PNG"
