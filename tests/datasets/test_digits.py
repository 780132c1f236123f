"""MNIST in Keras's layout, from files as small as can be; every fault in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets import digits
from datasets.core import DataError


def arrays(train: int = 40, test: int = 10) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (train, 28, 28), np.uint8),
        "y_train": (np.arange(train) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (test, 28, 28), np.uint8),
        "y_test": (np.arange(test) % 10).astype(np.uint8),
    }


def written(folder: Path, **changes: np.ndarray) -> Path:
    path = folder / "mnist.npz"
    np.savez_compressed(path, **{**arrays(), **changes})
    return path


def test_the_file_and_its_folder_give_the_same_splits(tmp_path: Path) -> None:
    path = written(tmp_path)
    for place in (path, tmp_path):
        splits = digits.load(place, 0.25, seed=0)
        assert (len(splits.train), len(splits.validation), len(splits.test)) == (30, 10, 10)
        assert splits.info.class_names == tuple("0123456789")
        assert "25% for validation" in splits.info.description


def test_examples_are_the_pictures_of_the_file_as_rgb(tmp_path: Path) -> None:
    expected = arrays()
    splits = digits.load(written(tmp_path), 0.25, seed=0)
    for index in range(10):
        example = splits.test.example(index)
        assert example["image"].shape == (28, 28, 3)
        assert example["image"].dtype == np.uint8
        for channel in range(3):
            np.testing.assert_array_equal(example["image"][..., channel], expected["x_test"][index])
        assert example["label"] == expected["y_test"][index] == splits.test.labels[index]
        assert example["label"].dtype == np.int64
    assert splits.test.identifier(3).endswith("mnist.npz x_test[3]")


def test_train_and_validation_are_each_training_picture_once(tmp_path: Path) -> None:
    splits = digits.load(written(tmp_path), 0.25, seed=0)
    seen = [
        part.example(index)["image"][..., 0].tobytes()
        for part in (splits.train, splits.validation)
        for index in range(len(part))
    ]
    assert sorted(seen) == sorted(picture.tobytes() for picture in arrays()["x_train"])
    again = digits.load(written(tmp_path), 0.25, seed=1)
    assert [again.train.identifier(i) for i in range(30)] != [
        splits.train.identifier(i) for i in range(30)
    ]


X, Y = arrays()["x_train"], arrays()["y_train"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x_train": X.astype(np.float32)}, "x_train must be uint8 of shape (n, 28, 28), received"),
        ({"x_train": X[:, :27]}, "received uint8 of shape (40, 27, 28)"),
        ({"x_test": np.zeros((3, 28, 28, 3), np.uint8)}, "x_test must be uint8"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "must hold at least one picture"),
        ({"y_train": Y[:39]}, "one whole number for each of the 40 pictures of x_train"),
        ({"y_train": np.full(40, np.nan)}, "received float64 of shape (40,)"),
        ({"y_train": np.where(np.arange(40) == 17, 10, Y)}, "y_train[17] must be a digit"),
        (
            {"y_train": Y.astype(np.int64) - 1},
            "y_train[0] must be a digit from 0 to 9, received -1",
        ),
        ({"y_train": np.zeros(40, np.int64)}, "Class '1' in"),
        ({"x_train": np.array([None] * 40)}, "cannot be read as a file of NumPy arrays"),
    ],
)
def test_a_wrong_array_is_named(tmp_path: Path, changes, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        digits.load(written(tmp_path, **changes), 0.25, seed=0)
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message
    assert "mnist.npz" in message


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, **{name: array for name, array in arrays().items() if name != "y_test"})
    with pytest.raises(DataError, match="received none called 'y_test'"):
        digits.load(path, 0.25, seed=0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mnist\.npz is not a file that can be found"):
        digits.load(tmp_path, 0.25, seed=0)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Cut short anywhere, flipped in the middle, empty, or another kind of file."""
    whole = written(tmp_path).read_bytes()
    flipped = bytearray(whole)
    for place in range(len(whole) // 4, 3 * len(whole) // 4, 997):
        flipped[place] ^= 0xFF
    damaged = [b"", b"hello", whole[: len(whole) // 2], whole[:-1], bytes(flipped)]
    for content in damaged:
        (tmp_path / "mnist.npz").write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as a file of NumPy arrays"):
            digits.load(tmp_path, 0.25, seed=0)


def test_a_file_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(digits, "MAX_BYTES", 20_000)
    with pytest.raises(DataError, match="x_train may take at most 20,000 bytes, received 31,488"):
        digits.load(written(tmp_path), 0.25, seed=0)


def test_the_real_file(shared_data: Path) -> None:
    splits = digits.load(shared_data / "mnist", 0.1, seed=0)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (18_001, 1_999, 4_000)
    assert (np.bincount(splits.train.labels) > 1_000).all()
