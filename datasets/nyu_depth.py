"""NYU Depth V2 as pairs of files: rgb/NAME.jpg with depth/NAME.png; any such pair of folders.

Silberman, Hoiem, Kohli, Fergus, "Indoor Segmentation and Support Inference from RGBD Images", ECCV
2012. Tensor contract of an example: `image`, uint8 (height, width, 3), RGB; `depth`, float32
(height, width), metres, 0 where it is unknown; `label`, int64, always 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets import images
from datasets.core import DataError, DatasetInfo, Splits, Subset, stratified_split
from datasets.depth_pictures import read_depth, require_scale

PICTURES, DEPTHS = "rgb", "depth"
_PARTS = 3


class DepthPairs:
    """Pictures with depth, each pair two files.

    Args:
        pairs: picture and depth of each example.
        metres_per_unit: of the stored depth; None goes by the bits a pixel, see
            `depth_pictures.METRES_PER_UNIT`.
    """

    def __init__(
        self, pairs: Sequence[tuple[Path, Path]], metres_per_unit: float | None = None
    ) -> None:
        self._pairs = list(pairs)
        self._metres_per_unit = metres_per_unit

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def labels(self) -> np.ndarray:
        """Zeros, int64, shape (len,): nothing groups the pictures."""
        return np.zeros(len(self._pairs), np.int64)

    def identifier(self, index: int) -> str:
        """The path of the picture."""
        return str(self._pairs[index][0])

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The picture and its depth.

        Raises:
            DataError: a file cannot be read, the picture is stored turned, or the two have
                different sizes.
        """
        picture_path, depth_path = self._pairs[index]
        picture = images.read_picture_of_map(picture_path, "depth")
        depth = read_depth(depth_path, self._metres_per_unit)
        if depth.shape != picture.shape[:2]:
            height, width = picture.shape[:2]
            raise DataError(
                f"{depth_path} must have the {width} x {height} pixels of {picture_path}, received "
                f"{depth.shape[1]} x {depth.shape[0]}: replace one of the two."
            )
        return {"image": picture, "depth": depth, "label": np.int64(0)}


def load(
    data_dir: str | Path,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    metres_per_unit: float | None = None,
) -> Splits:
    """Reads the two folders and splits the pairs at random.

    Pictures of NYU Depth V2 that were taken in one room may come into different parts: the copies
    do not say which those are.

    Args:
        data_dir: the folder that holds `rgb` and `depth`.
        validation_fraction: share of the pairs for validation.
        test_fraction: share of the pairs for the test.
        seed: decides which pairs go where.
        metres_per_unit: of the stored depth; None goes by the bits a pixel.

    Raises:
        DataError: a folder is missing, a picture has no depth or a depth no picture, there are too
            few pairs, or the scale is not possible.
    """
    require_scale(metres_per_unit)
    source = read_pairs(data_dir, metres_per_unit)
    if len(source) < _PARTS:
        raise DataError(
            f"{data_dir} must hold at least {_PARTS} pairs, one for each split, received "
            f"{len(source)}: add pairs."
        )
    fractions = (1 - validation_fraction - test_fraction, validation_fraction, test_fraction)
    parts = stratified_split(source.labels, fractions, seed)
    info = DatasetInfo(
        name="nyu_depth",
        class_names=(),
        description=(
            f"{len(source)} pictures with depth; {validation_fraction:.0%} for validation and "
            f"{test_fraction:.0%} for test split off at random, seed {seed}."
        ),
        origin=str(data_dir),
        licence="as the owner of the folder says; NYU Depth V2: for research",
    )
    return Splits(*(Subset(source, part) for part in parts), info=info)


def read_pairs(data_dir: str | Path, metres_per_unit: float | None = None) -> DepthPairs:
    """All pairs of a folder, in the order of their names.

    Raises:
        DataError: a folder is missing, holds no picture, or two pictures of one name; a picture
            has no depth or a depth no picture.
    """
    root = Path(data_dir).expanduser()
    pictures, depths = (_by_name(root / folder, root) for folder in (PICTURES, DEPTHS))
    for present, absent, folder in ((pictures, depths, DEPTHS), (depths, pictures, PICTURES)):
        alone = sorted(set(present) - set(absent))
        if alone:
            raise DataError(
                f"{present[alone[0]]} must have a partner of its name in {root / folder}, received "
                f"none ({len(alone)} such in all): add the partners or remove these files."
            )
    pairs = [(pictures[name], depths[name]) for name in sorted(pictures)]
    return DepthPairs(pairs, metres_per_unit)


def _by_name(folder: Path, root: Path) -> dict[str, Path]:
    """The pictures of a folder by their place in it without the suffix."""
    if not folder.is_dir():
        raise DataError(
            f"{root} must hold the folders {PICTURES} and {DEPTHS}, received none called "
            f"{folder.name}: name the folder that holds the two."
        )
    found: dict[str, Path] = {}
    for path in images.list_pictures(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise DataError(
                f"{folder} must hold one picture of a name, received {found[name].name} and "
                f"{path.name}: remove one."
            )
        found[name] = path
    if not found:
        raise DataError(f"{folder} must hold pictures, received none: put them there.")
    return found
