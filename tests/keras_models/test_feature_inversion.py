"""Decoders against the tables of Dosovitskiy & Brox 2016, and the networks made of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models import alexnet, cut_encoder, feature_inversion
from keras_models.map_output import map_layer

MEAN, DEVIATION = (120.0, 110.0, 100.0), (60.0, 55.0, 50.0)

# Supplement of the paper, "Network for reconstructing from AlexNet CONV5 features": name of the
# layer, its kernel, and the shape of its output.
CONV5 = (
    ("conv1", 3, (6, 6, 256)),
    ("conv2", 3, (6, 6, 256)),
    ("conv3", 3, (6, 6, 256)),
    ("uconv1", 5, (12, 12, 256)),
    ("uconv2", 5, (24, 24, 128)),
    ("uconv3", 5, (48, 48, 64)),
    ("uconv4", 5, (96, 96, 32)),
    ("uconv5", 5, (192, 192, 3)),
)
# The same "from AlexNet FC8 features"; the third dense layer is reshaped to 4 x 4 x 256.
FC8 = (
    ("fc1", None, (4096,)),
    ("fc2", None, (4096,)),
    ("fc3", None, (4096,)),
    ("uconv1", 5, (8, 8, 256)),
    ("uconv2", 5, (16, 16, 128)),
    ("uconv3", 5, (32, 32, 64)),
    ("uconv4", 5, (64, 64, 32)),
    ("uconv5", 5, (128, 128, 3)),
)


def weights_of(table, channels: int, reshaped: dict[str, int]) -> dict[str, int]:
    """Weights of each layer from the table alone: kernel^2 * inputs * outputs + outputs."""
    counts = {}
    for name, kernel, shape in table:
        channels = reshaped.get(name, channels)
        counts[name] = ((kernel or 1) ** 2 * channels + 1) * shape[-1]
        channels = shape[-1]
    return counts


@pytest.mark.parametrize(
    ("feature_shape", "target", "table", "reshaped"),
    [
        ((6, 6, 256), (192, 192), CONV5, {}),
        ((1000,), (128, 128), FC8, {"uconv1": 256}),
    ],
    ids=["conv5", "fc8"],
)
def test_layer_by_layer_as_the_paper_has_it(feature_shape, target, table, reshaped) -> None:
    decoder = feature_inversion.build_decoder(feature_shape, target)
    counts = weights_of(table, feature_shape[-1], reshaped)
    for name, _, shape in table:
        layer = decoder.get_layer(name)
        assert (name, tuple(layer.output.shape[1:])) == (name, shape)
        assert (name, layer.count_params()) == (name, counts[name])
    assert decoder.count_params() == sum(counts.values())
    slopes = [
        float(layer.negative_slope)
        for layer in decoder.layers
        if isinstance(layer, keras.layers.LeakyReLU)
    ]
    assert slopes == pytest.approx([0.2] * (len(table) - 1))
    assert feature_inversion.natural_size(feature_shape, (227, 227)) == target


def test_the_sums_of_the_tables() -> None:
    # 3 * 590,080 + 1,638,656 + 819,328 + 204,864 + 51,232 + 2,403
    assert sum(weights_of(CONV5, 256, {}).values()) == 4_486_723
    # 4,100,096 + 2 * 16,781,312 + 2,716,483
    assert sum(weights_of(FC8, 1000, {"uconv1": 256}).values()) == 40_379_203


@pytest.mark.parametrize(
    ("feature_shape", "target", "layers"),
    [
        ((32, 32, 24), (128, 128), {"conv1": 64, "conv3": 64, "uconv1": 32, "uconv2": 3}),
        ((13, 13, 256), (208, 208), {"conv1": 256, "uconv1": 128, "uconv3": 32, "uconv4": 3}),
        ((3, 5, 8), (64, 96), {"conv1": 256, "uconv1": 256, "uconv5": 3}),
        ((64,), (96, 128), {"uconv1": 128, "uconv4": 3}),
        ((16, 16, 4), (16, 16), {"conv3": 16, "uconv0": 3}),
        ((10,), (3, 5), {"uconv0": 3}),
    ],
    ids=["shallow", "conv2", "interpolated", "vector, wide", "of the size already", "tiny"],
)
def test_other_sizes_keep_widths_by_the_distance_to_the_picture(
    feature_shape, target, layers
) -> None:
    decoder = feature_inversion.build_decoder(feature_shape, target, dense_units=8)
    assert decoder.output_shape == (None, *target, 3)
    for name, maps in layers.items():
        assert (name, decoder.get_layer(name).output.shape[-1]) == (name, maps)
    found = [layer.name for layer in decoder.layers]
    assert "uconv6" not in found
    assert ("resizing" in found) == (feature_shape == (3, 5, 8))


@pytest.mark.parametrize(
    "arguments",
    [((4, 4), (8, 8)), ((4, 4, 0), (8, 8)), ((4, 4, 2), (0, 8)), ((4,), (8, 8), 0)],
)
def test_impossible_arguments_are_refused(arguments) -> None:
    with pytest.raises(ValueError, match="Received"):
        feature_inversion.build_decoder(*arguments)


def small_inverter(layer: str) -> keras.Model:
    keras.utils.set_random_seed(3)
    network = cut_encoder.build_network("AlexNet", (67, 67), width=0.1)
    encoder = cut_encoder.cut(network, layer)
    return feature_inversion.build_inverter(
        encoder, (67, 67), (24, 32), MEAN, DEVIATION, width=16, dense_units=8
    )


def noise(count: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 67, 67, 3)).astype(np.uint8)


@pytest.mark.parametrize("layer", ["conv2", "fc6"])
def test_only_the_decoder_trains_and_all_of_it(layer: str, tmp_path: Path) -> None:
    model = small_inverter(layer)
    decoder = model.get_layer("decoder")
    assert model.trainable_variables == decoder.trainable_variables
    frozen = [variable.numpy() for variable in model.get_layer("encoder").variables]
    before = [variable.numpy() for variable in decoder.trainable_variables]
    pictures = noise()
    trunk, tail = feature_inversion.split(model)
    tail.compile(keras.optimizers.SGD(1e-4), "mse")
    tail.train_on_batch(trunk.predict_on_batch(pictures), np.zeros((3, 24, 32, 3)))
    moved = [
        not np.array_equal(old, new.numpy())
        for old, new in zip(before, decoder.trainable_variables, strict=True)
    ]
    assert all(moved)
    for old, new in zip(frozen, model.get_layer("encoder").variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    # Training the tail has trained the whole, and a saved whole is cut again to the same parts.
    expected = model.predict_on_batch(pictures)
    np.testing.assert_allclose(
        tail.predict_on_batch(trunk.predict_on_batch(pictures)), expected, atol=1e-3
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict_on_batch(pictures), expected, atol=1e-3)
    trunk, tail = feature_inversion.split(again)
    np.testing.assert_allclose(
        tail.predict_on_batch(trunk.predict_on_batch(pictures)), expected, atol=1e-3
    )
    assert map_layer(again).names == ("red", "green", "blue")


def test_its_zero_is_the_mean_colour() -> None:
    model = small_inverter("conv2")
    last = [layer for layer in model.get_layer("decoder").layers if layer.weights][-1]
    last.set_weights([np.zeros_like(value) for value in last.get_weights()])
    rebuilt = model.predict_on_batch(noise())
    np.testing.assert_allclose(rebuilt.reshape(-1, 3), np.tile(MEAN, (3 * 24 * 32, 1)), rtol=1e-6)


def test_the_layer_that_is_cut_at_gives_the_features() -> None:
    keras.utils.set_random_seed(0)
    network = cut_encoder.build_network("AlexNet", (67, 67), width=0.1)
    pictures = noise()
    for layer, own in (("conv2", "pool2"), ("conv5", "pool5"), ("fc8", "logits"), ("norm1",) * 2):
        encoder = cut_encoder.cut(network, layer)
        expected = keras.Model(network.input, network.get_layer(own).output)(pictures)
        given = encoder.network(encoder.preprocessing(pictures))
        np.testing.assert_allclose(given, expected, atol=1e-5)
        assert encoder.feature_shape == tuple(expected.shape[1:])
        assert encoder.network.trainable_variables == []


def test_the_shapes_of_the_papers_alexnet() -> None:
    network = cut_encoder.build_network("alexnet", (227, 227), width=0.02)
    shapes = {layer: cut_encoder.cut(network, layer).feature_shape for layer in ("conv2", "conv5")}
    assert {layer: shape[:2] for layer, shape in shapes.items()} == {
        "conv2": (13, 13),
        "conv5": (6, 6),
    }
    assert cut_encoder.cut(network, "fc8").feature_shape == (1000,)


@pytest.mark.parametrize("layer", ["conv9", "preprocessing", "image", "probabilitie"])
def test_a_layer_that_alexnet_has_not_is_refused(layer: str) -> None:
    network = cut_encoder.build_network("AlexNet", (67, 67), width=0.02)
    with pytest.raises(ValueError, match=f"layer of AlexNet.*Received: layer='{layer}'"):
        cut_encoder.cut(network, layer)


def test_a_file_of_no_alexnet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"

    def refusal() -> str:
        with pytest.raises(ValueError, match=r"model\.keras") as caught:
            cut_encoder.build_network("AlexNet", (67, 67), path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "is missing: name a sound file" in refusal()
    path.write_bytes(b"no archive")
    assert "is damaged (File is not a zip file): name a sound file" in refusal()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "[" * 100_000)
        archive.writestr("metadata.json", "{}")
    assert "cannot be read as a Keras model" in refusal()
    sides = [keras.Input((3,)), keras.Input((3,))]
    keras.Model(sides, keras.layers.Add()(sides), name="AlexNet").save(path)
    assert "must hold an AlexNet for pictures of (67, 67)" in refusal()


@pytest.mark.parametrize("initialization", ["paper", "balanced"])
def test_an_alexnet_from_a_file_gives_what_the_saved_one_gives(
    tmp_path: Path, initialization: str
) -> None:
    """Its layers and its own preprocessing, of which there are two kinds."""
    keras.utils.set_random_seed(5)
    class_names = [str(number) for number in range(7)]
    trained = alexnet.build_alexnet((67, 67), class_names, 0.05, initialization=initialization)
    trained.save(tmp_path / "model.keras")
    again = cut_encoder.build_network("AlexNet", (67, 67), tmp_path / "model.keras")
    for layer, own in cut_encoder.ALEXNET_LAYERS.items():
        encoder = cut_encoder.cut(again, layer)
        expected = keras.Model(trained.input, trained.get_layer(own).output)(noise())
        given = encoder.network(encoder.preprocessing(noise()))
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)


def test_files_that_are_no_alexnet_of_this_size_are_refused(tmp_path: Path) -> None:
    trained = cut_encoder.build_network("AlexNet", (67, 67), width=0.05)
    trained.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"AlexNet for pictures of \(99, 99\).*\(67, 67\)"):
        cut_encoder.build_network("AlexNet", (99, 99), tmp_path / "model.keras")
    # They would fit networks of both kinds of preprocessing.
    trained.save_weights(tmp_path / "some.weights.h5")
    with pytest.raises(ValueError, match=r"must be a whole network.*Received: .*some\.weights\.h5"):
        cut_encoder.build_network("AlexNet", (67, 67), tmp_path / "some.weights.h5", 0.05)


def test_a_backbone_is_cut_at_any_layer_with_maps() -> None:
    network = cut_encoder.build_network("MobileNetV2", (64, 64))
    encoder = cut_encoder.cut(network, "block_2_add")
    assert encoder.feature_shape == (16, 16, 24)
    assert encoder.preprocessing.mode == "tf"
    with pytest.raises(ValueError, match="block_2_add"):
        cut_encoder.cut(network, "block2_add")
