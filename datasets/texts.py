"""Texts as word counts: which column a word has, and what a model has to know about the columns.

Tensor contract: counts are float32, shape (texts, columns), whole numbers of at least 0. A word is
known by its rank, 1 for the most frequent one; its column is its rank + 3. The columns before
belong to no word: 0 to padding, 1 to the start of a text, 2 to every word too rare to have a
column, 3 to nothing. This is the numbering of `keras.datasets.reuters.load_data` (`start_char`,
`oov_char`, `index_from`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from datasets.core import DatasetInfo, Splits
from datasets.vectors import VectorSource

START, UNKNOWN, RANK_OFFSET = 1, 2, 3
SPECIAL_NAMES = ("<padding>", "<start>", "<unknown>", "<unused>")
"""Names of the columns before the first word; no tokenised text holds such a word."""

# What `keras.preprocessing.text.Tokenizer` left out by default, which made the Reuters set.
_BETWEEN_WORDS = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))


@dataclasses.dataclass(frozen=True)
class TextInfo(DatasetInfo):
    """What a set of texts is, with what a model keeps of its words.

    Attributes:
        vocabulary: one name per column.
        document_frequencies: training texts with a count above 0, int64, one per column.
        training_texts: number of training texts.
    """

    vocabulary: tuple[str, ...]
    document_frequencies: tuple[int, ...]
    training_texts: int


def vocabulary(words_by_rank: Sequence[str], columns: int) -> tuple[str, ...]:
    """One name per column: the special ones, then the most frequent words.

    Args:
        words_by_rank: the words from rank 1 on.
        columns: as many as the counts have; at least 5, at most ranks + 4.

    Raises:
        ValueError: there are fewer words than columns for them.
    """
    wanted = columns - len(SPECIAL_NAMES)
    if not 1 <= wanted <= len(words_by_rank):
        raise ValueError(
            f"columns must be from {len(SPECIAL_NAMES) + 1} to "
            f"{len(SPECIAL_NAMES) + len(words_by_rank)}. Received: {columns=}"
        )
    return (*SPECIAL_NAMES, *words_by_rank[:wanted])


def encode(ranks: Sequence[int] | np.ndarray, columns: int) -> np.ndarray:
    """The columns of the words of one text, in order, behind the start; int64 (words + 1,).

    Args:
        ranks: of the words, each at least 1.
        columns: words whose column is not below this are unknown.
    """
    found = np.asarray(ranks, dtype=np.int64) + RANK_OFFSET
    return np.concatenate([[START], np.where(found < columns, found, UNKNOWN)])


def count(texts: Sequence[Sequence[int] | np.ndarray], columns: int) -> np.ndarray:
    """How often each column occurs in each encoded text, float32 (texts, columns)."""
    counts = np.zeros((len(texts), columns), np.float32)
    for row, text in zip(counts, texts, strict=True):
        row += np.bincount(text, minlength=columns)
    return counts


def words_of(text: str) -> list[str]:
    """The words of a text: lower case, parted by blanks and punctuation.

    Source: the defaults of `keras.preprocessing.text.Tokenizer`.
    """
    return text.lower().translate(_BETWEEN_WORDS).split()


def count_words(texts: Sequence[str], column_names: Sequence[str]) -> np.ndarray:
    """The counts of plain texts for a model that knows these columns, float32 (texts, columns)."""
    columns: Mapping[str, int] = {name: column for column, name in enumerate(column_names)}
    encoded = [[START, *(columns.get(word, UNKNOWN) for word in words_of(text))] for text in texts]
    return count(encoded, len(column_names))


def as_text(counts: np.ndarray, column_names: Sequence[str]) -> str:
    """A text with these counts, (columns,), in the order of the columns; of words alone."""
    first = len(SPECIAL_NAMES)
    return " ".join(np.repeat(column_names[first:], counts[first:].astype(int)))


def splits(
    encoded: Sequence[Sequence[int] | np.ndarray],
    labels: np.ndarray,
    borders: tuple[int, int],
    column_names: tuple[str, ...],
    identifiers: Sequence[str],
    info: Mapping[str, object],
) -> Splits:
    """Encoded texts as word counts in three parts, which follow one another.

    Args:
        encoded: columns of the words of each text.
        labels: class ids, int64 (texts,).
        borders: where validation and where test begin.
        column_names: one name per column.
        identifiers: where each text comes from.
        info: `name`, `class_names`, `origin` and `licence` of the `TextInfo`; the description is
            made here.
    """
    counts = count(encoded, len(column_names))
    validation, test = borders
    parts = [slice(0, validation), slice(validation, test), slice(test, len(counts))]
    train, *others = [VectorSource(counts[p], labels[p], identifiers[p]) for p in parts]
    sizes = ", ".join(
        f"{len(part):,} for {use}"
        for part, use in zip((train, *others), ("training", "validation", "test"), strict=True)
    )
    description = (
        f"{len(counts):,} texts on {len(info['class_names'])} topics as counts of "
        f"{len(column_names) - len(SPECIAL_NAMES):,} words: {sizes}"
    )
    return Splits(
        train,
        *others,
        info=TextInfo(
            **info,
            description=description,
            vocabulary=column_names,
            document_frequencies=tuple(np.count_nonzero(train.features, axis=0).tolist()),
            training_texts=len(train),
        ),
    )
