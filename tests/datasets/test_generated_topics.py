"""Made-up texts: what they promise about words, topics and sizes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.stats import kstest

from datasets import generated_topics
from datasets.generated_topics import TOPICS, make_language, make_words, sample


def test_words_are_different_and_can_be_pronounced() -> None:
    words = make_words(3000, 0)
    assert len(set(words)) == 3000
    syllable = "(?:ch|st|[bdfgklmnprstvz])(?:ai|ou|[aeiou])"
    assert all(re.fullmatch(f"(?:{syllable}){{1,3}}", word) for word in words)
    assert make_words(100, 1) != make_words(100, 2)


def test_the_language_has_zipfs_law_and_uneven_topics() -> None:
    language = make_language(3)
    shares = language.word_shares
    assert shares.sum() == pytest.approx(1)
    assert shares[0] / shares[9] == pytest.approx(10)
    assert language.topic_sizes.sum() == pytest.approx(1)
    assert language.topic_sizes[0] == pytest.approx(0.306, abs=0.001)
    assert language.topic_sizes[-1] == pytest.approx(0.0031, abs=0.0001)
    assert len(set(language.topic_names)) == TOPICS
    # Neighbours share five of fifteen words, others none.
    first, second, third = (set(language.topic_words[k].tolist()) for k in range(3))
    assert len(first & second) == len(second & third) == 5
    assert not first & third


def test_a_text_depends_on_seed_and_index_alone() -> None:
    language = make_language(0)
    words, topic = sample(language, 0, 17)
    again, same = sample(make_language(0), 0, 17)
    np.testing.assert_array_equal(words, again)
    assert topic == same
    other, _ = sample(language, 0, 18)
    assert not np.array_equal(words, other)
    a = generated_topics.load(200, 100, 0.1, 0.2, seed=5)
    b = generated_topics.load(200, 100, 0.1, 0.2, seed=5)
    np.testing.assert_array_equal(a.test.features, b.test.features)
    assert a.info == b.info


def test_splits_and_columns() -> None:
    splits = generated_topics.load(200, 50, 0.1, 0.2, seed=0)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [144, 16, 40]
    assert splits.train.features.shape == (144, 50)
    # The first column of a word is the most frequent one's, by the training texts.
    totals = splits.train.features[:, 4:].sum(axis=0)
    assert (np.diff(totals) <= 0).all()
    assert (splits.train.features[:, 1] == 1).all()
    assert len(splits.info.class_names) == TOPICS


def test_topics_are_sampled_by_their_sizes_and_speak_with_their_words() -> None:
    language = make_language(0)
    sampled = [sample(language, 0, index) for index in range(2000)]
    topics = np.array([topic for _, topic in sampled])
    assert np.mean(topics == 0) == pytest.approx(language.topic_sizes[0], abs=0.04)
    lengths = np.log([len(words) for words, _ in sampled])
    assert kstest((lengths - np.log(60)) / 0.6, "norm").statistic < 0.05
    own = np.concatenate([np.isin(words, language.topic_words[topic]) for words, topic in sampled])
    # Beta(2, 10) has the mean 1/6; the language itself gives hardly any of these words.
    assert own.mean() == pytest.approx(1 / 6, abs=0.01)


@pytest.mark.parametrize(("count", "columns"), [(200, 3005), (200, 4), (2, 50)])
def test_what_cannot_be_made_is_refused(count: int, columns: int) -> None:
    with pytest.raises(ValueError, match="Received"):
        generated_topics.load(count, columns, 0.1, 0.2, seed=0)
    assert generated_topics.MOST_COLUMNS == 3004
