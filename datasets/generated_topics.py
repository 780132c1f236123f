"""Texts made by this project: bags of made-up words in which topics have words of their own.

The model of the texts is the one of latent Dirichlet allocation with one topic a text (Blei, Ng &
Jordan, "Latent Dirichlet Allocation", JMLR 2003): a text samples each word either from the
language as a whole, where the k-th most frequent word has a share near 1/k (Zipf's law), or from
the few words of its topic. Topics are as uneven as those of newswires: the largest has a third of
the texts, the smallest few. How much a text says about its topic differs: some are easy, some
hopeless.

Every text is a function of (seed, index).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets import texts
from datasets.core import Splits

TOPICS = 46
"""As many as the Reuters set has: the size of a mean over the outputs depends on it."""

LANGUAGE_WORDS = 3000
MOST_COLUMNS = LANGUAGE_WORDS + len(texts.SPECIAL_NAMES)
TOPIC_WORDS = 15
# Half of a topic's words are shared with its neighbour, so that some topics are easily confused.
_SHARED_WORDS = 5
# The share of the k-th largest topic is k^-1.2 over the sum of all: 0.30, 0.13, ..., 0.003.
_SIZE_EXPONENT = 1.2
# Words of a text: log-normal, the median being 60; Reuters has 90.
_MEDIAN_WORDS, _LENGTH_DEVIATION, _MOST_WORDS = 60, 0.6, 400
# Share of a text's words that its topic chose: beta-distributed, 1 in 6 on average.
_TOPIC_SHARE_BETA = (2.0, 10.0)

_CONSONANTS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "st")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ou")


@dataclasses.dataclass(frozen=True)
class Language:
    """What texts are sampled from.

    Attributes:
        words: the made-up words, all different.
        word_shares: share of each word in the language, float64 (words,), summing to 1.
        topic_words: indices of the words of each topic, int64 (topics, words a topic).
        topic_sizes: share of the texts that each topic has, float64 (topics,), summing to 1.
    """

    words: tuple[str, ...]
    word_shares: np.ndarray
    topic_words: np.ndarray
    topic_sizes: np.ndarray

    @property
    def topic_names(self) -> tuple[str, ...]:
        """The first word of each topic."""
        return tuple(self.words[first] for first in self.topic_words[:, 0])


def load(
    count: int, columns: int, validation_fraction: float, test_fraction: float, seed: int
) -> Splits:
    """Made-up texts as word counts, split as Reuters is: the last ones are the test.

    Args:
        count: texts in all.
        columns: as for `texts.vocabulary`; at most `MOST_COLUMNS`.
        validation_fraction: share of the training texts that becomes validation, in (0, 1).
        test_fraction: share of all texts that becomes the test, in (0, 1).
        seed: decides language and texts.

    Raises:
        ValueError: there is no such number of columns, or a split would be empty.
    """
    test = int(count * (1 - test_fraction))
    validation = int(test * (1 - validation_fraction))
    if not 0 < validation < test < count:
        raise ValueError(f"each split must have a text. Received: {count=}")
    language = make_language(seed)
    sampled = [sample(language, seed, index) for index in range(count)]
    # Ranked by how often they occur in the training texts, as those of a real set would be.
    trained_on = np.concatenate([words for words, _ in sampled[:validation]])
    used = np.bincount(trained_on, minlength=len(language.words))
    order = np.argsort(-used, kind="stable")
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return texts.splits(
        [texts.encode(ranks[words], columns) for words, _ in sampled],
        np.array([topic for _, topic in sampled], np.int64),
        (validation, test),
        texts.vocabulary([language.words[index] for index in order], columns),
        identifiers=[f"made-up text {index}" for index in range(count)],
        info={
            "name": "generated",
            "class_names": language.topic_names,
            "origin": "made by this project",
            "licence": "free of rights",
        },
    )


def make_language(seed: int) -> Language:
    """The language of a seed."""
    random = np.random.default_rng([seed, 0])
    word_shares = 1.0 / np.arange(1, LANGUAGE_WORDS + 1)
    topic_sizes = np.arange(1.0, TOPICS + 1) ** -_SIZE_EXPONENT
    # Words of medium frequency: the most frequent ones are in every text, as "the" and "of" are.
    own = TOPIC_WORDS - _SHARED_WORDS
    chosen = 50 + random.permutation(LANGUAGE_WORDS // 2)[: TOPICS * own].reshape(TOPICS, own)
    shared = np.roll(chosen, 1, axis=0)[:, :_SHARED_WORDS]
    return Language(
        words=make_words(LANGUAGE_WORDS, seed),
        word_shares=word_shares / word_shares.sum(),
        topic_words=np.concatenate([chosen, shared], axis=1),
        topic_sizes=topic_sizes / topic_sizes.sum(),
    )


def make_words(count: int, seed: int) -> tuple[str, ...]:
    """Different words that can be pronounced: one to three syllables of consonant and vowel."""
    syllables = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
    random = np.random.default_rng([seed, 1])
    words: dict[str, None] = {}
    while len(words) < count:
        # The frequent words are the short ones, as in any language.
        length = 1 + (len(words) > 30) + (len(words) > 1000)
        words["".join(random.choice(syllables, length))] = None
    return tuple(words)


def sample(language: Language, seed: int, index: int) -> tuple[np.ndarray, int]:
    """One text: the indices of its words, int64 (words,), and its topic."""
    random = np.random.default_rng([seed, 2, index])
    topic = int(random.choice(len(language.topic_sizes), p=language.topic_sizes))
    length = _MEDIAN_WORDS * np.exp(_LENGTH_DEVIATION * random.standard_normal())
    length = int(np.clip(length, 5, _MOST_WORDS))
    general = np.searchsorted(np.cumsum(language.word_shares), random.random(length))
    on_topic = random.choice(language.topic_words[topic], length)
    says_topic = random.random(length) < random.beta(*_TOPIC_SHARE_BETA)
    words = np.where(says_topic, on_topic, general)
    # The sum of the shares may be a rounding error below 1.
    return np.minimum(words, len(language.words) - 1), topic
