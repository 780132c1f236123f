"""The benchmark of drawn streets: every part is found, timed apart, and changes nothing."""

from __future__ import annotations

import dataclasses
import itertools
import json
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import street
from benchmarks.street import PARTS, Drawing, Options, Part, PartClock, timed_parts
from datasets.rendered.street import source
from tests.tasks.processes import run


def scenes(count: int = 12) -> source.RenderedStreet:
    return source.RenderedStreet(count, 5, (64, 64))


def drawing_module(**functions: Callable[[], object]) -> types.ModuleType:
    """What stands for a module of the drawing."""
    module = types.ModuleType("drawing")
    vars(module).update(functions)
    return module


def test_a_part_is_counted_without_the_parts_within_it() -> None:
    drawing = drawing_module(inner=lambda: "drawn")
    drawing.outer = lambda: drawing.inner() + drawing.inner()
    inner = Part("light", "inner", drawing, ("inner",))
    outer = Part("light", "outer", drawing, ("outer",))
    # A second passes between any two looks at this clock.
    clock = PartClock(itertools.count().__next__)
    with timed_parts((outer, inner), clock):
        assert drawing.outer() == "drawndrawn"
    # Outer, inner, outer, inner, outer: five seconds between six looks.
    assert clock.seconds == {outer: 3, inner: 2}


def test_time_outside_of_all_parts_is_nobodys() -> None:
    drawing = drawing_module(one=lambda: None)
    part = Part("light", "one", drawing, ("one",))
    clock = PartClock(iter((10.0, 11.0, 500.0, 502.0)).__next__)
    with timed_parts((part,), clock):
        drawing.one()
        drawing.one()
    assert clock.seconds == {part: 3.0}


def test_a_fault_in_the_drawing_leaves_the_clock_in_order() -> None:
    def fail() -> None:
        raise ValueError("no paint")

    drawing = drawing_module(fail=fail, one=lambda: None)
    failing = Part("light", "failing", drawing, ("fail",))
    one = Part("light", "one", drawing, ("one",))
    clock = PartClock(itertools.count().__next__)
    with timed_parts((failing, one), clock):
        with pytest.raises(ValueError, match="no paint"):
            drawing.fail()
        drawing.one()
    assert clock.seconds == {failing: 1, one: 1}
    assert drawing.fail is fail


def test_a_function_that_is_gone_is_found_and_the_others_are_put_back() -> None:
    drawing = drawing_module(one=len)
    parts = (Part("light", "one", drawing, ("one",)), Part("light", "two", drawing, ("two",)))
    with pytest.raises(AttributeError, match="two"), timed_parts(parts, PartClock()):
        pass
    assert drawing.one is len


def test_no_function_is_timed_twice() -> None:
    found = [(part.module.__name__, name) for part in PARTS for name in part.functions]
    assert len(found) == len(set(found))
    assert len({(part.stage, part.name) for part in PARTS}) == len(PARTS)


def test_the_parts_together_are_the_whole() -> None:
    looks = itertools.count()
    clock = PartClock(looks.__next__)
    with timed_parts(PARTS, clock):
        scenes().example(0)
    # A second passes between any two looks at the clock, and each of them is some part's.
    assert sum(clock.seconds.values()) == next(looks) - 1


def test_each_function_named_is_called() -> None:
    """Some things stand in few streets, so more of them are drawn until all have been seen."""
    apart = [
        dataclasses.replace(part, name=name, functions=(name,))
        for part in PARTS
        for name in part.functions
    ]
    clock = PartClock()
    with timed_parts(apart, clock):
        for index in range(200):
            scenes(200).example(index)
            if len(clock.seconds) == len(apart):
                return
    never = {part.name for part in apart} - {part.name for part in clock.seconds}
    pytest.fail(f"the drawing does not call {sorted(never)} where the benchmark looks for them")


def test_timing_changes_neither_the_example_nor_the_drawing() -> None:
    before = {part: [getattr(part.module, name) for name in part.functions] for part in PARTS}
    expected = scenes().example(3)
    with timed_parts(PARTS, PartClock()):
        timed = scenes().example(3)
    for name, array in expected.items():
        np.testing.assert_array_equal(timed[name], array)
    after = {part: [getattr(part.module, name) for name in part.functions] for part in PARTS}
    assert after == before


def test_the_quickest_round_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(([9.0, 9.0], [0.5, 0.5], [7.0, 7.0], [0.1, 0.3], [7.0, 7.0]))
    monkeypatch.setattr(street, "_seconds_of_scenes", lambda scenes: next(seconds))
    drawing = street.measure(Options(image_size=(64, 64), count=2, rounds=2))
    assert drawing.rates == pytest.approx((2.0, 5.0))
    assert drawing.milliseconds == pytest.approx((100.0, 300.0))
    assert drawing.parts == (0.0,) * len(PARTS)


def drawing(rates: tuple[float, ...]) -> Drawing:
    return Drawing(rates, (5.0, 20.0), tuple(float(number) for number in range(len(PARTS))))


def test_the_table_says_whether_the_goal_is_met() -> None:
    met = street.rate_table((256, 256), drawing((90.0, 125.0))).splitlines()[-1].split()
    assert met[3:] == ["125.0", "90.0", "8.0", "5.0", "20.0", "reached"]
    assert "missed" in street.rate_table((256, 256), drawing((99.9,)))
    # The goal is about pictures of another size.
    other = street.rate_table((64, 64), drawing((500.0,)))
    assert "reached" not in other
    assert "missed" not in other


def test_the_parts_sum_to_their_stages_and_the_stages_to_the_whole() -> None:
    rows = [line.split() for line in street.parts_table(drawing((50.0,))).splitlines()[2:]]
    stages = {row[0]: row for row in rows if row[0] != "-"}
    assert list(stages) == ["scene", "sight", "light", "labels"]
    assert float(stages["scene"][1]) == sum(range(11))
    assert sum(float(row[1]) for row in stages.values()) == sum(range(len(PARTS)))
    assert sum(float(row[2]) for row in stages.values()) == pytest.approx(100, abs=0.3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--count", "0"), "--count must be at least 1. Received: 0"),
        (("--rounds", "0"), "--rounds must be at least 1. Received: 0"),
        (("--seed", "-1"), "--seed must be at least 0. Received: -1"),
        (("--image-size", "256", "16"), "--image-size must have sides from 32 to 4096"),
    ],
)
def test_a_mistake_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert street.main(list(words)) == 2
    assert sentence in capsys.readouterr().err


def test_help_answers_at_once(tmp_path: Path) -> None:
    assert "--image-size" in run(tmp_path, "benchmarks.street", "--help").stdout


def test_quick_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert street.main(["--quick", "--output", str(tmp_path)]) == 0
    document = json.loads((tmp_path / "street.json").read_text())
    assert len(document["scenes_per_second"]) == 2
    assert len(document["milliseconds_of_scenes"]) == 4
    assert len(document["parts"]) == len(PARTS)
    assert sum(part["milliseconds"] for part in document["parts"]) > 0
    assert "scenes a second" in capsys.readouterr().out
    assert (tmp_path / "street.png").stat().st_size > 5000
