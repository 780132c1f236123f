"""What several tests of finished runs and of exports start from."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.tasks.small_classifier import coloured_pictures, trained_classifier
from tests.tasks.small_runs import write_class_folders, write_run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `colours`, 12 pictures of each class, and `runs` with the run `small`."""
    place = tmp_path_factory.mktemp("place")
    data_dir = write_class_folders(place / "colours", {"blue": 12, "green": 12, "red": 12})
    write_run(place / "runs", "small", data_dir, resizing="pad")
    return place


@pytest.fixture
def runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds `runs`, as for a user; gives the run folder of `small`."""
    monkeypatch.chdir(place)
    return place / "runs" / "cars_finetune" / "small"


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    """Two batch normalisations of 16 channels, each behind a convolution without bias."""
    return trained_classifier()


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """70 pictures that the classifier tells apart, uint8."""
    return coloured_pictures(70, seed=2)[0]
