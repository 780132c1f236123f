"""The batch size that fits: counted before training, halved where the device refuses."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf

from tasks.common import batch_size
from tasks.common.errors import UserError
from tasks.common.resume import Position

FLOAT = 4
WITH_GRADIENT = 2


def position(size: int) -> Position:
    return Position(1, 2, 3, size, "fingerprint", {"head": 1.5})


class Device:
    """Trains batches up to a size; a larger one exhausts it."""

    def __init__(self, largest: int, error: BaseException) -> None:
        self.largest = largest
        self.error = error
        self.tried: list[int] = []

    def train(self, start: Position) -> Position:
        self.tried.append(start.batch_size)
        if start.batch_size > self.largest:
            raise self.error
        return start


EXHAUSTED = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


@pytest.mark.parametrize("error", [EXHAUSTED, MemoryError()])
def test_the_batch_size_is_halved_until_it_fits(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Device(20, error)
    result = batch_size.halving_on_exhaustion(device.train, position(128), may_halve=True)
    assert device.tried == [128, 64, 32, 16]
    assert result == position(16)
    assert capsys.readouterr().out.splitlines()[-1].endswith("trying 16.")


def test_a_batch_that_fits_is_trained_once() -> None:
    device = Device(128, EXHAUSTED)
    assert batch_size.halving_on_exhaustion(device.train, position(128), True) == position(128)
    assert device.tried == [128]


def test_a_batch_size_that_was_asked_for_is_not_changed() -> None:
    device = Device(20, EXHAUSTED)
    with pytest.raises(UserError, match=r"--batch-size 64.*--batch-size auto"):
        batch_size.halving_on_exhaustion(device.train, position(64), may_halve=False)
    assert device.tried == [64]


def test_one_example_that_does_not_fit_is_one_sentence() -> None:
    device = Device(0, EXHAUSTED)
    with pytest.raises(UserError, match="--batch-size 1") as caught:
        batch_size.halving_on_exhaustion(device.train, position(4), may_halve=True)
    assert device.tried == [4, 2, 1]
    assert "\n" not in str(caught.value)


def test_other_errors_pass() -> None:
    device = Device(0, ValueError("of another kind"))
    with pytest.raises(ValueError, match="another kind"):
        batch_size.halving_on_exhaustion(device.train, position(4), may_halve=True)
    assert device.tried == [4]


def two_layers() -> keras.Model:
    image = keras.Input((8, 6, 3))
    features = keras.layers.Conv2D(5, 3, padding="same")(image)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(features))


# The input 8 x 6 x 3, the convolution 8 x 6 x 5, the pooled 5.
TWO_LAYERS = 8 * 6 * 3 + 8 * 6 * 5 + 5


def test_the_bytes_of_an_example_by_hand() -> None:
    assert batch_size.bytes_per_example(two_layers()) == TWO_LAYERS * FLOAT * WITH_GRADIENT


def test_the_layers_of_a_nested_model_are_counted_once() -> None:
    inner = two_layers()
    image = keras.Input((8, 6, 3))
    outer = keras.Model(image, keras.layers.Dense(2)(inner(image)))
    expected = TWO_LAYERS + 8 * 6 * 3 + 2
    assert batch_size.bytes_per_example(outer) == expected * FLOAT * WITH_GRADIENT


def test_a_requested_size_is_taken() -> None:
    assert batch_size.first_choice(17, two_layers()) == 17


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])


@pytest.mark.usefixtures("cpu")
@pytest.mark.parametrize(
    ("examples", "expected"), [(10**6, 128), (128, 128), (127, 64), (9, 8), (1, 1), (0.1, 1)]
)
def test_on_a_cpu_the_free_memory_decides(
    examples: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the free memory is for activations."""
    free = 2 * examples * TWO_LAYERS * FLOAT * WITH_GRADIENT
    monkeypatch.setattr(batch_size, "_free_memory", lambda: free)
    assert batch_size.first_choice("auto", two_layers()) == expected


def test_on_a_gpu_the_largest_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["one"])
    monkeypatch.setattr(batch_size, "_free_memory", lambda: 1)
    assert batch_size.first_choice("auto", two_layers()) == 128


def test_the_free_memory_of_this_machine_is_a_sensible_number() -> None:
    assert 2**20 < batch_size._free_memory() < 2**50


def test_a_system_that_does_not_tell_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr("os.sysconf", unknown)
    assert batch_size._free_memory() == 4 * 2**30
