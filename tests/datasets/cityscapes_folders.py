"""Tiny copies of Cityscapes in the layout of the archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CITIES = {"train": ("aachen", "bochum", "bremen", "ulm"), "val": ("lindau",)}


def write_cityscapes(root: Path) -> Path:
    """Three pictures a city; the masks have the ids 0 to 33 in their first 34 columns."""
    for folder, cities in CITIES.items():
        for city in cities:
            for kind in ("leftImg8bit", "gtFine"):
                (root / kind / folder / city).mkdir(parents=True)
            for number in range(3):
                name = f"{city}_{number:06d}_000019"
                picture = np.full((6, 40, 3), 50 * number, np.uint8)
                path = root / "leftImg8bit" / folder / city / f"{name}_leftImg8bit.png"
                Image.fromarray(picture).save(path)
                mask = np.tile(np.minimum(np.arange(40), 33).astype(np.uint8), (6, 1))
                path = root / "gtFine" / folder / city / f"{name}_gtFine_labelIds.png"
                Image.fromarray(mask).save(path)
                # The archive has colours beside the ids; they are not read.
                Image.fromarray(picture).save(path.with_name(f"{name}_gtFine_color.png"))
    return root
