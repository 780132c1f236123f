"""Counts by picture, and baselines, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import jaccard_score, precision_score, recall_score

from tasks.common.segmentation import baselines, figures, measures

CLASSES, VOID = 3, 3


def random_counts() -> tuple[np.ndarray, np.ndarray, measures.PictureCounts]:
    rng = np.random.default_rng(0)
    truth = rng.choice([0, 1, 2, VOID], (6, 9, 10), p=[0.5, 0.3, 0.1, 0.1])
    found = np.where(
        rng.random(truth.shape) < 0.7, truth % CLASSES, rng.integers(0, 3, truth.shape)
    )
    names = tuple(f"picture {index}" for index in range(6))
    return truth, found, measures.count(zip(truth, found, strict=True), CLASSES, names)


def test_numbers_of_all_pictures_are_those_of_scikit_learn() -> None:
    truth, found, counts = random_counts()
    pair = truth[truth != VOID], found[truth != VOID]
    numbers = measures.numbers(counts)
    assert numbers["count"] == 6
    assert numbers["mean_iou"] == pytest.approx(jaccard_score(*pair, average="macro"), rel=1e-5)
    assert numbers["mean_iou_low"] < numbers["mean_iou"] < numbers["mean_iou_high"]
    assert numbers["pixel_accuracy"] == pytest.approx((pair[0] == pair[1]).mean(), rel=1e-5)
    scores = measures.by_class(counts.total)
    for name, reference in (("recall", recall_score), ("precision", precision_score)):
        np.testing.assert_allclose(scores[name], reference(*pair, average=None))


def test_a_part_holds_the_chosen_pictures_alone() -> None:
    _, _, counts = random_counts()
    chosen = np.array([True, False, False, True, False, False])
    part = counts.part(chosen)
    assert part.identifiers == ("picture 0", "picture 3")
    np.testing.assert_array_equal(part.total, counts.matrices[0] + counts.matrices[3])


def test_the_score_of_a_picture_is_over_the_classes_in_its_truth() -> None:
    """Two pixels of class 0 of which one is called 1; then void alone."""
    truth = np.array([[[0, 0, VOID]], [[VOID, VOID, VOID]]])
    found = np.array([[[0, 1, 2]], [[0, 1, 2]]])
    counts = measures.count(zip(truth, found, strict=True), CLASSES, ("a", "b"))
    np.testing.assert_allclose(measures.picture_scores(counts), [0.5, np.nan])


def test_baselines_by_hand() -> None:
    """Left is 0, right is 1, in five pictures of six; bright is 2 in the sixth."""
    truth = np.tile(np.array([0, 1]).repeat(24), (6, 36, 1))
    truth[5] = 2
    truth[0, 0, 0] = VOID
    pictures = np.full((6, 36, 48, 3), 20, np.uint8)
    pictures[5] = 250
    found = baselines.fit([(pictures[:3], truth[:3]), (pictures[3:], truth[3:])], (36, 48), 3)
    everywhere, by_place, by_colour = (found[name](pictures) for name in found)
    # 1 has one pixel more than 0, which lost one to void.
    assert (everywhere == 1).all()
    assert everywhere.shape == (6, 36, 48)
    np.testing.assert_array_equal(by_place[5], truth[1])
    np.testing.assert_array_equal(by_colour[1:], truth[1:])


def test_places_and_colours_that_were_never_seen() -> None:
    """A place of void takes the most common class; a new colour, the class of its place."""
    truth = np.array([0, 1, 1, VOID]).repeat(12)[None, None].repeat(36, axis=1)
    pictures = np.full((1, 36, 48, 3), 20, np.uint8)
    found = baselines.fit([(pictures, truth)], (36, 48), 3)
    expected = np.where(truth == VOID, 1, truth)
    np.testing.assert_array_equal(found["most common class by place"](pictures), expected)
    name = "most common class by place and colour"
    np.testing.assert_array_equal(found[name](255 - pictures), expected)


def test_figures() -> None:
    _, _, counts = random_counts()
    iou = measures.by_class(counts.total)["iou"]
    figure = figures.class_bars({"test": iou, "validation": iou}, ("a", "b", "c"))
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["abc"[index] for index in np.argsort(-iou)]
    with pytest.raises(ValueError, match="one per class"):
        figures.class_bars({"test": iou}, ("a", "b"))
    figure = figures.confusion_in_percent(np.array([[3, 1], [0, 0]]), ("a", "b"))
    assert [text.get_text() for text in figure.axes[0].texts] == ["75", "25"]
