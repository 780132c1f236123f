"""Depth as points in space, in a file that viewers such as MeshLab and CloudCompare open.

The format is PLY, binary little-endian (Turk, "The PLY Polygon File Format", Stanford 1994).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from callbacks.replaced_file import replacing

FOCAL_LENGTH = 518.86 / 640
"""In widths of the picture, where nobody says otherwise: that of the colour camera of NYU Depth V2
(`camera_params.m` of its toolbox: fx_rgb = 518.86 pixels at a width of 640), 63 degrees across."""

_VERTEX = np.dtype(
    [(axis, "<f4") for axis in "xyz"] + [(colour, "u1") for colour in ("red", "green", "blue")]
)
_TYPES = {"<f4": "float", "|u1": "uchar"}


def points(depth: np.ndarray, focal_length: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the pixels lie in space, as a pinhole camera sees them.

    x = (column - cx) z / f, y = (row - cy) z / f, with the middle of the picture as principal
    point (Hartley and Zisserman 2004, section 6.1). y and z are turned round for viewers, which
    look along -z with y upwards.

    Args:
        depth: (height, width), metres along the camera's axis; 0 or not finite is unknown.
        focal_length: in pixels.

    Returns:
        float32 (n, 3), metres: right, up, towards the viewer; and bool (height, width), which
        pixels these are, row by row.
    """
    height, width = depth.shape
    known = np.isfinite(depth) & (depth > 0)
    rows, columns = np.nonzero(known)
    z = depth[known]
    x = (columns + 0.5 - width / 2) * z / focal_length
    y = (rows + 0.5 - height / 2) * z / focal_length
    return np.stack([x, -y, -z], axis=-1).astype(np.float32), known


def encode(depth: np.ndarray, picture: np.ndarray, focal_length: float | None = None) -> bytes:
    """The bytes of a PLY file: a coloured point for each pixel whose depth is known.

    Args:
        depth: (height, width), metres.
        picture: uint8 (height, width, 3), RGB.
        focal_length: in pixels of this picture; None is `FOCAL_LENGTH` of its width.

    Raises:
        ValueError: depth and picture have different sizes, or the focal length is not above 0.
    """
    if picture.shape != (*depth.shape, 3):
        raise ValueError(
            f"The picture must have the size of the depth. Received: {picture.shape}, {depth.shape}"
        )
    focal_length = FOCAL_LENGTH * depth.shape[1] if focal_length is None else focal_length
    if not focal_length > 0:
        raise ValueError(f"focal_length must be above 0. Received: {focal_length=}")
    places, known = points(depth, focal_length)
    vertices = np.empty(len(places), _VERTEX)
    for number, axis in enumerate("xyz"):
        vertices[axis] = places[:, number]
    for number, colour in enumerate(("red", "green", "blue")):
        vertices[colour] = picture[known][:, number]
    return _header(len(vertices)) + vertices.tobytes()


def write(path: Path, depth: np.ndarray, picture: np.ndarray) -> None:
    """Writes a PLY file, complete or not at all; see `encode`.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(encode(depth, picture))


def _header(count: int) -> bytes:
    properties = [f"property {_TYPES[_VERTEX[name].str]} {name}" for name in _VERTEX.names or ()]
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {count}",
        *properties,
        "end_header",
    ]
    return ("\n".join(lines) + "\n").encode("ascii")
