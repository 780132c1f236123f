"""Sums, ranges, baselines and drawing of the depth report, by hand and by NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.common.depth import baselines, drawing, measures

STEPS = (10.0, 1.0)
EDGES = np.array([0.0, 2.0, 4.0, 8.0, 10.0])


def maps(count: int = 5) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.uniform(0.6, 10, (count, 6, 8, 1)).astype(np.float32)
    predicted = (truth * random.uniform(0.6, 1.6, truth.shape)).astype(np.float32)
    truth[random.random(truth.shape) < 0.2] = 0
    truth[2] = 0
    return truth, predicted


def scored() -> measures.DepthScores:
    truth, predicted = maps()
    batches = [(truth[part], {"one": predicted[part]}) for part in (slice(0, 2), slice(2, 5))]
    return measures.score(batches, STEPS, EDGES)["one"]


def by_numpy(truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    t, p = truth[mask].astype(np.float64), predicted[mask].astype(np.float64)
    ratio = np.maximum(t / p, p / t)
    return {
        **{f"delta{k}": (ratio < 1.25**k).mean() for k in (1, 2, 3)},
        "abs_rel": (np.abs(p - t) / t).mean(),
        "rmse": np.sqrt(((p - t) ** 2).mean()),
        "log10": np.abs(np.log10(p / t)).mean(),
        "rounding_10": (np.round(p / 10) == np.round(t / 10)).mean(),
        "rounding_1": (np.round(p) == np.round(t)).mean(),
    }


def test_sums_over_batches_are_means_over_all_known_pixels():
    truth, predicted = maps()
    found = measures.numbers(scored().total, STEPS)
    assert found == pytest.approx(by_numpy(truth, predicted, truth > 0), rel=1e-5)


def test_each_range_has_the_pixels_of_its_distance():
    truth, predicted = maps()
    scores = scored()
    assert scores.ranges[:, 0].sum() == (truth > 0).sum()
    for number, (low, high) in enumerate([(0, 2), (2, 4), (4, 8), (8, 10)]):
        inside = (truth > low) & (truth <= high)
        expected = by_numpy(truth, predicted, inside)
        found = measures.numbers(scores.ranges[number], STEPS)
        assert scores.ranges[number, 0] == inside.sum()
        assert found == pytest.approx(expected, rel=1e-5)


def test_the_reports_numbers():
    scores = scored()
    found = measures.report_numbers(scores)
    assert found["delta1_low"] <= found["delta1"] <= found["delta1_high"]
    assert found["rounding_accuracy"] == measures.numbers(scores.total, STEPS)["rounding_10"]
    assert found["count"] == 5
    each = measures.picture_scores(scores)
    assert np.isnan(each[2])
    assert np.isfinite(each[[0, 1, 3, 4]]).all()


def test_nothing_known_has_no_numbers():
    empty = measures.numbers(np.zeros(len(measures.columns(STEPS))), STEPS)
    assert all(np.isnan(value) for value in empty.values())


@pytest.mark.parametrize(
    ("maximum", "edges"),
    [(10.0, [0, 2, 4, 8, 10]), (80.0, [0, 2, 4, 8, 16, 32, 64, 80]), (8.0, [0, 2, 4, 8])],
)
def test_ranges_reach_to_the_largest_depth(maximum, edges):
    assert measures.range_edges(maximum).tolist() == edges


def test_the_steps_begin_with_the_options_and_none_comes_twice():
    assert measures.steps_of(10.0, 10.0) == (10, 5, 2, 1, 0.5)
    assert measures.steps_of(0.25, 10.0) == (0.25, 10, 5, 2, 1, 0.5)


def test_baselines_by_hand():
    truth = np.array([[[1.0], [4.0]], [[0.0], [0.0]]], np.float32)[None]
    other = np.array([[[4.0], [4.0]], [[2.0], [0.0]]], np.float32)[None]
    fitted = baselines.fit([truth, other])
    assert fitted.median == 4.0
    np.testing.assert_allclose(fitted.mean_map[..., 0], [[2.0, 4.0], [2.0, 4.0]], rtol=1e-6)
    said = fitted.predictions(3)
    assert {name: values.shape for name, values in said.items()} == {
        "median depth": (3, 2, 2, 1),
        "mean depth map": (3, 2, 2, 1),
    }


def test_panels_have_the_pictures_size_and_black_where_nothing_is_known():
    picture = np.full((9, 12, 3), 7, np.uint8)
    truth = np.full((5, 6, 1), 2.0, np.float32)
    truth[0] = 0
    output = np.full((5, 6, 1), 4.0, np.float32)
    shown, true, said, error = drawing.draw(picture, truth, output)
    assert {panel.shape for panel in (shown, true, said, error)} == {(9, 12, 3)}
    assert (shown == 7).all()
    assert not true[0].any()
    assert not error[0].any()
    # Twice too far: beyond the full colour, red.
    assert error[-1, -1, 0] > 200 > 50 > error[-1, -1, 2]
    assert said[-1, -1].astype(int).sum() < true[-1, -1].astype(int).sum()


def test_a_truth_without_any_depth_is_drawn():
    panels = drawing.draw(
        np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 1)), np.ones((4, 4, 1), np.float32)
    )
    assert not panels[1].any()
