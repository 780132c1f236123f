"""The Reuters newswires of 1987 in 46 topics, in the files that `keras.datasets.reuters` downloads.

`reuters.npz` holds the texts as lists of word ranks, `reuters_word_index.json` the rank of each
word. Texts, their order, and the parting into training and test are those of
`keras.datasets.reuters.load_data()`.

Source: D. D. Lewis, "Reuters-21578 text categorization test collection", 1997; Keras's loader for
the split (seed 113, the last fifth is the test).
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from datasets import number_lists, texts
from datasets.core import DataError, Splits
from datasets.number_lists import NotNumberListsError

FILE, WORD_FILE = "reuters.npz", "reuters_word_index.json"

CLASS_NAMES = (
    *("cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply"),
    *("coffee", "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas"),
    *("cpi", "money-fx", "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin"),
    *("strategic-metal", "livestock", "retail", "ipi", "iron-steel", "rubber", "heat", "jobs"),
    *("lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead"),
)
"""The topic of each label, as `keras.datasets.reuters.get_label_names` lists them."""

# `load_data` shuffles with this seed and keeps this share for the test.
SHUFFLE_SEED, TEST_FRACTION = 113, 0.2

# The public file unpacks to 4 MB; far more than ten times that is another file.
_MAX_BYTES = 64 * 1024 * 1024


def load(data_dir: Path, columns: int, validation_fraction: float = 0.1) -> Splits:
    """The newswires as word counts.

    Validation is the last part of the training texts, as in `fit(validation_split=0.1)`: the
    loader's shuffle stands before it, so that it is a random part, and the same in each run.

    Args:
        data_dir: the folder of the two files.
        columns: `num_words` of Keras's loader: words of rank `columns - 3` and rarer are unknown.
        validation_fraction: share of the training texts, in (0, 1).

    Raises:
        DataError: a file is missing, damaged, hostile, or not these data.
    """
    ranks, labels, names = read(data_dir, columns)
    order = np.arange(len(ranks))
    # The legacy generator on purpose: it is the one that Keras's loader shuffles with.
    np.random.RandomState(SHUFFLE_SEED).shuffle(order)
    encoded = [texts.encode(ranks[index], columns) for index in order]
    test = int(len(order) * (1 - TEST_FRACTION))
    validation = int(test * (1 - validation_fraction))
    if not 0 < validation < test < len(order):
        raise DataError(
            f"{Path(data_dir) / FILE} must hold enough texts to be parted, received {len(order)}: "
            "download it again."
        )
    return texts.splits(
        encoded,
        labels[order],
        (validation, test),
        names,
        identifiers=[f"{FILE} text {index}" for index in order],
        info={
            "name": "reuters",
            "class_names": CLASS_NAMES,
            "origin": str(data_dir),
            "licence": "Reuters-21578: free for research, see its README",
        },
    )


def read(data_dir: Path, columns: int) -> tuple[list[list[int]], np.ndarray, tuple[str, ...]]:
    """What the two files hold: texts as word ranks, labels, and a name for each column.

    Raises:
        DataError: as `load`; in a second, before any cell of a study starts.
    """
    ranks, labels = read_texts(Path(data_dir) / FILE)
    return ranks, labels, _column_names(Path(data_dir) / WORD_FILE, columns)


def _column_names(path: Path, columns: int) -> tuple[str, ...]:
    words = read_words(path)
    most = len(words) + len(texts.SPECIAL_NAMES)
    if columns > most:
        raise DataError(
            f"{path} must name a word for each of the {columns} columns asked for, received "
            f"{len(words)} words: ask for at most {most}."
        )
    return texts.vocabulary(words, columns)


def read_texts(path: Path) -> tuple[list[list[int]], np.ndarray]:
    """The texts of the file as word ranks, and their labels, int64 (texts,).

    Raises:
        DataError: the file is missing, damaged, hostile, or not these data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            ranks = number_lists.read_number_lists(_member(archive, "x.npy"))
            labels = _numbers(_member(archive, "y.npy"))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(
            f"{path} cannot be read ({_reason(error)}): put the file reuters.npz of "
            "keras.datasets.reuters there."
        ) from None
    except NotNumberListsError as error:
        raise DataError(f"{path} is not Keras's file of Reuters texts: {error}.") from None
    if len(ranks) != len(labels):
        raise DataError(
            f"{path} must have one label a text, received {len(ranks)} texts and {len(labels)} "
            "labels: download it again."
        )
    _check_values(path, ranks, labels)
    return ranks, labels


def _check_values(path: Path, ranks: list[list[int]], labels: np.ndarray) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= len(CLASS_NAMES)))
    if len(wrong):
        raise DataError(
            f"{path} must have labels from 0 to {len(CLASS_NAMES) - 1}, received "
            f"{labels[wrong[0]]} for text {wrong[0]}: download it again."
        )
    for index, text in enumerate(ranks):
        if text and min(text) < 1:
            raise DataError(
                f"{path} must have word ranks of at least 1, received {min(text)} in text "
                f"{index}: download it again."
            )


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The unpacked bytes of one file in the archive, never more than `_MAX_BYTES`."""
    if name not in archive.namelist():
        raise NotNumberListsError(f"it has no array {name.removesuffix('.npy')!r}")
    with archive.open(name) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise NotNumberListsError(f"{name} unpacks to more than {_MAX_BYTES} bytes")
    return data


def _numbers(data: bytes) -> np.ndarray:
    """A one-dimensional array of whole numbers, int64, from the bytes of an `.npy` file."""
    shape, dtype, body = number_lists.read_header(data)
    if dtype.kind not in "iu" or len(shape) != 1:
        raise NotNumberListsError(
            f"its labels must be whole numbers in one dimension, received {dtype} of shape {shape}"
        )
    if len(body) != shape[0] * dtype.itemsize:
        raise NotNumberListsError("its labels are cut off")
    return np.frombuffer(body, dtype).astype(np.int64)


def read_words(path: Path) -> list[str]:
    """The words by rank, from rank 1 on.

    Raises:
        DataError: the file is missing, damaged, or not a rank of its own for each word.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"it has more than {_MAX_BYTES} bytes")
        ranks = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path} cannot be read ({_reason(error)}): put the file reuters_word_index.json of "
            "keras.datasets.reuters there."
        ) from None
    # `bool` is a kind of `int`, and no rank.
    whole = isinstance(ranks, dict) and all(type(rank) is int for rank in ranks.values())
    if not whole or sorted(ranks.values()) != list(range(1, len(ranks) + 1)):
        raise DataError(
            f"{path} must give each word a rank of its own, from 1 to the number of words, "
            "received something else: download it again."
        )
    return sorted(ranks, key=ranks.get)


def _reason(error: Exception) -> str:
    """What went wrong, without the path that an OSError repeats."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
