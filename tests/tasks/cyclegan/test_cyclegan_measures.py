"""Errors on the scale, baselines, and what the report says of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from datasets.dense_batches import DenseBatching
from datasets.depth_range import DEPTH
from keras_models.depth_scale import SharesToMetres
from tasks.common.cyclegan import baselines, figures, measures, panels, report, verbs
from tasks.common.cyclegan.config import CycleGanConfig
from tasks.common.errors import UserError
from tasks.depth_cyclegan import PRESETS, check

SCALE = SharesToMetres("linear", 1.0, 10.0)


def pairs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    predicted, truth = random.uniform(0, 1, (2, count, 4, 5, 1))
    return predicted, truth, random.uniform(size=truth.shape) < 0.7


def test_the_metrics_are_those_of_numpy() -> None:
    predicted, truth, known = pairs(6)
    numbers = measures.metrics(measures.statistics(predicted, truth, known).sum(axis=0))
    error = (predicted - truth)[known]
    assert numbers["depth_rms"] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert numbers["depth_mae"] == pytest.approx(np.abs(error).mean())
    expected = np.corrcoef(predicted[known], truth[known])[0, 1]
    assert numbers["depth_correlation"] == pytest.approx(expected)
    assert numbers.keys() == measures.EXPLANATIONS.keys()


def test_what_is_not_defined_is_left_out() -> None:
    _, truth, known = pairs(3)
    constant = measures.metrics(measures.statistics(0.3, truth, known).sum(axis=0))
    assert "depth_correlation" not in constant
    nothing = measures.statistics(0.3, truth, np.zeros_like(known)).sum(axis=0)
    assert measures.metrics(nothing) == {}
    assert np.isnan(measures.rms(nothing))


def test_one_map_is_compared_with_every_picture() -> None:
    _, truth, known = pairs(4)
    one = measures.statistics(truth[0], truth, known)
    many = measures.statistics(np.repeat(truth[:1], 4, axis=0), truth, known)
    np.testing.assert_array_equal(one, many)
    assert one[0, 1] == 0.0


class Scenes:
    """Pictures as bright as their depth, on a scale that ends at 10 m."""

    def __init__(self, depths: list[float]) -> None:
        self.depths = depths
        self.labels = np.zeros(len(depths), np.int64)

    def __len__(self) -> int:
        return len(self.depths)

    def example(self, index: int) -> dict[str, np.ndarray]:
        depth = np.full((4, 6), self.depths[index], np.float32)
        depth[:, 3:] += 2.0
        grey = np.rint(255 * depth / 10).astype(np.uint8)
        image = np.repeat(grey[..., None], 3, axis=-1)
        return {"image": image, "depth": depth, "label": np.int64(0)}

    def identifier(self, index: int) -> str:
        return str(index)


def test_the_baselines_are_what_they_are_called() -> None:
    """Training depths of 2 and 4 m, 2 m more in the right half; the test has 3 and 5."""
    batching = DenseBatching(2, (4, 6), (DEPTH,), workers=1)
    found = baselines.baselines(Scenes([2.0, 4.0]), Scenes([3.0]), batching, SCALE, seed=0)
    assert found[baselines.MEAN_MAP]["depth_rms"] == pytest.approx(0.0, abs=1e-6)
    # The mean of all is 4 m: one metre off on either side.
    assert found[baselines.CONSTANT]["depth_rms"] == pytest.approx(0.1)
    assert found[baselines.GREY]["depth_rms"] == pytest.approx(0.0, abs=1 / 255)
    assert found[baselines.OTHER]["depth_rms"] == pytest.approx(0.1, rel=1e-5)
    assert found[baselines.OTHER]["depth_correlation"] == pytest.approx(1.0)


class Holes(Scenes):
    """The same, but in every second scene the left half was not measured."""

    def example(self, index: int) -> dict[str, np.ndarray]:
        found = super().example(index)
        found["depth"][:, : 3 * (index % 2)] = 0.0
        return found


def test_holes_count_in_no_baseline() -> None:
    batching = DenseBatching(2, (4, 6), (DEPTH,), workers=1)
    found = baselines.baselines(Holes([3.0] * 8), Holes([3.0] * 8), batching, SCALE, seed=0)
    for name in (baselines.MEAN_MAP, baselines.OTHER):
        assert found[name]["depth_rms"] == pytest.approx(0.0, abs=1e-6)


def test_the_opening_says_what_was_not_beaten() -> None:
    others = {"worse one": {"depth_rms": 0.3}, "better one": {"depth_rms": 0.1}}
    text = report.opening({"depth_rms": 0.2}, others, CycleGanConfig())
    assert "**0.200**" in text
    assert "better than: worse one (0.300)" in text
    assert "**not** beat: better one (0.100)" in text
    best = report.opening({"depth_rms": 0.05}, others, CycleGanConfig())
    assert "not** beat" not in best


def test_cycles_are_measured_from_the_beginning() -> None:
    pictures = np.full((2, 4, 4, 3), 100, np.uint8)
    metres = np.full((2, 4, 4, 1), 5.0, np.float32)
    translated = panels.Translations(
        pictures, metres, metres, pictures + np.uint8(51), pictures, metres + 1.0
    )
    for picture, depth in report.cycle_errors(translated, SCALE):
        assert picture == pytest.approx(51 / 255)
        assert depth == pytest.approx(0.1)
    rows = panels.cycles(translated, SCALE)
    assert {len(row) for row in rows} == {len(panels.CYCLE_HEADINGS)}
    page = panels.sheet(translated, SCALE)
    assert page.dtype == np.uint8
    # Seven panels of four pixels, enlarged to 128, and six gaps.
    assert page.shape[1] == 7 * 128 + 6 * 4


def test_near_is_light_and_far_is_dark() -> None:
    metres = np.array([[[1.0], [9.5], [10.0], [0.0]]], np.float32)
    painted = panels.paint_depth(metres, SCALE)
    near, far, farthest, sky = painted[0].astype(int).sum(axis=-1)
    assert near > 600
    assert farthest < far < 100
    # A sky, stored as 0 m, is as far as the scale goes.
    assert sky == farthest


def test_its_answers_are_distances_that_stand_in_space() -> None:
    metres = np.full((4, 6, 1), 2.5, np.float32)
    cloud = verbs.KIND.point_cloud(None, np.zeros((4, 6, 3), np.uint8), metres, None)
    assert cloud.startswith(b"ply")
    assert b"element vertex 24" in cloud
    assert verbs.KIND.describe(None, metres)["median_m"] == 2.5


def test_the_losses_have_a_panel_each() -> None:
    history = [{"cycle_depth_loss": "2.0", "val_cycle_depth_loss": ""}, {"cycle_depth_loss": "1"}]
    figure = figures.loss_curves(history, ("cycle_depth_loss", "adversarial_depth_loss"))
    shown = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert len(shown) == 2
    np.testing.assert_array_equal(shown[0].lines[0].get_ydata(), [2.0, 1.0])
    with pytest.raises(ValueError, match="rows and terms"):
        figures.loss_curves([], ("loss",))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"batch_size": "auto"}, "--batch-size"),
        ({"batch_size": 51}, "--batch-size"),
        ({"find_learning_rate": True}, "--find-learning-rate"),
        ({"mixed_precision": True}, "--mixed-precision"),
        ({"accumulate_steps": 2}, "--accumulate-steps"),
        ({"ema_momentum": 0.9}, "--ema-momentum"),
        ({"data": "nyu"}, "--data-dir"),
        ({"data_dir": "somewhere"}, "--data-dir"),
        ({"image_size": (62, 64)}, "--image-size"),
        ({"image_size": (28, 64)}, "--image-size"),
        ({"rendered_count": (0, 1, 1)}, "--rendered-count"),
        ({"epochs": 0}, "--epochs"),
        ({"generator_width": 0}, "--generator-width"),
        ({"residual_blocks": -1}, "--residual-blocks"),
        ({"constant_share": 1.0}, "--constant-share"),
        ({"learning_rate": float("nan")}, "--learning-rate"),
        ({"cycle_weight": 0.0}, "--cycle-weight"),
        ({"identity_share": float("nan")}, "--identity-share"),
        ({"nearest_depth": 100.0}, "--largest-depth"),
        ({"pool_size": -1}, "--pool-size"),
        ({"decay": 5.0}, "--decay"),
        ({"step_epochs": 2}, "--step-epochs"),
        ({"metres_per_unit": 0.1}, "--metres-per-unit"),
        ({"data": "nyu", "data_dir": "x", "metres_per_unit": -1.0}, "--metres-per-unit"),
    ],
)
def test_options_that_do_not_fit_are_named(changed: dict, named: str) -> None:
    with pytest.raises(UserError, match=named):
        check(dataclasses.replace(CycleGanConfig(), **changed))


def test_the_presets_are_the_reports_and_the_papers() -> None:
    seed, paper = PRESETS["seed"], PRESETS["paper"]
    assert (seed.residual_blocks, seed.epochs) == (5, 20)
    assert (paper.residual_blocks, paper.epochs, paper.constant_share) == (9, 200, 0.5)
    for preset in (seed, paper):
        assert preset.image_size == (256, 256)
        assert (preset.generator_width, preset.discriminator_width) == (64, 64)
        assert (preset.batch_size, preset.pool_size, preset.cycle_weight) == (1, 50, 10.0)
        assert preset.learning_rate == 2e-4
