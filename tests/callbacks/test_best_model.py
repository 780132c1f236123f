"""The best model on disk: which epoch it is of, and never half of it."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from callbacks.best_model import BestModel


@pytest.fixture
def model() -> keras.Model:
    """One weight, compiled with an optimizer that has slots."""
    number = keras.Input((1,))
    output = keras.layers.Dense(1, use_bias=False, name="scale")(number)
    model = keras.Model(number, output, name="one_weight")
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    return model


def callback(path: Path, model: keras.Model, mode: str = "max") -> BestModel:
    monitor = "val_accuracy" if mode == "max" else "val_error"
    best = BestModel(path, monitor, mode)
    best.set_model(model)
    return best


def end_epoch(best: BestModel, epoch: int, **logs: float) -> None:
    """Ends an epoch; the model's only weight is its number, so that the file tells the epoch."""
    best.model.get_layer("scale").set_weights([np.full((1, 1), epoch, np.float32)])
    best.on_epoch_end(epoch, logs)


def saved_epoch(path: Path) -> int:
    return int(keras.saving.load_model(path).get_layer("scale").get_weights()[0].item())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.keras"


def test_the_epoch_with_the_most_is_kept(path: Path, model: keras.Model) -> None:
    best = callback(path, model)
    for epoch, value in enumerate([0.2, 0.7, 0.5, 0.8, 0.1]):
        end_epoch(best, epoch, val_accuracy=value, val_loss=1.0)
    assert saved_epoch(path) == 3
    assert (best.best, best.best_epoch) == (0.8, 4)


def test_the_epoch_with_the_least_is_kept(path: Path, model: keras.Model) -> None:
    best = callback(path, model, "min")
    for epoch, value in enumerate([0.9, 0.3, 0.5, 0.2, 0.4]):
        end_epoch(best, epoch, val_error=value, val_loss=1.0)
    assert saved_epoch(path) == 3
    assert (best.best, best.best_epoch) == (0.2, 4)


@pytest.mark.parametrize("mode", ["max", "min"])
def test_of_equal_epochs_the_one_with_the_smaller_loss_is_kept(
    mode: str, path: Path, model: keras.Model
) -> None:
    best = callback(path, model, mode)
    value = {"max": "val_accuracy", "min": "val_error"}[mode]
    for epoch, loss in enumerate([0.9, 0.4, 0.6, 0.4, 0.5]):
        end_epoch(best, epoch, val_loss=loss, **{value: 0.5})
    # The fourth is equal in both: the first of them stays.
    assert saved_epoch(path) == 1
    assert best.best_epoch == 2


def test_a_better_value_counts_more_than_a_smaller_loss(path: Path, model: keras.Model) -> None:
    best = callback(path, model)
    end_epoch(best, 0, val_accuracy=0.5, val_loss=0.1)
    end_epoch(best, 1, val_accuracy=0.6, val_loss=9.0)
    end_epoch(best, 2, val_accuracy=0.5, val_loss=0.01)
    assert saved_epoch(path) == 1


def test_a_value_that_is_no_number_is_never_the_best(path: Path, model: keras.Model) -> None:
    best = callback(path, model)
    end_epoch(best, 0, val_accuracy=math.nan, val_loss=0.1)
    assert not path.exists()
    end_epoch(best, 1, val_accuracy=0.1, val_loss=math.nan)
    end_epoch(best, 2, val_accuracy=math.inf, val_loss=0.1)
    assert saved_epoch(path) == 1


def test_without_a_validation_loss_the_first_of_equals_is_kept(
    path: Path, model: keras.Model
) -> None:
    best = callback(path, model)
    for epoch in range(3):
        end_epoch(best, epoch, val_accuracy=0.5)
    assert saved_epoch(path) == 0


def test_a_failure_while_saving_leaves_the_old_model_and_no_other_file(
    path: Path, model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = callback(path, model)
    end_epoch(best, 0, val_accuracy=0.5, val_loss=1.0)
    before = path.read_bytes()

    def half(self: keras.Model, place: Path) -> None:
        Path(place).write_bytes(before[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", half)
    with pytest.raises(OSError, match="No space left"):
        end_epoch(best, 1, val_accuracy=0.9, val_loss=0.5)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_saved_model_has_no_optimizer_and_predicts_alike(
    path: Path, model: keras.Model
) -> None:
    end_epoch(callback(path, model), 5, val_accuracy=0.5, val_loss=1.0)
    saved = keras.saving.load_model(path)
    assert not saved.compiled
    with zipfile.ZipFile(path) as archive:
        assert not json.loads(archive.read("config.json")).get("compile_config")
    assert saved.name == "one_weight"
    numbers = np.linspace(-1, 1, 7, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(
        saved.predict(numbers, verbose=0), model.predict(numbers, verbose=0)
    )
    assert model.optimizer is not None
    assert model.optimizer.iterations == 1


@pytest.mark.parametrize("epochs", [0, 2])
def test_a_resumed_run_keeps_the_best_of_before(
    epochs: int, path: Path, model: keras.Model
) -> None:
    """The state passes through JSON, as in the file to resume from."""
    first = callback(path, model)
    for epoch in range(epochs):
        end_epoch(first, epoch, val_accuracy=[0.5, 0.7][epoch], val_loss=0.4)
    second = callback(path, model)
    second.set_state(json.loads(json.dumps(first.get_state())))
    assert second.get_state() == first.get_state()
    end_epoch(second, 2, val_accuracy=0.7, val_loss=0.5)
    end_epoch(second, 3, val_accuracy=0.6, val_loss=0.1)
    assert saved_epoch(path) == (1 if epochs else 2)


def test_the_best_lasts_from_one_fit_to_the_next(path: Path, model: keras.Model) -> None:
    """A later stage must not replace a better model of an earlier one."""
    best = callback(path, model)
    end_epoch(best, 0, val_accuracy=0.9, val_loss=0.4)
    best.on_train_end()
    best.on_train_begin()
    end_epoch(best, 1, val_accuracy=0.8, val_loss=0.1)
    assert saved_epoch(path) == 0


def test_written_seldom_it_still_keeps_the_best_epoch(path: Path, model: keras.Model) -> None:
    best = BestModel(path, "val_accuracy", "max", seconds_between=3600)
    best.set_model(model)
    best.on_train_begin()
    for epoch, value in enumerate([0.2, 0.7, 0.5]):
        end_epoch(best, epoch, val_accuracy=value, val_loss=1.0)
    assert not path.exists()
    best.on_train_end()
    assert saved_epoch(path) == 1
    # The model that trains has not been touched by it.
    assert model.get_layer("scale").get_weights()[0].item() == 2


def test_nothing_waits_after_a_state_is_saved(path: Path, model: keras.Model) -> None:
    best = BestModel(path, "val_accuracy", "max", seconds_between=3600)
    best.set_model(model)
    best.on_train_begin()
    end_epoch(best, 4, val_accuracy=0.5, val_loss=1.0)
    best.write()
    assert saved_epoch(path) == 4
    path.unlink()
    best.write()
    best.on_train_end()
    assert not path.exists()


def test_a_network_is_saved_where_its_tail_is_trained(path: Path, model: keras.Model) -> None:
    tail = keras.Sequential([model.get_layer("scale")])
    best = BestModel(path, "val_accuracy", "max", network=model)
    best.set_model(tail)
    end_epoch(best, 3, val_accuracy=0.5, val_loss=1.0)
    assert keras.saving.load_model(path).name == "one_weight"
    assert saved_epoch(path) == 3


def test_the_best_weights_can_be_put_back(path: Path, model: keras.Model) -> None:
    best = callback(path, model)
    assert not best.put_back(model)
    for epoch, value in enumerate([0.2, 0.7, 0.5]):
        end_epoch(best, epoch, val_accuracy=value, val_loss=1.0)
    assert best.put_back(model)
    assert model.get_layer("scale").get_weights()[0].item() == 1


def test_companions_are_kept_as_they_were_in_the_best_epoch(path: Path, model: keras.Model) -> None:
    """The adversary of a generator, say: its file and the model's are of one epoch."""
    number = keras.Input((1,))
    layer = keras.layers.Dense(1, use_bias=False, name="scale")
    companion = keras.Model(number, layer(number), name="companion")
    best = callback(path, model)
    beside = path.with_name("companion.keras")
    best.companions = {beside: companion}
    for epoch, value in enumerate([0.3, 0.9, 0.5]):
        layer.set_weights([np.full((1, 1), 10 * epoch, np.float32)])
        end_epoch(best, epoch, val_accuracy=value, val_loss=1.0)
    assert saved_epoch(path) == 1
    assert saved_epoch(beside) == 10
    assert layer.get_weights()[0].item() == 20
    layer.set_weights([np.full((1, 1), 7, np.float32)])
    assert best.put_back(model)
    assert model.get_layer("scale").get_weights()[0].item() == 1
    assert layer.get_weights()[0].item() == 7
