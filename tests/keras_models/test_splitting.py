"""Trunk and tail: every network at every cut, then gradients, training and fingerprints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models import backbones, transfer
from tests.keras_models.test_transfer import CLASSES, EVERY, classifier, pictures, snapshot

tf = pytest.importorskip("tensorflow", reason="gradients are taken with TensorFlow")

ROOT = Path(__file__).resolve().parents[2]
LABELS = np.arange(4) % len(CLASSES)


def randomised(model, seed=0):
    """The same model as if learnt: random scales and shifts, statistics that are not those at the
    start but fit the network, so that what it computes neither vanishes nor is all rounding.

    For that, variances are larger than those of the pictures, and none is close to 0.
    """
    random = np.random.default_rng(seed)
    backbone = transfer.backbone_of(model)
    normalizations = [
        layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0  # the statistics become those of the next batch
        shape = layer.moving_mean.shape
        if layer.scale:
            layer.gamma.assign(random.uniform(0.5, 1.5, shape))
        if layer.center:
            layer.beta.assign(random.normal(0.0, 0.3, shape))
    if normalizations:
        pixels = model.get_layer("preprocessing")(pictures(model, 16))
        keras.Model(backbone.input, backbone.output)(pixels, training=True)
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum
        variance = np.asarray(layer.moving_variance)
        variance = np.maximum(variance, variance.mean() / 10 + 1e-3)
        jitter = random.normal(0.0, 0.1, variance.shape) * np.sqrt(variance)
        layer.moving_mean.assign_add(jitter)
        layer.moving_variance.assign(variance * random.uniform(1.0, 4.0, variance.shape))
    for layer in backbone.layers:
        if type(layer).__name__ == "LayerScale":  # of ConvNeXt; 1e-6 at first
            layer.gamma.assign(random.uniform(0.5, 1.5, layer.gamma.shape))
    return model


def decided(model):
    """The same model with logits that differ much from picture to picture."""
    head = model.get_layer("logits")
    logits = np.asarray(keras.Model(model.input, head.output)(pictures(model)))
    spread = logits.std(axis=0).max()
    kernel, bias = head.get_weights()
    head.set_weights([kernel / spread, bias - logits.mean(axis=0) / spread])
    return model


def loss_gradients(probabilities_of, inputs, variables):
    """Gradients of the cross-entropy in training mode."""
    with tf.GradientTape() as tape:
        probabilities = probabilities_of(inputs, training=True)
        loss = keras.losses.SparseCategoricalCrossentropy()(LABELS, probabilities)
    return tape.gradient(loss, [variable.value for variable in variables])


def every_cut(model):
    """(trunk, tail) for each possible cut, once their shapes and weights are checked."""
    whole = {id(weight) for weight in model.weights}
    backbone = transfer.backbone_of(model)
    maps = keras.Model(backbone.input, transfer.stage_outputs(backbone))
    for stages in range(transfer.stage_count(model)):
        trunk, tail = transfer.split(model, stages)
        if stages:
            assert trunk.output_shape == tail.input_shape == maps.output_shape[-1 - stages]
        else:
            assert trunk.output_shape == tail.input_shape == (None, backbone.output_shape[-1])
        in_trunk, in_tail = ({id(weight) for weight in part.weights} for part in (trunk, tail))
        assert in_trunk and in_tail
        assert in_trunk | in_tail == whole and not in_trunk & in_tail
        assert transfer.class_names(tail) == CLASSES
        yield trunk, tail


@pytest.mark.parametrize("name", EVERY)
def test_predictions_are_those_of_the_whole_at_every_cut(name, tmp_path):
    model = decided(randomised(classifier(name, batch_norm_inference=True)))
    images = pictures(model)
    expected = np.asarray(model(images))
    assert np.ptp(expected, axis=0).max() > 0.1

    for trunk, tail in every_cut(model):
        joined = transfer.join(trunk, tail, "joined")
        received = np.asarray(joined(images))
        np.testing.assert_allclose(received, expected, rtol=0, atol=1e-5)
        assert transfer.class_names(joined) == CLASSES
    joined.save(tmp_path / "joined.keras")
    again = keras.saving.load_model(tmp_path / "joined.keras")
    np.testing.assert_array_equal(np.asarray(again(images)), received)
    assert transfer.fingerprint(again) == transfer.fingerprint(joined)

    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    assert transfer.fingerprint(reloaded) == transfer.fingerprint(model)
    trunk, tail = list(every_cut(reloaded))[1]
    np.testing.assert_allclose(np.asarray(tail(trunk(images))), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("batch_norm_inference", [True, False])
@pytest.mark.parametrize(
    ("name", "stages"), [("MobileNetV3Small", 0), ("MobileNetV3Small", 3), ("MobileNetV2", 2)]
)
def test_gradients_are_those_of_the_whole(name, stages, batch_norm_inference):
    model = classifier(name, 64, batch_norm_inference=batch_norm_inference, dropout=0.0)
    transfer.freeze(model, stages)
    trunk, tail = transfer.split(model, stages)
    assert trunk.trainable_variables == []
    variables = tail.trainable_variables
    assert {id(variable) for variable in variables} == {
        id(variable) for variable in model.trainable_variables
    }
    images = pictures(model)
    of_whole = loss_gradients(model, images, variables)
    of_tail = loss_gradients(tail, trunk(images), variables)
    largest = max(float(np.abs(gradient).max()) for gradient in of_whole)
    assert largest > 0
    for variable, whole, part in zip(variables, of_whole, of_tail, strict=True):
        np.testing.assert_allclose(
            part, whole, rtol=1e-4, atol=1e-5 * largest, err_msg=variable.path
        )


@pytest.mark.parametrize("stages", [0, 2])
def test_training_the_tail_trains_the_model(stages):
    model = decided(classifier("MobileNetV3Small", 64, batch_norm_inference=True, dropout=0.0))
    transfer.freeze(model, stages)
    trunk, tail = transfer.split(model, stages)
    joined = transfer.join(trunk, tail, "joined")
    images = pictures(model)
    at_cut = np.asarray(trunk(images))
    before, weights = np.asarray(model(images)), snapshot(model.weights)

    tail.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    tail.train_on_batch(at_cut, LABELS)

    after = np.asarray(tail(at_cut))
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(np.asarray(model(images)), after, atol=1e-5)
    np.testing.assert_allclose(np.asarray(joined(images)), after, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(trunk(images)), at_cut)
    moved = {
        id(weight)
        for weight in model.weights
        if not np.array_equal(weights[id(weight)], np.asarray(weight))
    }
    assert moved and moved <= {id(weight) for weight in tail.trainable_weights}


def test_parts_of_an_inference_model_are_inference_models(tmp_path):
    model = classifier("MobileNetV2", 64, batch_norm_inference=True, dropout=0.0)
    trunk, tail = transfer.split(model, 2)
    trunk.save(tmp_path / "trunk.keras")
    for part in (trunk, tail, keras.saving.load_model(tmp_path / "trunk.keras")):
        nested = [layer for layer in part.layers if isinstance(layer, keras.Model)]
        assert [type(layer) for layer in nested] == [transfer.InferenceModel]
    images = pictures(model)
    np.testing.assert_array_equal(trunk(images, training=True), trunk(images))
    at_cut = trunk(images)
    np.testing.assert_array_equal(tail(at_cut, training=True), tail(at_cut))


def test_batch_normalization_of_a_plain_tail_learns_its_statistics():
    model = classifier("MobileNetV2", 64, dropout=0.0)
    transfer.freeze(model, 1)
    trunk, tail = transfer.split(model, 1)
    statistics = {
        layer.name: np.asarray(layer.moving_mean)
        for layer in transfer.backbone_of(model).layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    tail(trunk(pictures(model), training=True), training=True)
    moved = {
        name
        for name, before in statistics.items()
        if not np.array_equal(before, transfer.backbone_of(model).get_layer(name).moving_mean)
    }
    last = {layer.name for layer in transfer.stage_layers(transfer.backbone_of(model))[-1]}
    assert moved == last & set(statistics)


def test_flags_are_shared_both_ways():
    model = classifier("MobileNetV3Small", 32)
    _, tail = transfer.split(model, 1)
    transfer.freeze(model, 0)
    assert len(tail.trainable_variables) == 2
    transfer.freeze(model, 1)
    assert len(tail.trainable_variables) == len(model.trainable_variables) > 2


def test_split_again_after_training_a_stage():
    model = decided(classifier("MobileNetV3Small", 32, batch_norm_inference=True))
    for stages in (0, 1, 2, 1):
        transfer.freeze(model, stages)
        trunk, tail = transfer.split(model, stages)
        tail.compile("sgd", "sparse_categorical_crossentropy")
        tail.train_on_batch(np.asarray(trunk(pictures(model))), LABELS)
        np.testing.assert_allclose(
            np.asarray(tail(trunk(pictures(model)))), np.asarray(model(pictures(model))), atol=1e-5
        )
    transfer.freeze(model, None)
    assert len(transfer.parameter_groups(model)) == 6


def test_tail_takes_features_of_half_precision():
    model = classifier("MobileNetV3Small", 64, batch_norm_inference=True)
    for stages in (0, 2):
        trunk, tail = transfer.split(model, stages)
        stored = np.asarray(trunk(pictures(model))).astype("float16")
        np.testing.assert_array_equal(
            np.asarray(tail(stored)), np.asarray(tail(stored.astype("float32")))
        )


def test_split_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = classifier("MobileNetV3Small", 32)
        trunk, tail = transfer.split(model, 2)
        joined = transfer.join(trunk, tail, "joined")
    finally:
        keras.config.set_dtype_policy("float32")
    at_cut = trunk(pictures(model))
    assert trunk.outputs[0].dtype == tail.inputs[0].dtype == "bfloat16"
    for probabilities in (tail(at_cut), joined(pictures(model))):
        assert probabilities.dtype == "float32"
        np.testing.assert_array_equal(probabilities, model(pictures(model)))


@pytest.mark.parametrize(
    ("name", "stages", "last"),
    [
        ("MobileNetV2", -1, 4),
        ("MobileNetV2", 5, 4),
        ("MobileNetV2", None, 4),
        ("NASNetMobile", 2, 1),
    ],
)
def test_nothing_left_to_freeze(name, stages, last):
    model = classifier(name)
    with pytest.raises(ValueError, match=f"0 to {last}.*{name}.*trainable_stages={stages}"):
        transfer.split(model, stages)


def test_parts_of_different_cuts_do_not_join():
    model = classifier("MobileNetV2")
    trunk, _ = transfer.split(model, 1)
    _, tail = transfer.split(model, 0)
    with pytest.raises(ValueError, match=r"trunk.output_shape=.*tail.input_shape=\(None, 1280\)"):
        transfer.join(trunk, tail, "joined")


def small_network(**options):
    """Two branches joined by an operation of `keras.ops`, with every kind of weight."""
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3), batch_size=options.get("batch_size"))
    x = keras.layers.Conv2D(3, 3, padding=options.get("padding", "same"))(image)
    y = keras.layers.BatchNormalization(epsilon=options.get("epsilon", 1e-3))(x)
    first, second = (y, x) if options.get("swapped") else (x, y)
    z = keras.ops.subtract(first, second * options.get("factor", 0.5))
    z = keras.layers.Activation(options.get("activation", "relu"), dtype=options.get("dtype"))(z)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(z))


def test_fingerprint_knows_no_automatic_names_nor_flags():
    model = small_network()
    expected = transfer.fingerprint(model)
    again = small_network()
    assert [layer.name for layer in again.layers] != [layer.name for layer in model.layers]
    assert transfer.fingerprint(again) == expected
    again.trainable = False
    again.compile("sgd", "mse")
    assert transfer.fingerprint(again) == expected
    assert len(expected) == 64 and int(expected, 16)


@pytest.mark.parametrize(
    "change",
    [
        {"padding": "valid"},
        {"epsilon": 1e-4},
        {"swapped": True},
        {"factor": 0.25},
        {"activation": "gelu"},
        {"dtype": "bfloat16"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_fingerprint_tells_networks_apart(change):
    assert transfer.fingerprint(small_network(**change)) != transfer.fingerprint(small_network())


def test_fingerprint_covers_every_weight_to_the_last_bit():
    model = classifier("MobileNetV3Small", 32)
    original = transfer.fingerprint(model)
    for weight in model.weights[::20]:
        values = np.asarray(weight)
        changed = values.copy()
        changed.flat[-1] = np.nextafter(changed.flat[-1], np.float32(2))
        weight.assign(changed)
        assert transfer.fingerprint(model) != original, weight.path
        weight.assign(values)
        assert transfer.fingerprint(model) == original


def test_fingerprint_of_a_trunk_does_not_depend_on_the_tail():
    model = classifier("MobileNetV2")
    trunk, tail = transfer.split(model, 1)
    expected = transfer.fingerprint(trunk)
    for weight in tail.weights:
        weight.assign(weight + 1.0)
    transfer.freeze(model, 1)
    assert transfer.fingerprint(transfer.split(model, 1)[0]) == expected
    assert transfer.fingerprint(transfer.split(model, 2)[0]) != expected


def test_fingerprint_in_another_process(tmp_path):
    backbones.build_backbone("VGG16", 32)  # so that this process has given names before
    model = classifier("MobileNetV3Small", 32, batch_norm_inference=True)
    model.save(tmp_path / "model.keras")
    program = (
        "import sys, keras\n"
        "from keras_models import transfer\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "print(transfer.fingerprint(transfer.split(model, 2)[0]))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "model.keras")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == transfer.fingerprint(transfer.split(model, 2)[0])
