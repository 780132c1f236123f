"""How well the classes of pixels are found, counted picture by picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from keras_models.metrics import segmentation
from tasks.common.dense import report

HEADLINE = "mean_iou"

EXPLANATIONS = {
    HEADLINE: "intersection over union at the network's size, counted over all pictures and "
    "averaged over the classes that occur, with the 95 % interval of resampled pictures; frames of "
    "one drive are alike, so another drive may lie outside of it",
    "mean_dice": "2 found / (true + predicted), averaged in the same way",
    "pixel_accuracy": "share of the pixels whose class was found; void does not count",
}


@dataclasses.dataclass(frozen=True)
class PictureCounts:
    """What was found in each picture of a source.

    Attributes:
        matrices: a confusion matrix a picture, int64 (pictures, classes, classes): true class by
            predicted class, without void.
        identifiers: what the source calls the pictures.
    """

    matrices: np.ndarray
    identifiers: tuple[str, ...]

    @property
    def total(self) -> np.ndarray:
        """The confusion matrix of all pictures, int64 (classes, classes)."""
        return self.matrices.sum(axis=0)

    def part(self, chosen: np.ndarray) -> PictureCounts:
        """Those pictures alone; `chosen` is bool (pictures,)."""
        named = tuple(name for name, kept in zip(self.identifiers, chosen, strict=True) if kept)
        return PictureCounts(self.matrices[chosen], named)


def count(
    maps: Iterable[tuple[np.ndarray, np.ndarray]], class_count: int, identifiers: tuple[str, ...]
) -> PictureCounts:
    """Confusion matrices of (true ids, found ids), (height, width) each, picture by picture."""
    matrices = [
        np.asarray(segmentation.confusion_matrix(truth, found, class_count))
        for truth, found in maps
    ]
    return PictureCounts(np.stack(matrices).astype(np.int64), identifiers)


def numbers(counts: PictureCounts) -> dict[str, float]:
    """What the report says of a split: `HEADLINE` with its bounds, and the others."""
    low, high = report.bootstrap(counts.matrices, mean_iou)
    total = counts.total
    return {
        "count": len(counts.matrices),
        HEADLINE: mean_iou(total),
        f"{HEADLINE}_low": low,
        f"{HEADLINE}_high": high,
        "mean_dice": float(segmentation.mean_of_defined(segmentation.dice_scores(total))),
        "pixel_accuracy": float(segmentation.pixel_accuracy(total)),
    }


def mean_iou(matrix: np.ndarray) -> float:
    """Of a confusion matrix, (classes, classes).

    As `mean_of_defined` of `intersection_over_union`, in NumPy: an interval asks a thousand times.
    """
    found = np.diagonal(matrix)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - found
    occurs = union > 0
    return float((found[occurs] / union[occurs]).mean()) if occurs.any() else float("nan")


def by_class(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of each class, float (classes,) each: `iou`, `dice`, `recall`, `precision`; NaN where
    one is not defined.
    """
    found = np.diagonal(matrix).astype(np.float64)
    with np.errstate(invalid="ignore"):
        recall, precision = found / matrix.sum(axis=1), found / matrix.sum(axis=0)
    return {
        "iou": np.asarray(segmentation.intersection_over_union(matrix)),
        "dice": np.asarray(segmentation.dice_scores(matrix)),
        "recall": recall,
        "precision": precision,
    }


def picture_scores(counts: PictureCounts) -> np.ndarray:
    """Mean IoU of each picture over the classes that are in its truth, (pictures,); NaN if none."""
    scores = []
    for matrix in counts.matrices:
        present = matrix.sum(axis=1) > 0
        values = by_class(matrix)["iou"][present]
        scores.append(values.mean() if present.any() else np.nan)
    return np.array(scores)
