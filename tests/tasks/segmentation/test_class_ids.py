"""What `tasks.export --network classes` writes names the classes that `tasks.predict` names."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx as onnx_files
import pytest
from PIL import Image

from datasets.rendered.street import source
from keras_models.any_size import any_size, class_ids
from keras_models.fast_scnn import build_fast_scnn
from tasks import export, predict
from tasks.common.exports import litert, onnx, timing
from tasks.common.segmentation.verbs import KIND
from tests.tasks.small_dense import open_as_run

SIZE, OTHER_SIZES = (64, 80), ((150, 131), (48, 61))
NAMES = ("ground", "thing", "sky", "other")
COLOURS = ((128, 64, 128), (70, 70, 70), (70, 130, 180), (0, 0, 0))


def street(size: tuple[int, int]) -> np.ndarray:
    return source.draw_example([5, 1], size)["image"]


@pytest.fixture
def network() -> keras.Model:
    """A small Fast-SCNN from random weights that sees all its classes in the street."""
    keras.utils.set_random_seed(4)
    model = build_fast_scnn(SIZE, NAMES, COLOURS)
    before = keras.Model(model.input, model.get_layer("dropout").output)
    maps = keras.ops.convert_to_numpy(before(street(SIZE)[None]))[0]
    features = maps.reshape(-1, maps.shape[-1])
    # Each class is likelier where another sum of features is above its mean, by about 5.
    kernel = np.random.default_rng(0).normal(size=(features.shape[1], len(NAMES)))
    kernel *= 5 / (features @ kernel).std(axis=0)
    offset = -(features @ kernel).mean(axis=0)
    model.get_layer("logits").set_weights([kernel[None, None], offset])
    return model


@pytest.fixture
def folder(network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a run of the network, which opens as `RUN`."""
    for plan in ("ONE_EXAMPLE", "BATCH"):
        monkeypatch.setattr(timing, plan, timing.Plan(rounds=2, calls=1, settling=0))
    return open_as_run(KIND, tmp_path / "run", monkeypatch, model=network)


@pytest.mark.parametrize(
    ("name", "load"),
    [("onnx", onnx.load), pytest.param("tflite", litert.load, marks=pytest.mark.slow)],
)
def test_exported_ids_are_the_predicted_ones(folder, tmp_path, capsys, name, load) -> None:
    (tmp_path / "in").mkdir()
    for height, width in (SIZE, *OTHER_SIZES):
        picture = Image.fromarray(street((height, width)))
        picture.save(tmp_path / "in" / f"{height}.png")
    words = ["RUN", str(tmp_path / "in"), "--arrays", str(tmp_path / "ids")]
    assert predict.main([*words, "--pictures", str(tmp_path / "painted")]) == 0
    kind = "litert" if name == "tflite" else name
    assert export.main(["RUN", "--network", "classes", "--format", kind]) == 0
    path = folder / "export" / f"classes.{name}"
    answer = load(path)
    for height, width in (SIZE, *OTHER_SIZES):
        ids = np.load(tmp_path / "ids" / f"{height}.png.npy")
        assert np.bincount(ids.ravel(), minlength=len(NAMES)).min() > 0.02 * ids.size
        painted = np.asarray(Image.open(tmp_path / "painted" / f"{height}.png.map.png"))
        np.testing.assert_array_equal(painted, np.array(COLOURS, np.uint8)[ids])
        # At another size a grey level of the squashed picture may be rounded the other way.
        allowed = 0 if (height, width) == SIZE else 0.002
        assert (answer(street((height, width))[None])[0] != ids).mean() <= allowed, height
    if name == "onnx":
        operators = {node.op_type for node in onnx_files.load(path).graph.node}
        assert not {"Softmax", "Exp"} & operators


def test_stretched_probabilities_would_name_other_classes_at_borders(network) -> None:
    """Why predictions stretch logarithms; at the network's size there is nothing to stretch."""
    served, ids = any_size(network), any_size(class_ids(network))
    for size in (SIZE, *OTHER_SIZES):
        pixels = street(size)[None]
        probabilities = keras.ops.convert_to_numpy(served(pixels))
        differing = (
            probabilities.argmax(axis=-1) != keras.ops.convert_to_numpy(ids(pixels))
        ).mean()
        assert differing == 0 if size == SIZE else 0 < differing < 0.01, size
