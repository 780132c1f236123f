"""Scores of whole splits, the baselines, and what is drawn and told of a map."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats
from sklearn.metrics import mean_squared_error, roc_auc_score

from datasets.fixation_maps import Blur, saliency_map
from tasks.common.saliency import baselines, drawing, evaluation, measures, verbs
from tasks.common.saliency.evaluation import MEASURES, Looked

SIZE, MAP_SIZE = (30, 40), (15, 20)
BLUR = Blur(1.0, 3.0)


def people(count: int = 6, observers: int = 4, seed: int = 0) -> list[Looked]:
    """Pictures with a place each, near which all observers look, mostly."""
    rng = np.random.default_rng(seed)
    looked = []
    for _ in range(count):
        place = rng.uniform(0.2, 0.8, 2)
        points = np.clip(rng.normal(place, 0.1, (observers * 5, 2)), 0, 0.999) * (40, 30)
        looked.append(Looked(SIZE, points, np.repeat(np.arange(observers), 5)))
    return looked


def true_maps(looked: list[Looked]) -> np.ndarray:
    made = [saliency_map(each.fixations, each.size, BLUR) for each in looked]
    return np.stack([measures.resized(each, MAP_SIZE) for each in made])


def test_every_measure_of_every_picture() -> None:
    """By other people's code: NumPy, SciPy and scikit-learn."""
    looked = people()
    truth = true_maps(looked)
    rng = np.random.default_rng(1)
    predicted = (truth + 0.3 * rng.random(truth.shape)).astype(np.float32)
    scores = evaluation.score(predicted, truth, looked)
    assert tuple(scores) == MEASURES
    for index, each in enumerate(looked):
        found, true = (maps[index].astype(np.float64) for maps in (predicted, truth))
        enlarged = ndimage.zoom(found, 2, order=1, mode="nearest", grid_mode=True)
        columns, rows = each.fixations.astype(int).T
        fixated = np.zeros(SIZE, bool)
        fixated[rows, columns] = True
        others = np.concatenate([one.fixations for one in looked if one is not each]).astype(int)
        here, there = enlarged[rows, columns], enlarged[others[:, 1], others[:, 0]]
        expected = {
            "cc": stats.pearsonr(found.ravel(), true.ravel()).statistic,
            "nss": stats.zscore(enlarged, axis=None)[rows, columns].mean(),
            "auc_judd": roc_auc_score(fixated.ravel(), enlarged.ravel()),
            "shuffled_auc": roc_auc_score(
                np.repeat([1, 0], (len(here), len(there))), np.concatenate([here, there])
            ),
            "kl": stats.entropy(true.ravel(), found.ravel()),
            "sim": np.minimum(found / found.sum(), true / true.sum()).sum(),
            "mse": mean_squared_error(true, found),
        }
        assert set(expected) == set(MEASURES)
        for name, value in expected.items():
            assert scores[name][index] == pytest.approx(value, rel=1e-4), name


def test_the_truth_is_the_best_map_and_a_summary_has_intervals() -> None:
    looked = people()
    truth = true_maps(looked)
    numbers = evaluation.summary(evaluation.score(truth, truth, looked))
    assert numbers["cc"] == pytest.approx(1, abs=1e-5)
    assert numbers["sim"] == pytest.approx(1, abs=1e-5)
    assert numbers["kl"] == pytest.approx(0, abs=1e-5)
    assert numbers["mse"] == 0
    assert numbers["count"] == 6
    assert numbers["nss_low"] <= numbers["nss"] <= numbers["nss_high"]
    assert {f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")} < set(numbers)


def test_a_single_picture_has_no_other_ones() -> None:
    looked = people(1)
    truth = true_maps(looked)
    numbers = evaluation.summary(evaluation.score(truth, truth, looked))
    assert np.isnan(numbers["shuffled_auc"])
    assert np.isfinite(numbers["auc_judd"])


def test_other_pictures_are_all_or_a_hundred_and_never_the_same() -> None:
    looked = [Looked((10, 10), np.full((1, 2), float(k)), np.zeros(1)) for k in range(150)]
    for index, others in enumerate(evaluation.elsewhere(looked)):
        numbers = np.round(others[:, 0] * 10).astype(int).tolist()
        assert len(set(numbers)) == 100
        assert index not in numbers
    few = list(evaluation.elsewhere(looked[:3]))
    assert [sorted(np.round(part[:, 0] * 10)) for part in few] == [[1, 2], [0, 2], [0, 1]]


def test_the_centre_bias_is_the_mean_map() -> None:
    maps = np.random.default_rng(0).random((7, 4, 5)).astype(np.float32)
    made = baselines.centre_bias(iter([maps[:3], maps[3:]]))
    np.testing.assert_allclose(made, maps.mean(axis=0), rtol=1e-6)
    scores = baselines.same_for_all(
        made, np.repeat(made[None], 2, axis=0), [Looked((4, 5), np.ones((2, 2)), np.zeros(2))] * 2
    )
    np.testing.assert_allclose(scores["cc"], 1, rtol=1e-5)


def test_people_who_agree_are_consistent_and_people_who_do_not_are_not() -> None:
    agreeing = evaluation.summary(baselines.human_consistency(people(), MAP_SIZE, BLUR))
    rng = np.random.default_rng(3)
    scattered = [Looked(SIZE, rng.random((20, 2)) * (40, 30), each.observers) for each in people()]
    random = evaluation.summary(baselines.human_consistency(scattered, MAP_SIZE, BLUR))
    assert agreeing["cc"] > 0.7 > 0.3 > abs(random["cc"])
    assert agreeing["nss"] > 1 > random["nss"]
    assert abs(random["nss"]) < 0.4


def test_the_consistency_of_two_observers_by_hand() -> None:
    """One looks at a twice and at b, the other at a and at c, in twenty pixels, without blur.

    Their maps are 1 at a and 1/2 at b, and 1 at a and c. Each predicts the other.
    """
    a, b, c = (0.5, 0.5), (2.5, 1.5), (4.5, 3.5)
    looked = Looked((4, 5), np.array([a, a, b, a, c]), np.array([7, 7, 7, 8, 8]))
    found = baselines.human_consistency([looked], (4, 5), Blur(0.01, 1.0))
    spreads = np.sqrt(1.25 / 20 - (1.5 / 20) ** 2), np.sqrt(2 / 20 - (2 / 20) ** 2)
    tiny = 2.220446049250313e-16
    expected = {
        "cc": (1 / 20 - 1.5 / 20 * 2 / 20) / (spreads[0] * spreads[1]),
        # At a, a and b of the second map, and at a and c of the first.
        "nss": ((2 / 3 - 0.1) / spreads[1] + (1 / 2 - 0.075) / spreads[0]) / 2,
        # Of 18 pixels no one looked at, a is above 17 and level with c, b level with 17; then a
        # above all and c level with 17.
        "auc_judd": ((17.5 + 8.5) / 36 + (18 + 8.5) / 36) / 2,
        "shuffled_auc": np.nan,
        # Two thirds at a and one at b, taken for a half at a and c; then the other way round.
        "kl": (
            (2 / 3 * np.log(4 / 3) + 1 / 3 * np.log(1 / 3 / tiny))
            + (1 / 2 * np.log(3 / 4) + 1 / 2 * np.log(1 / 2 / tiny))
        )
        / 2,
        "sim": 1 / 2,
        "mse": (0.5**2 + 1) / 20,
    }
    assert tuple(found) == MEASURES
    for name, value in expected.items():
        assert found[name] == pytest.approx([value], rel=1e-5, nan_ok=True), name


def test_halves_share_no_observer() -> None:
    [looked] = people(1, observers=5)
    first, second = baselines._halves(looked, [0, 0])
    assert {2, 3} == {len(set(first.observers)), len(set(second.observers))}
    assert not set(first.observers) & set(second.observers)
    assert len(first.fixations) + len(second.fixations) == 25


def test_a_picture_of_one_observer_has_no_consistency() -> None:
    looked = [*people(2), *people(1, observers=1)]
    scores = baselines.human_consistency(looked, MAP_SIZE, BLUR)
    assert np.isnan(scores["cc"]).tolist() == [False, False, True]
    assert np.isfinite(evaluation.summary(scores)["cc"])


def test_panels_are_as_large_as_the_picture_or_a_multiple_with_dots() -> None:
    picture = np.full((*SIZE, 3), 100, np.uint8)
    truth, output = np.random.default_rng(0).random((2, *MAP_SIZE, 1)).astype(np.float32)
    made = drawing.rows(picture, truth, output, np.array([[20.0, 15.0]]))
    assert len(made) == len(drawing.HEADINGS)
    assert {panel.shape for panel in made} == {(8 * SIZE[0], 8 * SIZE[1], 3)}
    assert {panel.dtype for panel in made} == {np.dtype(np.uint8)}
    plain = drawing.draw(picture, truth, output)
    assert {panel.shape for panel in plain} == {(*SIZE, 3)}
    np.testing.assert_array_equal(made[0][::8, ::8], plain[0])
    # A white dot in the middle, and nowhere else.
    white = np.argwhere((made[1] == 255).all(axis=2)).mean(axis=0)
    np.testing.assert_allclose(white, [120, 160], atol=1)


def test_the_difference_is_red_where_too_much_and_blue_where_too_little() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    truth, output = np.zeros((2, 4, 8, 1), np.float32)
    truth[:, :2], output[:, 6:] = 1, 1
    difference = drawing.draw(picture, truth, output)[3]
    assert difference[0, 0].tolist() == [0, 0, 255]
    assert difference[0, 7].tolist() == [255, 0, 0]
    assert min(difference[0, 4]) >= 254


def test_maps_are_drawn_relative_to_their_highest_place() -> None:
    maps = np.array([[-1.0, 0, 2], [4, 1, 0]])
    np.testing.assert_array_equal(drawing.relative(maps), [[0, 0, 0.5], [1, 0.25, 0]])
    np.testing.assert_array_equal(drawing.relative(-np.ones((2, 2))), np.zeros((2, 2)))
    np.testing.assert_array_equal(drawing.paint(maps), drawing.paint(5 * maps))


def test_what_is_told_of_a_map() -> None:
    output = np.zeros((4, 10, 1), np.float32)
    output[1, 7] = 1
    told = verbs.describe(None, output)
    assert told["highest_x"] == pytest.approx(0.75)
    assert told["highest_y"] == pytest.approx(0.375)
    assert told["half_of_attention"] == pytest.approx(1 / 40)
    flat = verbs.describe(None, np.ones((4, 10, 1), np.float32))
    assert flat["half_of_attention"] == pytest.approx(0.5)
    assert np.isfinite(list(verbs.describe(None, np.zeros((4, 10, 1))).values())).all()
