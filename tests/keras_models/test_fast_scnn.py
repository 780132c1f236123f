"""Fast-SCNN layer by layer as in its tables; any size; freezing nothing, saving everything."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models.any_size import class_ids
from keras_models.fast_scnn import (
    BilinearResize,
    GridMeans,
    build_fast_scnn,
    share_layer,
)
from keras_models.losses.segmentation import SegmentationLoss
from keras_models.map_output import map_layer

NAMES = ("road", "sky", "car")
COLOURS = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
SHARES = (0.5, 0.3, 0.2)

# Table 1 of the paper: what each part hands on, height x width x channels, at 1024 x 2048.
TABLE_1 = {
    "downsample1": (512, 1024, 32),
    "downsample2": (256, 512, 48),
    "downsample3": (128, 256, 64),
    **{f"global{number}": (64, 128, 64) for number in (1, 2, 3)},
    **{f"global{number}": (32, 64, 96) for number in (4, 5, 6)},
    **{f"global{number}": (32, 64, 128) for number in (7, 8, 9)},
    "pyramid": (32, 64, 128),
    "fusion": (128, 256, 128),
    "classifier1": (128, 256, 128),
    "classifier2": (128, 256, 128),
    "logits": (128, 256, 19),
    "maps": (1024, 2048, 19),
}


@pytest.fixture(scope="module")
def paper() -> keras.Model:
    return build_fast_scnn((1024, 2048), [f"class {number}" for number in range(19)])


@pytest.fixture(scope="module")
def small() -> keras.Model:
    keras.utils.set_random_seed(3)
    return build_fast_scnn((45, 70), NAMES, COLOURS, SHARES)


def count(layers: list[keras.layers.Layer], kinds: tuple[type, ...]) -> int:
    chosen = [layer for layer in layers if isinstance(layer, kinds)]
    return sum(layer.count_params() for layer in chosen)


def part(model: keras.Model, *names: str) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if layer.name.startswith(names)]


def test_every_part_has_the_size_of_table_1(paper: keras.Model) -> None:
    for name, shape in TABLE_1.items():
        assert paper.get_layer(name).output.shape == (None, *shape), name
    assert paper.input_shape == (None, 1024, 2048, 3)


def test_the_weights_of_the_convolutions_are_the_papers_number(paper: keras.Model) -> None:
    """1.11 million; with offsets and scales of the normalisations 1.14, with statistics 1.16."""
    convolutions = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    assert round(count(paper.layers, convolutions) / 1e6, 2) == 1.11
    trained = sum(int(np.prod(weight.shape)) for weight in paper.trainable_weights)
    assert round(trained / 1e6, 2) == 1.14


def test_the_weights_of_each_part_by_hand(paper: keras.Model) -> None:
    kernels = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)

    def bottleneck(channels: int, to: int) -> int:
        wide = 6 * channels
        return channels * wide + 9 * wide + wide * to

    expected = {
        ("downsample",): 27 * 32 + 9 * 32 + 32 * 48 + 9 * 48 + 48 * 64,
        ("global1_", "global2_", "global3_"): 3 * bottleneck(64, 64),
        ("global4_", "global5_", "global6_"): bottleneck(64, 96) + 2 * bottleneck(96, 96),
        ("global7_", "global8_", "global9_"): bottleneck(96, 128) + 2 * bottleneck(128, 128),
        ("pyramid",): 4 * 128 * 32 + 256 * 128,
        ("fusion",): 9 * 128 + 128 * 128 + 64 * 128,
        ("classifier",): 2 * (9 * 128 + 128 * 128),
        ("logits",): 128 * 19 + 19,
    }
    for names, weights in expected.items():
        assert count(part(paper, *names), kernels) == weights, names


def test_bottlenecks_add_where_both_fit(paper: keras.Model) -> None:
    """Table 2: the first of each group changes stride or channels, and has nothing to add to."""
    for number in range(1, 10):
        adds = isinstance(paper.get_layer(f"global{number}"), keras.layers.Add)
        assert adds == (number not in (1, 4, 7))


def test_a_bottleneck_is_not_linear_inside_and_linear_at_its_end(paper: keras.Model) -> None:
    inside = [layer.name for layer in part(paper, "global2_") if "relu" in layer.name]
    assert inside == ["global2_widen_relu", "global2_filter_relu"]


def test_the_enlarged_branch_is_filtered_with_holes(paper: keras.Model) -> None:
    """Table 3: as wide as its pixels have become, four."""
    assert paper.get_layer("fusion_filter_depthwise").dilation_rate == (4, 4)


@pytest.mark.parametrize(
    ("size", "eighth", "last"),
    [
        ((360, 480), (45, 60), (12, 15)),
        ((45, 70), (6, 9), (2, 3)),
        ((33, 97), (5, 13), (2, 4)),
        ((32, 32), (4, 4), (1, 1)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_sizes_that_are_no_multiple_of_32(
    size: tuple[int, int], eighth: tuple[int, int], last: tuple[int, int]
) -> None:
    model = build_fast_scnn(size, NAMES)
    assert model.get_layer("logits").output.shape == (None, *eighth, 3)
    assert model.get_layer("pyramid").output.shape[1:3] == last
    assert model.output_shape == (None, *size, 3)


def test_probabilities_and_the_ids_of_the_likeliest(small: keras.Model) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 45, 70, 3), np.uint8)
    probabilities = np.asarray(small(pictures))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
    classes = class_ids(small)
    found = np.asarray(classes(pictures))
    assert found.shape == (2, 45, 70)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, probabilities.argmax(axis=-1))
    assert not any(isinstance(layer, keras.layers.Softmax) for layer in classes.layers)


def test_one_step_moves_every_weight_and_a_saved_model_answers_the_same(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = build_fast_scnn((45, 70), NAMES, COLOURS, SHARES)
    rng = np.random.default_rng(2)
    pictures = rng.integers(0, 256, (4, 45, 70, 3), np.uint8)
    truth = rng.integers(0, 4, (4, 45, 70, 1)).astype(np.float32)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile(keras.optimizers.SGD(0.5), SegmentationLoss(1, 1, 1, (1.0, 2.0, 3.0)))
    model.train_on_batch(pictures, truth)
    for old, weight in zip(before, model.trainable_weights, strict=True):
        assert np.isfinite(weight.numpy()).all(), weight.path
        assert not np.array_equal(old, weight.numpy()), weight.path
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_allclose(loaded(pictures), model(pictures), atol=1e-6)
    assert map_layer(loaded).names == NAMES
    assert map_layer(loaded).unit == "probability"
    assert map_layer(loaded).colours == COLOURS
    assert share_layer(loaded).shares == SHARES


@pytest.mark.parametrize(("side", "bins"), [(12, 1), (12, 6), (15, 6), (7, 3), (2, 6), (1, 3)])
def test_means_over_a_grid_are_those_of_slices(side: int, bins: int) -> None:
    maps = np.random.default_rng(4).normal(size=(2, side, side + 1, 3)).astype(np.float32)
    found = np.asarray(GridMeans(bins)(maps))
    for row in range(bins):
        for column in range(bins):
            top, bottom = row * side // bins, int(np.ceil((row + 1) * side / bins))
            left = column * (side + 1) // bins
            right = int(np.ceil((column + 1) * (side + 1) / bins))
            expected = maps[:, top:bottom, left:right].mean(axis=(1, 2))
            np.testing.assert_allclose(found[:, row, column], expected, atol=1e-5)


def test_where_regions_have_one_size_the_means_are_keras_own() -> None:
    maps = np.random.default_rng(5).normal(size=(1, 12, 18, 4)).astype(np.float32)
    expected = keras.layers.AveragePooling2D((2, 3))(maps)
    np.testing.assert_allclose(GridMeans(6)(maps), expected, atol=1e-6)


def test_a_ramp_stays_a_ramp_when_enlarged() -> None:
    ramp = np.arange(4, dtype=np.float32).reshape(1, 1, 4, 1)
    row = np.asarray(BilinearResize((1, 8))(ramp))[0, 0, :, 0]
    np.testing.assert_allclose(row, [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3], atol=1e-6)


def test_what_cannot_be_built_is_refused() -> None:
    for size, names, shares in (
        ((32, 32), ("road",), None),
        ((32, 32), (), None),
        ((0, 32), NAMES, None),
        ((32, 32), NAMES, (0.5, 0.5)),
    ):
        with pytest.raises(ValueError, match="Received"):
            build_fast_scnn(size, names, class_shares=shares)
