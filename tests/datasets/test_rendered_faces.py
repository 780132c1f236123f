"""Drawn faces: repeatable, with points where the face is and none where it is covered."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from datasets.landmark_schemes import MUCT76
from datasets.rendered import face_look, face_shape, faces
from datasets.rendered.faces import RenderedFaces

SIZE = (96, 96)
UPRIGHT = face_shape.Pose(0.0, 0.0, 0.0, (96.0, 100.0), 60.0)


def plain_look(**changes) -> face_look.FaceLook:
    look = face_look.sample_look(np.random.default_rng(3))
    plain = {"hair_style": "short", "parting": 0.0, "glasses": "none", "beard": "none"}
    return dataclasses.replace(look, **{**plain, "hand": None, **changes})


def hidden(pose: face_shape.Pose = UPRIGHT, **changes) -> set[str]:
    """Names of the points that cannot be seen of one face."""
    shape = face_shape.sample_shape(np.random.default_rng(2))
    look, rng = plain_look(**changes), np.random.default_rng(0)
    _, points = faces.painted(shape, look, pose, (192, 192), rng)
    return {MUCT76.point_names[number] for number in np.flatnonzero(~points.any(axis=1))}


def test_an_example_keeps_the_contract() -> None:
    example = RenderedFaces(5, 1, (64, 80)).example(4)
    assert example["image"].shape == (64, 80, 3)
    assert example["image"].dtype == np.uint8
    assert example["points"].shape == (76, 2)
    assert example["points"].dtype == np.float32
    assert example["label"] == 4
    visible = example["points"][example["points"].any(axis=1)]
    assert ((visible >= 0) & (visible <= [80, 64])).all()


def test_a_face_is_a_function_of_seed_and_index() -> None:
    first, again, other = (RenderedFaces(9, seed, SIZE).example(3) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first["image"], again["image"])
    np.testing.assert_array_equal(first["points"], again["points"])
    assert not np.array_equal(first["image"], other["image"])
    assert not np.array_equal(first["points"], other["points"])


def test_some_points_are_missing_and_most_are_there() -> None:
    source = RenderedFaces(80, 0, SIZE)
    missing = np.array([~source.example(i)["points"].any(axis=1) for i in range(80)])
    assert 0.02 < missing.mean() < 0.2
    assert (missing.mean(axis=1) < 0.5).mean() > 0.9
    assert (missing.sum(axis=1) == 0).mean() > 0.2
    assert (missing.mean(axis=0) < 0.4).all()


def test_each_cover_hides_what_lies_under_it_and_nothing_else() -> None:
    assert hidden() == set()
    assert hidden(glasses="clear", beard="full") == set()
    behind_glasses = hidden(glasses="dark")
    assert {"left eye pupil", "right eye pupil"} <= behind_glasses
    assert all("eye" in name or "brow" in name for name in behind_glasses)
    behind_fringe = hidden(hair_style="fringe")
    assert behind_fringe
    assert all("brow" in name or "jaw" in name for name in behind_fringe)
    behind_hand = hidden(hand=(0.5, 0.7))
    assert behind_hand
    assert not any(name.startswith("left eye") for name in behind_hand)


@pytest.mark.parametrize(("yaw", "far", "near"), [(0.55, 14, 0), (-0.55, 0, 14)])
def test_a_turned_head_hides_its_far_rim(yaw: float, far: int, near: int) -> None:
    gone = hidden(dataclasses.replace(UPRIGHT, yaw=yaw))
    assert MUCT76.point_names[far] in gone
    assert MUCT76.point_names[near] not in gone


def test_the_pupil_is_dark_and_the_lips_are_red() -> None:
    """The points lie on what they are called, seen in the picture itself."""
    shape = dataclasses.replace(
        face_shape.sample_shape(np.random.default_rng(2)), mouth_opening=0.0, eye_opening=0.1
    )
    image, points = faces.painted(
        shape, plain_look(skin=(236, 196, 166)), UPRIGHT, (192, 192), np.random.default_rng(0)
    )
    pixels = np.asarray(image)
    for number in (31, 36):
        x, y = points[number].astype(int)
        assert pixels[y, x].max() < 60
    lip = (points[57] + points[61]) / 2
    red, green, blue = pixels[int(lip[1]), int(lip[0])].astype(int)
    assert red > green + 30
    assert red > blue + 20


def test_splits_do_not_share_faces() -> None:
    splits = faces.load(4, 3, 2, (32, 32), seed=5)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [4, 3, 2]
    pictures = [part.example(0)["image"] for part in (splits.train, splits.validation, splits.test)]
    assert not any(np.array_equal(pictures[a], pictures[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert splits.info.scheme is MUCT76


def test_arguments_are_checked() -> None:
    for arguments in [(0, 0, SIZE), (1, -1, SIZE), (1, 0, (16, 96)), (1, 0, (96, 2000))]:
        with pytest.raises(ValueError, match="Received"):
            RenderedFaces(*arguments)
    with pytest.raises(IndexError, match="index must be"):
        RenderedFaces(2, 0, SIZE).example(2)
