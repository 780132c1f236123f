"""PLY files read back byte by byte, and where the points lie."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tasks.common.depth import point_cloud


def read(data: bytes) -> tuple[list[str], list[tuple]]:
    """The header's lines and the vertices of a binary little-endian PLY file."""
    header, body = data.split(b"end_header\n", 1)
    lines = header.decode("ascii").splitlines()
    vertices = list(struct.iter_unpack("<fffBBB", body))
    return lines, vertices


def test_a_file_read_back():
    depth = np.array([[2.0, 0.0, 4.0], [np.nan, 1.0, 8.0]], np.float32)
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    lines, vertices = read(point_cloud.encode(depth, picture, focal_length=2.0))
    assert lines == [
        "ply",
        "format binary_little_endian 1.0",
        "element vertex 4",
        "property float x",
        "property float y",
        "property float z",
        "property uchar red",
        "property uchar green",
        "property uchar blue",
    ]
    # Columns lie at -1, 0, 1 and rows at -0.5, 0.5 pixels of the middle; times depth / 2.
    assert vertices == [
        (-2.0 / 2, 0.5 * 2 / 2, -2.0, 0, 1, 2),
        (4.0 / 2, 0.5 * 4 / 2, -4.0, 6, 7, 8),
        (0.0, -0.5 * 1 / 2, -1.0, 12, 13, 14),
        (8.0 / 2, -0.5 * 8 / 2, -8.0, 15, 16, 17),
    ]


def test_points_project_back_to_their_pixels():
    random = np.random.default_rng(0)
    depth = random.uniform(1, 9, (12, 16)).astype(np.float32)
    places, known = point_cloud.points(depth, 20.0)
    assert known.all()
    right, up, towards = places.T
    columns = 20.0 * right / -towards + 8 - 0.5
    rows = 20.0 * -up / -towards + 6 - 0.5
    expected = np.mgrid[:12, :16].reshape(2, -1)
    np.testing.assert_allclose(np.stack([rows, columns]), expected, atol=1e-4)


def test_a_wall_as_wide_as_the_camera_sees():
    """At the focal length of NYU Depth V2 a wall at 2 m is 2 / 0.81 m wide."""
    depth = np.full((48, 64), 2.0, np.float32)
    picture = np.zeros((48, 64, 3), np.uint8)
    _, vertices = read(point_cloud.encode(depth, picture))
    x = np.array([vertex[0] for vertex in vertices])
    pixel = 2 / (point_cloud.FOCAL_LENGTH * 64)
    assert np.ptp(x) + pixel == pytest.approx(2 / (518.86 / 640), rel=1e-5)


def test_nothing_known_is_an_empty_cloud():
    _, vertices = read(point_cloud.encode(np.zeros((2, 2)), np.zeros((2, 2, 3), np.uint8)))
    assert vertices == []


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ValueError, match="size of the depth"):
        point_cloud.encode(np.ones((2, 2)), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="above 0"):
        point_cloud.encode(np.ones((2, 2)), np.zeros((2, 2, 3), np.uint8), 0.0)
    point_cloud.write(tmp_path / "a.ply", np.ones((2, 2)), np.zeros((2, 2, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.ply"]
