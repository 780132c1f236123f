"""Figures: what they show can be read off their axes; what they cannot show is refused."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.common import classification_figures, figures


def history(**columns: list[object]) -> list[dict[str, object]]:
    count = len(next(iter(columns.values())))
    return [{name: values[row] for name, values in columns.items()} for row in range(count)]


CURVES = history(
    stage=["head", "head", "tail"],
    loss=["3", "2", "1"],
    val_loss=["2.5", "1.5", "1.8"],
    accuracy=["0.1", "0.4", "0.6"],
    val_accuracy=["0.2", "0.5", "0.5"],
    learning_rate=["0.001", "0.0004", "0"],
)


def lines(axes) -> dict[str, list[float]]:
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines}


def test_learning_curves_show_the_history() -> None:
    loss, accuracy, rate = figures.learning_curves(CURVES).axes
    assert lines(loss)["train"] == [3, 2, 1]
    assert lines(accuracy)["validation"] == [0.2, 0.5, 0.5]
    drawn = rate.lines[0].get_ydata()
    assert list(drawn[:2]) == [0.001, 0.0004]
    assert math.isnan(drawn[2])


def test_of_equal_epochs_the_one_with_the_smaller_loss_is_the_best() -> None:
    accuracy = figures.learning_curves(CURVES).axes[1]
    assert "best: epoch 2, 0.500" in lines(accuracy)


def test_labels_of_learning_rates_are_plain_numbers() -> None:
    figure = figures.learning_curves(CURVES)
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[2].get_yticklabels()]
    assert any(labels)
    assert all("$" not in label for label in labels)


@pytest.mark.parametrize("values", [[], [{"stage": "a", "loss": "1"}]])
def test_learning_curves_of_little(values: list[dict[str, object]]) -> None:
    if not values:
        with pytest.raises(ValueError, match="at least one row"):
            figures.learning_curves(values)
    else:
        assert len(figures.learning_curves(values).axes) == 3


def test_saved_figures_are_small_pictures(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:300, :400]
    picture = np.stack([rows % 256, columns % 256, (rows * columns // 99) % 256], -1)
    pictures = [np.roll(picture, 37 * shift, 1).astype(np.uint8) for shift in range(8)]
    path = tmp_path / "grid.png"
    figures.save(figures.picture_grid(pictures, ["a\nb"] * 8), path)
    assert path.stat().st_size < figures.PNG_BYTES
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height > 200


def test_confusion_matrix_writes_its_counts() -> None:
    counts = np.array([[3, 1], [0, 4]])
    axes = classification_figures.confusion_matrix(counts, ("cat", "dog")).axes[0]
    assert {text.get_text() for text in axes.texts} >= {"3", "1", "4"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
    with pytest.raises(ValueError, match="Received"):
        classification_figures.confusion_matrix(counts, ("cat", "dog", "cow"))


def test_bars_show_their_values_and_refuse_what_is_no_length() -> None:
    axes = figures.metric_bars({"model": 0.9, "prior": 0.1}, "accuracy", {"model": (0.8, 1)}).axes[
        0
    ]
    assert [round(bar.get_width(), 3) for bar in axes.patches] == [0.9, 0.1]
    with pytest.raises(ValueError, match="finite"):
        figures.metric_bars({"model": math.nan}, "accuracy")


def test_stages_are_named_once_at_their_starts() -> None:
    loss, accuracy, rate = figures.learning_curves(CURVES).axes
    assert [(text.get_text(), text.xy[0]) for text in accuracy.texts] == [
        ("head", 0.5),
        ("tail", 2.5),
    ]
    assert not loss.texts
    assert not rate.texts


def test_rows_of_pictures_share_their_upper_edge() -> None:
    wide, high = np.zeros((40, 120, 3), np.uint8), np.zeros((120, 40, 3), np.uint8)
    figure = figures.picture_grid([wide, high], ["a", "b"])
    figure.canvas.draw()
    upper = [axes.get_position().y1 for axes in figure.axes]
    assert upper[0] == pytest.approx(upper[1], abs=1e-3)


def test_a_grid_is_no_wider_than_its_pictures() -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    one = figures.picture_grid([picture], ["a"]).get_figwidth()
    four = figures.picture_grid([picture] * 4, ["a"] * 4).get_figwidth()
    assert four == pytest.approx(4 * one)


def test_fewer_colors_keep_the_limit_and_the_white_ground(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    path = tmp_path / "noise.png"
    figures.save(figures.picture_grid([picture] * 40, ["a"] * 40), path)
    assert path.stat().st_size < figures.PNG_BYTES
    with Image.open(path) as saved:
        assert saved.mode == "P"
        pixels = np.asarray(saved.convert("RGB"))
    assert tuple(pixels[0, 0]) == (255, 255, 255)


def test_confusion_matrix_tells_absent_classes_from_unused_answers() -> None:
    figure = classification_figures.confusion_matrix(np.array([[4, 0], [0, 0]]), ("cat", "dog"))
    image = figure.axes[0].images[0]
    red, green, blue, _ = image.to_rgba(image.get_array())[1, 0]
    assert red == green == blue < 0.95  # no example of the class: grey
    assert tuple(image.to_rgba(image.get_array())[0, 1]) == (1, 1, 1, 1)  # never answered: white


def test_names_are_never_formulas(tmp_path: Path) -> None:
    names = (r"$\frac{a$", "$$", "a\nb\0")
    figures.save(
        classification_figures.confusion_matrix(np.eye(3, dtype=int), names), tmp_path / "a.png"
    )
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_every_parameter_group_has_its_learning_rate_drawn() -> None:
    names = ["learning_rate", *(f"learning_rate_stage_{number}" for number in range(1, 9))]
    rows = history(loss=["2", "1"], **{name: ["0.1", "0.01"] for name in names})
    rate = figures.learning_curves(rows).axes[2]
    drawn = [line.get_label() for line in rate.lines]
    assert drawn == ["all that trains", *(f"stage {number}" for number in range(1, 9))]
