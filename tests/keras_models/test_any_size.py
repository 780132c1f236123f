"""Networks for pictures of any size."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from datasets import pipeline
from keras_models.any_size import any_size, class_ids
from keras_models.map_output import MapOutput, map_layer

HEIGHT, WIDTH, NAMES = 12, 20, ("sky", "road", "car")


def network(shrink: int = 1) -> keras.Model:
    """Shares of red, green and blue, from a picture blurred a little; nothing is random."""
    image = keras.Input((HEIGHT, WIDTH, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 25)(image)
    x = keras.layers.AveragePooling2D(shrink)(x) if shrink > 1 else x
    x = keras.layers.BatchNormalization(name="normalised")(x)
    return keras.Model(image, MapOutput(NAMES, "probability")(keras.layers.Softmax()(x)))


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth blobs of colour, uint8 (height, width, 3)."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (2, 2, 0))
    return np.clip(127 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def answer(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images, training=False))


def test_a_picture_of_the_networks_size_gets_the_networks_own_answer() -> None:
    images = np.stack([picture(HEIGHT, WIDTH, seed) for seed in range(3)])
    model = network()
    np.testing.assert_array_equal(answer(any_size(model), images), answer(model, images))


@pytest.mark.parametrize("size", [(12, 33), (37, 20), (50, 61), (7, 9), (1, 1), (97, 5)])
def test_another_size_is_squashed_answered_and_stretched_back(size: tuple[int, int]) -> None:
    model, image = network(2), picture(*size)
    squashed = pipeline.resize(image, (HEIGHT, WIDTH), "squash").numpy()
    maps = answer(model, squashed[None])
    assert maps.shape == (1, HEIGHT // 2, WIDTH // 2, 3)
    expected = tf.image.resize(maps, size).numpy()
    received = answer(any_size(model), image[None])
    # A half goes up here, and to the even grey level or, by rounding before, to any there.
    np.testing.assert_allclose(received, expected, atol=0.011)
    assert np.abs(received - expected).mean() < 2e-4


def test_squashing_is_that_of_the_data_sets() -> None:
    image = picture(145, 211)
    image_layer = any_size(network()).get_layer("to_network_size")
    received = answer(image_layer, image[None])[0].astype(int)
    expected = pipeline.resize(image, (HEIGHT, WIDTH), "squash").numpy()
    assert np.abs(received - expected).max() <= 1
    assert (received != expected).mean() < 0.01


def test_halves_are_rounded_up_in_whatever_order_a_runtime_adds() -> None:
    """From 2 to 3 pixels each mean is of sixths, and many lie between two grey levels."""
    image = picture(24, 40)
    received = answer(any_size_to(36, 60), image[None])[0]
    exact = image.astype(np.int64)
    for axis in (0, 1):
        # Middles at 1/3, 1 and 5/3 of each pair of pixels: shares of sixths of the nearest two.
        exact = np.moveaxis(exact, axis, 0)
        before = np.concatenate([exact[:1], exact[:-1]])[0::2]
        after = np.concatenate([exact[1:], exact[-1:]])[1::2]
        first, second = exact[0::2], exact[1::2]
        three = [before + 5 * first, 3 * first + 3 * second, 5 * second + after]
        exact = np.moveaxis(np.stack(three, axis=1).reshape(-1, *exact.shape[1:]), 0, axis)
    assert (exact % 36 == 18).mean() > 0.02
    np.testing.assert_array_equal(received, (exact + 18) // 36)


def any_size_to(height: int, width: int) -> keras.layers.Layer:
    """The layer that squashes pictures for a network of this size."""
    image = keras.Input((height, width, 3), dtype="uint8")
    maps = MapOutput(NAMES, "share")(keras.layers.Rescaling(1 / 255)(image))
    return any_size(keras.Model(image, maps)).get_layer("to_network_size")


def test_a_batch_of_any_size_and_a_saved_model_answer_alike(tmp_path) -> None:
    images = np.stack([picture(30, 18, seed) for seed in range(3)])
    model = any_size(network(2))
    alone = np.concatenate([answer(model, image[None]) for image in images])
    np.testing.assert_allclose(answer(model, images), alone, atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(answer(loaded, images), alone, atol=1e-6)
    assert map_layer(loaded).names == NAMES


def test_class_ids_are_compared_at_the_pictures_size() -> None:
    """Logits are stretched, not ids: a stretched id has steps of whole network pixels."""
    model, image = network(4), picture(60, 100)
    logits = keras.Model(model.input, model.get_layer("normalised").output)
    ids = answer(any_size(class_ids(model)), image[None])
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, answer(any_size(logits), image[None]).argmax(axis=-1))
    probabilities = answer(any_size(model), image[None])
    # Each pixel of the network is 15 x 20 of the picture: borders are wide.
    assert 0 < (ids != probabilities.argmax(axis=-1)).mean() < 0.1
    coarse = answer(class_ids(model), pipeline.resize(image, (HEIGHT, WIDTH), "squash")[None])
    steps = tf.image.resize(coarse[..., None], (60, 100), method="nearest").numpy()[..., 0]
    assert (steps != ids).mean() > 0.02
    np.testing.assert_array_equal(class_ids(model).layers[-1].names, NAMES)


def test_class_ids_need_no_softmax_also_after_loading(tmp_path) -> None:
    model, images = network(2), picture(HEIGHT, WIDTH)[None]
    model.save(tmp_path / "model.keras")
    loaded = class_ids(keras.saving.load_model(tmp_path / "model.keras"))
    assert not any(isinstance(layer, keras.layers.Softmax) for layer in loaded.layers)
    np.testing.assert_array_equal(answer(loaded, images), answer(model, images).argmax(axis=-1))


def test_a_graph_of_unknown_size_computes_the_same() -> None:
    model, image = any_size(network(2)), picture(31, 45)
    specification = tf.TensorSpec((None, None, None, 3), tf.uint8)
    graph = tf.function(lambda images: model(images, training=False), [specification])
    np.testing.assert_allclose(graph(image[None]), answer(model, image[None]), atol=1e-6)


def test_what_has_an_open_size_or_no_maps_is_refused() -> None:
    with pytest.raises(ValueError, match="of one size"):
        any_size(any_size(network()))
    image = keras.Input((8, 8, 3), dtype="uint8")
    pooled = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))
    with pytest.raises(ValueError, match="give maps"):
        any_size(pooled)
    with pytest.raises(ValueError, match="MapOutput"):
        class_ids(pooled)
    brightness = keras.Model(image, MapOutput(NAMES, "share")(keras.layers.Rescaling(0.1)(image)))
    with pytest.raises(ValueError, match="must end in a Softmax"):
        class_ids(brightness)
