from __future__ import annotations

import keras
import numpy as np
import pytest

from callbacks.not_finite import StopIfNotFinite
from callbacks.run_position import RunPosition


def test_a_real_training_stops_at_the_batch_with_the_first_nan(data, make_model):
    weights = np.ones(32, np.float32)
    weights[21] = np.nan  # batches of 8: the third batch of the first epoch
    callback = StopIfNotFinite(RunPosition(4, 8, 32))
    history = make_model().fit(
        *data,
        sample_weight=weights,
        batch_size=8,
        shuffle=False,
        epochs=3,
        verbose=0,
        callbacks=[callback],
    )
    assert callback.found
    assert (callback.epoch, callback.step, callback.name) == (1, 3, "loss")
    assert np.isnan(callback.value)
    assert len(history.epoch) == 1


def test_a_healthy_training_runs_to_its_end(data, make_model):
    callback = StopIfNotFinite(RunPosition(4, 8, 32))
    history = make_model().fit(*data, batch_size=8, epochs=2, verbose=0, callbacks=[callback])
    assert not callback.found and callback.step is None
    assert len(history.epoch) == 2


@pytest.fixture
def resumed(make_model):
    position = RunPosition(10, 4, 40, first_epoch=3, first_batch=6, first_step=36)
    callback = StopIfNotFinite(position)
    callback.set_model(make_model())
    callback.model.stop_training = False
    return callback


def test_steps_count_on_after_resuming(resumed):
    resumed.on_epoch_begin(3)
    resumed.on_train_batch_end(0, {"loss": 1.0, "accuracy": 0.5})
    assert not resumed.found
    resumed.on_train_batch_end(1, {"loss": float("inf")})
    assert (resumed.epoch, resumed.step, resumed.value) == (4, 38, float("inf"))
    assert resumed.model.stop_training


def test_a_validation_loss_counts_and_other_values_do_not(resumed):
    resumed.on_epoch_begin(3)
    resumed.on_train_batch_end(3, {"loss": 1.0, "accuracy": float("nan")})
    assert not resumed.found
    resumed.on_epoch_end(3, {"loss": 1.0, "val_loss": float("nan")})
    assert (resumed.name, resumed.step) == ("val_loss", 40)


def test_keras_hands_python_floats_to_callbacks(data, make_model):
    """The look at the loss is cheap because Keras has already fetched it."""
    kinds = set()

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kinds.update(type(value) for value in logs.values())

    make_model().fit(*data, epochs=1, verbose=0, callbacks=[Look()])
    assert kinds == {float}
