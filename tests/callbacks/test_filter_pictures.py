"""Filters as a picture: where each lies, and which weight has which shade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from callbacks.filter_pictures import filter_sheet, write_filters


def test_shades_stand_for_weights() -> None:
    """Two filters of one row, enlarged by 640 // 7 = 91: largest white, 0 grey, negative black."""
    filters = np.array([[[[2.0], [0.0]]], [[[-5.0], [2.5]]]])
    sheet = filter_sheet(filters, columns=2)
    assert sheet.shape == (3 * 91, 7 * 91, 3)
    middles = sheet[45::91, 45::91]
    np.testing.assert_array_equal(middles[1, :, 0], [255, 255, 128, 255, 0, 191, 255])
    assert (middles[[0, 2]] == 255).all()
    assert (middles[..., 0] == middles[..., 1]).all()


def test_every_filter_lies_in_its_place() -> None:
    filters = np.random.default_rng(0).normal(size=(7, 4, 3, 3))
    sheet = filter_sheet(filters, columns=3)
    side = 640 // 13
    small = sheet[side // 2 :: side, side // 2 :: side].astype(float)
    assert small.shape == (3 * 5 + 1, 3 * 4 + 1, 3)
    for number, weights in enumerate(filters):
        row, column = divmod(number, 3)
        shown = small[row * 5 + 1 : row * 5 + 5, column * 4 + 1 : column * 4 + 4]
        largest = np.abs(weights).max()
        np.testing.assert_allclose(shown, 127.5 + 127.5 * weights / largest, atol=0.51)


def test_a_filter_of_zeros_is_grey() -> None:
    sheet = filter_sheet(np.zeros((1, 5, 5, 1)))
    assert set(np.unique(sheet)) == {128, 255}


@pytest.mark.parametrize("shape", [(0, 5, 5, 1), (3, 5, 5, 2), (5, 5, 1)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="`filters` must have shape"):
        filter_sheet(np.zeros(shape))


def test_tensorboard_gets_the_sheet(tmp_path: Path) -> None:
    filters = np.random.default_rng(0).normal(size=(6, 5, 5, 1))
    write_filters(tmp_path, filters)
    (file,) = (tmp_path / "test").glob("events.out.tfevents.*")
    events = tf.compat.v1.train.summary_iterator(str(file))
    values = [value for event in events for value in event.summary.value]
    assert [value.tag for value in values] == ["filters_of_the_first_layer"]
    picture = tf.io.decode_png(values[0].tensor.string_val[2]).numpy()
    np.testing.assert_array_equal(picture, filter_sheet(filters))
