"""Exports of runs whose answers are maps: any size in, that size out."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import keras
import numpy as np
import onnx as onnx_files
import pytest
import tensorflow as tf
from PIL import Image

from keras_models.any_size import any_size, class_ids
from tasks import export
from tasks.common.exported_network import other_sizes
from tasks.common.exports import agreement, litert, onnx, saved_model, timing
from tests.tasks.small_dense import (
    CLASS_NAMES,
    CLASSES,
    DEPTH,
    HEIGHT,
    WIDTH,
    brightest_channel,
    brightness,
    open_as_run,
    picture,
)
from tests.tasks.small_runs import refused


@pytest.fixture(autouse=True)
def few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ONE_EXAMPLE", timing.Plan(rounds=2, calls=1, settling=0))
    monkeypatch.setattr(timing, "BATCH", timing.Plan(rounds=2, calls=1, settling=0))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that makes `RUN` a run of a kind and gives its folder."""
    return lambda kind, **options: open_as_run(kind, tmp_path / "run", monkeypatch, **options)


def expected(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(any_size(model)(pixels[None]))


def line_of(output: str, file: str) -> str:
    """The line of the table."""
    (line,) = [line for line in output.splitlines() if f" {file} " in line]
    return line


def test_a_run_with_classes_is_exported_for_pictures_of_any_size(opened, capsys):
    folder = opened(CLASSES) / "export"
    assert export.main(["RUN"]) == 0
    shown = capsys.readouterr().out
    assert "compared with the model on 6 validation pictures, in three sizes: they agree" in shown
    assert "folded 1 of 1 batch normalisations" in shown
    pixels = picture(41, 55)
    shares = expected(brightest_channel(), pixels)
    for name, module in (("saved_model", saved_model), ("model.onnx", onnx)):
        assert " any size " in line_of(shown, name)
        received = module.load(folder / name)(pixels[None])
        assert received.shape == (1, 41, 55, 3)
        np.testing.assert_allclose(received, shares, atol=0.02)
        assert module.read_output_names(folder / name) == CLASS_NAMES
    received = litert.load(folder / "model.tflite")(pixels[None])
    np.testing.assert_allclose(received, shares, atol=0.02)
    graph = onnx_files.load(folder / "model.onnx").graph
    axes = [axis.dim_param for axis in graph.output[0].type.tensor_type.shape.dim]
    assert (graph.output[0].name, axes[:3]) == ("probabilities", ["batch", "height", "width"])


def test_encoded_pictures_of_one_size_make_a_batch(opened, capsys):
    folder = opened(CLASSES) / "export"
    assert export.main(["RUN", "--format", "saved_model"]) == 0

    def encoded(pixels: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    predict = saved_model.load_encoded(folder / "saved_model")
    pictures = [picture(40, 50, 1), picture(40, 50, 2)]
    received = predict([encoded(one) for one in pictures])
    alone = np.concatenate([expected(brightest_channel(), one) for one in pictures])
    np.testing.assert_allclose(received, alone, atol=0.02)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have one size"):
        predict([encoded(pictures[0]), encoded(picture(40, 51))])


def test_class_ids_are_exported_by_name(opened, capsys):
    folder = opened(CLASSES) / "export"
    assert export.main(["RUN", "--network", "classes"]) == 0
    shown = capsys.readouterr().out
    assert line_of(shown, "classes.onnx").split()[4:7] == ["–", "100.0", "%"]
    pixels = picture(41, 55)
    ids = expected(class_ids(brightest_channel()), pixels)
    for load, name in (
        (saved_model.load, "saved_model_classes"),
        (onnx.load, "classes.onnx"),
        (litert.load, "classes.tflite"),
    ):
        received = load(folder / name)(pixels[None])
        assert received.dtype == np.int32
        assert (received == ids).mean() > 0.998
    assert onnx_files.load(folder / "classes.onnx").graph.output[0].name == "classes"
    assert onnx.read_output_names(folder / "classes.onnx") == CLASS_NAMES


def test_quantities_and_another_network_are_exported(opened, capsys):
    folder = opened(DEPTH) / "export"
    assert export.main(["RUN", "--format", "onnx", "saved_model"]) == 0
    shown = capsys.readouterr().out
    assert line_of(shown, "model.onnx").split()[5] == "–"
    pixels = picture(50, 40)
    received = onnx.load(folder / "model.onnx")(pixels[None])
    np.testing.assert_allclose(received, expected(brightness(), pixels), atol=0.05)
    assert onnx.read_output_names(folder / "model.onnx") == ("depth",)
    assert export.main(["RUN", "--format", "onnx", "--network", "double"]) == 0
    twice = onnx.load(folder / "double.onnx")(pixels[None])
    np.testing.assert_allclose(twice, 2 * received, atol=0.1)


@pytest.mark.parametrize("network", [None, "classes"])
def test_eight_bits_keep_any_size_where_they_can(opened, capsys, network):
    folder = opened(CLASSES) / "export"
    words = ["RUN", "--quantize", "int8", "--format", "onnx", "litert"]
    assert export.main([*words, *(["--network", network] if network else [])]) == 0
    shown = capsys.readouterr().out
    name = network or "model"
    assert "any size" in line_of(shown, f"{name}_int8.onnx")
    assert f"{WIDTH} x {HEIGHT}" in line_of(shown, f"{name}_int8.tflite")
    pixels = picture(41, 55)
    ids = expected(class_ids(brightest_channel()), pixels)
    received = onnx.load(folder / f"{name}_int8.onnx")(pixels[None])
    received = received if network else received.argmax(axis=-1)
    assert (received == ids).mean() > 0.9


@pytest.mark.parametrize("quantize", ["float16", "dynamic"])
def test_smaller_litert_files_take_any_size(opened, capsys, quantize):
    folder = opened(DEPTH) / "export"
    assert export.main(["RUN", "--format", "litert", "--quantize", quantize]) == 0
    pixels = picture(31, 70)
    received = litert.load(folder / f"model_{quantize}.tflite")(pixels[None])
    np.testing.assert_allclose(received, expected(brightness(), pixels), atol=0.1)


def test_a_benchmark_of_maps_counts_no_classes(opened, capsys):
    folder = opened(CLASSES) / "export"
    words = ["RUN", "--format", "onnx", "--benchmark", "--network", "classes"]
    assert export.main(words) == 0
    shown = capsys.readouterr().out
    assert "in batches of 4" in shown
    assert "on 4 pictures of the run's test split" in shown
    document = json.loads((folder / "benchmark_classes.json").read_text())
    assert (document["batch_size"], len(document["results"])) == (4, 3)
    assert "accuracy" not in document["results"][0]


def test_without_data_drawn_pictures_are_compared(opened, capsys):
    opened(CLASSES, with_data=False)
    assert export.main(["RUN", "--format", "onnx"]) == 0
    captured = capsys.readouterr()
    assert "on 16 drawn patches of colour, in three sizes: they agree" in captured.out
    assert "the pictures are gone" in captured.err


def test_an_unknown_network_is_refused(opened, capsys):
    opened(CLASSES)
    sentence = refused(capsys, export.main(["RUN", "--network", "edges"]))
    assert sentence == (
        "--network must name another network of the run than its model, one of classes. "
        "Received: edges.\n"
    )


def test_an_export_that_resizes_otherwise_is_not_kept():
    """Half a pixel of shift at other sizes is far beyond the tolerance, at the own size unseen."""
    model = any_size(brightest_channel())
    pictures = other_sizes(np.stack([picture(HEIGHT, WIDTH, seed) for seed in range(2)]))
    assert len({array.shape[1:3] for array in pictures} | {(HEIGHT, WIDTH)}) == 3

    def shifted(images: np.ndarray) -> np.ndarray:
        answer = keras.ops.convert_to_numpy(model(images))
        return (answer + np.roll(answer, 1, axis=1)) / 2

    for array in pictures:
        same = agreement.compare(model, lambda images: np.asarray(model(images)), array, MAPS)
        agreement.check(same, "onnx", None, MAPS, resized=True)
        found = agreement.compare(model, shifted, array, MAPS)
        with pytest.raises(agreement.ExportError, match="float32 onnx"):
            agreement.check(found, "onnx", None, MAPS, resized=True)


MAPS = "probability_maps"


def test_agreement_of_maps_is_counted_by_pixel():
    first = np.array([[[[0.9, 0.1], [0.4, 0.6]], [[0.7, 0.3], [0.2, 0.8]]]], np.float32)
    second = first.copy()
    second[0, 1, 0] = [0.4, 0.6]
    found = agreement.compare(lambda _: first, lambda _: second, np.zeros((1, 2, 2, 3)), MAPS)
    assert found.top1_agreement == 0.75
    assert found.largest_difference == pytest.approx(0.3)
    assert found.mean_difference == pytest.approx(0.6 / 8)
    assert found.spread == pytest.approx(0.7)
    ids = [array.argmax(axis=-1).astype(np.int32) for array in (first, second)]
    found = agreement.compare(lambda _: ids[0], lambda _: ids[1], np.zeros((1, 2, 2)), "class_maps")
    assert (found.top1_agreement, found.largest_difference) == (0.75, None)
    with pytest.raises(agreement.ExportError, match=r"75\.0 % of the pixels"):
        agreement.check(found, "onnx", "int8", "class_maps")


def test_quantities_are_held_to_their_range():
    """An error of 0.2 m is nothing on a mile and all of a thin sheet."""

    def wrong_by_a_little(far: float) -> agreement.Agreement:
        answers = np.linspace(0, far, 400, dtype=np.float32).reshape(1, 20, 20, 1)
        wrong = answers.copy()
        wrong[0, 3, 3] += 0.2
        return agreement.compare(lambda _: answers, lambda _: wrong, np.zeros((1, 1)), "maps")

    found = wrong_by_a_little(1600.0)
    assert found.scale == pytest.approx(1600)
    agreement.check(found, "onnx", None, "maps")
    with pytest.raises(agreement.ExportError, match="of the range of its answers"):
        agreement.check(wrong_by_a_little(1.0), "onnx", None, "maps")
    even = dataclasses.replace(found, mean_difference=0.06, largest_difference=0.06, scale=1.0)
    with pytest.raises(agreement.ExportError, match="on average"):
        agreement.check(even, "litert", "int8", "maps")
