"""Painting of a face part by part, from the back to the front.

Every part is given by points in the face's own plane (`face_shape`), which are laid on the rounded
head and seen by the pose. What covers parts of the face is painted twice: on the picture, and on a
mask that then tells which points are hidden.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from datasets.rendered.canvas import Colour, blended, scaled
from datasets.rendered.face_look import FaceLook
from datasets.rendered.face_shape import FaceShape, Pose, jaw_line, lifted_to_face
from datasets.rendered.shapes import rounded

_FOREHEAD = -0.82


@dataclasses.dataclass(frozen=True)
class FaceCanvas:
    """A picture, the mask of what covers the face, and the pose that sees both.

    Attributes:
        image: RGB picture, painted in place.
        cover: grey picture of the same size; not 0 where something lies over the face.
        pose: maps points in space to pixels.
    """

    image: Image.Image
    cover: Image.Image
    pose: Pose

    @functools.cached_property
    def pencil(self) -> ImageDraw.ImageDraw:
        """Pillow's drawing tool on the picture."""
        return ImageDraw.Draw(self.image)

    @functools.cached_property
    def mask_pencil(self) -> ImageDraw.ImageDraw:
        """Pillow's drawing tool on the mask."""
        return ImageDraw.Draw(self.cover)

    def pixels(self, plane: np.ndarray) -> list[float]:
        """Points of the face's plane, (n, 2), laid on the head and seen: x, y, x, y, ..."""
        return self.pose.project(lifted_to_face(np.asarray(plane, float))).ravel().tolist()

    def behind(self, plane: np.ndarray, depth: float) -> list[float]:
        """The same for points on a plane behind the front of the face."""
        plane = np.asarray(plane, float)
        return (
            self.pose.project(np.column_stack([plane, np.full(len(plane), -depth)]))
            .ravel()
            .tolist()
        )

    def width(self, share: float) -> int:
        """A line's width in pixels: a share of half the face's width, at least one."""
        return max(1, round(share * self.pose.scale))

    def covering(self, pixels: Sequence[float], colour: Colour) -> None:
        """Fills a polygon of pixels on the picture and on the mask."""
        self.pencil.polygon(pixels, fill=colour)
        self.mask_pencil.polygon(pixels, fill=255)


def paint_face(canvas: FaceCanvas, shape: FaceShape, points: np.ndarray, look: FaceLook) -> None:
    """The head with all that belongs to it; `points` are those of `face_shape.face_points`."""
    pixels = canvas.pose.project(points)
    _paint_behind(canvas, shape, look)
    _paint_skin(canvas, shape, look)
    _paint_beard(canvas, shape, look)
    _paint_brows(canvas, pixels, look)
    _paint_eyes(canvas, pixels, look)
    _paint_nose(canvas, pixels, look)
    _paint_mouth(canvas, pixels, look)
    _paint_hair(canvas, look)
    _paint_glasses(canvas, shape, look)
    if look.hand is not None:
        _paint_hand(canvas, look)


def _ellipse(x: float, y: float, width: float, height: float) -> np.ndarray:
    """Points on an ellipse around (x, y) with these half axes, (24, 2)."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.column_stack([x + width * np.cos(angles), y + height * np.sin(angles)])


def _paint_behind(canvas: FaceCanvas, shape: FaceShape, look: FaceLook) -> None:
    """Shoulders, neck, ears, and the hair that hangs behind."""
    pencil, low = canvas.pencil, shape.length
    if look.hair_style == "long":
        falling = [(-1.12, -0.3), (-1.2, low + 0.35), (1.2, low + 0.35), (1.12, -0.3)]
        pencil.polygon(canvas.behind(rounded(falling), 0.35), fill=scaled(look.hair, 0.7))
    neck = [(-0.5, 0.6), (-0.55, low + 0.6), (0.55, low + 0.6), (0.5, 0.6)]
    pencil.polygon(canvas.behind(neck, 0.3), fill=scaled(look.skin, 0.72))
    body = [
        (-0.55, low + 0.35),
        (-1.7, low + 0.75),
        (-2.1, 5),
        (2.1, 5),
        (1.7, low + 0.75),
        (0.55, low + 0.35),
    ]
    pencil.polygon(canvas.behind(rounded(body), 0.4), fill=look.shirt)
    for side in (-1, 1):
        ear = _ellipse(side * 0.98, 0.12, 0.13, 0.27)
        pencil.polygon(canvas.behind(ear, 0.25), fill=scaled(look.skin, 0.86))
    colour = look.skin if look.hair_style == "bald" else look.hair
    pencil.polygon(canvas.behind(_ellipse(0, -0.22, 1.03, 0.98), 0.35), fill=scaled(colour, 0.85))


def _outline(shape: FaceShape) -> np.ndarray:
    """The rim of the face with the forehead, (n, 2)."""
    angles = np.linspace(np.pi, 2 * np.pi, 15)[1:-1]
    forehead = np.column_stack([0.93 * np.cos(-angles), _FOREHEAD * np.abs(np.sin(angles))])
    return np.concatenate([jaw_line(shape, 41), forehead[::-1] if forehead[0, 0] < 0 else forehead])


def _paint_skin(canvas: FaceCanvas, shape: FaceShape, look: FaceLook) -> None:
    """The face itself, darker towards its rim, with a blush on the cheeks."""
    outline = _outline(shape)
    middle = np.array([0.0, 0.35])
    for share, brightness in ((1.0, 0.86), (0.93, 0.93), (0.82, 1.0)):
        ring = middle + share * (outline - middle)
        canvas.pencil.polygon(canvas.pixels(ring), fill=scaled(look.skin, brightness))
    blush = blended(look.skin, (206, 92, 84), 0.16)
    for side in (-1, 1):
        cheek = _ellipse(side * 0.5, shape.nose_length, 0.19, 0.14)
        canvas.pencil.polygon(canvas.pixels(cheek), fill=blush)
        socket = _ellipse(side * shape.eye_distance, -0.03, 0.26, 0.16)
        canvas.pencil.polygon(canvas.pixels(socket), fill=scaled(look.skin, 0.9))


def _paint_beard(canvas: FaceCanvas, shape: FaceShape, look: FaceLook) -> None:
    """Stubble or a beard along the jaw and over the lip."""
    if look.beard == "none":
        return
    share = 0.3 if look.beard == "stubble" else 0.85
    colour = blended(look.skin, look.hair, share)
    rim = 0.97 * jaw_line(shape, 41)[8:33]
    mouth, width = shape.mouth_height, shape.mouth_width
    inner = [(0.7, 0.4), (width + 0.12, mouth - 0.17), (0, mouth - 0.22)]
    inner += [(-width - 0.12, mouth - 0.17), (-0.7, 0.4)]
    canvas.pencil.polygon(canvas.pixels(np.concatenate([rim, inner])), fill=colour)


def _paint_brows(canvas: FaceCanvas, pixels: np.ndarray, look: FaceLook) -> None:
    colour = scaled(blended(look.hair, look.skin, 0.15), 0.8)
    for first in (15, 21):
        canvas.pencil.polygon(pixels[first : first + 6].ravel().tolist(), fill=colour)


def _paint_eyes(canvas: FaceCanvas, pixels: np.ndarray, look: FaceLook) -> None:
    """White, iris and pupil inside the lids, which are drawn last."""
    for corner, between in ((27, 68), (32, 72)):
        order = [corner, between, corner + 1, between + 1, corner + 2, between + 2, corner + 3]
        rim = pixels[[*order, between + 3]]
        inside = Image.new("L", canvas.image.size)
        ImageDraw.Draw(inside).polygon(rim.ravel().tolist(), fill=255)
        eye = Image.new("RGB", canvas.image.size, (240, 238, 234))
        pencil, (x, y) = ImageDraw.Draw(eye), pixels[corner + 4]
        for share, colour in ((0.105, look.iris), (0.05, (14, 12, 12))):
            r = share * canvas.pose.scale
            pencil.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        canvas.image.paste(eye, (0, 0), inside)
        lid = scaled(look.skin, 0.4)
        line = [*rim[:5].ravel().tolist()]
        canvas.pencil.line(line, fill=lid, width=canvas.width(0.045), joint="curve")


def _paint_nose(canvas: FaceCanvas, pixels: np.ndarray, look: FaceLook) -> None:
    """Its shadow side, its base and the nostrils."""
    side = (
        pixels[[37, 38, 39, 40, 41, 67]] if look.light[0] > 0 else pixels[[45, 44, 43, 42, 41, 67]]
    )
    canvas.pencil.polygon(side.ravel().tolist(), fill=scaled(look.skin, 0.9))
    base = pixels[39:44].ravel().tolist()
    canvas.pencil.line(base, fill=scaled(look.skin, 0.66), width=canvas.width(0.04), joint="curve")
    r = 0.045 * canvas.pose.scale
    for x, y in pixels[46:48]:
        canvas.pencil.ellipse(
            (x - r, y - 0.7 * r, x + r, y + 0.7 * r), fill=scaled(look.skin, 0.35)
        )
    x, y = pixels[67]
    canvas.pencil.ellipse(
        (x - r, y - r, x + r, y + r), fill=blended(look.skin, (255, 255, 255), 0.3)
    )


def _paint_mouth(canvas: FaceCanvas, pixels: np.ndarray, look: FaceLook) -> None:
    """Lips, and between them a line or, where the mouth is open, teeth and darkness."""
    canvas.pencil.polygon(pixels[48:60].ravel().tolist(), fill=look.lips)
    opening = pixels[[48, 65, 64, 63, 54, 62, 61, 60]]
    canvas.pencil.polygon(opening.ravel().tolist(), fill=(66, 22, 24))
    tall = np.linalg.norm(pixels[64] - pixels[61])
    if tall > 0.1 * canvas.pose.scale:
        teeth = pixels[[65, 64, 63]]
        lower = teeth + 0.45 * (pixels[[60, 61, 62]] - teeth)
        canvas.pencil.polygon(
            np.concatenate([teeth, lower[::-1]]).ravel().tolist(), fill=(232, 228, 218)
        )
    line = pixels[[48, 60, 61, 62, 54]].ravel().tolist()
    canvas.pencil.line(line, fill=scaled(look.lips, 0.55), width=canvas.width(0.025))


def _paint_hair(canvas: FaceCanvas, look: FaceLook) -> None:
    """The hair over the forehead, and at the sides where it is long."""
    if look.hair_style == "bald":
        return
    line = {"short": -0.6, "long": -0.55, "fringe": -0.02}[look.hair_style]
    lower = line + 0.16 * look.parting * np.array([-1, -0.4, 0.4, 1])
    arch = 0.12 if look.hair_style == "fringe" else -0.06
    edge = [(-0.93, -0.1), (-0.8, lower[0] - 0.18), (-0.3, lower[1] - arch)]
    edge += [(0.3, lower[2] - arch), (0.8, lower[3] - 0.18), (0.93, -0.1)]
    over = [(1.02, -0.45), (0.62, -0.98), (0, -1.14), (-0.62, -0.98), (-1.02, -0.45)]
    canvas.covering(canvas.pixels(np.concatenate([rounded(edge, closed=False), over])), look.hair)
    light = blended(look.hair, (255, 255, 255), 0.18)
    shine = [(-0.5, -0.86), (0, -0.98), (0.5, -0.86)]
    canvas.pencil.line(canvas.pixels(np.array(shine)), fill=light, width=canvas.width(0.06))
    if look.hair_style == "long":
        for side in (-1, 1):
            inner = 0.72 + 0.08 * side * look.parting
            strand = [(0.5, -0.85), (inner, -0.35), (inner + 0.08, 0.5), (1.0, 0.75), (1.1, -0.3)]
            canvas.covering(canvas.pixels(rounded(strand) * [side, 1]), look.hair)


def _paint_glasses(canvas: FaceCanvas, shape: FaceShape, look: FaceLook) -> None:
    """Two frames and their bridge; dark glasses hide what is behind."""
    if look.glasses == "none":
        return
    x, wide, tall = shape.eye_distance + 0.02, 0.3, 0.24 if look.round_glasses else 0.19
    width = canvas.width(0.055)
    for side in (-1, 1):
        rim = _ellipse(side * x, 0.03, wide, tall)
        if not look.round_glasses:
            box = [(-wide, -tall), (wide, -tall), (0.85 * wide, tall), (-0.85 * wide, tall)]
            rim = rounded(np.add(box, (side * x, 0.03)), 0.25)
        outline = canvas.pixels(rim)
        if look.glasses == "dark":
            canvas.covering(outline, blended(look.frame, (12, 12, 14), 0.6))
        canvas.pencil.line([*outline, *outline[:2]], fill=look.frame, width=width, joint="curve")
        arm = np.array([(side * (x + wide), -0.03), (side * 0.97, -0.05)])
        canvas.pencil.line(canvas.pixels(arm), fill=look.frame, width=width)
    bridge = np.array([(-x + wide, 0.0), (0, -0.05), (x - wide, 0.0)])
    canvas.pencil.line(canvas.pixels(bridge), fill=look.frame, width=width)


def _paint_hand(canvas: FaceCanvas, look: FaceLook) -> None:
    """A hand before the lower face: an arm, a palm and four fingers that point up."""
    x, y = look.hand
    lean = 0.35 * np.sign(x)
    skin, shadow = scaled(look.skin, 0.95), scaled(look.skin, 0.62)
    front = -0.75
    arm = [(x - 0.2, y), (x - 0.3 + 2 * lean, y + 2.5), (x + 0.3 + 2 * lean, y + 2.5), (x + 0.2, y)]
    canvas.covering(canvas.behind(arm, front), scaled(look.skin, 0.85))
    palm = canvas.behind(_ellipse(x, y, 0.3, 0.33), front)
    canvas.covering(palm, skin)
    for number in range(4):
        root = np.array([x - 0.21 + 0.14 * number, y - 0.1])
        tip = np.add(root, (0.06 * (number - 1.5) - 0.3 * lean, -0.42 - 0.08 * (number in (1, 2))))
        across = np.array([0.075, 0.02])
        finger = rounded([root - across, tip - across, tip + across, root + across], 0.3)
        outline = canvas.behind(finger, front)
        canvas.covering(outline, skin)
        canvas.pencil.line([*outline, *outline[:2]], fill=shadow, width=canvas.width(0.015))
