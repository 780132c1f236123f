"""The SavedModel: its signatures, and pictures that are sent as encoded files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tasks.common.exports import saved_model
from tests.tasks.small_classifier import (
    CLASS_NAMES,
    HEIGHT,
    WIDTH,
)


@pytest.fixture(scope="module")
def path(classifier, tmp_path_factory) -> Path:
    """The classifier, exported."""
    folder = tmp_path_factory.mktemp("exports") / "saved_model"
    saved_model.export(classifier, CLASS_NAMES, folder)
    return folder


def encode(picture: np.ndarray, file_format: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format=file_format, **options)
    return buffer.getvalue()


def test_saved_model_has_the_named_signatures(path):
    signatures = tf.saved_model.load(str(path)).signatures
    assert sorted(signatures) == ["class_names", "encoded", "image", "serving_default"]
    for name in ("image", "serving_default"):
        spec = signatures[name].structured_input_signature[1]["image"]
        assert spec.dtype == tf.uint8
        assert spec.shape.as_list() == [None, HEIGHT, WIDTH, 3]
        assert signatures[name].structured_outputs["probabilities"].shape.as_list() == [None, 4]


def test_saved_model_stores_each_weight_once(path, classifier):
    prefix = path / "variables" / "variables"
    shapes = [shape for _, shape in tf.train.list_variables(str(prefix))]
    stored = sum(int(np.prod(shape)) for shape in shapes if shape)
    assert stored == classifier.count_params()


@pytest.mark.parametrize("file_format", ["PNG", "BMP"])
def test_encoded_equals_uint8_for_lossless_files(path, pictures, file_format):
    encoded = [encode(picture, file_format) for picture in pictures[:5]]
    received = saved_model.load_encoded(path)(encoded)
    np.testing.assert_array_equal(received, saved_model.load(path)(pictures[:5]))


def test_encoded_batch_of_one_and_of_mixed_kinds(path, pictures):
    predict = saved_model.load_encoded(path)
    large = np.kron(pictures[0], np.ones((5, 3, 1), np.uint8))
    files = [
        encode(pictures[0], "PNG"),
        encode(large, "JPEG"),
        encode(pictures[0], "GIF"),
        encode(pictures[0][..., 0], "PNG"),
        encode(np.dstack([pictures[0], np.full((HEIGHT, WIDTH), 9, np.uint8)]), "PNG"),
    ]
    together = predict(files)
    assert together.shape == (5, 4)
    for file, expected in zip(files, together, strict=True):
        np.testing.assert_allclose(predict([file])[0], expected, atol=1e-6)
    np.testing.assert_allclose(together[4], together[0], atol=1e-6)


def test_jpeg_is_decoded_as_pillow_decodes_it():
    generator = np.random.default_rng(0)
    smooth = Image.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((97, 61))
    for quality in (30, 75, 95):
        jpeg = encode(np.asarray(smooth), "JPEG", quality=quality)
        by_pillow = np.asarray(Image.open(io.BytesIO(jpeg)))
        np.testing.assert_array_equal(saved_model.decode(jpeg).numpy(), by_pillow)


def test_exif_rotation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: to be turned by 90 degrees.
    jpeg = encode(np.zeros((10, 20, 3), np.uint8), "JPEG", exif=exif)
    assert saved_model.decode(jpeg).shape == (10, 20, 3)


def test_a_file_that_is_no_picture_is_refused(path):
    predict = saved_model.load_encoded(path)
    with pytest.raises(tf.errors.InvalidArgumentError):
        predict([b"not a picture"])


def test_bilinear_rounds_and_keeps_a_picture_of_the_right_size():
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(saved_model.bilinear(7, 9)(picture), picture)
    # Each output pixel of a halving without anti-aliasing would be the mean of two; with it the
    # triangle of width 4 weighs neighbours 1:3:3:1, cut at the border to 3:3:1 of 7.
    row = np.array([0, 70, 140, 255], np.uint8)[None, :, None].repeat(3, axis=2)
    left = round((3 * 0 + 3 * 70 + 140) / 7)
    right = round((70 + 3 * 140 + 3 * 255) / 7)
    resized = saved_model.bilinear(1, 2)(row)
    assert resized.dtype == tf.uint8
    assert resized.numpy()[0, :, 0].tolist() == [left, right]


def test_the_given_resizing_is_used(classifier, pictures, tmp_path):
    def crop_top_left(picture):
        return picture[:HEIGHT, :WIDTH]

    saved_model.export(classifier, CLASS_NAMES, tmp_path / "crop", crop_top_left)
    canvas = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8)
    canvas[:HEIGHT, :WIDTH] = pictures[1]
    received = saved_model.load_encoded(tmp_path / "crop")([encode(canvas, "PNG")])
    np.testing.assert_array_equal(received, saved_model.load(tmp_path / "crop")(pictures[1:2]))
