"""Drawn digits: repeatable, within the picture, and told apart without being alike."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline
from sklearn.neighbors import KNeighborsClassifier

from datasets.rendered import digits


def test_an_example_is_a_function_of_seed_and_index() -> None:
    short, long = digits.RenderedDigits(20, 4), digits.RenderedDigits(200, 4)
    for index in (0, 7, 19):
        np.testing.assert_array_equal(short.example(index)["image"], long.example(index)["image"])
    other = digits.RenderedDigits(20, 5)
    assert (short.example(7)["image"] != other.example(7)["image"]).any()
    assert short.identifier(7) == "drawn digit 7 of seed 4"


def test_a_picture_is_grey_rgb_with_bright_strokes_on_black() -> None:
    source = digits.RenderedDigits(100, 0)
    pictures = np.stack([source.example(index)["image"] for index in range(100)])
    assert pictures.shape == (100, 28, 28, 3)
    assert pictures.dtype == np.uint8
    assert (pictures[..., 0] == pictures[..., 1]).all()
    assert (pictures[..., 0] == pictures[..., 2]).all()
    assert (pictures.reshape(100, -1).max(axis=1) > 110).all()
    assert np.median(pictures) < 10
    # The strokes stay inside: hardly any ink in the outermost pixels.
    border = np.concatenate([pictures[:, [0, -1]].ravel(), pictures[:, :, [0, -1]].ravel()])
    assert border.mean() < 6


def test_labels_are_those_of_the_examples() -> None:
    source = digits.RenderedDigits(23, 0)
    labels = [source.example(index)["label"] for index in range(len(source))]
    assert all(label.dtype == np.int64 for label in labels)
    np.testing.assert_array_equal(source.labels, labels)
    with pytest.raises(IndexError, match=r"\[0, 23\)"):
        source.example(23)


def test_every_form_of_every_digit_is_drawn_and_differs() -> None:
    """The same hand but for the form; each form gives a picture of its own."""
    hand = dataclasses.replace(digits.sample_hand(np.random.default_rng(0)), bend=0.0)
    drawn = set()
    for forms in digits._FORMS:
        for form in forms:
            points = [digits.placed(digits.smooth(np.array(stroke)), hand) for stroke in form]
            assert all((part > 0).all() and (part < digits.SIDE).all() for part in points)
            drawn.add(b"".join(part.tobytes() for part in points))
    assert len(drawn) == sum(map(len, digits._FORMS)) >= 18


def test_a_curve_is_the_cubic_through_its_points() -> None:
    """Catmull-Rom against SciPy's Hermite spline with slopes half the way between neighbours."""
    points = np.array([(0.1, 0.2), (0.5, 0.9), (0.7, 0.3), (0.2, 0.1)])
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    theirs = CubicHermiteSpline(np.arange(4), points, (ends[2:] - ends[:-2]) / 2)
    curve = digits.smooth(points)
    np.testing.assert_allclose(curve, theirs(np.linspace(0, 3, len(curve))), atol=1e-12)
    straight = digits.smooth(points[:2])
    np.testing.assert_allclose(straight, np.linspace(points[0], points[1], len(straight)))


def test_digits_are_told_apart_but_not_by_pixels_alone() -> None:
    """The nearest of 600 pictures is mostly, but not always, of the same digit."""
    train, test = digits.RenderedDigits(600, 1), digits.RenderedDigits(200, 2)
    rows = [
        np.stack([source.example(i)["image"][..., 0].ravel() for i in range(len(source))])
        for source in (train, test)
    ]
    nearest = KNeighborsClassifier(1).fit(rows[0].astype(float), train.labels)
    assert 0.6 < nearest.score(rows[1].astype(float), test.labels) < 0.97


def test_splits_share_no_picture() -> None:
    splits = digits.load(30, 20, 10, seed=2)
    assert splits.info.class_names == tuple("0123456789")
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [30, 20, 10]
    pictures = {
        part.example(index)["image"].tobytes()
        for part in (splits.train, splits.validation, splits.test)
        for index in range(len(part))
    }
    assert len(pictures) == 60


@pytest.mark.parametrize("arguments", [(0, 1, 1, 0), (1, 1, 1, -1)])
def test_impossible_arguments_are_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        digits.load(*arguments)
