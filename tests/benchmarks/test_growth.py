"""`python -m benchmarks.growth` and its parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import growth, straight_line
from tests.tasks.processes import run


def test_pictures_and_classes_grow_one_at_a_time() -> None:
    found = growth.series(growth.Options(pictures=500, classes=6))
    assert found["pictures"] == ((500, 24), (2000, 24), (8000, 24))
    assert found["classes"] == ((2000, 6), (2000, 24), (2000, 96))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--classes", "1"), "--classes must be from 2 to 6. Received: 1"),
        (("--classes", "7"), "--classes must be from 2 to 6. Received: 7"),
        # The smallest run has 24 classes, and as many test pictures only with 4 times as many.
        (("--pictures", "95"), "--pictures must be at least 96 for --classes 6. Received: 95"),
    ],
)
def test_a_mistake_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert growth.main(list(words)) == 2
    assert sentence in capsys.readouterr().err


def test_the_smallest_number_of_pictures_is_enough() -> None:
    growth.check(growth.Options(pictures=96, classes=6))
    growth.check(growth.Options(pictures=8, classes=2, quick=True))


def points(seconds: tuple[float, ...]) -> list[growth.Point]:
    sizes = (100, 400, 1600)
    return [
        growth.Point(size, 6, spent, spent + 10, 10**9)
        for size, spent in zip(sizes, seconds, strict=True)
    ]


def test_the_table_says_whether_the_goal_is_met() -> None:
    straight = growth._line("pictures", growth.COSTS[0], points((20.0, 50.0, 170.0)))
    bent = growth._line("pictures", growth.COSTS[0], points((20.0, 150.0, 170.0)))
    assert straight.largest_deviation == pytest.approx(0, abs=1e-9)
    name = growth.COSTS[0].name
    met = growth.lines_table({("pictures", name): straight})
    assert "within 15.0 %" in met
    # 10 s at the start and a tenth of a second a picture.
    assert met.splitlines()[-1].split()[-7:-5] == ["10.0", "10.00"]
    assert "missed" in growth.lines_table({("pictures", name): bent})


def test_the_chart_has_a_panel_for_each_cost() -> None:
    measured = {"pictures": points((20.0, 50.0, 170.0))}
    lines = {
        ("pictures", cost.name): straight_line.StraightLine(10.0, 0.1, 0.02)
        for cost in growth.COSTS
    }
    figure = growth.chart(measured, lines)
    assert len(figure.axes) == 3
    assert all("2.0 % off the line" in axes.get_title("left") for axes in figure.axes)


def test_help_answers_at_once(tmp_path: Path) -> None:
    assert "--pictures" in run(tmp_path, "benchmarks.growth", "--help").stdout


@pytest.mark.slow
def test_quick_measures_three_sizes(tmp_path: Path) -> None:
    text = run(tmp_path, "benchmarks.growth", "--quick", "--output", str(tmp_path)).stdout
    document = json.loads((tmp_path / "growth.json").read_text())
    assert [point["pictures"] for point in document["points"]] == [8, 32, 128]
    assert {line["against"] for line in document["lines"]} == {"pictures"}
    assert all(0 < p["training_seconds"] < p["total_seconds"] for p in document["points"])
    assert "largest deviation" in text
    assert (tmp_path / "growth.png").stat().st_size > 5000
