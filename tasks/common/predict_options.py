"""The options of `tasks.predict`, which the answers of every kind of task are made for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro


@dataclasses.dataclass(frozen=True)
class PredictOptions:
    """Answer with the model of a run: for pictures, one by one or in folders, or other files."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """A run folder, the name of a run, or `latest`."""
    paths: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="PATHS")]
    """For a run on pictures: picture files, and folders, which are searched to the bottom; where
    the answers are maps, videos as well. For another: files of its examples, as its task says."""
    top: int = 3
    """So many of the most probable classes are shown, where the model gives classes."""
    json: Path | None = None
    """File for the answers, one JSON object a line; ends in .json or .jsonl."""
    csv: Path | None = None
    """File for everything that the model says, such as the probabilities of all classes; ends in
    .csv."""
    pictures: Path | None = None
    """Folder for copies of the pictures with the answers drawn on or below them; where the answers
    are maps, NAME.map.png and NAME.overlay.png for each picture, and videos for videos."""
    arrays: Path | None = None
    """Where the answers are maps: folder for NAME.npy at the size of each picture: class ids, uint8
    (height, width), or quantities, float32 (height, width, channels)."""
    point_cloud: Path | None = None
    """Where the answers are distances: folder for NAME.ply, the pixels of each picture in space."""
    focal_length: float | None = None
    """For --point-cloud: focal length of the camera in pixels of the given pictures; 0.81 of their
    width, as the camera of NYU Depth V2 has, when not given."""
    batch_size: int = 32
    """Examples answered at once."""
    runs_dir: Path = Path("runs")
    """Folder that holds the run folders of all tasks."""
