"""From points on a picture to shares of the frame that a network sees, and back.

The network sees the whole picture in the middle of a frame of its own proportions, with black at
two sides (`pipeline.resize` with `pad`), so that a face is not stretched: but for the rounding of
one pixel, distances measured in the frame are those of the picture times one factor.
"""

from __future__ import annotations

import numpy as np


def to_shares(
    points: np.ndarray, picture_size: tuple[int, int], image_size: tuple[int, int]
) -> np.ndarray:
    """Pixels of a picture to shares of the frame; (0, 0), which is missing, stays.

    Args:
        points: (..., 2), x and y in pixels.
        picture_size: height and width of the picture, in pixels.
        image_size: height and width of what the network sees.

    Returns:
        float32, the same shape; in [0, 1] for points on the picture.
    """
    offset, frame = _frame(picture_size, image_size)
    missing = ~points.any(axis=-1, keepdims=True)
    return np.where(missing, 0.0, (points + offset) / frame).astype(np.float32)


def to_pixels(
    shares: np.ndarray, picture_size: tuple[int, int], image_size: tuple[int, int]
) -> np.ndarray:
    """The reverse of `to_shares` for predictions, of which none is missing; float32."""
    offset, frame = _frame(picture_size, image_size)
    return (shares * frame - offset).astype(np.float32)


def _frame(
    picture_size: tuple[int, int], image_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Where the picture lies in its frame, and the frame's size: x and y, in its own pixels.

    `keras.ops.image.resize` pads both sides by the same number of whole pixels, rounded down.
    """
    height, width = picture_size
    tall = max(height, width * image_size[0] // image_size[1])
    wide = max(width, height * image_size[1] // image_size[0])
    offset = np.array([(wide - width) // 2, (tall - height) // 2], np.float32)
    return offset, np.array([width, height], np.float32) + 2 * offset
