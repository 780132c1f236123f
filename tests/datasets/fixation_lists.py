"""Pictures with lists of fixations, written in the form that the project reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

HEADER = "image,subject,x,y,latency_s,duration_s"


def write_list(folder: Path, rows: Sequence[str], header: str = HEADER) -> Path:
    """`fixations.csv` of these rows below the header."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fixations.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def write_pictures(folder: Path, names: Sequence[str], size: tuple[int, int] = (30, 40)) -> None:
    """Pictures of random pixels of (height, width) below `images`."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / name)


def write_data(folder: Path, count: int, size: tuple[int, int] = (30, 40)) -> Path:
    """`count` pictures with five fixations of each of four observers, around the middle."""
    names = [f"{number:03d}.png" for number in range(count)]
    write_pictures(folder, names, size)
    rng = np.random.default_rng(7)
    rows = []
    for name in names:
        for observer in range(4):
            for step in range(5):
                x, y = np.clip(rng.normal(0.5, 0.2, 2), 0, 0.99) * (size[1], size[0])
                rows.append(f"{name},{observer},{x:.2f},{y:.2f},{0.3 * (step + 1):.2f},0.2")
    write_list(folder, rows)
    return folder
