"""Tiny copies of CamVid in the layout of the public ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (12, 16)
SEQUENCES: Mapping[str, Sequence[str]] = {
    "train": [
        *(f"0001TP_{number:06d}" for number in range(6690, 6990, 30)),
        *(f"0006R0_f{number:05d}" for number in range(930, 1530, 30)),
    ],
    "val": [f"0016E5_{number:05d}" for number in range(7959, 7969, 2)],
    "test": [f"Seq05VD_f{number:05d}" for number in range(0, 120, 30)],
}


def write_camvid(
    root: Path,
    splits: Sequence[str] = ("train", "val", "test"),
    suffix: str = ".png",
    lists: bool = True,
) -> Path:
    """Folders, masks and lists; a mask has the ids 0 to 11 in its first columns."""
    for split in splits:
        pictures, masks = root / split, root / f"{split}annot"
        pictures.mkdir(parents=True)
        masks.mkdir()
        lines = []
        for number, name in enumerate(SEQUENCES[split]):
            picture = np.full((*SIZE, 3), 10 * number % 256, np.uint8)
            Image.fromarray(picture).save(pictures / f"{name}{suffix}")
            Image.fromarray(mask_of(number)).save(masks / f"{name}.png")
            # The public lists say .png, whatever the pictures were converted to.
            lines.append(
                f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png"
            )
        if lists:
            (root / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return root


def mask_of(number: int) -> np.ndarray:
    """Columns of the ids 0 to 11, below a row of one id that tells pictures apart."""
    mask = np.tile(np.minimum(np.arange(SIZE[1]), 11).astype(np.uint8), (SIZE[0], 1))
    mask[0] = number % 11
    return mask
