"""Keras's file of newswires: tiny ones in its format, hostile ones, and the real one."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from datasets import reuters
from datasets.core import DataError


def array_file(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def objects(lists: list) -> np.ndarray:
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


TEXTS = [[1, 2, 3 + n] for n in range(20)]
LABELS = np.arange(20, dtype=np.int64) % 3
WORDS = {f"word{rank}": rank for rank in range(1, 26)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, TEXTS, LABELS)
    return tmp_path


def write(folder: Path, texts: list, labels: np.ndarray, words: object = WORDS) -> None:
    """The two files, as `numpy.savez_compressed` and `json` write them."""
    np.savez_compressed(folder / reuters.FILE, x=objects(texts), y=labels)
    (folder / reuters.WORD_FILE).write_text(json.dumps(words))


def refused(folder: Path, columns: int = 10) -> str:
    with pytest.raises(DataError) as caught:
        reuters.load(folder, columns)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_a_tiny_file_is_split_and_counted(folder: Path) -> None:
    splits = reuters.load(folder, 10)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [14, 2, 4]
    order = np.arange(20)
    np.random.RandomState(113).shuffle(order)
    for place, part in ((0, splits.train), (14, splits.validation), (16, splits.test)):
        first = order[place]
        assert part.identifier(0) == f"reuters.npz text {first}"
        assert part.labels[0] == LABELS[first]
        counts = np.zeros(10)
        # Start, ranks 1 and 2 in columns 4 and 5, and rank 3 + first in its own or the unknown one.
        counts[[1, 4, 5]] = 1
        counts[6 + first if 6 + first < 10 else 2] += 1
        np.testing.assert_array_equal(part.features[0], counts)
    assert splits.info.vocabulary[3:6] == ("<unused>", "word1", "word2")
    assert splits.info.class_names[3:5] == ("earn", "acq")
    assert len(splits.info.class_names) == 46


def test_the_share_for_validation_can_be_chosen(folder: Path) -> None:
    splits = reuters.load(folder, 10, 0.5)
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [8, 8, 4]


def test_missing_files_are_named(tmp_path: Path, folder: Path) -> None:
    (folder / reuters.WORD_FILE).unlink()
    assert "reuters_word_index.json cannot be read (No such file" in refused(folder)
    (folder / reuters.FILE).unlink()
    assert "reuters.npz cannot be read (No such file" in refused(folder)
    (folder / reuters.FILE).mkdir()
    assert "Is a directory" in refused(folder)


def test_a_hostile_pickle_runs_nothing(folder: Path) -> None:
    place = folder / "ran"

    class Runs:
        def __reduce__(self):
            import os

            return os.mkdir, (str(place),)

    np.savez(folder / reuters.FILE, x=objects([[1], Runs()]), y=LABELS[:2])
    assert "could run code" in refused(folder)
    assert not place.exists()
    header = array_file(objects(TEXTS))[:128]
    with zipfile.ZipFile(folder / reuters.FILE, "w") as archive:
        archive.writestr("x.npy", header + pickle.dumps(Runs(), 0))
        archive.writestr("y.npy", array_file(LABELS))
    assert "reuters.npz is not Keras's file of Reuters texts" in refused(folder)
    assert not place.exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(folder: Path, share: float) -> None:
    path = folder / reuters.FILE
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert "cannot be read" in refused(folder)


def test_damaged_content_is_refused(folder: Path) -> None:
    path = folder / reuters.FILE
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    path.write_bytes(bytes(data))
    assert "reuters.npz" in refused(folder)


def test_a_file_that_unpacks_to_more_than_memory_takes_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / reuters.FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(70 * 1024 * 1024))
        archive.writestr("y.npy", array_file(LABELS))
    assert (folder / reuters.FILE).stat().st_size < 100_000
    assert "unpacks to more than" in refused(folder)


@pytest.mark.parametrize(
    ("texts", "labels", "said"),
    [
        (TEXTS, LABELS[:-1], "one label a text, received 20 texts and 19 labels"),
        (TEXTS, LABELS + 44, "labels from 0 to 45, received 46 for text 2"),
        (TEXTS, LABELS - 1, "received -1 for text 0"),
        (TEXTS, LABELS.astype(float), "whole numbers in one dimension, received float64"),
        (TEXTS, LABELS.reshape(4, 5), r"of shape \(4, 5\)"),
        ([*TEXTS[:-1], [3, 0]], LABELS, "at least 1, received 0 in text 19"),
        ([*TEXTS[:-1], [-5]], LABELS, "received -5 in text 19"),
        ([*TEXTS[:-1], ["the"]], LABELS, "not a list of whole numbers"),
        ([*TEXTS[:-1], [1.5]], LABELS, "no operation BINFLOAT"),
        (TEXTS[:2], LABELS[:2], "received 2"),
        ([], LABELS[:0], "received 0"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, texts: list, labels: np.ndarray, said: str) -> None:
    write(tmp_path, texts, labels)
    with pytest.raises(DataError, match=said):
        reuters.load(tmp_path, 10)


def test_a_file_without_its_arrays_is_refused(folder: Path) -> None:
    np.savez(folder / reuters.FILE, a=LABELS)
    assert "has no array 'x'" in refused(folder)


def test_labels_cut_off_are_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / reuters.FILE, "w") as archive:
        archive.writestr("x.npy", array_file(objects(TEXTS)))
        archive.writestr("y.npy", array_file(LABELS)[:-3])
    assert "labels are cut off" in refused(folder)


@pytest.mark.parametrize(
    "words",
    [
        {"a": 1, "b": 1},
        {"a": 1, "b": 3},
        {"a": 0, "b": 1},
        {"a": "1"},
        {"a": True},
        {"a": 1.0},
        ["a"],
        3,
        None,
    ],
)
def test_wrong_word_indices_are_refused(folder: Path, words: object) -> None:
    (folder / reuters.WORD_FILE).write_text(json.dumps(words))
    assert "a rank of its own" in refused(folder)


@pytest.mark.parametrize("text", ["", "{", "\x00", '{"a": 1', "[" * 100_000])
def test_a_word_index_that_is_no_json_is_refused(folder: Path, text: str) -> None:
    (folder / reuters.WORD_FILE).write_text(text)
    assert "reuters_word_index.json cannot be read" in refused(folder)


def test_a_word_index_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / reuters.WORD_FILE).write_bytes(b"\xff\xfe\x00")
    assert "reuters_word_index.json cannot be read" in refused(folder)


def test_more_columns_than_words_are_refused(folder: Path) -> None:
    assert len(reuters.load(folder, 29).info.vocabulary) == 29
    assert "received 25 words: ask for at most 29" in refused(folder, 30)


# Keras reads where its files lie once, when it is imported: hence a process of its own.
KERAS = """
import sys, keras, numpy as np
parts = keras.datasets.reuters.load_data(num_words=1000)
found = {"names": keras.datasets.reuters.get_label_names()}
for split, (texts, labels) in zip(("train", "test"), parts):
    found[split] = np.concatenate([np.array(text) for text in texts])
    found[f"{split}_lengths"] = [len(text) for text in texts]
    found[f"{split}_labels"] = labels
index = keras.datasets.reuters.get_word_index()
found["words"] = [word for word, rank in sorted(index.items(), key=lambda one: one[1])]
np.savez(sys.argv[1], **found)
"""


def test_the_real_file_gives_what_the_loader_of_keras_gives(
    shared_data: Path, tmp_path: Path
) -> None:
    place = tmp_path / "keras" / "datasets"
    place.mkdir(parents=True)
    for name in (reuters.FILE, reuters.WORD_FILE):
        (place / name).symlink_to(shared_data / "reuters" / name)
    environment = {**os.environ, "KERAS_HOME": str(place.parent)}
    command = [sys.executable, "-c", KERAS, str(tmp_path / "found.npz")]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=600)
    theirs = np.load(tmp_path / "found.npz", allow_pickle=False)
    splits = reuters.load(shared_data / "reuters", 1000)
    assert splits.info.class_names == tuple(theirs["names"])
    assert splits.info.vocabulary[4:] == tuple(theirs["words"][:996])
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [8083, 899, 2246]
    kept = (splits.train, splits.validation)
    ours = {
        "train": np.concatenate([part.features for part in kept]),
        "train_labels": np.concatenate([part.labels for part in kept]),
        "test": splits.test.features,
        "test_labels": splits.test.labels,
    }
    for split in ("train", "test"):
        np.testing.assert_array_equal(ours[f"{split}_labels"], theirs[f"{split}_labels"])
        texts = np.split(theirs[split], np.cumsum(theirs[f"{split}_lengths"])[:-1])
        for row, text in zip(ours[split], texts, strict=True):
            np.testing.assert_array_equal(row, np.bincount(text, minlength=1000))
