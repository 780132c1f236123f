"""What the tables and sentences say, above all where the accuracy was not reached."""

from __future__ import annotations

import dataclasses
import json

import pytest

from benchmarks import transfer_results
from benchmarks.measurement import Measurement, Stage
from benchmarks.transfer import Options
from tests.benchmarks.contests import contestant

GUIDE = contestant("Keras guide", 0.90, 400.0)
FAST = contestant("fast", 0.895, 50.0, peak_bytes=1_000_000_000)
SHORT = contestant("short", 0.885, 40.0)


def rows(table: str) -> dict[str, list[str]]:
    """The cells after each row's name, parted by two blanks or more."""
    lines = [line.split("  ") for line in table.splitlines()[2:]]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    return {name: rest for name, *rest in cells}


def test_what_reached_the_accuracy_has_its_seconds_and_ratios() -> None:
    found = rows(transfer_results.summary_table([GUIDE, FAST], GUIDE))
    assert found["Keras guide"] == ["90.0 %", "400.0", "1.00", "415.0", "1.00", "2,000", "100 %"]
    assert found["fast"] == ["89.5 %", "50.0", "8.00", "65.0", "6.38", "1,000", "50 %"]


def test_what_fell_short_has_no_seconds_to_the_accuracy() -> None:
    found = rows(transfer_results.summary_table([GUIDE, SHORT], GUIDE))
    assert found["short"] == ["88.5 %", "not reached", "–", "55.0", "7.55", "2,000", "100 %"]
    (sentence,) = transfer_results.verdicts([GUIDE, SHORT], GUIDE)
    assert sentence.startswith(
        "short did not reach the accuracy: 88.5 %, aim 90.0 % of Keras guide"
    )
    assert "as fast" not in sentence


def test_the_verdict_of_what_reached_it_says_how_many_times_as_fast() -> None:
    (sentence,) = transfer_results.verdicts([GUIDE, FAST], GUIDE)
    assert "fast reached the accuracy (89.5 %" in sentence
    assert "in 50.0 s, 8.00 times as fast" in sentence


@pytest.mark.parametrize(("accuracy", "reached"), [(0.90, True), (0.89, True), (0.8899, False)])
def test_one_point_may_be_missing(accuracy: float, reached: bool) -> None:
    assert contestant("other", accuracy, 10.0).reached(0.90) is reached


def test_without_the_guide_nothing_is_compared() -> None:
    found = rows(transfer_results.summary_table([FAST], None))
    assert found["fast"] == ["89.5 %", "50.0", "–", "65.0", "–", "1,000", "–"]
    assert transfer_results.verdicts([FAST], None) == []


def test_the_parts_of_a_process_sum_to_it() -> None:
    parts = GUIDE.parts()
    # 8 start, 30 head, 40 tail of 400: 322 lie between; 415 - 400 - 5 come after.
    assert (parts["between"], parts["after"]) == (322.0, 10.0)
    assert sum(parts.values()) == pytest.approx(GUIDE.total_seconds)
    assert list(parts) == list(transfer_results.PARTS)
    found = rows(transfer_results.parts_table([GUIDE]))
    assert found["Keras guide"] == ["8.0", "0.0", "30.0", "40.0", "322.0", "5.0", "10.0"]


def test_what_trains_after_the_tail_counts_with_it() -> None:
    stages = (*GUIDE.stages, Stage("features", 7.0, 100, 10), Stage("full", 100.0, 10, 10))
    parts = dataclasses.replace(GUIDE, stages=stages).parts()
    assert (parts["features"], parts["tail"]) == (7.0, 140.0)
    assert sum(parts.values()) == pytest.approx(GUIDE.total_seconds)


def test_a_stage_is_measured_against_the_rate_of_the_machine() -> None:
    stage = Stage("head", seconds=20.0, examples=600, multiply_adds=10**12)
    assert stage.examples_per_second == pytest.approx(30)
    assert stage.rate_share(2e11) == pytest.approx(0.25)
    measured = contestant("one", 0.9, 100.0, stages=(stage,))
    assert "25.0 %" in transfer_results.stages_table([measured], 2e11)


def document(measurements: list[Measurement], guide: Measurement | None) -> dict:
    options = Options()
    found = transfer_results.document(options, {"cores": 2}, 1e10, measurements, guide)
    return json.loads(json.dumps(found, default=str, allow_nan=False))


def test_the_document_holds_null_where_the_accuracy_was_not_reached() -> None:
    guide, fast, short = document([GUIDE, FAST, SHORT], GUIDE)["contestants"]
    assert guide["times_as_fast"] == 1.0
    assert (fast["reached"], fast["seconds_to_accuracy"]) == (True, 50.0)
    assert fast["times_as_fast"] == 8.0
    assert (short["reached"], short["seconds_to_accuracy"]) == (False, None)
    assert short["times_as_fast"] is None
    assert short["stages"][0]["examples_per_second"] == 10.0
    assert "reached" not in document([FAST], None)["contestants"][0]


def test_the_chart_names_every_contestant_and_what_fell_short() -> None:
    figure = transfer_results.chart([GUIDE, FAST, SHORT], GUIDE)
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["Keras guide", "fast", "short"]
    notes = [text.get_text() for text in axes.texts]
    assert notes == ["90.0 %", "89.5 %", "88.5 %, not reached"]
    assert max(bar.get_x() + bar.get_width() for bar in axes.patches) == pytest.approx(415.0)
