"""The benchmark of exports: every runtime, folded and not; what fails is a row."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks import export as benchmark
from benchmarks import export_backbone, timed_process
from benchmarks.export import ExportBenchmarkOptions, checked
from keras_models.heads import ClassProbabilities
from tasks.common.errors import UserError
from tasks.common.exports import onnx

AMOUNT = export_backbone.QUICK
WAYS = [
    ("Keras predict", "float32"),
    ("Keras tf.function", "float32"),
    ("SavedModel", "float32"),
    ("LiteRT", "float32"),
    ("LiteRT", "int8"),
    ("ONNX Runtime", "float32"),
    ("ONNX Runtime", "int8"),
]


def tiny_classifier(backbone, image_size, pictures) -> keras.Model:
    """One convolution, normalised, in place of a network."""
    image = keras.Input((image_size, image_size, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 3, use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, ClassProbabilities(("a", "b", "c"))(x))


def key(row: dict) -> tuple:
    return row["runtime"], row["numbers"], row["folded"]


def test_every_runtime_is_measured_folded_and_not(monkeypatch):
    monkeypatch.setattr(export_backbone, "living_classifier", tiny_classifier)
    document = export_backbone.measure("Tiny", 32, AMOUNT)
    assert json.loads(json.dumps(document)) == document
    assert document["backbone"] == "Tiny"
    assert document["folding"] == "folded 1 of 1 batch normalisations into other layers"
    rows = document["rows"]
    assert [key(row) for row in rows] == [
        (*way, folded) for folded in (False, True) for way in WAYS
    ]
    for row in rows:
        assert row["fault"] is None
        assert 0 < row["latency_ms"] <= row["latency_p95_ms"]
        assert row["throughput"] > 0
        assert (row["megabytes"] is None) == row["runtime"].startswith("Keras")


def test_an_export_that_fails_is_a_row_beside_the_others(monkeypatch):
    def fails(*arguments):
        raise RuntimeError("no such\noperator")

    monkeypatch.setattr(export_backbone, "living_classifier", tiny_classifier)
    monkeypatch.setattr(onnx, "export", fails)
    rows = export_backbone.measure("Tiny", 32, AMOUNT)["rows"]
    failed = [row for row in rows if row["fault"] is not None]
    assert len(rows) == 14
    assert [row["runtime"] for row in failed] == 4 * ["ONNX Runtime"]
    assert {row["fault"] for row in failed} == {"RuntimeError: no such operator"}
    assert all("latency_ms" not in row for row in failed)


def test_the_living_classifier_has_the_statistics_of_what_reaches_it():
    """In training mode a normalisation takes them from the batch: there is nothing to change."""
    pictures = export_backbone.drawn_pictures(32, 32)
    model = export_backbone.living_classifier("MobileNet", 32, pictures)
    network = model.get_layer("MobileNet")
    pixels = model.get_layer("preprocessing")(keras.ops.convert_to_tensor(pictures))
    stored = np.asarray(network(pixels, training=False))
    of_batch = np.asarray(network(pixels, training=True))
    assert np.ptp(stored, axis=0).max() > 0.1
    np.testing.assert_allclose(stored, of_batch, atol=0.01 * np.abs(stored).max())


def test_drawn_pictures_are_pictures():
    pictures = export_backbone.drawn_pictures(48, 3)
    assert (pictures.shape, pictures.dtype) == ((3, 48, 48, 3), np.uint8)
    assert not np.array_equal(pictures[0], pictures[1])


def test_a_network_whose_process_fails_is_a_row(capsys):
    options = ExportBenchmarkOptions(backbones=("Nothing",), image_size=32, quick=True)
    network = benchmark.measure_apart("Nothing", options)
    assert network["rows"] == []
    assert network["fault"].startswith("ValueError")
    assert "Nothing" in network["fault"]
    assert "status 1" in capsys.readouterr().err
    (row,) = benchmark.table([network]).splitlines()[2:]
    assert row.split()[:2] == ["Nothing", "failed"]


def row(way, folded, latency, fault=None) -> dict:
    speed = {"latency_ms": latency, "latency_p95_ms": 2 * latency, "throughput": 1000 / latency}
    names = {"runtime": way[0], "numbers": way[1], "folded": folded, "fault": fault}
    return names | {"megabytes": 12.34} | ({} if fault else speed)


NETWORKS = [
    {
        "backbone": "One",
        "folding": "folded 2 of 2",
        "rows": [
            row(("LiteRT", "float32"), False, 20.0),
            row(("LiteRT", "int8"), False, 1.0, "no int8 for this"),
            row(("LiteRT", "float32"), True, 10.0),
            row(("LiteRT", "int8"), True, 5.0),
        ],
    },
    {"backbone": "Two", "fault": "killed", "rows": []},
]


def test_the_table_sets_folded_beside_unfolded():
    first, second, third = benchmark.table(NETWORKS).splitlines()[2:]
    names = ["One", "LiteRT", "float32"]
    assert first.split() == [*names, "12.3", "20.0", "10.0", "40.0", "20.0", "50", "100"]
    assert second.split()[:7] == ["One", "LiteRT", "int8", "no", "int8", "for", "this"]
    assert third.split()[:3] == ["Two", "failed", "killed"]


def test_the_chart_shows_each_number_that_was_measured():
    figure = benchmark.draw(NETWORKS)
    one_latency, two_latency, one_throughput, _ = figure.axes
    assert [bar.get_width() for bar in one_latency.patches] == [20.0, 10.0, 5.0]
    assert [bar.get_width() for bar in one_throughput.patches] == [50.0, 100.0, 200.0]
    assert not two_latency.patches
    labels = [label.get_text() for label in one_latency.get_yticklabels()]
    assert labels == ["LiteRT float32", "LiteRT int8"]


def test_each_network_has_a_process_of_its_own_and_the_results_are_written(
    tmp_path, monkeypatch, capsys
):
    started = []

    def process(words, log: Path):
        backbone = words[words.index("--backbone") + 1]
        started.append(backbone)
        if backbone == "ResNet50":
            log.write_text("trace\nMemoryError: 1 GB\n")
            raise UserError("it ended with status 1")
        result = Path(words[words.index("--result") + 1])
        result.write_text(json.dumps({**NETWORKS[0], "backbone": backbone}))

    monkeypatch.setattr(timed_process, "run", process)
    words = ["--backbones", "mobilenetv2", "ResNet50", "MobileNetV2", "--output", str(tmp_path)]
    assert benchmark.main(words) == 0
    assert started == ["MobileNetV2", "ResNet50"]
    document = json.loads((tmp_path / "export.json").read_text())
    assert [network["backbone"] for network in document["networks"]] == started
    assert document["networks"][1]["fault"] == "MemoryError: 1 GB"
    assert document["machine"]["cores"] >= 1
    assert document["amount"]["batch_size"] == 32
    assert (tmp_path / "export.png").stat().st_size > 1000
    assert "MobileNetV2: folded 2 of 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, part",
    [
        (["--backbones"], "--backbones must name a network"),
        (["--backbones", "ResNet5"], "ResNet50"),
        (["--image-size", "8"], "--image-size must be from 32 to 1024"),
        (["--output", __file__], "--output must be a folder"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(words, part, tmp_path, capsys):
    if "--output" not in words:
        words = [*words, "--output", str(tmp_path)]
    assert benchmark.main(words) == 2
    errors = capsys.readouterr().err
    assert errors.count("error: ") == 1
    assert part in errors


def test_quick_is_one_network_on_tiny_pictures(tmp_path):
    options = checked(ExportBenchmarkOptions(quick=True, output=tmp_path))
    assert (options.backbones, options.image_size) == (("MobileNetV2",), 32)


@pytest.mark.slow
def test_the_quick_benchmark_runs_to_its_end(tmp_path):
    assert benchmark.main(["--quick", "--output", str(tmp_path)]) == 0
    (network,) = json.loads((tmp_path / "export.json").read_text())["networks"]
    assert network["folding"] == "folded 52 of 52 batch normalisations into other layers"
    assert [key(row) for row in network["rows"]] == [
        (*way, folded) for folded in (False, True) for way in WAYS
    ]
    assert all(row["fault"] is None for row in network["rows"])
