from __future__ import annotations

import io
import re

import keras
import numpy as np
import pytest

from callbacks import tracing
from callbacks.progress import CLEAR_LINE
from callbacks.run_position import RunPosition
from callbacks.tracing import Tracing, count_traces, format_step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Model:
    """A model as far as the callback looks at it: a training step that was traced so often."""

    def __init__(self, traces: int | None):
        self.traces = traces
        self.train_function = self._function()

    def _function(self):
        traced = self

        class TracedFunction:
            def experimental_get_tracing_count(self) -> int:
                return traced.traces

        inner = TracedFunction() if self.traces is not None else None

        def step(iterator):
            return inner

        return step


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(tracing.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def start(clock):
    """A callback at the beginning of a fit, with the steps of an epoch: (seconds, traces)."""

    def make(stream=None, traces=1, position=None):
        position = position or RunPosition(4, 8, 32)
        callback = Tracing(position, "stage 1/2 head", 3, stream or io.StringIO())
        callback.set_model(Model(traces))
        callback.on_train_begin()

        def epoch(number, steps, validation=()):
            callback.on_epoch_begin(number)
            for batch, (seconds, traced) in enumerate(steps):
                callback.on_train_batch_begin(batch)
                clock.now += seconds
                callback.model.traces = traced
                callback.on_train_batch_end(batch, {})
                clock.now += 50.0  # what happens between two steps is none of the step's time
            callback.on_test_begin()
            for batch, seconds in enumerate(validation):
                callback.on_test_batch_begin(batch)
                clock.now += seconds
            callback.on_test_end()
            clock.now += 50.0
            callback.on_epoch_end(number, {})

        return callback, epoch

    return make


def test_the_first_step_is_set_against_the_later_ones(start):
    callback, epoch = start()
    epoch(0, [(12.0, 1), (0.5, 1), (0.1, 1), (0.3, 1)], validation=[3.0, 0.05, 0.15])
    epoch(1, [(0.3, 1)] * 4, validation=[0.05] * 3)
    callback.on_train_end()
    # Beyond the means of the later steps: 12 - 0.3 and 3 - 0.1 seconds.
    assert callback.stream.getvalue() == (
        "stage 1/2 head  tracing 15 s  first step 12 s, then 300 ms  "
        "first validation step 3.0 s, then 100 ms\n"
    )


def test_it_does_without_validation(start):
    callback, epoch = start()
    epoch(0, [(2.0, 1), (1.0, 1)])
    assert callback.stream.getvalue() == (
        "stage 1/2 head  tracing 1.0 s  first step 2.0 s, then 1.0 s\n"
    )


def test_epochs_of_one_step_are_waited_for(start):
    callback, epoch = start()
    epoch(0, [(2.0, 1)], validation=[1.0])
    assert callback.stream.getvalue() == ""
    epoch(1, [(0.25, 1)], validation=[0.5])
    assert callback.stream.getvalue() == (
        "stage 1/2 head  tracing 2.2 s  first step 2.0 s, then 250 ms  "
        "first validation step 1.0 s, then 500 ms\n"
    )


def test_a_fit_of_one_step_says_what_it_took(start):
    callback, epoch = start()
    epoch(0, [(2.0, 1)])
    callback.on_train_end()
    assert callback.stream.getvalue() == "stage 1/2 head  first step 2.0 s\n"


def test_a_fit_that_is_stopped_before_its_first_step_writes_nothing(start):
    callback, _ = start()
    callback.on_train_end()
    assert callback.stream.getvalue() == ""


def test_every_fit_is_measured_anew(start):
    callback, epoch = start()
    for _ in range(2):
        callback.on_train_begin()
        epoch(0, [(2.0, 1), (1.0, 1)])
        callback.on_train_end()
    first, second = callback.stream.getvalue().splitlines()
    assert first == second


def test_a_step_that_is_traced_again_late_gets_a_line(start):
    callback, epoch = start()
    # The second step may be traced as well, which is no news.
    epoch(0, [(2.0, 1), (1.0, 2), (0.2, 2), (0.2, 2)])
    epoch(1, [(0.2, 2), (4.0, 3), (0.2, 3), (0.2, 3)])
    callback.on_train_end()
    assert callback.stream.getvalue().splitlines()[1:] == [
        "stage 1/2 head  epoch 2/3  step 2/4 was traced again and took 4.0 s; "
        "do the batches differ in shape or type?"
    ]


def test_only_the_first_is_told_and_the_others_counted(start):
    callback, epoch = start()
    epoch(0, [(2.0, 1), (0.2, 1), (3.0, 2), (3.0, 3)])
    callback.on_train_end()
    lines = callback.stream.getvalue().splitlines()
    assert "step 3/4 was traced again" in lines[0]
    # Their time is not counted as that of a usual step.
    assert lines[1] == "stage 1/2 head  tracing 1.8 s  first step 2.0 s, then 200 ms"
    assert lines[2:] == ["stage 1/2 head  training steps were traced again 2 times"]


def test_a_resumed_epoch_counts_from_where_it_was(start):
    position = RunPosition(10, 8, 80, first_epoch=1, first_batch=5, first_step=15)
    callback, epoch = start(position=position)
    epoch(1, [(2.0, 1), (0.2, 1), (3.0, 2)])
    assert "epoch 2/3  step 8/10 was traced again" in callback.stream.getvalue()


def test_a_back_end_that_does_not_tell_is_timed_only(start):
    callback, epoch = start(traces=None)
    assert count_traces(callback.model.train_function) is None
    epoch(0, [(2.0, None), (0.2, None), (3.0, None), (0.2, None)])
    assert "traced again" not in callback.stream.getvalue()
    assert "first step 2.0 s" in callback.stream.getvalue()


def test_a_moving_line_of_the_terminal_is_cleared(start):
    callback, epoch = start(Terminal())
    epoch(0, [(2.0, 1), (1.0, 1)])
    assert callback.stream.getvalue().startswith(CLEAR_LINE + "stage 1/2 head  tracing 1.0 s")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "0 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"), (75, "1:15 min")]
)
def test_format_step(seconds, text):
    assert format_step(seconds) == text


class AnotherShape(keras.callbacks.Callback):
    """Trains a smaller batch of another width inside the third step."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 3:
            self.model.train_on_batch(np.zeros((3, 16, 16, 3)), np.zeros(3))


def fit(model, data, *more: keras.callbacks.Callback) -> list[str]:
    stream = io.StringIO()
    callback = Tracing(RunPosition(8, 4, 32), "all", 2, stream)
    model.fit(
        *data,
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
        validation_data=data,
        callbacks=[*more, callback],
    )
    return stream.getvalue().splitlines()


def any_size(make_model) -> keras.Model:
    """The classifier of `make_model` for pictures of any size."""
    inner = make_model()
    image = keras.Input((None, None, 3))
    output = image
    for layer in inner.layers:
        output = layer(output)
    model = keras.Model(image, output)
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    return model


def test_keras_traces_once_unless_the_batches_change(data, make_model):
    (line,) = fit(any_size(make_model), data)
    assert re.fullmatch(
        r"all  tracing .* s  first step .*, then \d+ ms  first validation step .*, then \d+ ms",
        line,
    )


def test_keras_traces_again_when_a_batch_has_another_shape(data, make_model):
    lines = fit(any_size(make_model), data, AnotherShape())
    assert re.match(r"all  epoch 1/2  step 4/8 was traced again and took \d", lines[0])
    assert re.match(r"all  tracing ", lines[1])
    # The other shape comes again in the second epoch, when it is known.
    assert len(lines) == 2


def test_eager_training_is_timed_only(data, make_model):
    model = make_model()
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    (line,) = fit(model, data)
    assert count_traces(model.train_function) is None
    assert line.startswith("all  tracing ")
