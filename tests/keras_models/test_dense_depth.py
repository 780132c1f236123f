"""The depth network layer by layer, as the paper's table has it; any backbone; gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_models import depth_quantity, transfer
from keras_models.dense_depth import build_dense_depth, least_decoder_filters
from keras_models.losses.depth import DepthLoss
from keras_models.map_output import map_layer

tf = pytest.importorskip("tensorflow", reason="gradients are taken with TensorFlow")

# Alhashim & Wonka 2018, appendix: the decoder of DenseNet169 at 480 x 640.
TABLE = {
    "conv2": (15, 20, 1664),
    "up1_upsampling": (30, 40, 1664),
    "up1_concat": (30, 40, 1920),
    "up1_convA": (30, 40, 832),
    "up1_convB": (30, 40, 832),
    "up2_upsampling": (60, 80, 832),
    "up2_concat": (60, 80, 960),
    "up2_convA": (60, 80, 416),
    "up2_convB": (60, 80, 416),
    "up3_upsampling": (120, 160, 416),
    "up3_concat": (120, 160, 480),
    "up3_convA": (120, 160, 208),
    "up3_convB": (120, 160, 208),
    "up4_upsampling": (240, 320, 208),
    "up4_concat": (240, 320, 272),
    "up4_convA": (240, 320, 104),
    "up4_convB": (240, 320, 104),
    "conv3": (240, 320, 1),
    "maps": (240, 320, 1),
}


@pytest.fixture(scope="module")
def paper() -> keras.Model:
    return build_dense_depth("DenseNet169", (480, 640), batch_norm_inference=True)


def test_every_layer_of_the_papers_decoder(paper):
    assert {name: paper.get_layer(name).output.shape[1:] for name in TABLE} == TABLE


def test_the_four_skips_of_the_paper(paper):
    encoder = transfer.backbone_of(paper)
    shapes = [output.shape[1:] for output in encoder.outputs]
    assert shapes == [
        (240, 320, 64),  # CONV1
        (120, 160, 64),  # POOL1
        (60, 80, 128),  # POOL2
        (30, 40, 256),  # POOL3
        (15, 20, 1664),
    ]


def test_parameter_counts(paper):
    """A convolution has (kernel^2 * inputs + 1) * filters weights; the paper says 42.6 million."""
    sizes = [
        ("conv2", 1, 1664, 1664),
        ("up1_convA", 3, 1920, 832),
        ("up1_convB", 3, 832, 832),
        ("up2_convA", 3, 960, 416),
        ("up2_convB", 3, 416, 416),
        ("up3_convA", 3, 480, 208),
        ("up3_convB", 3, 208, 208),
        ("up4_convA", 3, 272, 104),
        ("up4_convB", 3, 104, 104),
        ("conv3", 3, 104, 1),
    ]
    expected = {name: (side**2 * inputs + 1) * filters for name, side, inputs, filters in sizes}
    assert {name: paper.get_layer(name).count_params() for name in expected} == expected
    encoder = transfer.backbone_of(paper).count_params()
    assert encoder == 12_642_880  # keras.applications.DenseNet169 without its classifier
    assert paper.count_params() == encoder + sum(expected.values()) == 42_816_089


@pytest.mark.parametrize(
    ("backbone", "size"),
    [
        ("SmallResNet", (64, 96)),
        ("SmallResNet", (50, 70)),
        ("MobileNetV2", (240, 320)),
        ("MobileNetV2", (64, 64)),
        ("VGG16", (64, 96)),
        ("ConvNeXtTiny", (64, 64)),
        ("Xception", (96, 128)),
    ],
)
def test_any_backbone_gives_depth_at_half_the_size(backbone, size):
    model = build_dense_depth(backbone, size, decoder_filters=32, batch_norm_inference=False)
    half = tuple((side + 1) // 2 for side in size)
    assert model.output_shape == (None, *half, 1)
    assert map_layer(model).names == ("depth",)
    assert map_layer(model).unit == "m"


def small(quantity: str = "log", inference: bool = False) -> keras.Model:
    return build_dense_depth(
        "SmallResNet", (32, 48), None, 16, quantity, (0.5, 20.0), batch_norm_inference=inference
    )


def pictures(count: int = 2) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, 32, 48, 3), dtype=np.uint8)


@pytest.mark.parametrize("quantity", depth_quantity.QUANTITIES)
def test_a_step_moves_every_weight_and_lowers_the_loss(quantity):
    model = small(quantity)
    truth = np.full((2, 16, 24, 1), 3.0, np.float32)
    truth[:, :4] = 0
    loss = DepthLoss(quantity, (0.5, 20.0))
    optimizer = keras.optimizers.Adam(1e-3)
    values = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            value = loss(truth, model(pictures(), training=True))
        slopes = tape.gradient(value, model.trainable_variables)
        values.append(float(value))
        optimizer.apply_gradients(zip(slopes, model.trainable_variables, strict=True))
    assert values[-1] < values[0]
    for variable, slope in zip(model.trainable_variables, slopes, strict=True):
        assert slope is not None, variable.path
        assert np.any(slope.numpy()), variable.path


def test_pretrained_normalisation_keeps_its_statistics():
    for inference in (True, False):
        model = small(inference=inference)
        before = [w.numpy() for w in model.non_trainable_variables]
        model(pictures(), training=True)
        moved = any(
            np.any(w.numpy() != old)
            for w, old in zip(model.non_trainable_variables, before, strict=True)
        )
        assert moved != inference


def test_dropout_is_for_training_alone():
    model = build_dense_depth(
        "SmallResNet", (32, 48), None, 16, dropout=0.5, batch_norm_inference=True
    )
    assert model.get_layer("dropout").output.shape == model.get_layer("conv2").input.shape
    first, second = (np.asarray(model(pictures(), training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    first, second = (np.asarray(model(pictures(), training=False)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_saved_and_loaded_it_is_the_same(tmp_path):
    model = small(inference=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(again(pictures()), model(pictures()), rtol=1e-5)
    layer = depth_quantity.depth_layer(again)
    assert (layer.quantity, layer.minimum, layer.maximum) == ("log", 0.5, 20.0)
    again(pictures(), training=True)
    assert isinstance(transfer.backbone_of(again), transfer.InferenceModel)


def test_stages_freeze_and_group_as_for_a_classifier():
    model = small()
    count = transfer.stage_count(model)
    assert count == 4
    transfer.freeze(model, 0)
    assert {group.name for group in transfer.parameter_groups(model)} == {"head"}
    transfer.freeze(model, None)
    groups = transfer.parameter_groups(model)
    assert [group.name for group in groups] == ["head", *(f"stage_{n}" for n in (4, 3, 2, 1))]
    grouped = sum(len(group.variables) for group in groups)
    assert grouped == len(model.trainable_variables)


@pytest.mark.parametrize(("backbone", "size"), [("SmallResNet", 32), ("MobileNetV2", 32)])
def test_the_fewest_filters_leave_one_at_the_last_step(backbone, size):
    least = least_decoder_filters(backbone)
    model = build_dense_depth(backbone, size, decoder_filters=least, batch_norm_inference=False)
    steps = sum(layer.name.endswith("_convB") for layer in model.layers)
    assert model.get_layer(f"up{steps}_convB").filters == 1


def test_arguments_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"at least 8, .* Received: decoder_filters=7"):
        build_dense_depth("SmallResNet", 64, decoder_filters=7, batch_norm_inference=False)
    with pytest.raises(ValueError, match="name"):
        build_dense_depth("NoSuchNet", 64, batch_norm_inference=False)


def test_a_model_without_depth_has_no_range():
    image = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="BoundedDepth"):
        depth_quantity.depth_layer(keras.Model(image, image))
