"""Runs around networks for dense prediction so small that their maps are known."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from scipy import ndimage

from datasets import core
from datasets.core import DataError
from keras_models.map_output import MapOutput, map_layer
from tasks.common import saved_run
from tasks.common.dense import panels
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.verbs import dense_verbs
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import SavedRun

HEIGHT, WIDTH = 24, 32
CLASS_NAMES = ("red", "green", "blue")
COLOURS = ((220, 40, 40), (40, 180, 60), (40, 70, 220))


def brightest_channel() -> keras.Model:
    """Classes by the brightest channel of each pixel: softmax of twenty times its share."""
    image = keras.Input((HEIGHT, WIDTH, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(20 / 255)(image)
    same = keras.layers.DepthwiseConv2D(1, use_bias=False, depthwise_initializer="ones")
    x = keras.layers.BatchNormalization(epsilon=0.0, name="normalised")(same(x))
    x = keras.layers.Softmax()(x)
    return keras.Model(image, MapOutput(CLASS_NAMES, "probability", COLOURS)(x))


def brightness(factor: float = 10.0) -> keras.Model:
    """A distance: the mean brightness over 2 x 2 pixels, from 0 to `factor` metres."""
    image = keras.Input((HEIGHT, WIDTH, 3), dtype="uint8", name="image")
    x = keras.layers.AveragePooling2D(2)(keras.layers.Rescaling(factor / 255)(image))
    mean = keras.initializers.Constant(1 / 3)
    x = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer=mean)(x)
    return keras.Model(image, MapOutput(("depth",), "m")(x))


def shares(model: keras.Model, output: np.ndarray) -> dict[str, float | str]:
    counts = np.bincount(output.argmax(axis=-1).ravel(), minlength=len(CLASS_NAMES))
    found = {
        f"{name} share": float(n / counts.sum())
        for name, n in zip(CLASS_NAMES, counts, strict=True)
    }
    return {"most": CLASS_NAMES[int(counts.argmax())], **found}


def cloud(
    model: keras.Model, picture: np.ndarray, output: np.ndarray, focal: float | None
) -> bytes:
    return f"{picture.shape} {output.shape} {focal}".encode()


CLASSES = DenseKind(
    measure=lambda saved, source, batch_size: {"mean_iou": 0.5, "count": float(len(source))},
    outside_examples=lambda saved, place, split, skip_bad: Pictures(3, 7),
    paint=lambda model, output: panels.paint_classes(
        output.argmax(axis=-1), map_layer(model).colours
    ),
    describe=shares,
    metric="mean_iou",
    output="probabilities",
)
DEPTH = DenseKind(
    measure=lambda saved, source, batch_size: {"rmse": 0.5, "count": float(len(source))},
    outside_examples=lambda saved, place, split, skip_bad: Pictures(3, 7),
    paint=lambda model, output: panels.paint_quantity(output[..., 0], 0, 10),
    describe=lambda model, output: {
        "nearest": float(output.min()),
        "mean": float(output.mean()),
        "pixels": output.size,
    },
    metric="rmse",
    output="maps",
    networks={"double": lambda saved: brightness(20.0)},
    point_cloud=cloud,
)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth blobs of colour, uint8 (height, width, 3)."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (height / 10, width / 10, 0))
    return np.clip(127 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Pictures with their group, all 0."""

    count: int
    seed: int

    def __len__(self) -> int:
        return self.count

    def example(self, index: int) -> dict[str, np.ndarray]:
        image = picture(30, 50, 100 * self.seed + index)
        return {"image": image, "label": np.int64(0)}

    def identifier(self, index: int) -> str:
        return f"picture {index}"

    @property
    def labels(self) -> np.ndarray:
        return np.zeros(self.count, np.int64)


def open_as_run(
    kind: DenseKind,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    with_data: bool = True,
    model: keras.Model | None = None,
) -> Path:
    """Makes `RUN` a run of the kind, in a new folder; of the model, or of a small one."""
    if model is None:
        model = brightest_channel() if kind.output == "probabilities" else brightness()
    folder.mkdir()
    model.save(folder / "model.keras")

    def load_data(config: object) -> core.Splits:
        if not with_data:
            raise DataError("the pictures are gone.")
        return core.Splits(Pictures(12, 1), Pictures(6, 2), Pictures(4, 3), info=None)

    task = SimpleNamespace(name="maps", verbs=lambda: dense_verbs(kind), load_data=load_data)
    config = SimpleNamespace(seed=0, workers=2, resizing="squash")
    saved = SavedRun(RunFolder(folder), task, config, model)
    monkeypatch.setattr(saved_run, "open_run", lambda name, runs_dir: saved)
    return folder
