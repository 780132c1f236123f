"""BatchNormalization folded into the layer before it: each kind of layer, then every network."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from keras_models import folding, transfer
from tests.keras_models.test_splitting import randomised
from tests.keras_models.test_transfer import CLASSES, EVERY, classifier, pictures


class QuietNormalization(layers.BatchNormalization):
    """A subclass, of which nobody can know that it computes the same."""


def learnt(model, seed=0):
    """Every weight of a small model sampled at random, variances positive."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if "variance" in weight.path:
            weight.assign(random.uniform(0.3, 3.0, weight.shape))
        elif "seed" not in weight.path:
            weight.assign(random.normal(0.3, 1.0, weight.shape))
    return model


def normalizations(model):
    """Every BatchNormalization of a model and of the models nested in it."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += normalizations(layer)
        elif isinstance(layer, layers.BatchNormalization):
            found.append(layer)
    return found


def largest_relative_difference(model, folded, inputs):
    """max |difference| / max |output|, over everything that the models give."""
    return relative_difference(
        np.asarray(model(inputs, training=False)), np.asarray(folded(inputs, training=False))
    )


def relative_difference(expected, received):
    """max |difference| / max |output| of two arrays."""
    assert expected.shape == received.shape and received.dtype == np.float32
    return np.abs(received - expected).max() / np.abs(expected).max()


def check_folded(model, left):
    """Fold a small model; `left` is how many BatchNormalization must remain in it."""
    learnt(model)
    shape = (5, *model.input_shape[1:])
    inputs = np.random.default_rng(1).normal(size=shape).astype("float32")
    folded = folding.fold_batch_normalization(model)
    assert len(normalizations(folded)) == left
    assert largest_relative_difference(model, folded, inputs) < 1e-5
    return folded


FOLLOWED = {
    "conv": lambda bias: layers.Conv2D(5, 3, use_bias=bias),
    "conv_same_strided": lambda bias: layers.Conv2D(5, 3, 2, padding="same", use_bias=bias),
    "conv_grouped": lambda bias: layers.Conv2D(4, 3, groups=2, use_bias=bias),
    "conv_dilated": lambda bias: layers.Conv2D(5, 2, dilation_rate=2, use_bias=bias),
    "depthwise": lambda bias: layers.DepthwiseConv2D(3, padding="same", use_bias=bias),
    "depthwise_multiplied": lambda bias: layers.DepthwiseConv2D(
        3, depth_multiplier=3, use_bias=bias
    ),
    "separable": lambda bias: layers.SeparableConv2D(5, 3, depth_multiplier=2, use_bias=bias),
    "dense": lambda bias: layers.Dense(6, use_bias=bias),
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", FOLLOWED)
def test_layer_and_normalization_become_one_layer(kind, bias):
    start = keras.Input((8, 8, 4))
    x = layers.BatchNormalization()(FOLLOWED[kind](bias)(start))
    folded = check_folded(keras.Model(start, layers.ReLU()(x)), left=0)
    assert folded.layers[1].use_bias
    assert not folded.layers[2].weights and len(folded.layers) == 4


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_normalization_without_scale_or_center(scale, center):
    start = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3, use_bias=False)(start)
    x = layers.BatchNormalization(scale=scale, center=center, epsilon=0.5)(x)
    check_folded(keras.Model(start, x), left=0)


def test_known_values():
    start = keras.Input((1, 1, 1))
    x = layers.BatchNormalization(epsilon=1.0)(layers.Conv2D(1, 1)(start))
    model = keras.Model(start, x)
    model.layers[1].set_weights([np.full((1, 1, 1, 1), 2.0), np.array([1.0])])
    # gamma 6, beta 4, mean 5, variance 8: scale 6 / sqrt(8 + 1) = 2, so that the kernel becomes
    # 2 * 2 and the bias 4 + 2 * (1 - 5)
    model.layers[2].set_weights([np.array([value]) for value in (6.0, 4.0, 5.0, 8.0)])
    kernel, bias = folding.fold_batch_normalization(model).layers[1].get_weights()
    assert (kernel.item(), bias.item()) == (4.0, -4.0)


def after_activation_inside(x):
    return layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(x))


def after_activation_layer(x):
    return layers.BatchNormalization()(layers.ReLU()(layers.Conv2D(4, 3)(x)))


def after_concatenation(x):
    both = [layers.Conv2D(4, 3)(x), layers.Conv2D(4, 3)(x)]
    return layers.BatchNormalization()(layers.Concatenate()(both))


def after_layer_read_twice(x):
    x = layers.Conv2D(4, 3)(x)
    return layers.BatchNormalization()(x) + layers.ReLU()(x)


def after_operation(x):
    return layers.BatchNormalization()(keras.ops.abs(layers.Conv2D(4, 3)(x)))


def before_convolution(x):
    return layers.Conv2D(4, 3, padding="same")(layers.BatchNormalization()(x))


def across_another_axis(x):
    return layers.BatchNormalization(axis=1)(layers.Conv2D(4, 3)(x))


def after_dense_across_another_axis(x):
    return layers.BatchNormalization(axis=2)(layers.Dense(4)(x))


def after_convolution_called_twice(x):
    convolution = layers.Conv2D(4, 3)
    return layers.BatchNormalization()(convolution(x)) + convolution(keras.ops.flip(x, 2))


def called_twice(x):
    normalization = layers.BatchNormalization()
    return normalization(layers.Conv2D(4, 3)(x)) + normalization(layers.Conv2D(4, 3)(x))


def on_statistics_of_the_batch(x):
    return layers.BatchNormalization()(layers.Conv2D(4, 3)(x), training=True)


def of_a_subclass(x):
    return QuietNormalization()(layers.Conv2D(4, 3)(x))


def after_a_transposed_convolution(x):
    return layers.BatchNormalization()(layers.Conv2DTranspose(4, 3)(x))


NOT_FOLDED = (
    after_activation_inside,
    after_activation_layer,
    after_concatenation,
    after_layer_read_twice,
    after_operation,
    before_convolution,
    across_another_axis,
    after_dense_across_another_axis,
    after_convolution_called_twice,
    called_twice,
    on_statistics_of_the_batch,
    of_a_subclass,
    after_a_transposed_convolution,
)


@pytest.mark.parametrize("graph", NOT_FOLDED, ids=lambda graph: graph.__name__)
def test_not_folded(graph):
    start = keras.Input((6, 6, 4))
    with keras.saving.custom_object_scope({"QuietNormalization": QuietNormalization}):
        check_folded(keras.Model(start, graph(start)), left=1)


def test_not_folded_where_the_model_gives_the_output_before_it():
    start = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3)(start)
    model = learnt(keras.Model(start, [x, layers.BatchNormalization()(x)]))
    folded = folding.fold_batch_normalization(model)
    assert len(normalizations(folded)) == 1
    inputs = np.random.default_rng(1).normal(size=(2, 6, 6, 3)).astype("float32")
    for expected, received in zip(model(inputs), folded(inputs), strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)


def test_low_rank_adapters_are_left_alone():
    start = keras.Input((4,))
    dense = layers.Dense(3)
    model = keras.Model(start, layers.BatchNormalization()(dense(start)))
    dense.enable_lora(2)
    check_folded(model, left=1)


def test_other_parts_of_the_graph_do_not_count():
    start = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3)(start)
    y = layers.BatchNormalization()(x)
    model = keras.Model(start, layers.ReLU()(y))
    keras.Model(start, [x, keras.ops.abs(x)])
    check_folded(model, left=0)


def test_sequential_alone_nested_and_with_operations():
    stem = keras.Sequential(
        [layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU()], name="stem"
    )
    start = keras.Input((8, 8, 3))
    x = keras.ops.multiply(stem(start), 0.5)
    shared = layers.Dense(4)
    x = shared(shared(x)) + x
    check_folded(keras.Model(start, x), left=0)
    alone = [keras.Input((5,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)]
    assert type(check_folded(keras.Sequential(alone), left=0)) is keras.Sequential


def test_pipeline_of_layers_is_copied_whole():
    start = keras.Input((6, 6, 3))
    x = layers.Pipeline([layers.Rescaling(0.5), layers.Dense(4), layers.ReLU()])(start)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(x))
    check_folded(keras.Model(start, x), left=0)


def test_nested_model_called_twice():
    inner_start = keras.Input((6, 6, 3))
    x = layers.Conv2D(3, 3, padding="same")(inner_start)
    inner = keras.Model(inner_start, layers.BatchNormalization()(x), name="inner")
    start = keras.Input((6, 6, 3))
    check_folded(keras.Model(start, inner(inner(start))), left=0)


def test_original_is_untouched_and_shares_nothing():
    start = keras.Input((6, 6, 3))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(start))
    model = learnt(keras.Model(start, layers.Dense(2)(x)))
    before = transfer.fingerprint(model)
    folded = folding.fold_batch_normalization(model)
    after = transfer.fingerprint(folded)
    assert transfer.fingerprint(model) == before
    for weight in model.weights:
        weight.assign(weight * 2.0)
    assert transfer.fingerprint(folded) == after


# What cannot be folded: in ResNet v2 the normalization that opens each of 16 blocks, and the last;
# in DenseNet121 that which opens each of 58 layers, 3 transitions, and the last; in NASNet those
# that follow the concatenation of a factorized reduction.
LEFT = {"ResNet50V2": 17, "ResNet101V2": 34, "ResNet152V2": 51, "DenseNet121": 62}
LEFT |= {"DenseNet169": 86, "DenseNet201": 102, "NASNetMobile": 4, "NASNetLarge": 4}


@pytest.mark.parametrize("name", EVERY)
def test_every_network(name, tmp_path):
    model = randomised(classifier(name, batch_norm_inference=True))
    images = pictures(model)
    features = transfer.feature_extractor(model)
    folded = folding.fold_batch_normalization(features)
    expected, received = np.asarray(features(images)), np.asarray(folded(images))
    assert relative_difference(expected, received) < folding.FOLDING_TOLERANCE
    assert len(normalizations(folded)) == LEFT.get(name, 0)

    folded.save(tmp_path / "folded.keras")
    again = keras.saving.load_model(tmp_path / "folded.keras")
    np.testing.assert_array_equal(np.asarray(again(images)), received)
    backbone = transfer.backbone_of(again)
    assert type(backbone) is transfer.InferenceModel and backbone.name == name
    shapes = [tensor.shape for tensor in transfer.stage_outputs(transfer.backbone_of(model))]
    assert [tensor.shape for tensor in transfer.stage_outputs(backbone)] == shapes


@pytest.mark.parametrize("batch_norm_inference", [True, False])
def test_classifier(batch_norm_inference, tmp_path):
    model = randomised(
        classifier("MobileNetV3Small", 64, batch_norm_inference=batch_norm_inference)
    )
    transfer.freeze(model, 1)
    folded = folding.fold_batch_normalization(model)
    assert largest_relative_difference(model, folded, pictures(model)) < folding.FOLDING_TOLERANCE
    assert type(folded) is type(model) and folded.name == model.name
    assert [layer.name for layer in folded.layers] == [layer.name for layer in model.layers]
    assert type(transfer.backbone_of(folded)) is type(transfer.backbone_of(model))
    assert transfer.class_names(folded) == CLASSES
    assert folded.input_shape == model.input_shape and folded.inputs[0].dtype == "uint8"
    assert folded.get_layer("preprocessing").get_config() == (
        model.get_layer("preprocessing").get_config()
    )
    pairs = zip(
        transfer.backbone_of(model).layers, transfer.backbone_of(folded).layers, strict=True
    )
    for before, after in list(pairs)[1:]:  # the input has no weights
        assert (after.name, after.trainable) == (before.name, before.trainable)


@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small", "ResNet50V2"])
def test_parts_of_a_classifier(name):
    model = randomised(classifier(name, 64, batch_norm_inference=True))
    images = pictures(model)
    expected = np.asarray(model(images))
    for stages in range(transfer.stage_count(model)):
        trunk, tail = transfer.split(model, stages)
        folded = folding.fold_batch_normalization(trunk)
        difference = largest_relative_difference(trunk, folded, images)
        assert difference < folding.FOLDING_TOLERANCE
        joined = transfer.join(folded, tail, "joined")
        np.testing.assert_allclose(np.asarray(joined(images)), expected, rtol=1e-4)
        # the classifier may also be folded first
        trunk, tail = transfer.split(folding.fold_batch_normalization(model), stages)
        np.testing.assert_allclose(np.asarray(tail(trunk(images))), expected, rtol=1e-4)


def test_what_is_left_stays_in_inference():
    model = randomised(classifier("ResNet50V2", 64, batch_norm_inference=True))
    folded = folding.fold_batch_normalization(transfer.feature_extractor(model))
    images = pictures(model)
    np.testing.assert_array_equal(
        np.asarray(folded(images, training=True)), np.asarray(folded(images))
    )


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_folded_in_float32(policy):
    float32 = randomised(classifier("MobileNetV3Small", 64, batch_norm_inference=True))
    keras.config.set_dtype_policy(policy)
    try:
        mixed = classifier("MobileNetV3Small", 64, batch_norm_inference=True)
        mixed.set_weights(float32.get_weights())
        trunk, _ = transfer.split(mixed, 2)
        folded = folding.fold_batch_normalization(trunk)
    finally:
        keras.config.set_dtype_policy("float32")
    expected, _ = transfer.split(float32, 2)
    images = pictures(float32)
    assert trunk.outputs[0].dtype != folded.outputs[0].dtype == "float32"
    assert largest_relative_difference(expected, folded, images) < folding.FOLDING_TOLERANCE


def test_statistics_of_a_normalization_layer_are_copied():
    start = keras.Input((4,))
    normalization = layers.Normalization()
    model = keras.Model(start, layers.Dense(2)(normalization(start)))
    inputs = np.random.default_rng(0).normal(3.0, 2.0, (64, 4)).astype("float32")
    normalization.adapt(inputs)
    folded = folding.fold_batch_normalization(model)
    np.testing.assert_array_equal(np.asarray(folded(inputs)), np.asarray(model(inputs)))


def test_model_that_is_no_graph():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match=r"functional.*'own' of type Subclassed"):
        folding.fold_batch_normalization(Subclassed(name="own"))


def test_the_relative_difference_is_that_of_the_largest_output():
    expected = np.array([[0.5, -2.0], [1.0, 0.0]])
    received = np.array([[0.5, -2.0], [1.1, -0.3]])
    assert folding.relative_difference(expected, received) == pytest.approx(0.3 / 2.0)
    assert folding.relative_difference(expected, expected) == 0.0


def test_the_relative_difference_of_zeros_is_finite_and_of_nan_passes_no_comparison():
    zeros = np.zeros((2, 3), np.float32)
    assert folding.relative_difference(zeros, zeros) == 0.0
    wrong = np.full_like(zeros, np.nan)
    for pair in ((zeros, wrong), (wrong, zeros), (wrong, wrong)):
        assert not folding.relative_difference(*pair) <= folding.FOLDING_TOLERANCE


def test_outputs_of_two_shapes_have_no_relative_difference():
    with pytest.raises(ValueError, match="shape"):
        folding.relative_difference(np.zeros((2, 3)), np.zeros((2, 1)))
