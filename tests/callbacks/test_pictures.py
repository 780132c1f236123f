from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from callbacks import prediction_pictures
from callbacks.captioned_pictures import LINE_HEIGHT, MARGIN, as_uint8, contact_sheet
from callbacks.input_pictures import InputPictures
from callbacks.prediction_pictures import (
    RIGHT,
    WRONG,
    PredictionPictures,
    classification_pictures,
)


def decode(event) -> np.ndarray:
    """The picture of an image event, whose value is [width, height, encoded picture]."""
    return tf.io.decode_png(event[1][2]).numpy()


def test_the_sheet_holds_each_picture_in_its_place():
    pictures = np.stack([np.full((160, 160, 3), 10 * (n + 1), np.uint8) for n in range(5)])
    sheet = contact_sheet(pictures, columns=3)
    cell = 160 + 2 * MARGIN
    assert sheet.shape == (2 * cell, 3 * cell, 3)
    for index in range(5):
        row, column = divmod(index, 3)
        top, left = row * cell + MARGIN, column * cell + MARGIN
        assert (sheet[top : top + 160, left : left + 160] == 10 * (index + 1)).all()
    assert (sheet[cell:, 2 * cell :] == 255).all()


def test_captions_are_drawn_below_in_their_colour():
    sheet = contact_sheet(np.zeros((1, 160, 160, 3), np.uint8), ["cars\nvans"], [WRONG])
    assert sheet.shape[0] == 160 + 2 * MARGIN + 2 * LINE_HEIGHT
    caption = sheet[160 + MARGIN :]
    assert (caption.reshape(-1, 3) == WRONG).all(axis=-1).any()
    assert not (caption == 0).all(axis=-1).any()


def test_a_long_caption_stays_within_its_cell():
    sheet = contact_sheet(np.full((2, 160, 160, 3), 255, np.uint8), ["w" * 99, ""], columns=2)
    assert (sheet[:, 160 + 2 * MARGIN :] == 255).all()
    assert (sheet[:, : 160 + MARGIN] < 128).any()


def test_small_pictures_are_enlarged_in_proportion():
    assert contact_sheet(np.zeros((1, 20, 40, 1))).shape == (80 + 2 * MARGIN, 160 + 2 * MARGIN, 3)


def test_values_are_rounded_and_clipped():
    assert as_uint8(np.array([[[[-3.0], [0.6], [254.6], [300.0]]]]))[0, 0, :, 2].tolist() == [
        0,
        1,
        255,
        255,
    ]


@pytest.mark.parametrize(
    ("shape", "captions"), [((8, 8, 3), None), ((1, 8, 8, 2), None), ((1, 8, 8, 3), ["a", "b"])]
)
def test_wrong_shapes_and_counts_are_refused(shape, captions):
    with pytest.raises(ValueError, match="Received"):
        contact_sheet(np.zeros(shape), captions)


def test_input_pictures_reach_tensorboard_unchanged(tmp_path, data, read_events):
    pictures, _ = data
    InputPictures(tmp_path, pictures[:4], None, step=7).on_train_begin()
    (event,) = read_events(tmp_path / "pictures")["input"]
    assert event[0] == 7
    np.testing.assert_array_equal(decode(event), contact_sheet(pictures[:4]))


def test_classification_pictures_say_prediction_and_truth(monkeypatch, data):
    drawn = {}

    def sheet(pictures, captions, colours):
        drawn.update(captions=captions, colours=colours)

    monkeypatch.setattr(prediction_pictures, "contact_sheet", sheet)
    pictures, labels = data
    draw = classification_pictures(
        pictures[:2], labels[:2], ["dark", "light"], lambda _: np.array([[0.9, 0.1], [0.7, 0.3]])
    )
    draw(None)
    assert drawn["captions"] == ["dark 90%\ntruth: dark", "dark 70%\ntruth: light"]
    assert drawn["colours"] == [RIGHT, WRONG]


def test_the_trained_model_is_asked_in_inference_mode(data, make_model):
    """Dropout and batch statistics must not show, and nothing of the model may change."""
    pictures, labels = data
    model = make_model()
    before = [variable.numpy() for variable in model.variables]
    draw = classification_pictures(pictures[:3], labels[:3], ["dark", "light"])
    np.testing.assert_array_equal(draw(model), draw(model))
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.fixture
def steps_drawn(tmp_path, monkeypatch, read_events):
    """Runs epochs of `epoch_seconds`; returns the steps at which pictures were written."""

    def run(every, epoch_seconds, drawing_seconds, epochs=10):
        class Clock:
            now = 0.0

        def draw(_):
            Clock.now += drawing_seconds
            return np.zeros((4, 4, 3), np.uint8)

        monkeypatch.setattr(prediction_pictures.time, "monotonic", lambda: Clock.now)
        callback = PredictionPictures(tmp_path, draw, every)
        callback.set_params({"epochs": epochs})
        callback.on_train_begin()
        for epoch in range(epochs):
            Clock.now += epoch_seconds
            callback.on_epoch_end(epoch)
        callback.on_train_end()
        return [step for step, _ in read_events(tmp_path / "pictures")["predictions"]]

    return run


def test_pictures_come_every_few_epochs_and_at_the_end(steps_drawn):
    assert steps_drawn(every=4, epoch_seconds=60.0, drawing_seconds=0.5) == [1, 5, 9, 10]


def test_slow_drawings_wait_for_the_training(steps_drawn):
    # The first drawing waits for 30 s; after one of 0.5 s the next waits for 50 s of training.
    assert steps_drawn(every=1, epoch_seconds=10.0, drawing_seconds=0.5) == [3, 8, 10]


def test_a_short_fit_has_a_picture_of_its_end(steps_drawn):
    assert steps_drawn(every=1, epoch_seconds=1.0, drawing_seconds=0.5) == [10]
