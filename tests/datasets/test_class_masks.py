"""Shares of classes, the information on them, and drawn streets as pictures with masks."""

from __future__ import annotations

import numpy as np
import pytest

from datasets import class_masks, street_masks
from datasets.core import DataError


class Masks:
    """Masks of one id each, of different sizes."""

    def __init__(self, *ids: int) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def example(self, index: int) -> dict[str, np.ndarray]:
        return {"mask": np.full((2, index + 1), self.ids[index], np.uint8)}

    def identifier(self, index: int) -> str:
        return f"mask {index}"


def test_shares_are_of_the_pixels_that_are_not_void() -> None:
    """Pixels: two of class 0, four of void, six and eight of class 2."""
    assert class_masks.class_shares(Masks(0, 3, 2, 2), 3) == (0.125, 0.0, 0.875)


def test_void_alone_has_no_shares() -> None:
    with pytest.raises(
        DataError, match=r"2 training masks, .* mask 0, must hold pixels of some class"
    ):
        class_masks.class_shares(Masks(3, 3), 3)


def test_one_mask_with_a_class_is_enough_to_be_measured() -> None:
    class_masks.require_some_class(Masks(3, 3, 2), 3, "test")
    with pytest.raises(DataError, match=r"2 test masks, .* mask 0, .* received void alone"):
        class_masks.require_some_class(Masks(3, 3), 3, "test")


def test_a_mask_is_never_mixed_and_void_outside() -> None:
    kind = class_masks.mask_kind(11)
    assert (kind.name, kind.interpolation, kind.fill) == ("mask", "nearest", 11)


def test_drawn_streets_have_the_classes_of_camvid() -> None:
    splits = street_masks.load(3, 2, 2, (32, 48), seed=5)
    example = splits.train.example(2)
    assert set(example) == {"image", "mask", "label"}
    assert example["image"].shape == (32, 48, 3)
    assert example["mask"].shape == (32, 48)
    assert example["mask"].max() <= 11
    assert len(splits.info.class_names) == len(splits.info.class_colours) == 11
    assert "Void" not in splits.info.class_names
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (3, 2, 2)
    np.testing.assert_array_equal(example["mask"], splits.train.example(2)["mask"])
    assert splits.train.identifier(0) != splits.test.identifier(0)
    assert splits.train.labels.tolist() == [0, 0, 0]
