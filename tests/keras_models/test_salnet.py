"""The deep and the shallow network, layer by layer, and the layers of saliency networks."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax

from keras_models.map_output import map_layer
from keras_models.saliency_layers import CentreBias, Maxout, RelativeDensity
from keras_models.salnet import build_deep_salnet, build_shallow_salnet

# Convolution, height, width and maps of its output, weights: of half of the paper's maps.
DEEP = [
    ("conv1", (240, 320, 48), 7 * 7 * 3 * 48 + 48),
    ("pool1", (120, 160, 48), 0),
    ("conv2", (120, 160, 128), 5 * 5 * 48 * 128 + 128),
    ("pool2", (60, 80, 128), 0),
    ("conv3", (60, 80, 256), 3 * 3 * 128 * 256 + 256),
    ("conv4", (60, 80, 256), 5 * 5 * 256 * 256 + 256),
    ("conv5", (60, 80, 256), 5 * 5 * 256 * 256 + 256),
    ("conv6", (60, 80, 128), 7 * 7 * 256 * 128 + 128),
    ("conv7", (60, 80, 64), 11 * 11 * 128 * 64 + 64),
    ("conv8", (60, 80, 16), 11 * 11 * 64 * 16 + 16),
    ("conv9", (60, 80, 1), 13 * 13 * 16 + 1),
    ("deconv1", (240, 320, 1), 8 * 8),
]
SHALLOW = [
    ("conv1", (92, 92, 32), 5 * 5 * 3 * 32 + 32),
    ("pool1", (46, 46, 32), 0),
    ("conv2", (44, 44, 64), 3 * 3 * 32 * 64 + 64),
    ("pool2", (22, 22, 64), 0),
    ("conv3", (20, 20, 64), 3 * 3 * 64 * 64 + 64),
    ("pool3", (10, 10, 64), 0),
    ("hidden4", (4608,), 6400 * 4608 + 4608),
    ("maxout", (2304,), 0),
    ("dense5", (2304,), 2304 * 2304 + 2304),
    ("map", (48, 48, 1), 0),
]


def check_layers(model: keras.Model, table) -> None:
    for name, shape, weights in table:
        layer = model.get_layer(name)
        assert layer.output.shape[1:] == shape, name
        assert layer.count_params() == weights, name


def test_the_deep_network_layer_by_layer() -> None:
    model = build_deep_salnet()
    check_layers(model, DEEP)
    assert model.count_params() == sum(weights for *_, weights in DEEP) == 6_457_057
    norm = model.get_layer("norm1")
    assert (norm.k, norm.n, norm.beta) == (1.0, 5, 0.75)
    assert norm.alpha == pytest.approx(2e-5)
    assert map_layer(model).names == ("saliency",)


def test_the_paper_has_twice_the_maps() -> None:
    assert build_deep_salnet(width=2.0).count_params() == 25_806_209


def test_the_shallow_network_layer_by_layer() -> None:
    model = build_shallow_salnet()
    check_layers(model, SHALLOW)
    assert model.count_params() == sum(weights for *_, weights in SHALLOW) == 34_864_384


def test_first_weights_are_he_normal_and_the_enlargement_is_bilinear() -> None:
    model = build_deep_salnet((32, 32), 0.5)
    kernel = model.get_layer("conv4").get_weights()[0]
    assert kernel.std() == pytest.approx(np.sqrt(2 / np.prod(kernel.shape[:3])), rel=0.05)
    last = model.get_layer("conv9").get_weights()[0]
    assert last.std() == pytest.approx(0.01 * np.sqrt(2 / last.size), rel=0.1)
    enlarged = model.get_layer("deconv1")
    ramp = np.arange(8, dtype=np.float32).reshape(1, 1, 8, 1).repeat(8, axis=1)
    made = keras.ops.convert_to_numpy(enlarged(ramp))[0, :, :, 0]
    expected = (np.arange(32) + 0.5) / 4 - 0.5
    np.testing.assert_allclose(made[16, 4:-4], expected[4:-4], rtol=1e-5)


def test_every_weight_of_a_small_one_gets_a_gradient_and_a_density_is_relative(
    tmp_path: Path,
) -> None:
    keras.utils.set_random_seed(0)
    model = build_deep_salnet((16, 24), 0.1, "density")
    picture = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), np.uint8)
    before = [weight.copy() for weight in model.get_weights()]
    model.compile(keras.optimizers.SGD(0.1), "mse")
    truth = np.random.default_rng(1).random((2, 16, 24, 1))
    model.train_on_batch(picture, truth)
    after = model.get_weights()
    # The bias of the last convolution moves every logit alike, which a density does not show.
    still = [
        weight.path
        for weight, a, b in zip(model.weights, before, after, strict=True)
        if np.array_equal(a, b)
    ]
    assert still in ([], ["conv9/bias"])
    made = model.predict(picture, verbose=0)
    np.testing.assert_allclose(made.max(axis=(1, 2, 3)), 1)
    assert made.min() > 0
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded.predict(picture, verbose=0), made)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: build_deep_salnet((30, 32)), "multiples of 4"),
        (lambda: build_deep_salnet((32, 32), 0), "above 0"),
        (lambda: build_shallow_salnet(-1), "above 0"),
        (lambda: build_deep_salnet((32, 32), 0.1, "other"), "linear"),
        (lambda: CentreBias((0.2, 0)), "positive"),
        (lambda: Maxout()(np.ones((1, 3))), "pairs"),
    ],
)
def test_what_cannot_be_is_refused(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


def test_maxout_takes_the_larger_of_two() -> None:
    made = Maxout()(np.array([[1.0, 4, 5, 2, -3, -2]]))
    assert keras.ops.convert_to_numpy(made).tolist() == [[4, 5, -2]]


def test_a_relative_density_is_a_softmax_over_places_up_to_its_highest() -> None:
    logits = np.random.default_rng(0).normal(0, 50, (3, 4, 5, 1)).astype(np.float32)
    made = keras.ops.convert_to_numpy(RelativeDensity()(logits)).reshape(3, -1)
    expected = softmax(logits.reshape(3, -1).astype(np.float64), axis=1)
    np.testing.assert_allclose(
        made, expected / expected.max(axis=1)[:, None], rtol=1e-4, atol=1e-30
    )
    huge = keras.ops.convert_to_numpy(RelativeDensity()(logits * 1e6))
    assert np.isfinite(huge).all()


def test_the_centre_bias_is_the_logarithm_of_a_gaussian() -> None:
    layer = CentreBias((0.3, 0.1))
    made = keras.ops.convert_to_numpy(layer(np.zeros((1, 4, 10, 1), np.float32)))[0, :, :, 0]
    x, y = (np.arange(10) + 0.5) / 10, (np.arange(4) + 0.5) / 4
    expected = -0.5 * (((y[:, None] - 0.5) / 0.1) ** 2 + ((x - 0.5) / 0.3) ** 2)
    np.testing.assert_allclose(made, expected, rtol=1e-4)
    assert layer.count_params() == 4
    again = CentreBias.from_config(layer.get_config())
    assert again.spread == (0.3, 0.1)
