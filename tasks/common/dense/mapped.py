"""A picture, or a frame of a video, with the map that answers it, at the picture's own size."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import PurePath

import keras
import numpy as np
from PIL import Image

from datasets import images
from tasks.common.answers import Answer
from tasks.common.dense import own_size, panels
from tasks.common.dense.answers import FrameAnswer
from tasks.common.dense.kind import DenseKind


@dataclasses.dataclass(frozen=True, eq=False)
class Mapped:
    """What the writers of answers take; what only some of them need is computed once, when asked.

    Attributes:
        answer: what the model says of the picture, float32 (H', W', channels).
        model: the model.
        kind: of its answers.
    """

    answer: Answer
    model: keras.Model
    kind: DenseKind

    @property
    def frame(self) -> int | None:
        """Number of the frame, from 0; None where it is a picture."""
        return self.answer.frame if isinstance(self.answer, FrameAnswer) else None

    @property
    def place(self) -> PurePath:
        """Where copies lie below a folder: the name of the picture, or of the video and frame."""
        place = self.answer.picture.place
        return place if self.frame is None else place / f"{self.frame:06d}"

    @functools.cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture, in pixels.

        Raises:
            DataError: the file cannot be read any more.
        """
        if self.frame is None:
            return images.picture_size(self.answer.picture.path)
        return self.answer.pixels.shape[:2]

    @functools.cached_property
    def pixels(self) -> np.ndarray:
        """The picture, uint8 (height, width, 3), RGB.

        Raises:
            DataError: the file cannot be read any more.
        """
        if self.frame is None:
            return images.read_picture(self.answer.picture.path)
        return self.answer.pixels

    @functools.cached_property
    def described(self) -> dict[str, float | int | str]:
        """A few numbers or words about the picture, by name."""
        return self.kind.describe(self.model, self.answer.output)

    @property
    def held_size(self) -> tuple[int, int]:
        """The picture's size, or a smaller one at which a whole map may be held in memory."""
        return own_size.allowed_size(self.size, self.answer.output.shape[-1])

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """What is stretched to the picture's size, float32 (H', W', channels).

        Quantities as they are, and of classes the logarithms of their probabilities. Those are the
        logits minus a number that all classes of a pixel share, so the class that is largest
        between pixels is the one that the exported `classes` gives, which has no softmax
        (`keras_models.any_size.class_ids`).
        """
        output = self.answer.output
        if self.kind.output != "probabilities":
            return output
        # A class that rounding left with no probability at all: between pixels that must not be
        # minus infinity.
        return np.log(np.maximum(output, np.finfo(output.dtype).tiny))

    @property
    def held(self) -> np.ndarray:
        """The whole `scores` at `held_size`, float32 (height, width, channels)."""
        return own_size.stretched(self.scores, self.held_size)

    @functools.cached_property
    def painted(self) -> np.ndarray:
        """The map in colours, uint8 (height, width, 3), of the picture's size."""
        painted = self.kind.paint(self.model, self.held)
        if painted.shape[:2] == self.size:
            return painted
        image = Image.fromarray(painted).resize(self.size[::-1], Image.Resampling.NEAREST)
        return np.asarray(image)

    @property
    def overlaid(self) -> np.ndarray:
        """The picture with its map laid over it, uint8 (height, width, 3)."""
        return panels.overlay(self.pixels, self.painted)


WriteMapped = Callable[[Mapped], None]
