"""Numbers of a report on points: by hand, by NumPy, and where nothing is defined."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from tasks.common.landmarks import baselines, drawing, measures
from tasks.common.landmarks.measures import LandmarkPredictions


def predictions(count: int = 40, **changes) -> LandmarkPredictions:
    """Faces of five points, two pictures a person, a fifth of the later points missing."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.1, 0.9, (count, 5, 2)).astype(np.float32)
    predicted = truth + rng.normal(0, 0.02, truth.shape).astype(np.float32)
    truth[:, 2:][rng.random((count, 3)) < 0.2] = 0
    made = LandmarkPredictions(
        truth=truth.reshape(count, 10),
        predicted=predicted.reshape(count, 10),
        persons=np.arange(count) // 2,
        identifiers=tuple(map(str, range(count))),
        image_size=(50, 100),
        eye_corners=(0, 1),
    )
    return dataclasses.replace(made, **changes)


def by_numpy(made: LandmarkPredictions) -> np.ndarray:
    truth, predicted = (part.reshape(-1, 5, 2) * [100, 50] for part in (made.truth, made.predicted))
    errors = []
    for true, found in zip(truth, predicted, strict=True):
        visible = true.any(axis=1)
        distance = np.linalg.norm(true[visible] - found[visible], axis=1).mean()
        errors.append(distance / np.linalg.norm(true[0] - true[1]))
    return np.array(errors)


def test_errors_and_metrics_by_numpy() -> None:
    made = predictions()
    expected = by_numpy(made)
    np.testing.assert_allclose(measures.errors(made), expected, rtol=1e-4)
    metrics = measures.metrics(made)
    assert metrics["normalised_mean_error"] == pytest.approx(expected.mean(), rel=1e-4)
    assert metrics["failure_rate"] == pytest.approx((expected > 0.1).mean())
    assert metrics["count"] == 40
    assert 0.8 < metrics["visible_share"] < 1
    low, high = (metrics[f"normalised_mean_error_{end}"] for end in ("low", "high"))
    assert low < metrics["normalised_mean_error"] < high


def test_without_eyes_the_box_decides() -> None:
    made = predictions(eye_corners=None)
    metrics = measures.metrics(made)
    assert metrics["normalised_mean_error"] == metrics["normalised_mean_error_box"]
    assert (
        metrics["normalised_mean_error"] != measures.metrics(predictions())["normalised_mean_error"]
    )


def test_the_curve_ends_where_all_faces_are() -> None:
    made = predictions()
    curve = measures.cumulative_curve(made)
    expected = [(by_numpy(made) <= edge).mean() for edge in measures.THRESHOLDS]
    np.testing.assert_allclose(curve, expected, atol=1e-6)


def test_the_error_of_a_point_is_taken_over_the_faces_that_have_it() -> None:
    truth = np.array([[0, 0.5, 1, 0.5, 0.5, 0.9], [0, 0.5, 0.5, 0.5, 0, 0]], np.float32)
    predicted = truth + np.array([[0.1, 0, 0, 0, 0, 0.2], [0, 0.1, 0, 0, 0.7, 0.7]], np.float32)
    made = predictions(2, truth=truth, predicted=predicted, image_size=(10, 10))
    received = measures.point_errors(made)
    np.testing.assert_allclose(received, [(0.1 + 0.2) / 2, 0, 0.2], rtol=1e-5)
    gone = dataclasses.replace(made, truth=truth * [1, 1, 1, 1, 0, 0])
    assert np.isnan(measures.point_errors(gone)[2])


def test_the_interval_draws_persons() -> None:
    """Pictures of one person that all say the same count as one observation."""
    rng = np.random.default_rng(1)
    by_person = rng.normal(1, 0.2, 30)
    repeated, persons = np.repeat(by_person, 10), np.repeat(np.arange(30), 10)
    low, high = measures.interval(repeated, persons)
    spread = 1.96 * by_person.std() / np.sqrt(30)
    assert (low, high) == pytest.approx(
        (by_person.mean() - spread, by_person.mean() + spread), abs=0.02
    )
    narrow = np.diff(measures.interval(repeated, np.arange(300)))
    assert narrow < 0.5 * (high - low)
    assert np.isnan(measures.interval(np.array([np.nan]), np.array([0]))).all()


def test_faces_without_a_size_are_left_out() -> None:
    made = predictions()
    made.truth[3, :2] = 0
    kept = np.delete(by_numpy(made), 3)
    assert measures.metrics(made)["normalised_mean_error"] == pytest.approx(kept.mean(), rel=1e-4)


def test_the_mean_face_is_of_visible_points() -> None:
    truth = np.array([[0.2, 0.4, 0, 0, 0, 0], [0.4, 0.6, 0.5, 0.7, 0, 0]], np.float32)
    np.testing.assert_allclose(
        baselines.mean_face(truth), [0.3, 0.5, 0.5, 0.7, 0.5, 0.5], rtol=1e-6
    )


def test_the_ridge_chooses_its_penalty_by_validation() -> None:
    rng = np.random.default_rng(2)
    features = {name: rng.normal(size=(60, 3)) for name in ("train", "validation", "test")}
    weights = rng.normal(size=(3, 4))
    truth = {name: 3 + part @ weights for name, part in features.items()}
    asked = []

    def error(predicted: np.ndarray) -> float:
        asked.append(float(np.abs(predicted - truth["validation"]).mean()))
        return asked[-1]

    found = baselines.ridge(features, truth["train"], error)
    assert len(asked) == len(baselines.PENALTIES)
    assert min(asked) == asked[0]
    exact = LinearRegression().fit(features["train"], truth["train"]).predict(features["test"])
    np.testing.assert_allclose(found, exact, atol=0.2)


def test_points_are_drawn_where_they_are_and_missing_ones_are_not() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    truth = np.array([0.25, 0.25, 0.75, 0.75, 0, 0], np.float32)
    image = drawing.drawn(picture, [(0, 2)], truth, truth[::-1] * 0, smallest=80)
    assert image.shape == (80, 80, 3)
    for place in (20, 60):
        assert image[place, place].tolist() == list(drawing.TRUTH)
    assert not image[:10].any()
    assert not image[:, 75:].any()
    assert not (image == drawing.PREDICTION).all(axis=2).any()
    joined = drawing.drawn(picture, [(0, 1)], truth, smallest=80)
    assert joined[40, 40].tolist() == list(drawing.TRUTH)


def test_a_sheet_shows_all_pictures() -> None:
    pictures = np.full((5, 20, 20, 3), 100, np.uint8)
    points = np.full((5, 4), 0.5, np.float32)
    sheet = drawing.sheet(pictures, points, points, [])
    assert sheet.dtype == np.uint8
    assert sheet.shape[0] < sheet.shape[1]
    red = (sheet == drawing.PREDICTION).all(axis=2)
    middles = [
        red[row : row + 196, column : column + 196].any()
        for row in (0, 196)
        for column in (0, 196, 392)
    ]
    assert middles == [True] * 5 + [False]
