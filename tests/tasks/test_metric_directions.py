"""Every number that a report writes of a split has a direction, and the right one."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.common import classification, metric_directions
from tasks.common.classification import Predictions
from tasks.common.cyclegan import measures as cyclegan_measures
from tasks.common.cyclegan import report as cyclegan_report
from tasks.common.depth import measures as depth_measures
from tasks.common.inversion import measures as inversion_measures
from tasks.common.landmarks import measures as landmark_measures
from tasks.common.landmarks.measures import LandmarkPredictions
from tasks.common.metric_directions import Headline, direction, guessed_headline
from tasks.common.phone_price import report as phone_price_report
from tasks.common.saliency import evaluation
from tasks.common.segmentation import measures as segmentation_measures

LOWER = {
    *("log_loss", "expected_calibration_error", "accuracy_deviation"),
    *("normalised_mean_error", "normalised_mean_error_box", "failure_rate"),
    *("abs_rel", "rmse", "log10", "depth_rms", "depth_mae"),
    *("kl", "mse", "squared_error", "relative_error"),
}
HIGHER = {
    *("accuracy", "top_5_accuracy", "balanced_accuracy", "macro_f1", "mean_average_precision"),
    *("accuracy_lowest", "accuracy_highest"),
    *("delta1", "delta2", "delta3", "rounding_accuracy", "depth_correlation"),
    *("mean_iou", "mean_dice", "pixel_accuracy"),
    *("cc", "nss", "auc_judd", "shuffled_auc", "sim"),
}


def classified() -> dict[str, float]:
    labels = np.arange(12) % 6
    shares = np.random.default_rng(0).dirichlet(np.ones(6), 12)
    return classification.metrics(
        Predictions(shares, labels, tuple(map(str, range(12))), tuple("abcdef"))
    )


def found_points() -> dict[str, float]:
    points = np.random.default_rng(0).uniform(0.1, 0.9, (4, 8)).astype(np.float32)
    persons, names = np.arange(4), tuple("abcd")
    return landmark_measures.metrics(
        LandmarkPredictions(points, points + 0.01, persons, names, (32, 32), (0, 1))
    )


def depths() -> dict[str, float]:
    truth = np.array([1.0, 2.0, 3.0, 4.0], np.float32).reshape(1, 2, 2, 1)
    edges = depth_measures.range_edges(8.0)
    scores = depth_measures.score([(truth, {"this": truth + 0.1})], (1.0,), edges)
    return depth_measures.report_numbers(scores["this"])


def translated() -> dict[str, float]:
    truth = np.random.default_rng(0).uniform(size=(2, 3, 3, 1))
    known = np.ones_like(truth)
    return cyclegan_report.with_interval(cyclegan_measures.statistics(truth**2, truth, known))


def segmented() -> dict[str, float]:
    matrices = np.array([[[3, 1], [1, 4]], [[2, 1], [0, 5]]])
    return segmentation_measures.numbers(segmentation_measures.PictureCounts(matrices, ("a", "b")))


def rebuilt() -> dict[str, float]:
    return inversion_measures.numbers(
        inversion_measures.Errors(np.array([0.1, 0.2]), np.array([3.0, 4.0]), 9.0)
    )


def looked() -> dict[str, float]:
    return evaluation.summary({name: np.array([0.1, 0.2]) for name in evaluation.MEASURES})


REPORTS = {
    "classes": classified,
    "points": found_points,
    "depth": depths,
    "translation": translated,
    "segmentation": segmented,
    "inversion": rebuilt,
    "saliency": looked,
    "phones": lambda: phone_price_report.averages([classified(), classified()]),
}


@pytest.mark.parametrize("kind", REPORTS)
def test_every_number_of_a_report_has_its_direction(kind):
    for metric in REPORTS[kind]():
        name = metric.removesuffix("_low").removesuffix("_high")
        if name in metric_directions.DESCRIPTIONS:
            continue
        assert (name in LOWER) != (name in HIGHER), f"{name} is in neither list, or in both"
        assert direction(metric) == ("min" if name in LOWER else "max"), metric


def test_the_lists_hold_what_reports_write_and_nothing_else():
    written = {
        metric.removesuffix("_low").removesuffix("_high")
        for numbers in REPORTS.values()
        for metric in numbers()
    }
    assert written == LOWER | HIGHER | metric_directions.DESCRIPTIONS
    assert metric_directions.LOWER_IS_BETTER == LOWER


def test_an_older_report_is_ranked_by_accuracy_else_by_its_first_number():
    assert guessed_headline(["count", "log_loss", "accuracy"]) == Headline("accuracy", "max")
    assert guessed_headline(["count", "mean_iou"]) == Headline("mean_iou", "max")
    assert guessed_headline(["depth_rms", "depth_mae"]) == Headline("depth_rms", "min")
    assert guessed_headline(["count"]) is None
