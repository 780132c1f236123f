"""The shape of a drawn face: 76 points in space in MUCT's order, and the camera that sees them.

A face looks along +z at the viewer; x is to the right, y down, and 1 is half the width of the
face. The shape is symmetric but for the line of sight: all else that is lopsided comes from pose.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# A point is hidden when it lies so far on the side that is turned away, in half widths times the
# sine of the angle. Points on the rim go first, at 20 degrees.
_TURNED_AWAY = 0.32
# Share by which what is one unit nearer to the viewer looks larger.
_PERSPECTIVE = 0.10


@dataclasses.dataclass(frozen=True)
class FaceShape:
    """Proportions and expression; lengths in half widths of the face.

    Attributes:
        jaw: how square the jaw is: 1 is a circle, less is squarer.
        length: from the eyes' height to the chin.
        eye_distance: from the middle to the middle of an eye.
        eye_width: from the middle of an eye to a corner.
        eye_opening: half the height of an eye.
        gaze: where the pupil looks, in [-1, 1].
        brow_height: from the eye up to the eyebrow.
        brow_tilt: how much higher its inner end is.
        nose_length: from the eyes' height to the tip.
        nose_width: from the middle to the wing.
        mouth_width: from the middle to a corner.
        mouth_opening: half the height between the lips.
        smile: how much higher the corners of the mouth are than its middle.
        lips: thickness of a lip.
    """

    jaw: float
    length: float
    eye_distance: float
    eye_width: float
    eye_opening: float
    gaze: float
    brow_height: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    mouth_width: float
    mouth_opening: float
    smile: float
    lips: float

    @property
    def mouth_height(self) -> float:
        """The height of the mouth's middle."""
        return self.nose_length + 0.45 * (self.length - self.nose_length)


def sample_shape(rng: np.random.Generator) -> FaceShape:
    """Proportions of another person with another expression."""
    return FaceShape(
        jaw=rng.uniform(0.72, 1.05),
        length=rng.uniform(1.15, 1.42),
        eye_distance=rng.uniform(0.38, 0.46),
        eye_width=rng.uniform(0.155, 0.2),
        eye_opening=rng.uniform(0.045, 0.1),
        gaze=rng.uniform(-1, 1),
        brow_height=rng.uniform(0.2, 0.34),
        brow_tilt=rng.uniform(-0.06, 0.08),
        nose_length=rng.uniform(0.42, 0.6),
        nose_width=rng.uniform(0.16, 0.25),
        mouth_width=rng.uniform(0.26, 0.42),
        mouth_opening=max(0.0, rng.uniform(-0.08, 0.15)),
        smile=rng.uniform(-0.06, 0.12),
        lips=rng.uniform(0.04, 0.085),
    )


def face_points(shape: FaceShape) -> np.ndarray:
    """The 76 points in space, shape (76, 3), in the order of `landmark_schemes.MUCT76`."""
    left_brow, left_eye, left_between = _left_brow(shape), _left_eye(shape), _left_between(shape)
    parts = [
        jaw_line(shape, 15),
        _mirrored(left_brow),
        left_brow,
        _looking(left_eye, shape),
        _looking(_mirrored(left_eye), shape),
        *_nose(shape),
        *_mouth(shape),
        [(0.0, shape.nose_length - 0.04)],
        left_between,
        _mirrored(left_between),
    ]
    plane = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
    return lifted_to_face(plane, nose=np.r_[37:48, 67])


def lifted_to_face(plane: np.ndarray, nose: np.ndarray | None = None) -> np.ndarray:
    """Points of the plane on the rounded front of the head: (n, 2) to (n, 3).

    Args:
        plane: points as seen from the front.
        nose: numbers of the points that stand out with the nose.
    """
    x, y = plane.T
    inside = 1 - (x / 1.05) ** 2 - ((y - 0.35) / 1.45) ** 2
    z = 0.6 * np.sqrt(np.clip(inside, 0.0, None))
    if nose is not None:
        # The middle of the nose stands out most, and the tip more than its root.
        z[nose] += (0.08 + 0.3 * np.clip(y[nose], 0, 0.5)) * np.exp(-((x[nose] / 0.16) ** 2))
    return np.column_stack([plane, z])


def jaw_line(shape: FaceShape, count: int) -> np.ndarray:
    """The rim of the face from the left temple by the chin to the right one, (count, 2)."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, count)
    across = np.sign(angles) * np.abs(np.sin(angles)) ** shape.jaw
    return np.column_stack([0.93 * across, shape.length * np.cos(angles)])


def _left_eye(shape: FaceShape) -> np.ndarray:
    """Outer corner, top, inner corner, bottom, pupil."""
    x, w, h = -shape.eye_distance, shape.eye_width, shape.eye_opening
    return np.array([(x - w, 0.0), (x, -h), (x + w, 0.02), (x, 0.8 * h), (x, 0.0)])


def _left_between(shape: FaceShape) -> np.ndarray:
    """The points between those of the eye: outer top, inner top, inner bottom, outer bottom."""
    x, w, h = -shape.eye_distance, 0.55 * shape.eye_width, shape.eye_opening
    return np.array([(x - w, -0.75 * h), (x + w, -0.7 * h), (x + w, 0.65 * h), (x - w, 0.6 * h)])


def _looking(eye: np.ndarray, shape: FaceShape) -> np.ndarray:
    """The eye with its pupil turned to where the face looks."""
    turned = eye.copy()
    turned[4, 0] += 0.35 * shape.gaze * shape.eye_width
    return turned


def _left_brow(shape: FaceShape) -> np.ndarray:
    """From the outer end along the upper edge to the inner end, and back along the lower edge."""
    x, w, tilt = -shape.eye_distance, 1.25 * shape.eye_width, shape.brow_tilt
    y = -shape.eye_opening - shape.brow_height + 0.06
    return np.array(
        [
            (x - w, y + 0.05 + tilt),
            (x - 0.4 * w, y - 0.05 + 0.4 * tilt),
            (x + 0.4 * w, y - 0.04 - 0.4 * tilt),
            (x + w, y + 0.02 - tilt),
            (x + 0.4 * w, y + 0.03 - 0.4 * tilt),
            (x - 0.4 * w, y + 0.02 + 0.4 * tilt),
        ]
    )


def _nose(shape: FaceShape) -> tuple[np.ndarray, np.ndarray]:
    """The outline from the root on the left by the base to the right, and the two nostrils."""
    w, y = shape.nose_width, shape.nose_length
    left = [(-0.12, 0.02), (-0.6 * w, 0.6 * y), (-w, 0.92 * y), (-0.6 * w, 1.02 * y)]
    outline = np.array([*left, (0.0, 1.08 * y), *[(-a, b) for a, b in left[::-1]]])
    return outline, np.array([(-0.45 * w, 0.97 * y), (0.45 * w, 0.97 * y)])


def _mouth(shape: FaceShape) -> tuple[np.ndarray, ...]:
    """Twelve points around the lips, six between them, and the middle."""
    w, gap, lip = shape.mouth_width, shape.mouth_opening, shape.lips
    across = np.array([-1, -0.62, -0.25, 0, 0.25, 0.62, 1])
    upper_shape = np.array([0, 0.75, 1.1, 0.9, 1.1, 0.75, 0])
    lower_shape = np.array([0, 0.7, 1.0, 1.05, 1.0, 0.7, 0])
    middle = shape.mouth_height - shape.smile * across**2
    upper = np.column_stack([w * across, middle - (gap + lip) * upper_shape])
    lower = np.column_stack([w * across, middle + (gap + 1.2 * lip) * lower_shape])
    inside = across[[1, 3, 5]]
    between = shape.mouth_height - shape.smile * inside**2
    opening = gap * np.array([0.75, 1.0, 0.75])
    below = np.column_stack([w * inside, between + opening])
    above = np.column_stack([w * inside, between - opening])
    # Five points below the lips in MUCT, where the run above has seven with the corners.
    around = np.concatenate([upper, lower[[5, 4, 3, 2, 1]]])
    return around, below, above[::-1], np.array([(0.0, shape.mouth_height)])


def _mirrored(points: np.ndarray) -> np.ndarray:
    return points * [-1, 1]


@dataclasses.dataclass(frozen=True)
class Pose:
    """How the head is turned and where it is in the picture.

    Attributes:
        yaw: to the viewer's right, radians.
        pitch: downwards, radians.
        roll: clockwise, radians.
        centre: where the middle of the head, between eyes and mouth, is, in pixels.
        scale: half the width of the face, in pixels.
    """

    yaw: float
    pitch: float
    roll: float
    centre: tuple[float, float]
    scale: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points in space to pixels: (n, 3) to (n, 2)."""
        x, y, z = (points - [0.0, 0.35, 0.0]).T
        x, z = (
            x * np.cos(self.yaw) + z * np.sin(self.yaw),
            z * np.cos(self.yaw) - x * np.sin(self.yaw),
        )
        y, z = (
            y * np.cos(self.pitch) + z * np.sin(self.pitch),
            z * np.cos(self.pitch) - y * np.sin(self.pitch),
        )
        nearer = 1 + _PERSPECTIVE * z
        x, y = nearer * x, nearer * y
        c, s = np.cos(self.roll), np.sin(self.roll)
        turned = np.column_stack([c * x - s * y, s * x + c * y])
        return np.asarray(self.centre) + self.scale * turned

    def turned_away(self, points: np.ndarray) -> np.ndarray:
        """Which points in space (n, 3) the head hides behind itself, bool (n,)."""
        return points[:, 0] * np.sin(self.yaw) - 0.5 * points[:, 2] > _TURNED_AWAY


def sample_pose(rng: np.random.Generator, size: tuple[int, int]) -> Pose:
    """A head somewhere near the middle of a picture of (height, width) pixels."""
    height, width = size
    side = min(height, width)
    scale = rng.uniform(0.22, 0.33) * side
    return Pose(
        yaw=float(np.clip(rng.normal(0, 0.3), -0.6, 0.6)),
        pitch=float(np.clip(rng.normal(0, 0.14), -0.3, 0.3)),
        roll=float(np.clip(rng.normal(0, 0.16), -0.4, 0.4)),
        centre=(
            0.5 * width + rng.uniform(-0.12, 0.12) * side,
            0.52 * height + rng.uniform(-0.1, 0.08) * side,
        ),
        scale=scale,
    )
