"""Panels of a picture with its classes: input, truth, prediction, error."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tasks.common.dense import panels

WRONG, RIGHT = (220, 40, 40), (235, 235, 235)
"""Colours of the error panel; void is black."""

ERROR_TEXT = "In the panel of errors, red is wrong."
HEADINGS = ("input", "truth", "prediction", "error")


def draw(
    colours: Sequence[Sequence[int]],
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], list[np.ndarray]]:
    """How one picture is shown; see `tasks.common.dense.training.Draw`.

    Args:
        colours: RGB in [0, 255] by class id; void is black.
    """

    def panels_of(picture: np.ndarray, truth: np.ndarray, output: np.ndarray) -> list[np.ndarray]:
        true, found = truth[..., 0].astype(np.int64), np.argmax(output, axis=-1)
        valid = (true >= 0) & (true < len(colours))
        error = np.where(valid, true != found, len((RIGHT, WRONG)))
        return [
            np.clip(np.rint(picture), 0, 255).astype(np.uint8),
            panels.paint_classes(true, colours),
            panels.paint_classes(found, colours),
            panels.paint_classes(error, (RIGHT, WRONG)),
        ]

    return panels_of
