"""The mirror tables: involutions, and those that the faces themselves show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from datasets import landmark_files
from datasets.landmark_schemes import IBUG68, MUCT76, column_names, pairing, scheme_of
from datasets.rendered import face_shape

SCHEMES = pytest.mark.parametrize("scheme", [MUCT76, IBUG68], ids=lambda scheme: scheme.name)


@SCHEMES
def test_a_scheme_fits_together(scheme) -> None:
    count = len(scheme.point_names)
    assert len(set(scheme.point_names)) == count
    assert sorted(scheme.mirror) == list(range(count))
    assert [scheme.mirror[partner] for partner in scheme.mirror] == list(range(count))
    left, right = scheme.eye_corners
    assert scheme.mirror[left] == right
    assert all(0 <= number < count for line in scheme.lines for number in line)


@SCHEMES
def test_partners_have_partner_names(scheme) -> None:
    """What is called left has a partner that is called right, and the rest stays in its part."""
    for number, name in enumerate(scheme.point_names):
        partner = scheme.point_names[scheme.mirror[number]]
        if name.startswith(("left", "right")):
            assert partner.split()[0] != name.split()[0]
            assert partner.split()[1] == name.split()[1]
        else:
            assert partner.split()[:-1] == name.split()[:-1]


def mirror_of(face: np.ndarray) -> list[int]:
    """The pairing that brings a face and its mirror image nearest to each other."""
    centred = face - face.mean(axis=0)
    distances = np.linalg.norm(centred[:, None] - (centred * [-1, 1])[None], axis=-1)
    return linear_sum_assignment(distances)[1].tolist()


def test_the_drawn_face_is_its_own_mirror_image_under_the_table() -> None:
    shape = face_shape.sample_shape(np.random.default_rng(1))
    face = face_shape.face_points(shape)[:, :2]
    mirrored = face[list(MUCT76.mirror)] * [-1, 1]
    pupils = (31, 36)
    np.testing.assert_allclose(
        np.delete(mirrored, pupils, 0), np.delete(face, pupils, 0), atol=0.05
    )
    assert mirror_of(face) == list(MUCT76.mirror)


def test_the_mean_of_real_faces_shows_the_table(shared_data: Path) -> None:
    _, table = landmark_files.read_all(shared_data / "face_keypoints")
    faces = table.points - table.points.mean(axis=1, keepdims=True)
    faces /= faces.std(axis=(1, 2), keepdims=True)
    assert mirror_of(faces.mean(axis=0)) == list(IBUG68.mirror)


def test_other_numbers_of_points_have_names_alone() -> None:
    assert scheme_of(76) is MUCT76
    assert scheme_of(68) is IBUG68
    other = scheme_of(5)
    assert (len(other.point_names), other.mirror, other.eye_corners) == (5, None, None)
    assert column_names(2) == ("x00", "y00", "x01", "y01")


def test_a_point_in_two_pairs_is_refused() -> None:
    assert pairing(3, [(0, 2)]) == (2, 1, 0)
    with pytest.raises(ValueError, match="one pair"):
        pairing(3, [(0, 1), (1, 2)])
