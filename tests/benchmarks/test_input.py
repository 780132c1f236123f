"""The benchmark of the input: fair turns, whole batches, and tables that say what was measured."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from benchmarks import input as benchmark
from benchmarks import input_decoding, input_memory, input_speed
from benchmarks.input_options import InputOptions, checked, draw_jpegs
from datasets import images
from tasks.common.errors import UserError


def test_every_input_has_its_turn_and_the_order_is_turned_round():
    done: list[str] = []

    def step(iterator: Iterator[str]) -> dict[str, float]:
        done.append(next(iterator))
        return {"loss": 0.0}

    iterators = {name: itertools.repeat(name) for name in ("ready", "files", "cache")}
    options = InputOptions(steps=5, repeats=3)
    seconds, processor = input_speed._take_turns(options, step, iterators)
    assert {name: len(turns) for name, turns in seconds.items()} == dict.fromkeys(iterators, 3)
    assert {name: len(turns) for name, turns in processor.items()} == dict.fromkeys(iterators, 3)
    assert all(value > 0 for turns in seconds.values() for value in turns)
    turns = [name for name, _ in itertools.groupby(done)]
    forwards, backwards = ["ready", "files", "cache"], ["cache", "files", "ready"]
    # Neighbours of one name are two turns in a row, here at the ends of the rounds.
    expected = forwards + forwards + backwards + forwards
    assert turns == [name for name, _ in itertools.groupby(expected)]
    assert done.count("files") == len(done) / 3


def feeding(source: str, steps: tuple[float, ...], ratios: tuple[float, ...], cpu: float):
    return input_speed.Feeding("Small", source, steps, ratios, cpu)


def test_the_table_of_speed_judges_the_middle_ratio_and_shows_the_share():
    table = input_speed.speed_table(
        [
            feeding(input_speed.READY, (10.0, 10.0, 10.0), (1.0, 1.0, 1.0), 95.0),
            feeding("JPEG files", (9.4, 9.6, 9.0), (0.94, 0.96, 0.90), 5.0),
            feeding("decoded cache", (9.9, 9.5, 9.7), (0.99, 0.95, 0.97), 1.0),
        ]
    )
    ready, files, cache = table.splitlines()[2:]
    assert ready.split()[-2:] == ["10.00", "95.00"]
    assert files.split()[-7:] == ["9.40", "94.0%", "90.0%", "96.0%", "no", "5.00", "5.0%"]
    assert cache.split()[-7:] == ["9.70", "97.0%", "95.0%", "99.0%", "yes", "1.00", "1.0%"]


def test_the_table_of_memory_compares_with_the_fewest_pictures():
    epochs = [
        input_memory.Epoch(1_000, 500_000_000, 300_000_000, 2.0),
        input_memory.Epoch(50_000, 900_000_000, 331_000_000, 50.0),
    ]
    first, last = input_memory.memory_table(epochs).splitlines()[2:]
    assert first.split() == ["1,000", "500", "300", "1.00", "yes", "500"]
    assert last.split() == ["50,000", "900", "331", "1.10", "no", "1000"]


def test_a_large_jpeg_is_measured_at_the_scale_it_is_decoded_at():
    options = InputOptions(large_size=(400, 600), repeats=1)
    decodings = input_decoding.measure_decoding(options)
    assert [decoding.shape for decoding in decodings] == [(200, 300), (400, 600), (400, 600)]
    assert all(decoding.reduced_milliseconds > 0 for decoding in decodings)
    row = input_decoding.decoding_table((400, 600), decodings).splitlines()[2]
    assert "200 x 300" in row


def test_drawn_jpegs_are_different_pictures_of_the_size_asked_for(tmp_path):
    paths = draw_jpegs(tmp_path / "a", 3, (32, 48))
    assert images.list_pictures(tmp_path) == paths
    assert all(Image.open(path).format == "JPEG" for path in paths)
    pictures = [images.read_picture(path) for path in paths]
    assert {picture.shape for picture in pictures} == {(32, 48, 3)}
    assert not np.array_equal(pictures[0], pictures[1])


def test_pictures_of_a_folder_make_whole_batches(tmp_path):
    draw_jpegs(tmp_path / "photographs", 7, (32, 48))
    options = InputOptions(data_dir=tmp_path, pictures=100, batch_size=3)
    assert len(input_speed._speed_pictures(options, tmp_path / "unused")) == 6
    with pytest.raises(UserError, match="at least 8 pictures"):
        input_speed._speed_pictures(InputOptions(data_dir=tmp_path), tmp_path / "unused")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"steps": 0}, "--steps must be at least 1. Received: 0"),
        ({"batch_size": 0}, "--batch-size must be at least 1"),
        ({"pictures": 4}, "--pictures must be at least --batch-size. Received: 4 and 8"),
        ({"counts": (1_000,)}, "--counts must be two or more"),
        ({"counts": (0, 5)}, "--counts must be two or more"),
        ({"picture_size": (31, 640)}, "--picture-size must have sides from 32 to 1024"),
        ({"large_size": (400, 5000)}, "--large-size must have sides from 128 to 4096"),
        ({"backbones": ()}, "--backbones must name"),
        ({"backbones": ("MobileNetV2", "LeNet")}, "--backbones: .*LeNet"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, changed, why):
    with pytest.raises(UserError, match=why):
        checked(InputOptions(output=tmp_path, **changed))


@pytest.mark.slow
def test_the_quick_run_writes_what_it_prints(tmp_path, capsys):
    assert benchmark.main(["--quick", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    document = json.loads((tmp_path / "input.json").read_text())
    assert [epoch["count"] for epoch in document["memory"]] == [20, 40]
    assert all(epoch["anonymous_bytes"] > 50e6 for epoch in document["memory"])
    sources = [feeding["source"] for feeding in document["speed"]]
    assert sources == [input_speed.READY, "JPEG files", "remembered", "decoded cache"]
    for source in sources:
        assert source in printed
    assert document["speed"][0]["ratios"] == [1.0, 1.0]
    assert all(
        number > 0 for feeding in document["speed"] for number in feeding["steps_per_second"]
    )
    assert Image.open(tmp_path / "input.png").format == "PNG"
