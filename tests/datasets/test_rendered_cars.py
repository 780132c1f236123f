"""The drawn cars: repeatable, balanced, told apart by shape and not by colour."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from datasets.core import fingerprint
from datasets.rendered.body_styles import BODY_STYLES
from datasets.rendered.camera import Camera
from datasets.rendered.canvas import Canvas, Light
from datasets.rendered.cars import (
    CLASS_NAMES,
    DEFAULT_CLASS_NAMES,
    RenderedCars,
    load,
    placed_camera,
    recipe,
)
from datasets.rendered.details import DETAILS
from datasets.rendered.look import paint_colour, sample_look
from datasets.rendered.shapes import box_corners, rounded
from datasets.rendered.vehicle import draw_car

SIZE = (48, 72)


def silhouette(name: str, seed: int, size: tuple[int, int] = (96, 96)) -> np.ndarray:
    """Where a car of the class covers the picture: painted on black and on white ground."""
    covered = []
    for ground in (0, 255):
        look = sample_look(np.random.default_rng(seed))
        body, details = recipe(name)
        image = Image.new("RGB", (size[1], size[0]), (ground,) * 3)
        camera = placed_camera(body, details, look, size)
        draw_car(Canvas(image, camera, look.light), body, details, look)
        covered.append(np.asarray(image, dtype=int))
    return np.abs(covered[0] - covered[1]).max(axis=2) == 0


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (97, 61), (32, 160), (200, 320)])
def test_an_example_has_the_size_asked_for_and_is_rgb(size):
    example = RenderedCars(3, seed=0, image_size=size).example(2)
    assert example["image"].shape == (*size, 3)
    assert example["image"].dtype == np.uint8
    assert example["label"].dtype == np.int64
    assert example["label"].shape == ()
    assert np.ptp(example["image"]) > 100


def test_the_same_seed_and_index_draw_the_same_pixels():
    first, again = (RenderedCars(5, seed=3, image_size=SIZE) for _ in range(2))
    np.testing.assert_array_equal(first.example(4)["image"], again.example(4)["image"])
    np.testing.assert_array_equal(first.example(4)["image"], first.example(4)["image"])


def test_an_example_does_not_depend_on_the_number_of_examples():
    few, many = (RenderedCars(count, seed=3, image_size=SIZE) for count in (6, 60))
    assert few.example(5)["label"] == many.example(5)["label"]
    np.testing.assert_array_equal(few.example(5)["image"], many.example(5)["image"])


def test_seed_and_index_change_the_picture():
    source, other = (RenderedCars(17, seed=seed, image_size=SIZE) for seed in (1, 2))
    pictures = [source.example(0), source.example(8), other.example(0)]
    assert {int(picture["label"]) for picture in pictures} == {0}
    assert len({picture["image"].tobytes() for picture in pictures}) == 3


@pytest.mark.parametrize("count", [8, 21, 400])
def test_labels_are_balanced_and_agree_with_the_examples(count):
    source = RenderedCars(count, seed=0, image_size=(32, 32))
    assert len(source) == count
    assert source.labels.dtype == np.int64
    assert np.ptp(np.bincount(source.labels, minlength=8)) <= 1
    assert source.example(count - 1)["label"] == source.labels[count - 1]


def test_the_identifier_names_the_drawing():
    assert RenderedCars(20, seed=3, image_size=SIZE).identifier(17) == "drawn car 17 of seed 3"


def test_there_are_enough_bodies_details_and_classes():
    assert len({body.name for body in BODY_STYLES}) >= 8
    assert len({detail.name for detail in DETAILS}) >= 6
    assert len(set(CLASS_NAMES)) == len(CLASS_NAMES) > 16
    assert len(DEFAULT_CLASS_NAMES) == 8
    for body in BODY_STYLES:
        assert body.name in CLASS_NAMES
    for detail in DETAILS:
        assert any(name.endswith(f"with {detail.name}") for name in CLASS_NAMES)


def test_every_class_can_be_drawn():
    source = RenderedCars(len(CLASS_NAMES), 0, (32, 48), CLASS_NAMES)
    pictures = {source.example(index)["image"].tobytes() for index in range(len(source))}
    assert len(pictures) == len(CLASS_NAMES)


def test_splits_share_no_picture_and_carry_their_description():
    splits = load(24, 16, 16, (32, 48), seed=5, class_count=9)
    pictures = [
        part.example(index)["image"].tobytes()
        for part in (splits.train, splits.validation, splits.test)
        for index in range(len(part))
    ]
    assert len(pictures) == 56
    assert len(set(pictures)) == 56
    assert splits.info.class_names == CLASS_NAMES[:9]
    assert splits.train.labels.max() == 8


def test_splits_of_neighbouring_seeds_are_different_too():
    prints = {
        fingerprint([part])
        for seed in range(4)
        for splits in [load(8, 8, 8, (32, 32), seed)]
        for part in (splits.train, splits.validation, splits.test)
    }
    assert len(prints) == 12


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_default_classes_differ_in_silhouette_when_all_else_is_equal(seed):
    shapes = [silhouette(name, seed) for name in DEFAULT_CLASS_NAMES]
    for first in range(len(shapes)):
        assert shapes[first].sum() > 500
        for second in range(first):
            union = (shapes[first] | shapes[second]).sum()
            differing = (shapes[first] ^ shapes[second]).sum()
            assert differing / union > 0.04


@pytest.mark.parametrize("detail", [d.name for d in DETAILS if d.place != "side"])
def test_a_detail_changes_the_silhouette_of_its_body(detail):
    name = next(name for name in CLASS_NAMES if name.endswith(f"with {detail}"))
    changed = [
        silhouette(name, seed) ^ silhouette(name.split(" with ")[0], seed) for seed in range(6)
    ]
    assert min(mask.sum() for mask in changed) > 15


@pytest.mark.parametrize("name", CLASS_NAMES[:20])
def test_all_of_a_car_is_in_the_picture(name):
    body, details = recipe(name)
    for seed in range(10):
        look = sample_look(np.random.default_rng(seed))
        camera = placed_camera(body, details, look, (64, 96))
        half, wide = body.length / 2, body.width / 2
        pixels = camera.project(box_corners((-half, 0, -wide), (half, body.height, wide)))
        assert np.all(pixels >= 0)
        assert np.all(pixels <= np.array([96, 64]))


def test_paint_is_drawn_before_and_apart_from_the_class():
    """Chi-square test on hue by class: the paint of 4,000 looks, dealt to eight classes."""
    counts = np.zeros((8, 6))
    for index in range(4000):
        look_rng = np.random.default_rng([0, index]).spawn(4)[0]
        red, green, blue = sample_look(look_rng).paint
        hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
        if saturation > 0.2:
            counts[index % 8, int(6 * hue) % 6] += 1
    assert counts.min() > 20
    assert stats.chi2_contingency(counts).pvalue > 0.01


def test_paint_comes_in_greys_and_in_all_hues():
    rng = np.random.default_rng(0)
    paints = np.array([paint_colour(rng) for _ in range(1000)]) / 255
    saturation = 1 - paints.min(axis=1) / paints.max(axis=1)
    hues = [colorsys.rgb_to_hsv(*paint)[0] for paint in paints[saturation > 0.2]]
    assert 0.3 < (saturation < 0.1).mean() < 0.5
    assert np.histogram(hues, bins=6, range=(0, 1))[0].min() > 50


def test_mean_colour_of_the_pictures_does_not_tell_the_class():
    """One-way analysis of variance of the mean red-blue balance of whole pictures."""
    source = RenderedCars(320, 1, (32, 48))
    balance = np.array(
        [np.diff(source.example(i)["image"].mean(axis=(0, 1))[[0, 2]])[0] for i in range(320)]
    )
    groups = [balance[source.labels == label] for label in range(8)]
    assert stats.f_oneway(*groups).pvalue > 0.01


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "count must be at least 1. Received: count=0"),
        ({"seed": -1}, "seed must be at least 0. Received: seed=-1"),
        ({"image_size": (31, 96)}, r"image_size .*\[32, 1024\].* Received: image_size=\(31, 96\)"),
        ({"image_size": (64, 1025)}, "image_size"),
        ({"image_size": (64,)}, "image_size"),
        ({"class_names": ("sedan", "rocket")}, "class_names .*Received: .*rocket"),
        ({"class_names": ("sedan", "sedan")}, "class_names"),
        ({"class_names": ("sedan",)}, "class_names must be at least 2"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        RenderedCars(**{"count": 8, "seed": 0, "image_size": (64, 96)} | change)


@pytest.mark.parametrize("index", [-1, 8])
def test_an_index_outside_is_refused(index):
    with pytest.raises(IndexError, match="Received"):
        RenderedCars(8, 0, SIZE).example(index)


@pytest.mark.parametrize("class_count", [1, len(CLASS_NAMES) + 1])
def test_load_refuses_a_class_count_that_cannot_be(class_count):
    with pytest.raises(ValueError, match="class_count must be in"):
        load(8, 8, 8, SIZE, 0, class_count)


def test_load_takes_classes_from_the_middle():
    splits = load(6, 6, 6, (32, 48), seed=0, class_count=3, first_class=8)
    assert splits.info.class_names == CLASS_NAMES[8:11]
    expected = RenderedCars(6, 0, (32, 48), CLASS_NAMES[8:11]).example(4)["image"]
    np.testing.assert_array_equal(splits.train.example(4)["image"], expected)
    for class_count, first in ((3, len(CLASS_NAMES) - 2), (3, -1)):
        with pytest.raises(ValueError, match="first_class at least 0"):
            load(8, 8, 8, SIZE, 0, class_count, first)


def test_load_refuses_a_negative_seed():
    with pytest.raises(ValueError, match="seed must be at least 0"):
        load(8, 8, 8, SIZE, -1)


def test_the_camera_projects_as_a_pinhole_does():
    """Straight from the side: 100 pixels at 10 m make 10 pixels a metre, rows count downwards."""
    camera = Camera(0.0, 1.0, 10.0, False, 0.0, focal=100.0, centre=(50.0, 40.0))
    points = np.array([[0.0, 1.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0, 1.0, 10.0]])
    np.testing.assert_allclose(camera.project(points), [[50, 40], [70, 40], [50, 50], [60, 40]])
    np.testing.assert_allclose(camera.eye, [0.0, 1.0, -10.0])


def test_the_eye_is_where_the_depth_is_zero():
    camera = Camera(0.4, 1.5, 8.0, True, 0.1)
    assert camera.depth(camera.eye) == pytest.approx(0.0)
    front, rear = np.array([[1.0, 0.0, 0.0]]), np.array([[-1.0, 0.0, 0.0]])
    assert camera.sees(front, np.array([[2.0, 1.0, 0.0]]))[0]
    assert not camera.sees(rear, np.array([[-2.0, 1.0, 0.0]]))[0]


def test_light_follows_lamberts_law():
    light = Light(np.array([0.0, 1.0, 0.0]), ambient=0.6, diffuse=0.4)
    tilted = np.array([np.sqrt(0.75), 0.5, 0.0])
    np.testing.assert_allclose(light.on(np.array([[0, 1, 0], [0, -1, 0]])), [1.0, 0.6])
    assert light.on(tilted) == pytest.approx(0.8)


def test_rounded_corners_stay_inside_and_open_lines_keep_their_ends():
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    closed = rounded(square, 0.3)
    assert closed.shape == (20, 2)
    assert closed.min() >= 0
    assert closed.max() <= 1
    # A quadratic Bezier curve passes halfway between its control point and the chord's middle.
    np.testing.assert_allclose(closed[2], [0.075, 0.075])
    line = rounded(square, 0.3, closed=False)
    np.testing.assert_allclose(line[[0, -1]], [[0, 0], [0, 1]])
