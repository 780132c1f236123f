"""A backbone read out for saliency: shapes, weights, what it begins as, freezing."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models import transfer
from keras_models.losses.saliency import DivergenceLoss
from keras_models.map_output import map_layer
from keras_models.saliency_encoder import CHANNELS, build_saliency_encoder, map_size


def pictures(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)


def test_it_begins_as_its_centre_bias_and_saves(tmp_path: Path) -> None:
    model = build_saliency_encoder("SmallResNet", (48, 64), batch_norm_inference=False)
    made = model.predict(pictures((48, 64)), verbose=0)
    assert made.shape == (2, 12, 16, 1)
    np.testing.assert_array_equal(made[0], made[1])
    assert made.max() == 1
    assert made[0, 6, 8, 0] > made[0, 0, 8, 0] > made[0, 0, 0, 0] > 0
    assert map_layer(model).names == ("saliency",)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded.predict(pictures((48, 64)), verbose=0), made)


def test_read_depths_and_weights_of_the_head() -> None:
    """MobileNetV2's skips at strides 8, 16 and 32 have 192, 576 and 1280 maps."""
    model = build_saliency_encoder("MobileNetV2", (64, 96), batch_norm_inference=True)
    backbone = transfer.backbone_of(model)
    assert isinstance(backbone, transfer.InferenceModel)
    shapes = [tuple(output.shape[1:]) for output in backbone.outputs]
    assert shapes == [(8, 12, 192), (4, 6, 576), (2, 3, 1280)]
    read = sum(2 * maps + maps * CHANNELS + CHANNELS for maps in (192, 576, 1280))
    mixed = 9 * 3 * CHANNELS * CHANNELS + CHANNELS
    head = read + mixed + (CHANNELS + 1) + 4
    transfer.freeze(model, 0)
    assert transfer.count_parameters(model)["trainable"] == head
    assert transfer.count_parameters(model)["total"] == head + 2_257_984
    transfer.freeze(model, 2)
    names = [group.name for group in transfer.parameter_groups(model)]
    assert names == ["head", "stage_5", "stage_4"]


def test_it_learns_where_things_are() -> None:
    """A bright square in one of two places draws the eye; the frozen trunk is left as it is."""
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    images = rng.integers(60, 120, (32, 32, 32, 3), np.uint8)
    truth = np.full((32, 8, 8, 1), 0.01, np.float32)
    for number in range(32):
        place = rng.integers(1, 6, 2)
        row, column = 4 * place
        images[number, row : row + 8, column : column + 8] = 255
        truth[number, place[0] : place[0] + 2, place[1] : place[1] + 2] = 1
    model = build_saliency_encoder("SmallResNet", 32, None, 0.0, batch_norm_inference=False)
    model.compile(keras.optimizers.Adam(1e-2), DivergenceLoss())
    losses = model.fit(images, truth, batch_size=8, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.4 * losses[0]


def test_without_centre_bias_it_begins_flat() -> None:
    model = build_saliency_encoder(
        "SmallResNet", (32, 44), centre_bias=False, batch_norm_inference=False
    )
    np.testing.assert_array_equal(model.predict(pictures((32, 44)), verbose=0), 1)
    assert model.output_shape[1:3] == map_size((32, 44)) == (8, 11)
    assert map_size((33, 45)) == (9, 12)


def test_an_unknown_backbone_is_named() -> None:
    with pytest.raises(ValueError, match="close to it"):
        build_saliency_encoder("MobileNetV9", 64, batch_norm_inference=False)
