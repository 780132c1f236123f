"""Painting of flat faces, boxes and lines in space on a picture that is reduced at the end."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from datasets.rendered.camera import Camera
from datasets.rendered.shapes import BOX_SIDES, box_corners

Colour = tuple[int, int, int]


def scaled(colour: Sequence[float], factor: float) -> Colour:
    """A colour made darker (factor < 1) or lighter (factor > 1), clipped to [0, 255]."""
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


def blended(first: Sequence[float], second: Sequence[float], share: float) -> Colour:
    """A mixture of two colours: `share` of the second, the rest of the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def gradient(size: tuple[int, int], top: Sequence[float], bottom: Sequence[float]) -> Image.Image:
    """A picture of (width, height) pixels whose colour runs from `top` to `bottom`."""
    column = np.linspace(top, bottom, max(2, size[1])).clip(0, 255).astype(np.uint8)
    return Image.fromarray(column[:, None, :]).resize(size)


@dataclasses.dataclass(frozen=True)
class Light:
    """Sun and sky, in the car's frame.

    Attributes:
        sun: direction towards the sun, unit vector, shape (3,).
        ambient: brightness of a face turned away from the sun.
        diffuse: brightness that the sun adds to a face turned towards it.
    """

    sun: np.ndarray
    ambient: float
    diffuse: float

    def on(self, normals: np.ndarray) -> np.ndarray:
        """Brightness of faces with these unit normals (Lambert's law): (..., 3) to (...)."""
        return self.ambient + self.diffuse * np.maximum(0.0, normals @ self.sun)


@dataclasses.dataclass(frozen=True)
class Canvas:
    """A picture, the camera that looks into its space, and the light there.

    Attributes:
        image: RGB picture, painted in place.
        camera: maps points in space, metres, to pixels.
        light: gives the shade of boxes.
    """

    image: Image.Image
    camera: Camera
    light: Light

    @functools.cached_property
    def pencil(self) -> ImageDraw.ImageDraw:
        """Pillow's drawing tool on the picture."""
        return ImageDraw.Draw(self.image)

    def face(self, points: np.ndarray, colour: Colour) -> None:
        """Fills a polygon in space, shape (n, 3)."""
        self.pencil.polygon(self.camera.project(points).ravel().tolist(), fill=colour)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        """Draws a line in space, shape (n, 3), `width` metres thick and at least one pixel."""
        self.pencil.line(
            self.camera.project(points).ravel().tolist(),
            fill=colour,
            width=max(1, round(width * self.pixels_per_metre)),
            joint="curve",
        )

    def shaded_face(self, points: np.ndarray, top: Colour, bottom: Colour) -> None:
        """Fills a polygon in space with a colour that runs down the picture."""
        pixels = self.camera.project(points)
        low = np.floor(pixels.min(axis=0)).astype(int)
        size = np.ceil(pixels.max(axis=0)).astype(int) - low + 1
        mask = Image.new("L", (int(size[0]), int(size[1])))
        ImageDraw.Draw(mask).polygon((pixels - low).ravel().tolist(), fill=255)
        corner = (int(low[0]), int(low[1]))
        self.image.paste(gradient(mask.size, top, bottom), corner, mask)

    def box(self, lower: Sequence[float], upper: Sequence[float], colour: Sequence[float]) -> None:
        """Paints the visible sides of an upright box between two opposite corners."""
        corners = box_corners(lower, upper)
        normals = np.array([normal for _, normal in BOX_SIDES])
        seen = self.camera.sees(normals, np.array([corners[side[0]] for side, _ in BOX_SIDES]))
        brightness = self.light.on(normals)
        for (side, _), visible, factor in zip(BOX_SIDES, seen, brightness, strict=True):
            if visible:
                self.face(corners[list(side)], scaled(colour, factor))

    def darken(self, polygons: Sequence[np.ndarray], strength: float, blur: float) -> None:
        """Darkens the picture under polygons in space; a shadow with soft edges.

        Args:
            polygons: each of shape (n, 3).
            strength: share of the light that is taken away, in [0, 1].
            blur: softness of the edge, metres.
        """
        mask = Image.new("L", self.image.size, 255)
        for polygon in polygons:
            ImageDraw.Draw(mask).polygon(
                self.camera.project(polygon).ravel().tolist(), fill=round(255 * (1 - strength))
            )
        mask = mask.filter(ImageFilter.BoxBlur(float(blur * self.pixels_per_metre)))
        darker = ImageChops.multiply(self.image, Image.merge("RGB", (mask, mask, mask)))
        self.image.paste(darker)

    @property
    def pixels_per_metre(self) -> float:
        """Size of a metre in the middle of the car, in pixels."""
        return self.camera.focal / self.camera.distance
