"""The landmark regressor: shapes, what it carries, freezing, saving."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models import transfer
from keras_models.landmark_regressor import (
    REDUCED_CHANNELS,
    PointCoordinates,
    build_landmark_regressor,
    point_layer,
)
from keras_models.losses.regression import MaskedEuclideanLoss

NAMES, MIRROR = ("left", "right", "nose"), (1, 0, 2)


def build(head: str = "flattened", **options) -> keras.Model:
    return build_landmark_regressor(
        "MobileNet", (32, 64), NAMES, MIRROR, head=head, batch_norm_inference=False, **options
    )


def pictures(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 64, 3), np.uint8)


@pytest.mark.parametrize("head", ["pooled", "flattened"])
def test_shape_range_and_step(head: str, tmp_path: Path) -> None:
    """One step gives every trainable weight a gradient; saved and loaded it answers the same."""
    keras.utils.set_random_seed(1)
    model = build(head)
    points = model(pictures()).numpy()
    assert points.shape == (2, 6)
    assert points.dtype == np.float32
    assert ((points > 0) & (points < 1)).all()
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile(keras.optimizers.Adam(1e-3), MaskedEuclideanLoss(), run_eagerly=True)
    model.train_on_batch(pictures(8), np.full((8, 6), 0.3, np.float32))
    for old, weight in zip(before, model.trainable_weights, strict=True):
        assert not np.array_equal(old, weight.numpy()), weight.path
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_allclose(loaded(pictures()).numpy(), model(pictures()).numpy(), atol=1e-6)
    assert point_layer(loaded).point_names == NAMES
    assert point_layer(loaded).mirror == MIRROR


def test_the_heads_differ_in_what_the_last_layer_sees() -> None:
    """A MobileNet leaves 1 x 2 places of 1,024 channels of a picture of 32 x 64."""
    assert build("pooled").get_layer("logits").kernel.shape == (1024, 6)
    assert build("flattened").get_layer("logits").kernel.shape == (2 * REDUCED_CHANNELS, 6)


@pytest.mark.parametrize("head", ["pooled", "flattened"])
def test_points_start_in_the_middle(head: str) -> None:
    """Where the sigmoid is steep, however large the features are."""
    keras.utils.set_random_seed(2)
    points = build(head)(pictures(4)).numpy()
    np.testing.assert_allclose(points, 0.5, atol=0.1)


def test_a_shorter_backbone_leaves_more_places() -> None:
    """Without its last stage a MobileNet strides 16, not 32, and has 512 channels, not 1,024."""
    whole, shorter = build("pooled"), build("pooled", omitted_stages=1)
    assert whole.get_layer("pooling").input.shape == (None, 1, 2, 1024)
    assert shorter.get_layer("pooling").input.shape == (None, 2, 4, 512)
    assert transfer.stage_count(shorter) == transfer.stage_count(whole) - 1
    transfer.freeze(shorter, 1)
    assert len(transfer.parameter_groups(shorter)) == 2
    for wrong in (-1, 5):
        with pytest.raises(ValueError, match="`omitted_stages` must be from 0 to 4"):
            build(omitted_stages=wrong)


def test_pooling_loses_the_place() -> None:
    """Feature maps moved by a place give the pooled head the same features, the other not."""
    maps = np.random.default_rng(0).normal(size=(1, 1, 2, 1024)).astype(np.float32)
    heads = {}
    for head, begin in (("pooled", "pooling"), ("flattened", "reduction")):
        model = build(head)
        layers = model.layers[[layer.name for layer in model.layers].index(begin) :]
        heads[head] = keras.Sequential(layers)
    answers = {name: head(maps).numpy() for name, head in heads.items()}
    moved = {name: head(maps[:, :, ::-1]).numpy() for name, head in heads.items()}
    np.testing.assert_allclose(moved["pooled"], answers["pooled"], atol=1e-5)
    assert np.abs(moved["flattened"] - answers["flattened"]).max() > 1e-3


def test_freezing_leaves_the_head() -> None:
    model = build()
    transfer.freeze(model, 0)
    names = {weight.path.split("/")[0] for weight in model.trainable_weights}
    assert names == {"reduction", "normalisation", "logits"}
    assert [group.name for group in transfer.parameter_groups(model)] == ["head"]
    transfer.freeze(model, None)
    assert len(transfer.parameter_groups(model)) == 1 + transfer.stage_count(model)


@pytest.mark.parametrize(
    ("names", "mirror"),
    [
        ((), None),
        (("a", "a"), None),
        (("a", "b"), (0,)),
        (("a", "b"), (1, 1)),
        (("a", "b", "c"), (1, 2, 0)),
        (("a", "b"), (0, 2)),
    ],
)
def test_what_is_no_pairing_is_refused(names, mirror) -> None:
    with pytest.raises(ValueError, match="must"):
        PointCoordinates(names, mirror)


def test_other_faults_are_named() -> None:
    with pytest.raises(ValueError, match="`head` must be"):
        build("heat_maps")
    with pytest.raises(ValueError, match="one name per two logits"):
        PointCoordinates(NAMES)(np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="must end in a PointCoordinates"):
        point_layer(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]))
