"""`tasks.export --benchmark`: how fast model and exports are, and how often each is right."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from datasets import folder as class_folders
from tasks import export
from tasks.common import run_pictures, saved_run
from tasks.common.exports import agreement, benchmark, litert, timing
from tests.tasks.small_runs import (
    CLASS_NAMES,
    refused,
    write_class_folders,
    write_picture,
    write_run,
)

QUICK = timing.Plan(rounds=2, calls=1, settling=0)


@pytest.fixture(autouse=True)
def few_calls(monkeypatch):
    monkeypatch.setattr(timing, "ONE_EXAMPLE", QUICK)
    monkeypatch.setattr(timing, "BATCH", QUICK)


# --- counting


def lookup(classes):
    """A predictor that gives a picture, known by its first byte, the class listed for it."""
    table = np.eye(3, dtype=np.float32)[classes]
    return lambda images: table[images[:, 0, 0, 0]]


def numbered(numbers) -> np.ndarray:
    return np.array(numbers, np.uint8).reshape(-1, 1, 1, 1)


def labelled_batches():
    """Five pictures in two batches, to be read once: their labels are 0, 1, 2, 0, 1."""
    yield numbered([0, 1, 2]), np.array([0, 1, 2])
    yield numbered([3, 4]), np.array([0, 1])


def test_every_contender_is_counted_on_every_picture():
    entrants = [
        benchmark.Contender("model", "float32", lookup([0, 1, 2, 0, 0])),
        benchmark.Contender("export", "int8", lookup([0, 1, 0, 1, 0]), "model_int8.onnx"),
    ]
    first, second = benchmark.measure(entrants, numbered([0, 1]), labelled_batches())
    assert first.counts == benchmark.Counts(accuracy=4 / 5, same_class=1.0)
    assert second.counts == benchmark.Counts(accuracy=2 / 5, same_class=3 / 5)
    assert (second.runtime, second.numbers, second.file) == ("export", "int8", "model_int8.onnx")
    assert first.speed.throughput > 0 < second.speed.latency_ms


def test_few_pictures_are_repeated_to_a_batch():
    batch = benchmark.batch_of(numbered([5, 6, 7]))
    assert batch.shape == (32, 1, 1, 1)
    assert batch[:7, 0, 0, 0].tolist() == [5, 6, 7, 5, 6, 7, 5]
    assert len(benchmark.batch_of(numbered(range(40)))) == 32


def test_the_page_cannot_be_broken_by_a_name():
    speed = timing.Speed(latency_ms=1.25, latency_p95_ms=20.0, throughput=64.4)
    counts = benchmark.Counts(0.5, 1.0)
    results = [benchmark.Result("Keras predict", "float32", None, speed, counts)]
    made = {"run": "runs/a|b", "command": "export a|b", "processor": "<b>", "cores": 2}
    page = benchmark.page(results, benchmark.Words("picture", "pictures of c|d", 8), made)
    row = "| Keras predict | float32 | 1.2 | 20.0 | 64 | 50.0 % | 100.0 % |"
    assert row in page.splitlines()
    assert page.count(r"\|") == 3
    assert "<b>" not in page
    assert "on 8 pictures of" in page


# --- the command


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose test split has 8 pictures, of which the model gets 6 right."""
    place = tmp_path_factory.mktemp("benchmark")
    data = place / "colours"
    for part, count in (("train", 8), ("validation", 2), ("test", 2)):
        write_class_folders(data / part, dict.fromkeys(CLASS_NAMES, count))
    for number in range(2):
        write_picture(data / "test" / "green" / f"wrong{number}.png", "red", number)
    write_run(place / "runs", "small", data)
    return place


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds `runs`, as for a user; gives the run folder of `small`."""
    monkeypatch.chdir(place)
    return place / "runs" / "cars_finetune" / "small"


def rows_of(document: dict) -> list[tuple]:
    return [(row["runtime"], row["numbers"], row["file"]) for row in document["results"]]


def test_the_benchmark_sets_model_and_exports_side_by_side(run, capsys):
    assert export.main(["small", "--quantize", "int8", "--benchmark"]) == 0
    output = capsys.readouterr().out
    document = json.loads((run / "export" / "benchmark.json").read_text())
    assert rows_of(document) == [
        ("Keras predict", "float32", None),
        ("Keras tf.function", "float32", None),
        ("SavedModel", "float32", "saved_model"),
        ("LiteRT", "float32", "model.tflite"),
        ("LiteRT", "int8", "model_int8.tflite"),
        ("ONNX Runtime", "float32", "model.onnx"),
        ("ONNX Runtime", "int8", "model_int8.onnx"),
    ]
    assert (document["pictures"], document["data"]) == (8, "the run's test split")
    for row in document["results"]:
        assert row["accuracy"] == 6 / 8
        assert row["same_class"] == 1.0
        assert 0 < row["latency_ms"] <= row["latency_p95_ms"]
        assert row["throughput"] > 0
    assert document["cores"] >= 1
    assert document["runtimes"]["onnxruntime"]
    page = (run / "export" / "benchmark.md").read_text()
    for text in (output, page):
        assert sum("75.0 %" in line for line in text.splitlines()) == 7
    assert "on 8 pictures of the run's test split" in output
    assert "ms a picture" not in output.partition("they agree")[0], "times are given once"


def test_the_accuracy_is_that_of_the_exported_file(run, place, tmp_path):
    words = ["small", "--format", "litert", "--quantize", "int8", "--benchmark"]
    assert export.main([*words, "--output", str(tmp_path)]) == 0
    document = json.loads((tmp_path / "benchmark.json").read_text())
    saved = saved_run.open_run("small", Path("runs"))
    _, parts = class_folders.read_parts(place / "colours")
    pictures = run_pictures.picture_sample(saved, parts["test"], 100)
    received = litert.load(tmp_path / "model_int8.tflite")(pictures).argmax(axis=-1)
    expected = np.mean(received == parts["test"].labels)
    (row,) = [row for row in document["results"] if row["file"] == "model_int8.tflite"]
    assert row["accuracy"] == pytest.approx(expected)


def test_class_folders_can_take_the_place_of_the_test_split(run, tmp_path, capsys):
    data = write_class_folders(tmp_path / "field", {"blue": 2, "green": 3})
    write_picture(data / "green" / "wrong.png", "red")
    (data / "green" / "cut.png").write_bytes(b"\x89PNG")
    words = ["small", "--format", "onnx", "--benchmark", "--data-dir", str(data)]
    assert export.main([*words, "--output", str(tmp_path / "out")]) == 0
    assert "left out" in capsys.readouterr().err
    document = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert (document["pictures"], document["data"]) == (6, str(data))
    assert {row["accuracy"] for row in document["results"]} == {5 / 6}


def test_a_benchmark_without_test_pictures_is_refused_before_any_work(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    run = write_run(tmp_path / "runs", "moved", tmp_path / "gone")
    words = ["moved", "--format", "onnx", "--benchmark"]
    assert "--data-dir" in refused(capsys, export.main(words))
    loose = write_picture(tmp_path / "loose" / "a.png", "red").parent
    sentence = refused(capsys, export.main([*words, "--data-dir", str(loose)]))
    assert str(loose) in sentence
    other = write_class_folders(tmp_path / "other", {"blue": 1, "red": 1})
    (other / "red").rename(other / "violet")
    sentence = refused(capsys, export.main([*words, "--data-dir", str(other)]))
    assert "'violet'" in sentence
    assert not (run / "export").exists()


def test_a_refused_export_is_left_out_of_the_benchmark(run, tmp_path, monkeypatch, capsys):
    strict = dict(agreement.TOLERANCES) | {"int8": agreement.Tolerance(-1.0, 0.0)}
    monkeypatch.setattr(agreement, "TOLERANCES", strict)
    words = ["small", "--format", "litert", "--quantize", "int8", "--benchmark"]
    sentence = refused(capsys, export.main([*words, "--output", str(tmp_path)]))
    assert "int8 litert export was not kept" in sentence
    document = json.loads((tmp_path / "benchmark.json").read_text())
    assert [file for *_, file in rows_of(document)] == [None, None, "model.tflite"]


def test_the_document_holds_every_number_of_every_result():
    kinds = (benchmark.Result, benchmark.Counts)
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    speed = timing.Speed(1.0, 1.0, 1.0)
    results = [
        benchmark.Result("Keras predict", "float32", None, speed, benchmark.Counts(0.5, 1.0)),
        benchmark.Result("LiteRT", "int8", "a.tflite", speed, benchmark.Counts(0.25, 0.75)),
    ]
    words = benchmark.Words("picture", "x", 8)
    document = benchmark.document(results, words, {"run": "a"})
    assert json.loads(json.dumps(document)) == document
    flat = fields - {"speed", "counts"} | {"latency_ms", "latency_p95_ms", "throughput"}
    assert all(set(row) == flat for row in document["results"])
    assert [row["same_class"] for row in document["results"]] == [1.0, 0.75]
