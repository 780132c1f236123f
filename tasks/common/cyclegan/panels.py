"""Pictures and depth maps, translated both ways, as panels to look at."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from keras_models.depth_scale import SharesToMetres, metres_to_shares
from tasks.common.dense.panels import below, beside, paint_difference, paint_quantity

COLOUR_MAP = "magma_r"
# Errors of this share of the scale and more have the full colour.
ERROR_LIMIT = 0.5
HEADINGS = ("input", "truth", "prediction", "error")
CYCLE_HEADINGS = (
    "picture",
    "its depth",
    "picture again",
    "depth",
    "its picture",
    "depth again",
)


@dataclasses.dataclass(frozen=True)
class Translations:
    """Some pictures and depth maps, what each becomes, and what that becomes again.

    Attributes:
        pictures: uint8 (n, height, width, 3), from the data.
        metres: float32 (n, height, width, 1), from the data.
        generated_metres: depth of the pictures.
        pictures_again: pictures of that depth.
        generated_pictures: pictures of the depth maps.
        metres_again: depth of those pictures.
    """

    pictures: np.ndarray
    metres: np.ndarray
    generated_metres: np.ndarray
    pictures_again: np.ndarray
    generated_pictures: np.ndarray
    metres_again: np.ndarray


def both_ways(
    to_depth: keras.Model, to_picture: keras.Model, pictures: np.ndarray, metres: np.ndarray
) -> Translations:
    """Translates pictures and depth maps by the saved models, there and back.

    Between the two a picture is rounded to uint8, as a file would hold it.
    """
    generated_metres = to_depth.predict_on_batch(pictures)
    generated_pictures = _levels(to_picture.predict_on_batch(metres))
    return Translations(
        pictures=pictures,
        metres=metres,
        generated_metres=generated_metres,
        pictures_again=_levels(to_picture.predict_on_batch(generated_metres)),
        generated_pictures=generated_pictures,
        metres_again=to_depth.predict_on_batch(generated_pictures),
    )


def scale_of(picture_to_depth: keras.Model) -> SharesToMetres:
    """The scale of depth that a saved model keeps.

    Raises:
        ValueError: it keeps none.
    """
    for layer in picture_to_depth.layers:
        if isinstance(layer, SharesToMetres):
            return layer
    raise ValueError(
        f"The model must have a layer SharesToMetres. Received: {picture_to_depth.name!r}"
    )


def to_shares(metres: np.ndarray, scale: SharesToMetres) -> np.ndarray:
    """Metres on a model's scale, float32 in [0, 1]; 0 metres are far."""
    shares = metres_to_shares(metres, scale.kind, scale.nearest, scale.largest)
    return keras.ops.convert_to_numpy(shares)


def paint_depth(metres: np.ndarray, scale: SharesToMetres) -> np.ndarray:
    """Depth, (height, width, 1), in colours: near is light, far is dark."""
    return paint_quantity(to_shares(metres, scale)[..., 0], 0.0, 1.0, COLOUR_MAP)


def draw(
    picture: np.ndarray, truth: np.ndarray, predicted: np.ndarray, scale: SharesToMetres
) -> list[np.ndarray]:
    """One picture, its true and its generated depth, and the error: as many as `HEADINGS`."""
    error = to_shares(predicted, scale) - to_shares(truth, scale)
    return [
        picture,
        paint_depth(truth, scale),
        paint_depth(predicted, scale),
        paint_difference(error[..., 0], ERROR_LIMIT),
    ]


def cycles(translated: Translations, scale: SharesToMetres) -> list[list[np.ndarray]]:
    """Of each picture and its depth both cycles: as many panels as `CYCLE_HEADINGS`."""
    return [
        [
            translated.pictures[k],
            paint_depth(translated.generated_metres[k], scale),
            translated.pictures_again[k],
            paint_depth(translated.metres[k], scale),
            translated.generated_pictures[k],
            paint_depth(translated.metres_again[k], scale),
        ]
        for k in range(len(translated.pictures))
    ]


def sheet(translated: Translations, scale: SharesToMetres) -> np.ndarray:
    """A row for each picture, for TensorBoard, uint8 (height, width, 3): input, truth, prediction
    and error; the picture again, from its prediction; a picture of the truth, and its depth again.
    """
    headings = (*HEADINGS, "picture again", "truth's picture", "depth again")
    rows = []
    for k, (_, _, picture_again, _, generated_picture, depth_again) in enumerate(
        cycles(translated, scale)
    ):
        compared = draw(
            translated.pictures[k], translated.metres[k], translated.generated_metres[k], scale
        )
        row = [*compared, picture_again, generated_picture, depth_again]
        rows.append(beside(row, headings if k == 0 else ()))
    return below(rows)


def _levels(pictures: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
