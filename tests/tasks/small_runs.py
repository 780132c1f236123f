"""A run folder made by hand, around a classifier so small that its answers are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_models.heads import ClassProbabilities
from tasks.cars_finetune import CarsFinetuneConfig
from tasks.common import config as configs

CLASS_NAMES = ("blue", "green", "red")
COLOURS = {"blue": (50, 60, 220), "green": (60, 200, 70), "red": (210, 50, 40)}
HEIGHT, WIDTH = 24, 32


def colour_classifier() -> keras.Model:
    """Calls a picture by the channel that is brightest on average; nothing is trained.

    The logits are ten times the mean of the channels blue, green, red in [0, 1].
    """
    image = keras.Input((HEIGHT, WIDTH, 3), dtype="uint8", name="image")
    pixels = keras.layers.Rescaling(1 / 255, dtype="float32")(image)
    means = keras.layers.GlobalAveragePooling2D()(pixels)
    logits = keras.layers.Dense(3, use_bias=False, name="logits")
    model = keras.Model(image, ClassProbabilities(CLASS_NAMES)(logits(means)))
    logits.set_weights([10 * np.eye(3, dtype="float32")[::-1]])
    return model


def write_picture(path: Path, colour: str, seed: int = 0, size: tuple[int, int] = (48, 40)) -> Path:
    """A noisy picture, width x height `size`, mostly of one colour."""
    noise = np.random.default_rng(seed).normal(0, 25, (size[1], size[0], 3))
    pixels = np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_class_folders(folder: Path, counts: Mapping[str, int]) -> Path:
    """Class folders with so many pictures each, all of their own colour."""
    for name, count in counts.items():
        for number in range(count):
            write_picture(folder / name / f"{number:02d}.png", name, number)
    return folder


def write_run(runs_dir: Path, name: str, data_dir: Path, **options: object) -> Path:
    """A run of `cars_finetune` on class folders, as far as a verb needs it."""
    folder = runs_dir / "cars_finetune" / name
    folder.mkdir(parents=True)
    config = CarsFinetuneConfig(
        run_name=name,
        runs_dir=runs_dir,
        data="folder",
        data_dir=data_dir,
        image_size=(HEIGHT, WIDTH),
        weights="none",
        **{"workers": 2, **options},
    )
    (folder / "config.json").write_text(configs.to_json(config))
    (folder / "environment.json").write_text(json.dumps({"task": "cars_finetune"}))
    colour_classifier().save(folder / "model.keras")
    return folder


def write_metrics(folder: Path, **numbers: float) -> None:
    """The numbers of a report: `test_accuracy=0.9` and so on."""
    metrics: dict[str, dict[str, float]] = {"test": {}, "validation": {}}
    for name, value in numbers.items():
        split, _, metric = name.partition("_")
        metrics[split][metric] = value
    document = {
        "task": "cars_finetune",
        "metrics": metrics,
        "baseline": {"most frequent class": {"accuracy": 0.33}},
        "seconds": {"scratch": 61.0, "evaluation": 2.0, "baselines": 1.0},
        "parameters": 9,
    }
    (folder / "report").mkdir(exist_ok=True)
    (folder / "report" / "metrics.json").write_text(json.dumps(document))


def refused(capsys: pytest.CaptureFixture[str], status: int) -> str:
    """The one sentence of a user's mistake."""
    errors = capsys.readouterr().err
    assert status == 2
    assert errors.count("error: ") == 1
    return errors.partition("error: ")[2]
