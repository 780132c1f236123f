"""The numbers that tell how good predicted points are, with intervals."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from keras_models.metrics import landmarks

THRESHOLDS = np.linspace(0.0, 0.3, 121)
"""Where the cumulative error curve is drawn, in sizes of the face."""

_RESAMPLES = 2000
_INTERVAL = (2.5, 97.5)


@dataclasses.dataclass(frozen=True, eq=False)
class LandmarkPredictions:
    """What a model says about a split, beside the truth.

    Attributes:
        truth: float32 (n, 2 N), shares of the frame, (0, 0) where a point is missing.
        predicted: the same shape.
        persons: number of the person on each picture, int64 (n,).
        identifiers: what each picture is called.
        image_size: height and width of the frame that the shares are of.
        eye_corners: the outer corners of the eyes; None measures faces by their boxes.
    """

    truth: np.ndarray
    predicted: np.ndarray
    persons: np.ndarray
    identifiers: tuple[str, ...]
    image_size: tuple[int, int]
    eye_corners: tuple[int, int] | None

    def pixels(self, shares: np.ndarray) -> np.ndarray:
        """Shares as pixels of the frame, where x and y have one unit."""
        height, width = self.image_size
        return shares * np.tile(np.array([width, height], np.float32), shares.shape[1] // 2)


def errors(predictions: LandmarkPredictions, by: str = "eyes") -> np.ndarray:
    """Normalised error of each face, float (n,); NaN where its size is not defined.

    Args:
        predictions: of a split.
        by: `eyes`, the distance of the outer eye corners, if they are known; or `box`.
    """
    truth, predicted = (
        predictions.pixels(part) for part in (predictions.truth, predictions.predicted)
    )
    if by == "eyes" and predictions.eye_corners is not None:
        sizes = landmarks.inter_ocular_distance(truth, predictions.eye_corners)
    else:
        sizes = landmarks.box_size(truth)
    return _numbers(landmarks.normalised_errors(truth, predicted, sizes))


def point_errors(predictions: LandmarkPredictions) -> np.ndarray:
    """Mean error of each point over the faces that have it, in sizes of the face, (N,).

    NaN for a point that no face has.
    """
    truth, predicted = (
        predictions.pixels(part) for part in (predictions.truth, predictions.predicted)
    )
    visible = _numbers(landmarks.visible_points(truth))
    distances = _numbers(landmarks.point_errors(truth, predicted))
    if predictions.eye_corners is None:
        sizes = _numbers(landmarks.box_size(truth))
    else:
        sizes = _numbers(landmarks.inter_ocular_distance(truth, predictions.eye_corners))
    used = visible & (sizes > 0)[:, None]
    shares = np.where(used, distances / np.where(sizes > 0, sizes, 1.0)[:, None], 0.0)
    counts = used.sum(axis=0)
    return np.where(counts > 0, shares.sum(axis=0) / np.maximum(counts, 1), np.nan)


def metrics(predictions: LandmarkPredictions) -> dict[str, float]:
    """The numbers of a report.

    Returns:
        `normalised_mean_error` with the bounds of its 95 % interval (`_low`, `_high`),
        `normalised_mean_error_box`, `failure_rate`, `visible_share` of the points, `count`.
    """
    values = errors(predictions)
    low, high = interval(values, predictions.persons)
    visible = _numbers(landmarks.visible_points(predictions.truth))
    return {
        "normalised_mean_error": _mean(values),
        "normalised_mean_error_low": low,
        "normalised_mean_error_high": high,
        "normalised_mean_error_box": _mean(errors(predictions, "box")),
        "failure_rate": float(landmarks.failure_rate(values)),
        "visible_share": float(visible.mean()),
        "count": len(values),
    }


def cumulative_curve(predictions: LandmarkPredictions) -> np.ndarray:
    """Share of the faces with at most each error of `THRESHOLDS`, float32."""
    curve = landmarks.cumulative_distribution(errors(predictions), THRESHOLDS.astype(np.float32))
    return _numbers(curve)


def interval(values: np.ndarray, persons: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean error by the percentile bootstrap (Efron & Tibshirani 1993).

    Persons are sampled, not pictures: those of one person are alike, and sampled one by one they
    would make the interval too narrow.

    Args:
        values: errors (n,); NaN is left out.
        persons: (n,).
        seed: of the resampling.

    Returns:
        The bounds; NaN twice where there is no value.
    """
    defined = ~np.isnan(values)
    if not defined.any():
        return float("nan"), float("nan")
    _, person = np.unique(persons[defined], return_inverse=True)
    sums = np.bincount(person, values[defined])
    counts = np.bincount(person)
    sampled = np.random.default_rng(seed).integers(len(sums), size=(_RESAMPLES, len(sums)))
    means = sums[sampled].sum(axis=1) / counts[sampled].sum(axis=1)
    low, high = np.percentile(means, _INTERVAL)
    return float(low), float(high)


def _mean(values: np.ndarray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def _numbers(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)
