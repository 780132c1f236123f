"""Every training option runs through to a report, each in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tasks.processes import TINY, run

TASK = "tasks.cars_finetune"

OPTIONS = {
    "one cycle, sgd": ("--schedule", "one_cycle", "--optimizer", "sgd"),
    "plateau, adamw": ("--schedule", "plateau", "--optimizer", "adamw", "--weight-decay", "0.01"),
    "inverse time, clipped": ("--schedule", "inverse_time", "--clip-norm", "0.001"),
    "cutmix, smoothing": ("--mixing", "cutmix", "--label-smoothing", "0.1"),
    "weights of classes": ("--class-weights", "--limit", "20"),
    "every augmentation": ("--augment", "crop", "flip", "colour", "rand_augment", "erase"),
    "moving average": ("--ema-momentum", "0.9", "--accumulate-steps", "2"),
    "bfloat16": ("--mixed-precision",),
    "XLA": ("--xla", "--no-deterministic"),
    "automatic batch": ("--batch-size", "auto"),
    "padded, profiled": ("--resizing", "pad", "--profile", "--patience", "1"),
    "cropped, not deterministic": ("--resizing", "crop", "--no-deterministic"),
    "dry": ("--dry-run", "--schedule", "one_cycle"),
}


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_option_runs_through(tmp_path: Path, options: tuple[str, ...]) -> None:
    words = [*TINY, "--scratch-epochs", "2", *options, "--run-name", "run"]
    result = run(tmp_path, TASK, *words)
    folder = tmp_path / "runs" / "cars_finetune" / "run"
    metrics = json.loads((folder / "report" / "metrics.json").read_text())
    assert metrics["metrics"]["test"]["count"] == 16
    assert "Traceback" not in result.stderr
    config = json.loads((folder / "config.json").read_text())
    assert config["scratch_epochs"] == 2


@pytest.mark.slow
def test_learning_rate_search_draws_and_proposes(tmp_path: Path) -> None:
    result = run(tmp_path, TASK, *TINY, "--find-learning-rate")
    assert "Proposed learning rate" in result.stdout
    assert (tmp_path / "runs" / "cars_finetune" / "learning_rate_finder.png").stat().st_size > 5000
    assert not list((tmp_path / "runs" / "cars_finetune").glob("*/model.keras"))


@pytest.mark.slow
def test_real_photographs_with_real_weights(
    tmp_path: Path, shared_data: Path, shared_weights: Path
) -> None:
    weights = next(shared_weights.glob("mobilenet_v2*.h5"))
    data = ("--data", "stanford_cars", "--data-dir", str(shared_data / "stanford_cars_mini"))
    network = ("--backbone", "MobileNetV2", "--weights", str(weights))
    run(
        tmp_path,
        TASK,
        *data,
        *network,
        *("--image-size", "96", "96", "--head-epochs", "6", "--tail-epochs", "0"),
        *("--head-learning-rate", "3e-3", "--run-name", "photographs"),
    )
    folder = tmp_path / "runs" / "cars_finetune" / "photographs"
    metrics = json.loads((folder / "report" / "metrics.json").read_text())
    # The head alone, on small pictures: far above chance (5 %), so the weights were really used.
    assert metrics["metrics"]["test"]["accuracy"] > 0.3
    assert metrics["baseline"]["linear classifier on frozen MobileNetV2 features"]["accuracy"] > 0.3
    result = run(tmp_path, "tasks.evaluate", "latest")
    assert f"{100 * metrics['metrics']['test']['accuracy']:.1f} %" in result.stdout
