"""Drawn patterns: what decides a picture, and that each pattern is what its name says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from datasets.rendered import textures
from datasets.rendered.textures import CLASS_NAMES, PATTERNS, RenderedTextures, sample_look

SIZE = (32, 48)


def test_the_contract_of_a_source() -> None:
    source = RenderedTextures(20, 3, SIZE)
    assert len(source) == 20
    assert source.labels.tolist() == [i % 8 for i in range(20)]
    example = source.example(5)
    assert (example["image"].dtype, example["image"].shape) == (np.uint8, (*SIZE, 3))
    assert (example["label"], example["label"].dtype) == (5, np.int64)
    assert source.identifier(5) != source.identifier(6)
    for index in (-1, 20):
        with pytest.raises(IndexError, match="index must be"):
            source.example(index)


def test_a_picture_is_a_function_of_seed_and_index() -> None:
    picture = RenderedTextures(20, 3, SIZE).example(9)["image"]
    np.testing.assert_array_equal(RenderedTextures(11, 3, SIZE).example(9)["image"], picture)
    assert not np.array_equal(RenderedTextures(20, 4, SIZE).example(9)["image"], picture)
    assert not np.array_equal(RenderedTextures(20, 3, SIZE).example(17)["image"], picture)


def test_splits_share_no_picture() -> None:
    splits = textures.load(16, 16, 16, SIZE, seed=1)
    assert splits.info.class_names == CLASS_NAMES
    pictures = {
        part.example(index)["image"].tobytes()
        for part in (splits.train, splits.validation, splits.test)
        for index in range(16)
    }
    assert len(pictures) == 48


@pytest.mark.parametrize("name", [name for name in CLASS_NAMES if name != "rings"])
def test_a_pattern_repeats_with_its_period(name: str) -> None:
    u, v = np.random.default_rng(0).uniform(-3, 3, (2, 500))
    ink = PATTERNS[name](u, v)
    assert 0.15 < ink.mean() < 0.85
    np.testing.assert_array_equal(PATTERNS[name](u, v + 1), ink)
    np.testing.assert_array_equal(PATTERNS[name](u + 1, v), ink)


def test_patterns_are_what_they_are_called() -> None:
    """Symmetries that tell the patterns apart, each by its own."""
    u, v = np.random.default_rng(1).uniform(-3, 3, (2, 500))
    quarter = {
        name: np.array_equal(PATTERNS[name](-v, u), PATTERNS[name](u, v)) for name in PATTERNS
    }
    assert [name for name, same in quarter.items() if same] == ["dots", "rings", "crosses"]
    np.testing.assert_array_equal(PATTERNS["stripes"](u, v), PATTERNS["stripes"](u, v + 0.37))
    np.testing.assert_array_equal(PATTERNS["checks"](u + 0.5, v), ~PATTERNS["checks"](u, v))
    np.testing.assert_array_equal(PATTERNS["bricks"](u + 0.5, v + 0.5), PATTERNS["bricks"](u, v))
    np.testing.assert_array_equal(PATTERNS["zigzag"](-u, v), PATTERNS["zigzag"](u, v))
    assert PATTERNS["rings"](np.array([0.1, 0.6, 0.0]), np.array([0.0, 0.0, 1.2])).tolist() == [
        *(True, False, True)
    ]
    assert PATTERNS["triangles"](np.array([0.2, 0.8]), np.array([0.3, 0.7])).tolist() == [
        *(True, False)
    ]


def test_no_two_patterns_are_the_same() -> None:
    u, v = np.random.default_rng(2).uniform(-3, 3, (2, 500))
    drawn = {PATTERNS[name](u, v).tobytes() for name in PATTERNS}
    assert len(drawn) == len(PATTERNS) == 8


def test_the_look_says_nothing_of_the_class() -> None:
    looks = [sample_look(np.random.default_rng(7)) for _ in range(2)]
    for field in dataclasses.fields(looks[0]):
        np.testing.assert_array_equal(*(getattr(look, field.name) for look in looks))
    for seed in range(50):
        paper, ink = sample_look(np.random.default_rng(seed)).colours
        assert paper.mean() - ink.mean() >= 40


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0, 0, SIZE), "count"),
        ((8, -1, SIZE), "seed"),
        ((8, 0, (8, 48)), "image_size"),
        ((8, 0, (32,)), "image_size"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        RenderedTextures(*arguments)
