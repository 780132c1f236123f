"""The figures of a search hold its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from tasks.common import figures as common_figures
from tasks.common.svm import figures, report, search
from tasks.common.svm.machines import Machine

MACHINES = (
    *(Machine(cost) for cost in (0.01, 1.0)),
    *(Machine(cost, gamma) for cost in (1.0, 10.0) for gamma in (0.1, 0.3, 1.0)),
)
ACCURACIES = np.random.default_rng(0).uniform(0.2, 0.9, (8, 3))
SEARCHED = search.Search(MACHINES, ACCURACIES, np.ones(8))


def cells(figure: Figure, shape: tuple[int, int]) -> np.ndarray:
    """The numbers that stand in the cells, by their place."""
    numbers = np.full(shape, np.nan)
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        numbers[row, column] = float(text.get_text())
    return numbers


def framed(figure: Figure) -> tuple[int, int]:
    """Row and column of the cell with the frame."""
    (frame,) = figure.axes[0].patches
    return round(frame.get_y() + 0.5), round(frame.get_x() + 0.5)


def test_the_rbf_heat_map_holds_the_means_of_the_cross_validation() -> None:
    figure = report.rbf_heat_map(SEARCHED)
    means = ACCURACIES[2:].mean(axis=1).reshape(2, 3)
    np.testing.assert_allclose(cells(figure, (2, 3)), means, atol=5e-4)
    assert framed(figure) == np.unravel_index(means.argmax(), means.shape)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "10"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1", "0.3", "1"]


def test_the_linear_heat_map_holds_every_fold_and_the_mean() -> None:
    figure = report.linear_heat_map(SEARCHED)
    expected = np.column_stack([ACCURACIES[:2], ACCURACIES[:2].mean(axis=1)])
    np.testing.assert_allclose(cells(figure, (2, 4)), expected, atol=5e-4)
    assert framed(figure) == (expected[:, 3].argmax(), 3)


@pytest.mark.parametrize("values", [np.full((2, 2), np.nan), np.full((2, 2), 0.5)])
def test_a_map_without_differences_can_be_drawn(values, tmp_path) -> None:
    figure = figures.heat_map(values, ["1", "2"], ["3", "4"], ("C", "gamma"), (0, 0))
    common_figures.save(figure, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_names_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 rows, 1 columns"):
        figures.heat_map(np.zeros((2, 2)), ["1", "2"], ["3"], ("C", "gamma"), (0, 0))


@pytest.mark.parametrize("shape", [(1, 5), (2, 1), (3, 40), (60, 5)], ids=str)
def test_features_are_laid_out_however_few_there_are(shape) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(shape[0]) % 2
    wrong = labels == 1
    figure = figures.feature_map(random.normal(size=shape), labels, wrong, ["coupé", "van"], 0)
    for axes in figure.axes[:2]:
        points = sum(len(part.get_offsets()) for part in axes.collections)
        assert points == shape[0] + wrong.sum()


def test_clusters_stay_together() -> None:
    """Two clouds far apart: the nearest neighbour of each point has its own colour."""
    labels = np.resize([0, 1], 60)
    features = np.random.default_rng(0).normal(size=(60, 8)) + 20 * labels[:, None]
    for places in figures._layouts(features, 0).values():
        distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
        np.fill_diagonal(distances, np.inf)
        np.testing.assert_array_equal(labels[distances.argmin(axis=1)], labels)
