"""Classifiers on a backbone: one harness for every network, then single properties."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_models import backbones, transfer

tf = pytest.importorskip("tensorflow", reason="gradients are taken with TensorFlow")

SMALL = ("ResNet50", "ResNet50V2", "VGG16", "DenseNet121", "MobileNet", "MobileNetV2")
SMALL += ("MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "InceptionV3", "Xception")
SMALL += ("ConvNeXtTiny",)
EVERY = [
    name if name in SMALL else pytest.param(name, marks=pytest.mark.slow)
    for name in backbones.names()
]
CLASSES = ("coupé", "estate", "van")
MOBILENET_V2_FILE = "mobilenet_v2_1.0_224_no_top_from_coral_ptq.h5"


def classifier(name, size=None, *, batch_norm_inference=False, **options):
    """An untrained classifier at the smallest size that the network takes."""
    keras.utils.set_random_seed(0)
    size = size or backbones.lookup(name).minimum_size
    return transfer.build_classifier(
        name, size, CLASSES, batch_norm_inference=batch_norm_inference, **options
    )


def pictures(model, count=4):
    """Random pictures as the model takes them."""
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def train_one_step(model):
    """One step of gradient descent in training mode; the gradients."""
    labels = np.arange(4) % len(CLASSES)
    with tf.GradientTape() as tape:
        probabilities = model(pictures(model), training=True)
        loss = keras.losses.SparseCategoricalCrossentropy()(labels, probabilities)
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    keras.optimizers.SGD(0.1).apply(gradients, model.trainable_variables)
    return gradients


def snapshot(variables):
    """The variables' values by identity."""
    return {id(variable): np.array(variable) for variable in variables}


def expected_trainable(model, stages):
    """What `freeze` should leave trainable, found from the other side: by cutting the network."""
    for trainable in (False, True):  # Keras passes only a change on to the layers inside
        model.trainable = trainable
    backbone = transfer.backbone_of(model)
    in_backbone = {id(variable) for variable in backbone.variables}
    head = {id(v) for v in model.trainable_variables if id(v) not in in_backbone}
    if stages == 0:
        return head
    cuts = (backbone.inputs[0], *transfer.stage_outputs(backbone))
    tail = keras.Model(cuts[len(cuts) - 1 - stages], backbone.outputs[0])
    return head | {id(variable) for variable in tail.trainable_variables}


@pytest.mark.parametrize("name", EVERY)
def test_freezing_saving_and_one_step(name, tmp_path):
    model = classifier(name)
    probabilities = np.asarray(model(pictures(model)))
    assert probabilities.shape == (4, 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)

    model.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(model(pictures(model))), probabilities)
    assert transfer.class_names(model) == CLASSES
    assert transfer.backbone_of(model).name == name

    count = transfer.stage_count(model)
    for stages in range(count + 1):
        expected = expected_trainable(model, stages)
        transfer.freeze(model, stages)
        assert {id(variable) for variable in model.trainable_variables} == expected
        groups = transfer.parameter_groups(model)
        assert [group.name for group in groups] == [
            "head",
            *(f"stage_{number}" for number in range(count, count - stages, -1)),
        ]
        grouped = [id(variable) for group in groups for variable in group.variables]
        assert len(grouped) == len(expected) and set(grouped) == expected

    transfer.freeze(model, 1)
    before = snapshot(model.weights)
    assert all(gradient is not None for gradient in train_one_step(model))
    may_move = {id(weight) for weight in model.trainable_weights}
    frozen_layers = [
        layer
        for stage in transfer.stage_layers(transfer.backbone_of(model))[:-1]
        for layer in stage
    ]
    frozen = {id(weight) for layer in frozen_layers for weight in layer.weights}
    assert frozen and not frozen & may_move
    after = snapshot(model.weights)
    for weight in model.weights:
        if id(weight) in frozen:
            np.testing.assert_array_equal(after[id(weight)], before[id(weight)], weight.path)
    assert any(not np.array_equal(after[key], before[key]) for key in may_move)


def moving_statistics(model):
    """The stored statistics of every BatchNormalization in the backbone, by layer."""
    return {
        layer.name: np.concatenate([layer.moving_mean, layer.moving_variance])
        for layer in transfer.backbone_of(model).layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }


def test_batch_normalization_from_scratch_learns_in_trainable_stages_only():
    model = classifier("MobileNetV2", 64)
    transfer.freeze(model, 2)
    before = moving_statistics(model)
    train_one_step(model)
    after = moving_statistics(model)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    last_two = transfer.stage_layers(transfer.backbone_of(model))[-2:]
    assert moved == {layer.name for stage in last_two for layer in stage} & set(before)
    assert 0 < len(moved) < len(before)


def test_batch_normalization_inference_holds_in_every_stage(tmp_path):
    model = classifier("MobileNetV2", 64, batch_norm_inference=True, dropout=0.0)
    model.save(tmp_path / "model.keras")
    for candidate in (model, keras.saving.load_model(tmp_path / "model.keras")):
        transfer.freeze(candidate, None)
        images = pictures(candidate)
        np.testing.assert_array_equal(
            np.asarray(candidate(images, training=True)), np.asarray(candidate(images))
        )
        assert len(candidate.trainable_variables) > 100
        before = moving_statistics(candidate)
        train_one_step(candidate)
        for name, statistics in moving_statistics(candidate).items():
            np.testing.assert_array_equal(statistics, before[name], name)


def test_fit_leaves_batch_normalization_in_inference():
    model = classifier("MobileNetV3Small", 32, batch_norm_inference=True)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    before, statistics = snapshot(model.weights), moving_statistics(model)
    model.fit(pictures(model), np.array([0, 1, 2, 0]), verbose=0)
    for name, after in moving_statistics(model).items():
        np.testing.assert_array_equal(after, statistics[name], name)
    last = transfer.backbone_of(model).get_layer("conv_1").kernel
    assert not np.array_equal(before[id(last)], np.array(last))


def test_fit_moves_what_freeze_left_trainable():
    model = classifier("MobileNetV3Small", 32)
    transfer.freeze(model, 0)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    before = snapshot(model.weights)
    model.fit(pictures(model), np.array([0, 1, 2, 0]), verbose=0)
    head = {id(weight) for weight in model.get_layer("logits").weights}
    moved = {
        id(weight)
        for weight in model.weights
        if not np.array_equal(before[id(weight)], np.array(weight))
    }
    assert moved == head


def test_freeze_undoes_flags_set_by_hand():
    model = classifier("MobileNetV3Small", 32)
    everything = transfer.count_parameters(model)
    transfer.backbone_of(model).trainable = False
    model.get_layer("logits").trainable = False
    transfer.freeze(model, None)
    assert transfer.count_parameters(model) == everything
    model.trainable = False
    transfer.freeze(model, 0)
    assert transfer.count_parameters(model)["trainable"] == 576 * 3 + 3


def test_freeze_can_be_undone_and_is_saved(tmp_path):
    model = classifier("MobileNetV2", 32)
    everything = transfer.count_parameters(model)
    transfer.freeze(model, 1)
    one_stage = transfer.count_parameters(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert transfer.count_parameters(again) == one_stage
    assert one_stage["total"] == everything["total"] == model.count_params()
    assert one_stage["trainable"] < everything["trainable"]
    transfer.freeze(again, None)
    assert transfer.count_parameters(again) == everything


def test_count_parameters_of_the_head():
    model = classifier("MobileNetV2", 32)
    transfer.freeze(model, 0)
    # 1280 features x 3 classes + 3 biases; 2,257,984 is Keras's own count of the backbone
    assert transfer.count_parameters(model) == {"total": 2_257_984 + 3843, "trainable": 3843}


@pytest.mark.parametrize("stages", [-1, 6])
def test_impossible_number_of_stages(stages):
    model = classifier("MobileNetV2", 32)
    with pytest.raises(ValueError, match=f"0 to 5 for MobileNetV2.*trainable_stages={stages}"):
        transfer.freeze(model, stages)


def test_model_without_backbone_or_names():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match="'plain'"):
        transfer.backbone_of(model)
    with pytest.raises(ValueError, match="'plain'"):
        transfer.class_names(model)


def test_input_is_raw_pixels_and_preprocessing_is_inside(shared_weights):
    weights = shared_weights / MOBILENET_V2_FILE
    model = classifier("mobilenetv2", 96, weights=weights, batch_norm_inference=True)
    assert (model.inputs[0].name, model.inputs[0].dtype) == ("image", "uint8")
    assert model.input_shape == (None, 96, 96, 3)
    images = pictures(model)
    network = keras.applications.MobileNetV2(
        include_top=False, weights=str(weights), input_shape=(96, 96, 3), pooling="avg"
    )
    preprocessed = keras.applications.mobilenet_v2.preprocess_input(images.astype("float32"))
    kernel, bias = model.get_layer("logits").get_weights()
    expected = keras.ops.softmax(np.asarray(network(preprocessed)) @ kernel + bias)
    np.testing.assert_allclose(np.asarray(model(images)), np.asarray(expected), atol=1e-5)


def test_mixed_precision_gives_float32_probabilities():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = classifier("MobileNetV3Small", 32)
        probabilities = np.asarray(model(pictures(model)))
    finally:
        keras.config.set_dtype_policy("float32")
    assert transfer.backbone_of(model).outputs[0].dtype == "bfloat16"
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_residual_blocks_of_an_untrained_resnet_pass_their_shortcut_alone():
    model = transfer.build_classifier("ResNet50", 32, ("a", "b"), None, batch_norm_inference=False)
    backbone = transfer.backbone_of(model)
    pictures = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")
    block = keras.Model(
        backbone.input,
        [
            backbone.get_layer("conv3_block1_out").output,
            backbone.get_layer("conv3_block2_out").output,
        ],
    )
    before, after = block(pictures)
    np.testing.assert_array_equal(before, after)
    assert np.ptp(np.asarray(before)) > 0


def test_pretrained_scales_are_not_touched(tmp_path):
    network = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
    network.save_weights(tmp_path / "some.weights.h5")
    model = transfer.build_classifier(
        "ResNet50", 32, ("a", "b"), tmp_path / "some.weights.h5", batch_norm_inference=True
    )
    gamma = transfer.backbone_of(model).get_layer("conv2_block1_3_bn").gamma
    np.testing.assert_array_equal(gamma, np.ones(256))


def test_a_network_without_shortcuts_is_not_silenced() -> None:
    """MobileNet has layers called `conv_pw_3_bn` and `conv_dw_3_bn`, and no way around them."""
    model = transfer.build_classifier("MobileNet", 32, ("a", "b"), batch_norm_inference=False)
    backbone = transfer.backbone_of(model)
    for name in ("conv_pw_3_bn", "conv_dw_3_bn"):
        assert float(keras.ops.min(backbone.get_layer(name).gamma)) == 1
