"""The space behind a drawn street, checked by hand: projection, planes, hiding, extents."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from datasets.rendered.body_styles import BODY_STYLES
from datasets.rendered.street import classes, vehicles
from datasets.rendered.street.camera import StreetCamera, corners, middles, rotation
from datasets.rendered.street.cutouts import all_cutouts, cutout
from datasets.rendered.street.labels import class_mask, depth
from datasets.rendered.street.layout import KERB
from datasets.rendered.street.mesh import box_corners, faces, facing, joined
from datasets.rendered.street.raster import (
    FIRST_FACE_ID,
    GROUND_ID,
    SKY_ID,
    clip_polygon,
    look_at,
    z_buffer,
)
from datasets.rendered.street.scene import Scene, build_scene
from datasets.rendered.street.triangles import as_faces
from datasets.rendered.street.view import View, look

EYE = np.array([0.0, 1.5, 0.0])


def straight(focal: float = 100.0, size: tuple[int, int] = (80, 120)) -> StreetCamera:
    """A level camera 1.5 m above the ground that looks along the street."""
    centre = (size[1] / 2, size[0] / 2)
    return StreetCamera(focal, centre, EYE, rotation(0.0, 0.0, 0.0))


def wall(distance: float, width: float = 2.0, height: float = 3.0, colour: int = 200):
    half = width / 2
    quad = [(-half, 0, distance), (half, 0, distance), (half, height, distance),
            (-half, height, distance)]  # fmt: skip
    return faces([quad], (colour,) * 3, classes.BUILDING)


def seen(patches: list, size: tuple[int, int] = (80, 120), focal: float = 100.0):
    """ids and depth at the middles of the pixels, (height, width) each."""
    mesh, camera, lattice = joined(patches), straight(focal, size), middles(*size)
    found = look_at(mesh, camera, size, all_cutouts())
    ids, inverse = z_buffer(mesh, found, camera, lattice, all_cutouts())
    metres = np.divide(1.0, inverse, out=np.zeros_like(inverse), where=inverse > 0)
    return ids.reshape(size), metres.reshape(size)


def view_of(seed: int, size: tuple[int, int] = (96, 128)) -> View:
    return look(build_scene([11, seed], size), size)


def test_the_camera_projects_as_a_pinhole_does():
    """100 pixels, 10 m away: 10 pixels a metre; rows count downwards from the eye's height."""
    camera = straight()
    points = np.array([[0, 1.5, 10], [2, 1.5, 10], [0, 0, 10], [-1, 2.5, 5]])
    np.testing.assert_allclose(camera.project(points), [[60, 40], [80, 40], [60, 55], [40, 20]])
    np.testing.assert_allclose(camera.seen(points)[:, 2], [10, 10, 10, 5])


def test_turning_the_camera_moves_the_picture_the_other_way():
    turned = rotation(yaw=np.radians(45), pitch=0.0, roll=0.0)
    camera = StreetCamera(100.0, (60.0, 40.0), EYE, turned)
    np.testing.assert_allclose(camera.project(np.array([5.0, 1.5, 5.0])), [60.0, 40.0])
    bowed = StreetCamera(100.0, (60.0, 40.0), EYE, rotation(0.0, np.radians(30), 0.0))
    foot = np.array([0.0, 0.0, 1.5 / np.tan(np.radians(30))])
    np.testing.assert_allclose(bowed.project(foot), [60.0, 40.0], atol=1e-9)


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.3, -0.2, 0.1), (-2.0, 0.4, -0.5)])
def test_rotations_are_orthonormal_and_keep_their_handedness(angles):
    axes = rotation(*angles)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    # x right, y up, z forward becomes x right, y down, z forward.
    assert np.linalg.det(axes) == pytest.approx(-1.0)


@pytest.mark.parametrize("distance", [5.0, 10.0, 20.0])
def test_sizes_in_pixels_are_focal_length_times_size_over_distance(distance):
    ids, metres = seen([wall(distance, width=2.0, height=1.0)], focal=100.0)
    rows, columns = np.nonzero(ids >= FIRST_FACE_ID)
    assert len(np.unique(rows)) == pytest.approx(100.0 * 1.0 / distance, abs=1)
    assert len(np.unique(columns)) == pytest.approx(100.0 * 2.0 / distance, abs=1)
    np.testing.assert_allclose(metres[rows, columns], distance, rtol=1e-5)


def test_the_depth_of_the_ground_follows_the_plane():
    """A ray that falls by y at depth 1 meets the ground 1.5 m below at depth 1.5 / y."""
    ids, metres = seen([wall(300.0)])
    for row in (45, 60, 79):
        fall = (row + 0.5 - 40.0) / 100.0
        assert ids[row, 3] == GROUND_ID
        assert metres[row, 3] == pytest.approx(1.5 / fall, rel=1e-5)
    assert ids[39, 3] == SKY_ID
    assert metres[39, 3] == 0


def test_nearer_things_cover_farther_ones_whatever_their_order():
    near, far = wall(5.0, width=1.0), wall(9.0, width=6.0)
    for patches in ([near, far], [far, near]):
        _, metres = seen(patches)
        assert metres[35, 60] == pytest.approx(5.0, rel=1e-5)
        assert metres[35, 80] == pytest.approx(9.0, rel=1e-5)


def test_walls_that_cross_are_cut_where_they_meet():
    """Two walls through the line x = 0, z = 10: each hides the other on one side."""
    slanted = [[(-4, 0, 14), (4, 0, 6), (4, 3, 6), (-4, 3, 14)]]
    level = [[(-4, 0, 10), (4, 0, 10), (4, 3, 10), (-4, 3, 10)]]
    ids, metres = seen([faces(slanted, (9,) * 3, 1), faces(level, (9,) * 3, 1)])
    row = ids[38]
    assert set(row[40:59]) == {FIRST_FACE_ID + 1}
    assert set(row[62:80]) == {FIRST_FACE_ID}
    # At x = 75.5 the ray (0.155, 1) meets z = 10 - x where z + 0.155 z = 10.
    assert metres[38, 75] == pytest.approx(10 / 1.155, rel=1e-5)


def test_faces_are_seen_from_outside_only():
    front = wall(5.0)
    back = front._replace(corners=front.corners[:, [1, 0, 3, 2]])
    assert (seen([back])[0] < FIRST_FACE_ID).all()
    sides = joined([faces(box_corners((-1, 0, 5), (1, 2, 7)), (9,) * 3, 1)])
    rows = look_at(sides, straight(), (80, 120), all_cutouts()).rows
    # From before it and below its top only the front of a box in the middle is seen.
    np.testing.assert_array_equal(rows, [0])


def test_faces_that_reach_behind_the_camera_are_cut():
    floor = [[(-3, 0.5, -5), (3, 0.5, -5), (3, 0.5, 20), (-3, 0.5, 20)]]
    ids, metres = seen([faces(floor, (9,) * 3, classes.PAVEMENT)])
    assert ids[79, 60] == FIRST_FACE_ID
    assert metres[79, 60] == pytest.approx(1.0 / 0.395, rel=1e-4)


def test_a_polygon_is_clipped_to_a_half_plane():
    square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    low = clip_polygon(square, axis=1, bound=0.5, above=False)
    assert sorted(map(tuple, low.tolist())) == [(0, 0), (0, 0.5), (2, 0), (2, 0.5)]
    assert len(clip_polygon(square, axis=0, bound=3.0)) == 0


def test_cutouts_show_what_is_behind():
    disc = faces([[(-1, 0, 5), (1, 0, 5), (1, 2, 5), (-1, 2, 5)]], (9,) * 3, 1,
                 cutout=cutout("disc"))  # fmt: skip
    ids, metres = seen([disc, wall(9.0, width=8.0, height=8.0)])
    assert metres[50, 60] == pytest.approx(5.0, rel=1e-5)
    # A corner of the square lies outside of the disc: row 68.5 and column 41.5 are 5 % inwards.
    assert metres[32, 42] == pytest.approx(9.0, rel=1e-5)
    share = (metres == metres[50, 60]).sum() / 40**2
    assert share == pytest.approx(np.pi / 4, abs=0.04)
    assert (ids == FIRST_FACE_ID).sum() == (metres == metres[50, 60]).sum()


def test_billboards_turn_to_the_eye():
    quads = facing([(3.0, 1.0, 4.0)], 2.0, 1.0, np.zeros(3))
    across = quads[0, 1] - quads[0, 0]
    assert np.linalg.norm(across) == pytest.approx(2.0, rel=1e-6)
    assert across @ np.array([3.0, 0.0, 4.0]) == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(quads[0].mean(axis=0), [3.0, 1.0, 4.0])


def test_triangles_cover_a_bent_polygon_once():
    ring = np.array([(0, 0), (4, 0), (4, 1), (1, 1), (1, 3), (0, 3)], dtype=float)
    for outline in (ring, ring[::-1]):
        cut = as_faces(outline)
        a, b, c = cut[:, 0], cut[:, 1], cut[:, 2]
        first, last = (b - a).T, (c - a).T
        areas = (first[0] * last[1] - first[1] * last[0]) / 2
        assert len(cut) == 4
        assert (areas > 0).all()
        assert areas.sum() == pytest.approx(6.0)


@pytest.mark.parametrize("number", range(len(BODY_STYLES)))
def test_a_car_has_the_measures_of_its_body_style(number):
    body = BODY_STYLES[number]
    patch = vehicles.car_patch(number, np.random.default_rng(0), False, False)
    low, high = patch.corners.reshape(-1, 3).min(axis=0), patch.corners.reshape(-1, 3).max(axis=0)
    # An open car has its windscreen above its outline.
    height = body.height + (0.42 if body.cabin else 0.0)
    size = np.array([body.width, height, body.length])
    np.testing.assert_allclose(high - low, size, rtol=0.08, atol=0.12)
    assert -0.1 < low[1] < 0.15


@pytest.mark.parametrize("number", range(len(BODY_STYLES)))
def test_a_car_is_closed_from_every_side(number):
    """Seen from around, no ground shines through a car, but for that behind a truck's bumper."""
    patch = vehicles.car_patch(number, np.random.default_rng(1), False, False)
    for heading in np.radians([0, 35, 90, 150, 180, 215]):
        solid = seen([patch.moved((0.0, 0.0, 12.0), heading)])[0] >= FIRST_FACE_ID
        holes = ndimage.binary_fill_holes(solid) & ~solid
        assert solid.sum() > 80
        assert holes.sum() <= 0.02 * solid.sum()


@pytest.mark.parametrize("seed", range(6))
def test_depth_of_things_lies_within_their_extent_in_the_world(seed):
    """Every pixel of a thing, taken back along its ray, lies in the box that holds the thing."""
    view = view_of(seed)
    things = view.scene.instances
    solid = np.flatnonzero(view.ids >= FIRST_FACE_ID)
    numbers = view.scene.mesh.instances[view.faces.rows[view.owners(solid)]]
    places = view.places(solid).T
    checked = 0
    for number in np.unique(numbers[numbers > 0]):
        thing = things[number - 1]
        own = places[numbers == number]
        pixel = 1.5 * own[:, 2].max() / view.scene.camera.focal
        assert (own > thing.lower - pixel - 0.02).all()
        assert (own < thing.upper + pixel + 0.02).all()
        checked += 1
    assert checked > 2


@pytest.mark.parametrize("seed", range(6))
def test_depth_and_mask_of_the_road_follow_its_plane(seed):
    view = view_of(seed)
    camera, (metres, _), mask = view.scene.camera, depth(view), class_mask(view)
    row, column = np.nonzero((mask == classes.ROAD) & (metres > 0))
    x = (column + 0.5 - camera.centre[0]) / camera.focal
    y = (row + 0.5 - camera.centre[1]) / camera.focal
    fall = -(np.stack([x, y, np.ones_like(x)], axis=1) @ camera.rotation[:, 1])
    np.testing.assert_allclose(metres[row, column], camera.eye[1] / fall, rtol=1e-3)
    pavement = np.flatnonzero(mask.ravel() == classes.PAVEMENT)
    heights = view.places(pavement)[1]
    assert ((heights > -0.01) & (heights < KERB + 0.01)).all()


def test_the_picture_is_looked_at_in_the_middles_and_corners_of_its_pixels():
    camera = straight()
    x, y = middles(80, 120).rays(camera)
    assert (x[0], y[0]) == pytest.approx(((0.5 - 60) / 100, (0.5 - 40) / 100))
    x, y = corners(80, 120).rays(camera)
    assert (len(x), len(y)) == (121, 81)
    assert (x[-1], y[-1]) == pytest.approx((0.6, 0.4))


@pytest.mark.parametrize("seed", range(4))
def test_driving_cars_keep_apart(seed):
    scene: Scene = build_scene([5, seed], (64, 64))
    cars = [thing for thing in scene.instances if thing.class_id == classes.CAR]
    assert len(cars) > 3
    for index, one in enumerate(cars):
        for other in cars[:index]:
            overlap = np.minimum(one.upper, other.upper) - np.maximum(one.lower, other.lower)
            assert not (overlap[[0, 2]] > 0.35).all()
