"""Which colour is which class."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from tasks.common import annotated_pictures
from tasks.common.wording import shorten

_LINE, _FONT, _MARGIN = 32, 19, 8
_LONGEST_NAME = 40


def drawn(names: Sequence[str], colours: Sequence[Sequence[int]]) -> Image.Image:
    """A line per class: a patch of its colour and its name.

    Args:
        names: of the classes, in order of their ids.
        colours: RGB in [0, 255], as many.
    """
    font = annotated_pictures.text_font(_FONT)
    texts = [shorten(name, _LONGEST_NAME) for name in names]
    patch = 2 * _LINE
    width = patch + 3 * _MARGIN + max(round(font.getlength(text)) for text in texts)
    page = Image.new("RGB", (width, _LINE * len(texts) + _MARGIN), annotated_pictures.PAPER)
    pencil = ImageDraw.Draw(page)
    for number, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        top = _MARGIN + number * _LINE
        box = (_MARGIN, top, _MARGIN + patch, top + _LINE - _MARGIN)
        pencil.rectangle(box, fill=tuple(colour), outline=annotated_pictures.INK)
        place = (patch + 2 * _MARGIN, top + (_LINE - _MARGIN) / 2)
        pencil.text(place, text, annotated_pictures.INK, font, anchor="lm")
    return page
