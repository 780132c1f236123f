"""NSS and the two AUCs against their definitions, pixel by pixel, and against scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tasks.common.saliency.measures import auc_judd, nss, resized, shuffled_auc

SIZE = (9, 12)


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A map with equal values in it, and fixations, two of them in one pixel."""
    rng = np.random.default_rng(4)
    saliency = np.round(rng.random(SIZE), 1).astype(np.float32)
    fixations = rng.random((7, 2)) * (SIZE[1], SIZE[0])
    return saliency, np.concatenate([fixations, fixations[:1]])


def values_at(saliency: np.ndarray, fixations: np.ndarray) -> list[float]:
    return [float(saliency[int(y), int(x)]) for x, y in fixations]


def brute_force_auc(positives: list[float], negatives: list[float]) -> float:
    """The area under the ROC curve by its points: a threshold at every value that there is."""
    thresholds = sorted({*positives, *negatives}, reverse=True)
    curve = [(0.0, 0.0)]
    for threshold in thresholds:
        hits = sum(value >= threshold for value in positives) / len(positives)
        false = sum(value >= threshold for value in negatives) / len(negatives)
        curve.append((false, hits))
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in itertools.pairwise(curve))


def test_nss_by_its_definition() -> None:
    saliency, fixations = scene()
    flat = [float(value) for value in saliency.ravel()]
    mean = sum(flat) / len(flat)
    deviation = (sum((value - mean) ** 2 for value in flat) / len(flat)) ** 0.5
    standardised = [(value - mean) / deviation for value in values_at(saliency, fixations)]
    assert nss(saliency, fixations) == pytest.approx(sum(standardised) / len(standardised))


def test_auc_judd_by_its_definition() -> None:
    saliency, fixations = scene()
    fixated = {(int(y), int(x)) for x, y in fixations}
    assert len(fixated) < len(fixations)
    positives = [float(saliency[place]) for place in fixated]
    others = [place for place in np.ndindex(SIZE) if place not in fixated]
    negatives = [float(saliency[place]) for place in others]
    found = auc_judd(saliency, fixations)
    assert found == pytest.approx(brute_force_auc(positives, negatives))
    labels = [1] * len(positives) + [0] * len(negatives)
    assert found == pytest.approx(roc_auc_score(labels, positives + negatives))


def test_auc_judd_beside_the_code_of_the_mit_benchmark() -> None:
    """Thresholds at the fixated pixels alone, straight lines between: at most 1 / (2 n) more."""
    rng = np.random.default_rng(8)
    saliency = rng.random((20, 30))
    fixations = rng.random((12, 2)) * (30, 20)
    positives = sorted({float(v) for v in values_at(saliency, fixations)}, reverse=True)
    count, pixels = len(positives), saliency.size
    curve = [(0.0, 0.0)]
    for number, threshold in enumerate(positives, start=1):
        above = int((saliency >= threshold).sum())
        curve.append(((above - number) / (pixels - count), number / count))
    curve.append((1.0, 1.0))
    theirs = np.trapezoid([y for _, y in curve], [x for x, _ in curve])
    assert 0 <= theirs - auc_judd(saliency, fixations) <= 1 / (2 * count)


def test_shuffled_auc_by_its_definition() -> None:
    saliency, fixations = scene()
    others = np.random.default_rng(5).random((20, 2))
    elsewhere = others * (SIZE[1], SIZE[0])
    positives, negatives = values_at(saliency, fixations), values_at(saliency, elsewhere)
    found = shuffled_auc(saliency, fixations, others)
    assert found == pytest.approx(brute_force_auc(positives, negatives))
    labels = [1] * len(positives) + [0] * len(negatives)
    assert found == pytest.approx(roc_auc_score(labels, positives + negatives))


def test_a_centre_bias_has_a_high_auc_judd_and_no_shuffled_auc() -> None:
    rng = np.random.default_rng(6)
    looked = np.clip(rng.normal(0.5, 0.15, (2, 400, 2)), 0, 0.999)
    rows, columns = np.mgrid[:60, :80]
    blob = np.exp(-(((rows / 60 - 0.5) / 0.15) ** 2 + ((columns / 80 - 0.5) / 0.15) ** 2) / 2)
    fixations = looked[0] * (80, 60)
    assert auc_judd(blob, fixations) > 0.85
    assert shuffled_auc(blob, fixations, looked[1]) == pytest.approx(0.5, abs=0.03)
    assert nss(blob, fixations) > 1


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30])
def test_a_flat_map_is_chance(value: float) -> None:
    _, fixations = scene()
    flat = np.full(SIZE, value, np.float32)
    assert nss(flat, fixations) == 0
    assert auc_judd(flat, fixations) == 0.5
    assert shuffled_auc(flat, fixations, np.array([[0.5, 0.5]])) == 0.5


def test_what_is_not_defined_is_nan() -> None:
    saliency, fixations = scene()
    nowhere = np.zeros((0, 2))
    assert np.isnan(nss(saliency, nowhere))
    assert np.isnan(auc_judd(saliency, nowhere))
    assert np.isnan(shuffled_auc(saliency, fixations, nowhere))
    everywhere = np.array([[x + 0.5, y + 0.5] for y in range(2) for x in range(3)])
    assert np.isnan(auc_judd(saliency[:2, :3], everywhere))


def test_a_perfect_and_the_worst_map() -> None:
    saliency = np.zeros(SIZE)
    saliency[3, 4] = 1
    assert auc_judd(saliency, np.array([[4.5, 3.5]])) == 1
    assert auc_judd(-saliency, np.array([[4.5, 3.5]])) == 0


def test_enlarging_is_bilinear_between_the_middles_of_places() -> None:
    ramp = np.arange(4, dtype=np.float32)[None].repeat(3, axis=0)
    made = resized(ramp, (6, 16))
    expected = np.clip((np.arange(16) + 0.5) / 4 - 0.5, 0, 3)
    np.testing.assert_allclose(made, expected[None].repeat(6, axis=0), rtol=1e-5)
    assert resized(ramp, (3, 4)).tolist() == ramp.tolist()
