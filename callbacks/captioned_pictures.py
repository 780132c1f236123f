"""Pictures with captions, in one sheet.

Tensor contract: pictures are uint8 or float, range [0, 255], shape (height, width, 1 or 3), RGB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CAPTION_SIZE = 12
LINE_HEIGHT = 15
MARGIN = 4
BLACK = (0, 0, 0)


def contact_sheet(
    pictures: np.ndarray,
    captions: Sequence[str] | None = None,
    colours: Sequence[tuple[int, int, int]] | None = None,
    columns: int | None = None,
    minimum_size: int = 160,
) -> np.ndarray:
    """One picture that shows all `pictures` in rows, each with its caption below.

    Drawn with Pillow, which takes milliseconds where a plotting library takes a second.

    Args:
        pictures: shape (n, height, width, 1 or 3), range [0, 255]; n at least 1.
        captions: n texts of one or more lines; a line too long for its picture is cut.
        colours: RGB colours of the captions, each in [0, 255]; black by default.
        columns: pictures in a row; by default about as many as there are rows.
        minimum_size: smaller pictures are enlarged to this width in pixels, so that captions
            fit.

    Returns:
        uint8, shape (sheet height, sheet width, 3).

    Raises:
        ValueError: the shape of `pictures` is another, or the counts differ.
    """
    pictures = as_uint8(pictures)
    captions = captions if captions is not None else [""] * len(pictures)
    colours = colours if colours is not None else [BLACK] * len(pictures)
    if not len(pictures) == len(captions) == len(colours) > 0:
        raise ValueError(
            "There must be as many captions and colours as pictures, and at least one picture. "
            f"Received: {len(pictures)} pictures, {len(captions)} captions, {len(colours)} colours"
        )
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    lines = max(len(caption.splitlines()) for caption in captions)
    width = max(minimum_size, pictures.shape[2])
    height = round(pictures.shape[1] * width / pictures.shape[2])
    cell_width, cell_height = width + 2 * MARGIN, height + 2 * MARGIN + lines * LINE_HEIGHT
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * cell_width, rows * cell_height), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(CAPTION_SIZE)
    for index, (picture, caption, colour) in enumerate(
        zip(pictures, captions, colours, strict=True)
    ):
        left = index % columns * cell_width + MARGIN
        top = index // columns * cell_height + MARGIN
        sheet.paste(Image.fromarray(picture).resize((width, height)), (left, top))
        text = "\n".join(_fitting(line, font, width) for line in caption.splitlines())
        draw.multiline_text((left, top + height + 1), text, fill=colour, font=font, spacing=1)
    return np.asarray(sheet)


def as_uint8(pictures: np.ndarray) -> np.ndarray:
    """Pictures as uint8 RGB: rounded and clipped to [0, 255], one channel repeated to three.

    Raises:
        ValueError: the shape is not (n, height, width, 1 or 3).
    """
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or pictures.shape[-1] not in (1, 3):
        raise ValueError(
            f"`pictures` must have shape (n, height, width, 1 or 3). Received: {pictures.shape}"
        )
    if pictures.dtype != np.uint8:
        pictures = np.clip(np.rint(pictures.astype(np.float32)), 0, 255).astype(np.uint8)
    return np.repeat(pictures, 3, axis=-1) if pictures.shape[-1] == 1 else pictures


def _fitting(line: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """`line`, cut with an ellipsis to `width` pixels."""
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "...") > width:
        line = line[:-1]
    return line + "..."
