from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from callbacks.epoch_facts import EpochFacts
from callbacks.run_position import RunPosition
from callbacks.state import collect_state, restore_state


class Feed(keras.callbacks.Callback):
    """Gives the epochs a known value to watch."""

    def __init__(self, values: list[float]):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


class Resume(keras.callbacks.Callback):
    """Stands last, as the callback that resumes a run does."""

    def __init__(self, watched, state=None):
        super().__init__()
        self.watched, self.state, self.collected = watched, state, []

    def on_train_begin(self, logs=None):
        if self.state is not None:
            restore_state(self.watched, self.state)

    def on_epoch_end(self, epoch, logs=None):
        self.collected.append(json.loads(json.dumps(collect_state(self.watched))))


def watchers() -> list[keras.callbacks.Callback]:
    return [
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=2, cooldown=1),
        keras.callbacks.EarlyStopping("val_loss", patience=4, mode="min"),
    ]


# Epochs count from 0. The best is at 1. The rate falls at 3, after two epochs without improvement,
# and at 5, after two more (Keras counts the one in which the cooldown ends). Early stopping ends
# the run at 5, after four without improvement, unless it forgets.
VALUES = [1.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9]


def fit(model, data, callbacks, resume, initial_epoch, epochs):
    return model.fit(
        *data,
        batch_size=32,
        epochs=epochs,
        initial_epoch=initial_epoch,
        verbose=0,
        callbacks=[Feed(VALUES), *callbacks, resume],
    )


def test_keras_forgets_at_each_fit(data, make_model):
    """The reason for `restore_state`. If this fails, Keras has begun to remember."""
    model, callbacks = make_model(), watchers()
    fit(model, data, callbacks, Resume(callbacks), 0, 4)
    assert callbacks[1].best == 0.5
    history = fit(model, data, callbacks, Resume(callbacks), 4, 9)
    assert history.epoch[-1] == 8 and callbacks[1].best == 0.8


@pytest.fixture(scope="module")
def whole(data, make_model):
    """A training that is not interrupted: the epochs, the final rate, the state after each."""
    model, callbacks = make_model(), watchers()
    resume = Resume(callbacks)
    history = fit(model, data, callbacks, resume, 0, 10)
    return history.epoch, float(model.optimizer.learning_rate), resume.collected


def test_the_uninterrupted_training_is_as_reckoned_by_hand(whole):
    epochs, rate, states = whole
    assert epochs[-1] == 5
    assert rate == pytest.approx(0.01 / 4)
    assert states[4]["EarlyStopping"] == {
        "wait": 3,
        "best": 0.5,
        "best_epoch": 1,
        "stopped_epoch": 0,
    }


@pytest.mark.parametrize("stop", [2, 4, 5])
def test_a_resumed_training_decides_like_an_uninterrupted_one(data, make_model, whole, stop):
    epochs, rate, states = whole
    model, callbacks = make_model(), watchers()
    model.optimizer.learning_rate = 0.01 if stop < 4 else 0.005  # reduced after epoch 3
    resume = Resume(callbacks, states[stop - 1])
    history = fit(model, data, callbacks, resume, stop, 10)
    assert history.epoch[-1] == epochs[-1]
    assert resume.collected == states[stop:]
    assert float(model.optimizer.learning_rate) == pytest.approx(rate)


class Snapshots(Resume):
    """Keeps all variables after each epoch, as a checkpoint does."""

    def __init__(self, watched, state=None):
        super().__init__(watched, state)
        self.variables = []

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        variables = [*self.model.variables, *self.model.optimizer.variables]
        self.variables.append([variable.numpy() for variable in variables])


def test_weights_and_their_averages_are_exchanged_back_after_resuming(data, make_model):
    def train(model, snapshots, initial_epoch):
        model.fit(
            *data,
            batch_size=32,
            epochs=3,
            initial_epoch=initial_epoch,
            verbose=0,
            validation_data=data,
            callbacks=[*snapshots.watched, snapshots],
        )

    def make():
        return make_model(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))

    whole = Snapshots([keras.callbacks.SwapEMAWeights(swap_on_epoch=True)])
    train(make(), whole, 0)
    assert whole.collected[0] == {"SwapEMAWeights": {"_ema_weights_in_model": True}}

    model = make()
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    for variable, value in zip(variables, whole.variables[0], strict=True):
        variable.assign(value)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    resumed = Snapshots([swap], whole.collected[0])
    train(model, resumed, 1)
    for expected, received in zip(whole.variables[2], resumed.variables[1], strict=True):
        np.testing.assert_array_equal(received, expected)


def test_callbacks_with_their_own_state_take_part():
    position = RunPosition(4, 8, 32)
    first, second = EpochFacts(position), EpochFacts(position)
    first.set_state({"seconds": 3.5})
    state = collect_state([first, keras.callbacks.Callback(), second])
    assert state == {"EpochFacts": {"seconds": 3.5}, "EpochFacts_2": {"seconds": 0.0}}
    restore_state([second, first], state)
    assert second.get_state() == {"seconds": 3.5} and first.get_state() == {"seconds": 0.0}


def test_numpy_values_become_plain_ones():
    stopping = keras.callbacks.EarlyStopping()
    stopping.best, stopping.best_epoch = np.float32(0.5), np.int64(3)
    state = collect_state([stopping])["EarlyStopping"]
    assert json.dumps(state) and state["best"] == 0.5 and type(state["best_epoch"]) is int


def test_the_state_of_another_list_is_refused():
    with pytest.raises(ValueError, match="same kinds of callbacks"):
        restore_state([keras.callbacks.EarlyStopping()], {"ReduceLROnPlateau": {}})
