"""The drawn street: its picture, depth, mask, boxes and fixations agree, and follow a pinhole."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.core import content_fingerprint, fingerprint, limit
from datasets.rendered.street import classes, source
from datasets.rendered.street.labels import SMALLEST_INSTANCE
from datasets.rendered.street.source import RenderedStreet, load

SIZE = (96, 128)
SCENES = 12


@pytest.fixture(scope="module")
def examples() -> list[dict[str, np.ndarray]]:
    drawn = RenderedStreet(SCENES, seed=3, image_size=SIZE)
    return [drawn.example(index) for index in range(SCENES)]


@pytest.mark.parametrize("size", [(64, 64), (33, 70), (120, 48)])
def test_an_example_has_the_arrays_of_the_contract(size):
    example = RenderedStreet(2, seed=0, image_size=size).example(1)
    count, points = len(example["boxes_xyxy"]), len(example["fixations"])
    contract = {
        "image": (np.uint8, (*size, 3)),
        "depth": (np.float32, size),
        "depth_mask": (np.uint8, size),
        "mask": (np.uint8, size),
        "instances": (np.int32, size),
        "boxes_xyxy": (np.float32, (count, 4)),
        "box_classes": (np.int64, (count,)),
        "car_classes": (np.int64, (count,)),
        "fixations": (np.float32, (points, 2)),
        "fixation_observers": (np.int64, (points,)),
        "focal_length": (np.float32, ()),
        "label": (np.int64, ()),
    }
    assert {name: (array.dtype, array.shape) for name, array in example.items()} == {
        name: (np.dtype(kind), shape) for name, (kind, shape) in contract.items()
    }
    assert np.ptp(example["image"]) > 100


def test_the_same_seed_and_index_draw_the_same_example():
    few, many = (RenderedStreet(count, seed=3, image_size=(64, 80)) for count in (2, 9))
    first, again = few.example(1), many.example(1)
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])


def test_seed_and_index_change_the_scene():
    one, other = (RenderedStreet(2, seed=seed, image_size=(64, 80)) for seed in (1, 2))
    pictures = [one.example(0), one.example(1), other.example(0)]
    assert len({picture["depth"].tobytes() for picture in pictures}) == 3


def test_the_scene_does_not_depend_on_the_size_of_the_picture():
    """Three times the pixels see the same, but for the edges of cut-outs, which are finer."""
    small, large = (draw(size)["depth"] for size in ((60, 80), (180, 240)))
    # The middle of every third pixel of the large picture is the middle of a small one's pixel.
    same = large[1::3, 1::3]
    assert np.isclose(same, small, rtol=1e-4).mean() > 0.97


def draw(size: tuple[int, int]) -> dict[str, np.ndarray]:
    return source.draw_example([7, 4], size)


def test_boxes_are_the_bounding_boxes_of_the_visible_pixels(examples):
    seen = 0
    for example in examples:
        assert example["instances"].max() == len(example["boxes_xyxy"])
        for number, box in enumerate(example["boxes_xyxy"], start=1):
            rows, columns = np.nonzero(example["instances"] == number)
            tight = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            np.testing.assert_array_equal(box, tight)
            assert len(rows) >= SMALLEST_INSTANCE
            seen += 1
    assert seen > 60


def test_the_mask_agrees_with_the_instances(examples):
    for example in examples:
        for number, class_id in enumerate(example["box_classes"], start=1):
            assert set(example["mask"][example["instances"] == number]) == {class_id}
    found = {int(k) for example in examples for k in example["box_classes"]}
    assert found == set(classes.INSTANCE_CLASSES)


def test_cars_and_only_cars_have_a_car_class(examples):
    kinds = np.concatenate([example["box_classes"] for example in examples])
    cars = np.concatenate([example["car_classes"] for example in examples])
    np.testing.assert_array_equal(cars >= 0, kinds == classes.CAR)
    assert cars.max() < len(classes.CAR_CLASS_NAMES)
    assert len(set(cars)) > 5


def test_depth_is_known_everywhere_but_in_the_sky(examples):
    for example in examples:
        np.testing.assert_array_equal(example["depth_mask"] == 0, example["mask"] == classes.SKY)
        np.testing.assert_array_equal(example["depth"] == 0, example["depth_mask"] == 0)
        known = example["depth"][example["depth_mask"] == 1]
        assert known.min() >= 0.3
        assert known.max() <= 400.0


# Of each class the least share of all pixels, and of the scenes that show twenty pixels of it or
# more: about two thirds of what the scenes of this file have.
COMMON = {
    "Sky": (0.11, 0.9),
    "Building": (0.16, 0.9),
    "Pole": (0.004, 0.6),
    "Road": (0.16, 0.9),
    "Pavement": (0.05, 0.8),
    "Tree": (0.06, 0.7),
    "SignSymbol": (0.0015, 0.4),
    "Fence": (0.0016, 0.3),
    "Car": (0.07, 0.9),
    "Pedestrian": (0.01, 0.8),
    "Bicyclist": (0.0012, 0.2),
}


def test_every_class_but_void_is_common(examples):
    """A class that hardly ever occurs could not be learned."""
    counts = np.stack([np.bincount(each["mask"].ravel(), minlength=12) for each in examples])
    shares = counts.sum(axis=0) / counts.sum()
    scenes = (counts >= 20).mean(axis=0)
    assert tuple(COMMON) == classes.CLASS_NAMES[: classes.VOID]
    for number, (name, (least_share, least_scenes)) in enumerate(COMMON.items()):
        assert shares[number] >= least_share, name
        assert scenes[number] >= least_scenes, name
    assert shares[classes.VOID] < 0.003


def test_fixations_lie_inside_and_gather_at_things(examples):
    at_things, area = 0.0, 0.0
    for example in examples:
        x, y = example["fixations"].T
        assert ((x >= 0) & (x < SIZE[1]) & (y >= 0) & (y < SIZE[0])).all()
        hit = example["instances"][y.astype(int), x.astype(int)] > 0
        at_things += hit.mean() / len(examples)
        area += (example["instances"] > 0).mean() / len(examples)
        assert np.bincount(example["fixation_observers"]).min() >= 5
    assert at_things > 1.5 * area


def test_observers_agree_more_with_each_other_than_with_other_scenes():
    """What makes a fixation map worth predicting: the picture decides part of it."""
    size = (96, 96)
    drawn = [RenderedStreet(10, seed=1, image_size=size).example(index) for index in range(10)]
    own, other = [], []
    for number, example in enumerate(drawn):
        halves = example["fixation_observers"] % 2
        first = density(example["fixations"][halves == 0], size)
        own.append(sampled(first, example["fixations"][halves == 1]))
        other.append(sampled(first, drawn[number - 1]["fixations"]))
    assert np.mean(own) > np.mean(other) * 1.15


def density(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    rows, columns = np.mgrid[: size[0], : size[1]]
    bells = [np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 6.0**2)) for x, y in points]
    total = np.sum(bells, axis=0)
    return total / total.mean()


def sampled(values: np.ndarray, points: np.ndarray) -> float:
    x, y = points.astype(int).T
    return float(values[y, x].mean())


def test_splits_share_no_scene_and_carry_their_description():
    splits = load(3, 2, 2, (48, 64), seed=5)
    parts = (splits.train, splits.validation, splits.test)
    pictures = {
        part.example(index)["image"].tobytes() for part in parts for index in range(len(part))
    }
    assert [len(part) for part in parts] == [3, 2, 2]
    assert len(pictures) == 7
    assert splits.info.class_names == classes.CLASS_NAMES
    assert len({fingerprint([part]) for part in parts}) == 3


def test_the_tools_for_any_source_take_a_street():
    drawn = RenderedStreet(6, seed=0, image_size=(32, 32))
    assert len(limit(drawn, 4, seed=0)) == 4
    assert content_fingerprint(limit(drawn, 2, 0)) == content_fingerprint(limit(drawn, 2, 0))
    assert drawn.identifier(4) == "drawn street 4 of seed 0"
    np.testing.assert_array_equal(drawn.labels, np.zeros(6, dtype=np.int64))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "count must be at least 1. Received: count=0"),
        ({"seed": -1}, "seed must be at least 0. Received: seed=-1"),
        ({"image_size": (31, 96)}, r"image_size .*\[32, 4096\].*Received: image_size=\(31, 96\)"),
        ({"image_size": (64,)}, "image_size"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        RenderedStreet(**{"count": 2, "seed": 0, "image_size": (64, 96)} | change)


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_outside_is_refused(index):
    with pytest.raises(IndexError, match="Received"):
        RenderedStreet(2, 0, SIZE).example(index)


def test_load_refuses_a_negative_seed():
    with pytest.raises(ValueError, match="seed must be at least 0"):
        load(2, 2, 2, SIZE, -1)
