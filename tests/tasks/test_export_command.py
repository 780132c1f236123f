"""`tasks.export`, on a run folder whose answers are known beforehand."""

from __future__ import annotations

import dataclasses
import json
import typing
from pathlib import Path

import keras
import numpy as np
import pytest

from tasks import export, predict
from tasks.common.errors import UserError
from tasks.common.exports import agreement, formats, saved_model
from tests.tasks.small_classifier import MODULES
from tests.tasks.small_runs import (
    HEIGHT,
    WIDTH,
    colour_classifier,
    refused,
    write_run,
)


def test_export_writes_every_format_and_resizes_encoded_pictures_as_predict_does(
    runs, place, tmp_path, capsys
):
    assert export.main(["small"]) == 0
    output = capsys.readouterr().out
    assert {path.name for path in (runs / "export").iterdir()} == {
        "saved_model",
        "model.tflite",
        "model.onnx",
    }
    assert "6 validation pictures: they agree" in output
    rows = [line.split()[0] for line in output.splitlines() if "float32" in line]
    assert rows == ["keras", *formats.FORMATS]
    picture = place / "colours" / "green" / "00.png"  # 48 x 40, so 32 x 24 adds black bars
    lines = tmp_path / "a.jsonl"
    assert predict.main(["small", str(picture), "--json", str(lines)]) == 0
    expected = json.loads(lines.read_text())["probability"]
    received = saved_model.load_encoded(runs / "export" / "saved_model")([picture.read_bytes()])
    assert received[0, 1] == pytest.approx(expected, abs=1e-5)


def test_export_quantises_what_can_be_and_says_so(runs, tmp_path, capsys):
    words = ["small", "--format", "saved_model", "litert", "--quantize", "int8"]
    assert export.main([*words, "--output", str(tmp_path)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["litert", "int8", "model_int8.tflite"] in [row[:3] for row in rows]
    assert ["saved_model", "float32", "saved_model"] in [row[:3] for row in rows]


def test_export_does_not_claim_success_without_agreement(runs, tmp_path, monkeypatch, capsys):
    never = {None: agreement.Tolerance(-1.0, 0.0)}
    monkeypatch.setattr(agreement, "TOLERANCES", never)
    words = ["small", "--format", "onnx", "--output", str(tmp_path)]
    status = export.main(words)
    captured = capsys.readouterr()
    assert status == 2
    assert "was not kept" in captured.err
    assert "they agree" not in captured.out
    assert not (tmp_path / "model.onnx").exists()


def test_a_refused_format_does_not_stop_the_others(runs, tmp_path, monkeypatch, capsys):
    right, wrong = MODULES["litert"].load, np.eye(3, dtype=np.float32)

    def swapped(path):
        predict = right(path)
        return lambda images: predict(images) @ wrong[::-1]

    monkeypatch.setattr(MODULES["litert"], "load", swapped)
    (tmp_path / "model.tflite").write_bytes(b"older")
    assert export.main(["small", "--output", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("error: ") == 1
    assert captured.err.partition("error: ")[2].startswith("The float32 litert export was not kept")
    assert {path.name for path in tmp_path.iterdir()} == {
        "saved_model",
        "model.onnx",
        "model.tflite",
    }
    assert (tmp_path / "model.tflite").read_bytes() == b"older"
    rows = [line.split()[0] for line in captured.out.splitlines() if "float32" in line]
    assert rows == ["keras", "saved_model", "onnx"]
    assert "6 validation pictures: those kept agree" in captured.out


def test_every_refused_format_is_named(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(agreement, "TOLERANCES", {None: agreement.Tolerance(-1.0, 0.0)})
    words = ["small", "--format", "onnx", "litert", "--output", str(tmp_path)]
    sentences = refused(capsys, export.main(words))
    assert sentences.count("was not kept") == 2
    assert sentences.index("onnx") < sentences.index("litert")
    assert not list(tmp_path.iterdir())


def test_an_exported_run_is_folded(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = write_run(tmp_path / "runs", "normalised", place / "colours")
    plain = colour_classifier()
    image, *rest = plain.layers
    pixels = rest[0](image.output)
    pixels = keras.layers.DepthwiseConv2D(1, use_bias=False, name="before")(pixels)
    pixels = keras.layers.BatchNormalization(name="same", epsilon=0.0)(pixels)
    answers = pixels
    for layer in rest[1:]:
        answers = layer(answers)
    model = keras.Model(image.output, answers)
    model.get_layer("before").set_weights([np.ones((1, 1, 3, 1), np.float32)])
    # 0.5 (x - 0.1) / sqrt(0.25) + 0.1 = x: the answers are those of the plain classifier.
    parts = [np.full(3, value, np.float32) for value in (0.5, 0.1, 0.1, 0.25)]
    model.get_layer("same").set_weights(parts)
    model.save(run / "model.keras")
    assert export.main(["normalised", "--format", "saved_model"]) == 0
    assert "folded 1 of 1 batch normalisations" in capsys.readouterr().out
    pictures = np.random.default_rng(0).integers(0, 256, (5, HEIGHT, WIDTH, 3), dtype=np.uint8)
    received = saved_model.load(run / "export" / "saved_model")(pictures)
    np.testing.assert_allclose(received, plain.predict(pictures, verbose=0), atol=1e-5)


def test_export_works_without_the_data_of_the_run(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "moved", tmp_path / "gone")
    words = ["moved", "--format", "onnx"]
    assert export.main(words) == 0
    captured = capsys.readouterr()
    assert "drawn patches of colour: they agree" in captured.out
    assert "gone" in captured.err
    sentence = refused(capsys, export.main([*words, "--quantize", "int8"]))
    assert "--data-dir" in sentence
    pictures = str(place / "colours")
    assert export.main([*words, "--quantize", "int8", "--data-dir", pictures]) == 0


@pytest.mark.parametrize(
    "words, part",
    [
        (["--format", "saved_model", "--quantize", "int8"], "possible for --format litert or onnx"),
        (["--format", "onnx", "--quantize", "float16"], "possible for --format litert"),
        (["--format"], "--format needs at least one"),
        (["--data-dir", "nowhere"], "received 0 pictures"),
    ],
)
def test_export_answers_mistakes_in_one_sentence(runs, capsys, words, part):
    assert part in refused(capsys, export.main(["small", *words]))


@pytest.mark.parametrize(
    "words, part",
    [
        (["--output", "file"], "--output must be a folder. Received: the file file"),
        (["--output", "file/deep"], "--output must lie in a folder"),
        (["--output", "out", "--format", "onnx"], "--format onnx must lead to a file"),
        (["--output", "out", "--format", "saved_model"], "--format saved_model must be a folder"),
        (["--output", "out", "--format", "litert", "--benchmark"], "--benchmark must lead to"),
        (["--format", "litert"], "--format litert must lead to a file"),
    ],
)
def test_export_refuses_places_before_it_reads_examples(
    place, tmp_path, monkeypatch, capsys, words, part
):
    run = write_run(tmp_path / "runs", "small", place / "colours")
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept")
    for folder in ("out/model.onnx", "out/benchmark.md", run / "export" / "model.tflite"):
        Path(folder).mkdir(parents=True)
    Path("out/saved_model").write_text("kept")
    monkeypatch.setattr(export, "_inputs", lambda *_: pytest.fail("it came to the examples"))
    assert part in refused(capsys, export.main(["small", *words]))


def test_what_is_not_written_may_be_in_the_way(tmp_path):
    (tmp_path / "model.onnx").mkdir()
    options = export.ExportOptions("small", ("onnx",), "int8", output=tmp_path)
    export.check(options)
    with pytest.raises(UserError, match="--format onnx must lead to a file"):
        export.check(dataclasses.replace(options, benchmark=True))


def test_export_offers_every_format_and_quantisation():
    hints = typing.get_type_hints(export.ExportOptions)
    assert typing.get_args(typing.get_args(hints["format"])[0]) == tuple(formats.FORMATS)
    ways, none = typing.get_args(hints["quantize"])
    assert none is type(None)
    assert set(typing.get_args(ways)) == set(formats.quantisations())
