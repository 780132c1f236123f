"""Words, columns and counts, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from datasets import texts

NAMES = ("<padding>", "<start>", "<unknown>", "<unused>", "the", "price", "oil")


def test_columns_are_ranks_behind_the_special_ones() -> None:
    assert texts.vocabulary(["the", "price", "oil", "tin"], 7) == NAMES
    # Rank 1 is column 4; rank 4 would be column 7, of which there is none.
    assert texts.encode([1, 3, 4, 1], 7).tolist() == [1, 4, 6, 2, 4]
    assert texts.encode([], 7).tolist() == [1]


@pytest.mark.parametrize("columns", [0, 4, 8])
def test_columns_without_words_are_refused(columns: int) -> None:
    with pytest.raises(ValueError, match="from 5 to 7"):
        texts.vocabulary(["the", "price", "oil"], columns)


def test_counts() -> None:
    counts = texts.count([[1, 4, 6, 2, 4], [1]], 7)
    assert counts.dtype == np.float32
    assert counts.tolist() == [[0, 1, 1, 0, 2, 0, 1], [0, 1, 0, 0, 0, 0, 0]]


def test_words_are_parted_as_keras_parted_them() -> None:
    text = "The U.S. price; of OIL-products\trose 3.5%\nso 'they' said"
    assert " ".join(texts.words_of(text)) == "the u s price of oil products rose 3 5 so 'they' said"
    assert texts.words_of(" ... ") == []


def test_plain_texts_are_counted_as_encoded_ones() -> None:
    counts = texts.count_words(["The oil, the TIN!", "<start>"], NAMES)
    assert counts.tolist() == [[0, 1, 1, 0, 2, 0, 1], [0, 1, 1, 0, 0, 0, 0]]


def test_counts_become_a_text_again() -> None:
    counts = texts.count_words(["oil the oil tin"], NAMES)[0]
    assert texts.as_text(counts, NAMES) == "the oil oil"


def test_splits_follow_one_another_and_frequencies_are_of_training_alone() -> None:
    encoded = [[1, 4, 4], [1, 5], [1, 6], [1, 4], [1, 4]]
    labels = np.array([0, 1, 0, 1, 1])
    info = {"name": "x", "class_names": ("a", "b"), "origin": "here", "licence": "none"}
    made = texts.splits(encoded, labels, (2, 3), NAMES, list("vwxyz"), info)
    assert [len(part) for part in (made.train, made.validation, made.test)] == [2, 1, 2]
    assert made.test.labels.tolist() == [1, 1]
    assert made.test.identifier(0) == "y"
    assert made.info.document_frequencies == (0, 2, 0, 0, 1, 1, 0)
    assert made.info.training_texts == 2
    assert made.info.vocabulary == NAMES
    assert "3 words: 2 for training, 1 for validation, 2 for test" in made.info.description
