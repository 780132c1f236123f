"""What networks, losses, metrics and schedules give on the back end of the process that runs this.

`python -m tests.keras_models.back_end_probe FOLDER` writes FOLDER/BACK_END.npz. The first process,
on whatever back end, saves the networks in FOLDER as well; later ones build the same networks, then
load the saved ones, so that all numbers come of the same weights.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_models import (
    alexnet,
    any_size,
    cut_encoder,
    cyclegan,
    dense_depth,
    early_head,
    fast_scnn,
    feature_inversion,
    folding,
    landmark_regressor,
    layer_stack,
    lenet,
    mlp,
    saliency_encoder,
    salnet,
    schedules,
    svm_classifier,
    text_classifier,
    transfer,
)
from keras_models.losses import adversarial, depth, reconstruction, regression, saliency
from keras_models.losses import segmentation as segmentation_losses
from keras_models.metrics import depth as depth_metrics
from keras_models.metrics import landmarks, logit_gradient
from keras_models.metrics import reconstruction as reconstruction_metrics
from keras_models.metrics import saliency as saliency_metrics
from keras_models.metrics import segmentation as segmentation_metrics
from keras_models.registration import register_layers

NAMES = ("bus", "car", "van")
COLUMNS = ("ram", "weight", "price")
PACKAGE = "keras_models>"
USED = "used"
"""Name of the array with the registered names of all that took part."""


def _fast_scnn() -> keras.Model:
    return fast_scnn.build_fast_scnn((64, 64), NAMES, dropout=0.0)


def _generator(inside: int, outside: int) -> keras.Model:
    return cyclegan.build_generator(inside, outside, (24, 24), width=4, residual_blocks=1)


def _classifier() -> keras.Model:
    return transfer.build_classifier(
        "SmallResNet", 32, NAMES, dropout=0.0, batch_norm_inference=False
    )


def _joined() -> keras.Model:
    model = _classifier()
    transfer.freeze(model, 1)
    return transfer.join(*transfer.split(model, 1), "joined")


def _inverter(layer: str) -> keras.Model:
    network = cut_encoder.build_network("AlexNet", (67, 67), width=0.05)
    encoder = cut_encoder.cut(network, layer)
    size = feature_inversion.natural_size(encoder.feature_shape, (67, 67))
    model = feature_inversion.build_inverter(
        encoder, (67, 67), size, (99.0, 98.0, 97.0), (50.0, 51.0, 52.0), width=8, dense_units=16
    )
    features = np.random.default_rng(2).normal(1, 2, (4, *encoder.feature_shape))
    feature_inversion.standardization(model).learn(features.astype(np.float32))
    return model


def _mlp(head: str) -> keras.Model:
    scaling = mlp.column_scaling((1.0, 2.0, 3.0), (1.0, 0.5, 0.0))
    return mlp.build_mlp(COLUMNS, "range", NAMES, scaling, (8,), 0.0, head, 1e-3)


def _texts(weighting: str, activation: str) -> keras.Model:
    weights = text_classifier.WordWeights(COLUMNS, weighting, (1, 2, 3), 4, name="weights")
    return text_classifier.build_text_classifier(weights, NAMES, (8,), 0.0, activation, 2.0, 1e-3)


def _landmarks(head: str) -> keras.Model:
    return landmark_regressor.build_landmark_regressor(
        "SmallResNet", 32, NAMES, (1, 0, 2), head=head, dropout=0.0, batch_norm_inference=True
    )


def _depth(quantity: str) -> keras.Model:
    return dense_depth.build_dense_depth(
        "SmallResNet", 64, None, 32, quantity, (0.5, 10.0), batch_norm_inference=False
    )


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "alexnet": lambda: alexnet.build_alexnet((67, 67), NAMES, 0.05, dropout=0.0),
    "any_size": lambda: any_size.any_size(_fast_scnn()),
    "class_ids": lambda: any_size.any_size(any_size.class_ids(_fast_scnn())),
    "classifier": _classifier,
    "classifier_mobilenet": lambda: transfer.build_classifier(
        "MobileNetV2", 32, NAMES, dropout=0.0, batch_norm_inference=True
    ),
    "early_head": lambda: early_head.head_at_stage(_classifier(), 2),
    "feature_extractor": lambda: transfer.feature_extractor(_classifier()),
    "folded": lambda: folding.fold_batch_normalization(_fast_scnn()),
    "joined": _joined,
    "discriminator": lambda: cyclegan.build_discriminator(3, (24, 24), 4),
    "generator": lambda: _generator(3, 1),
    "picture_to_depth": lambda: cyclegan.build_picture_to_depth(_generator(3, 1), "log", 2.0, 80.0),
    "depth_to_picture": lambda: cyclegan.build_depth_to_picture(
        _generator(1, 3), "linear", 2.0, 80.0
    ),
    "grey_to_picture": lambda: cyclegan.build_grey_depth_to_picture(_generator(1, 3)),
    "depth_inverse": lambda: _depth("inverse"),
    "depth_log": lambda: _depth("log"),
    "fast_scnn": _fast_scnn,
    "inverter_maps": lambda: _inverter("conv2"),
    "inverter_vector": lambda: _inverter("fc6"),
    "landmarks_flattened": lambda: _landmarks("flattened"),
    "landmarks_pooled": lambda: _landmarks("pooled"),
    "stack_dense": lambda: layer_stack.build_layer_stack(NAMES, "xavier", "tanh", 2, 16),
    "stack_convolution": lambda: layer_stack.build_layer_stack(
        NAMES, "he", "relu", 3, 4, "convolution"
    ),
    "lenet5": lambda: lenet.build_lenet5(tuple(map(str, range(10)))),
    "modern_lenet5": lambda: lenet.build_modern_lenet5(tuple(map(str, range(10))), dropout=0.0),
    "mlp_softmax": lambda: _mlp("softmax"),
    "mlp_ordinal": lambda: _mlp("ordinal"),
    "saliency_encoder": lambda: saliency_encoder.build_saliency_encoder(
        "SmallResNet", 64, dropout=0.0, batch_norm_inference=False
    ),
    "deep_salnet": lambda: salnet.build_deep_salnet((32, 48), 0.1),
    "deep_salnet_density": lambda: salnet.build_deep_salnet((32, 48), 0.1, "density"),
    "shallow_salnet": lambda: salnet.build_shallow_salnet(0.1),
    "svm": lambda: svm_classifier.build_svm_classifier(
        "SmallResNet", 32, NAMES, pooling="max", unit_length=True
    ),
    **{
        f"texts_{weighting}_{activation}": lambda pair=(weighting, activation): _texts(*pair)
        for weighting, activation in zip(
            text_classifier.WEIGHTINGS * 2, text_classifier.ACTIVATIONS, strict=False
        )
    },
}
"""Every builder of a network, at a small size."""

# Ids have no gradient, and what takes any size is a network that was trained at its own.
FOR_ANSWERS_ALONE = {"any_size", "class_ids", "feature_extractor"}


def numbers(shape: tuple[int, ...], low: float = 0.0, high: float = 1.0, seed: int = 0) -> Any:
    """Float32 numbers, the same in every process."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def network_input(model: keras.Model) -> np.ndarray:
    """A batch of two; of pictures in uint8 where that is what the network takes."""
    shape = (2, *(side or 40 for side in model.input_shape[1:]))
    if model.input.dtype == "uint8":
        return np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    # Counts of words and rows of a table, or metres.
    return numbers(shape, 0.5, 3.0).round() if len(shape) == 2 else numbers(shape, 3.0, 70.0)


def of_network(name: str, folder: Path) -> Iterator[tuple[str, Any]]:
    """The answer of a network, and by how much a step of gradient descent moves its weights."""
    keras.utils.set_random_seed(0)
    model = NETWORKS[name]()
    built, file = model.count_params(), folder / f"{name}.keras"
    if file.exists():
        model = keras.saving.load_model(file, compile=False)
    else:
        model.save(file)
    # What was built here is what was built elsewhere, as far as its size shows.
    yield f"{name}/parameters", np.array([built, model.count_params()])
    batch = network_input(model)
    answer = model.predict_on_batch(batch)
    yield f"{name}/answer", answer
    if name in FOR_ANSWERS_ALONE:
        return
    # Around the answer itself, so that all parts of the network get a share of the gradient.
    scale = float(np.abs(answer).max())
    target = answer + numbers(answer.shape, -scale, scale, seed=3)
    model.compile(keras.optimizers.SGD(1.0 / max(scale, 1.0) ** 2), "mse")
    before = _flat_weights(model)
    model.fit(batch, target, batch_size=len(batch), shuffle=False, verbose=0)
    yield f"{name}/step", before - _flat_weights(model)


def _flat_weights(model: keras.Model) -> np.ndarray:
    values = [ops.convert_to_numpy(one).ravel() for one in model.trainable_weights]
    return np.concatenate(values)


@keras.saving.register_keras_serializable("probe")
class Free(keras.layers.Layer):
    """Gives its own weights, whatever goes in: a loss's gradient is what they move by."""

    def __init__(self, value: np.ndarray) -> None:
        super().__init__()
        self.value = self.add_weight(shape=value.shape, initializer="zeros")
        self.value.assign(value)

    def call(self, inputs):
        """The weights."""
        return self.value + 0.0 * inputs


MAPS = (2, 16, 16, 1)
CLASS_MAPS = (2, 6, 6, 3)


def _with_holes(values: np.ndarray) -> np.ndarray:
    values[:, :3, :5] = 0.0
    return values


def _points() -> np.ndarray:
    truth = numbers((2, 8), seed=5)
    truth[0, 2:4] = 0.0
    return truth


# Truth, prediction, and the losses and metrics of such pairs.
_PAIRS = {
    "depth": (_with_holes(numbers(MAPS, 1, 9)), numbers(MAPS, 1, 9, seed=1)),
    "saliency": (numbers(MAPS), numbers(MAPS, seed=1)),
    "points": (_points(), numbers((2, 8), seed=6)),
    "pixels": (numbers((2, 6, 6, 3), 0, 255), numbers((2, 6, 6, 3), 0, 255, seed=1)),
    "classes": (
        np.random.default_rng(0).choice([0, 1, 2, 255], (*CLASS_MAPS[:3], 1)).astype(np.float32),
        numbers(CLASS_MAPS, 0.1, 1) / 4,
    ),
    "scores": (np.eye(3, dtype=np.float32)[[0, 2]], numbers((2, 3), 0.1, 0.4)),
}


def _losses() -> dict[str, list[keras.losses.Loss]]:
    return {
        "depth": [depth.DepthLoss(quantity) for quantity in ("metres", "inverse", "log")],
        "saliency": [saliency.DivergenceLoss(), saliency.CorrelationLoss()],
        "points": [
            regression.MaskedEuclideanLoss(),
            regression.MaskedMeanSquaredLoss(),
            regression.MaskedMeanAbsoluteLoss(),
        ],
        "pixels": [reconstruction.StandardisedSquaredError((50.0, 51.0, 52.0))],
        "classes": [
            segmentation_losses.SegmentationLoss(1.0, 0.5, 1.0, (1.0, 2.0, 3.0)),
            segmentation_losses.SegmentationLoss(0.0, 0.0, 1.0),
        ],
        "scores": [keras.losses.MeanSquaredError()],
    }


def _metrics() -> dict[str, list[keras.metrics.Metric]]:
    return {
        "depth": [
            depth_metrics.ThresholdAccuracy(1),
            depth_metrics.AbsoluteRelativeError(),
            depth_metrics.DepthRootMeanSquaredError(),
            depth_metrics.Log10Error(),
        ],
        "saliency": [
            saliency_metrics.MapCorrelation(),
            saliency_metrics.MapSimilarity(),
            saliency_metrics.MapDivergence(),
        ],
        "points": [
            landmarks.NormalisedMeanError((48, 64), (0, 2)),
            landmarks.NormalisedMeanError((48, 64), name="of_box"),
        ],
        "pixels": [reconstruction_metrics.SquaredError((50.0, 51.0, 52.0))],
        "classes": [segmentation_metrics.MeanIoU(3)],
        "scores": [
            logit_gradient.LogitGradientNorm(*pair, 0.1, name=f"norm_of_{pair[0]}_{pair[1]}")
            for pair in logit_gradient.GRADIENTS
        ],
    }


def of_losses(kind: str, used: set[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Value and gradient of every loss, and every metric, as `fit` computes them."""
    truth, prediction = _PAIRS[kind]
    metrics = _metrics()[kind]
    used |= {keras.saving.get_registered_name(type(one)) for one in metrics}
    for number, loss in enumerate(_losses()[kind]):
        used.add(keras.saving.get_registered_name(type(loss)))
        free = Free(prediction)
        inputs = keras.Input(prediction.shape[1:], batch_size=len(prediction))
        model = keras.Model(inputs, free(inputs))
        model.compile(keras.optimizers.SGD(1.0), loss, metrics=_metrics()[kind])
        # One batch: what is logged is of the weights before the step.
        log = model.fit(prediction, truth, batch_size=len(truth), shuffle=False, verbose=0).history
        yield f"{kind}/{loss.name}_{number}/gradient", prediction - free.get_weights()[0]
        for name, values in log.items():
            yield f"{kind}/{loss.name}_{number}/{name}", np.array(values)


def of_functions() -> Iterator[tuple[str, Any]]:
    """What no class stands around."""
    one, other = (ops.convert_to_tensor(numbers(MAPS, seed=seed)) for seed in (0, 1))
    mask = one > 0.3
    yield "generator_loss", adversarial.least_squares_generator_loss(one)
    yield "discriminator_loss", adversarial.least_squares_discriminator_loss(one, other)
    yield "cycle_loss", adversarial.cycle_loss(one, other)
    yield "identity_loss", adversarial.identity_loss(one, other, mask=mask)
    yield "ssim", depth.structural_similarity(one, other, mask, 1.0)
    yield "rounding", depth_metrics.rounding_agreement(one, other, 0.2)
    truth, prediction = (ops.convert_to_tensor(values) for values in _PAIRS["points"])
    size = landmarks.inter_ocular_distance(truth, (0, 2))
    errors = landmarks.normalised_errors(truth, prediction, size)
    yield "normalised_errors", errors
    yield "failure_rate", landmarks.failure_rate(errors)
    yield "distribution", landmarks.cumulative_distribution(errors, (0.5, 1.0, 2.0))
    ids, found = np.array([0, 1, 2, 2, 9]), np.array([0, 2, 2, 1, 1])
    matrix = segmentation_metrics.confusion_matrix(ids, found, 4)
    yield "confusion", matrix
    yield "dice", segmentation_metrics.dice_scores(matrix)
    yield "accuracy", segmentation_metrics.pixel_accuracy(matrix)
    yield "first_norm", logit_gradient.first_norm("softmax", "categorical_crossentropy", 3)


def _schedules() -> list[keras.optimizers.schedules.LearningRateSchedule]:
    return [schedules.OneCycle(0.1, 20), schedules.ConstantThenLinear(0.1, 5, 10)]


def of_schedules() -> Iterator[tuple[str, np.ndarray]]:
    """The rates of some steps."""
    for schedule in (*_schedules(), schedules.warmup_cosine(0.1, 20, 4)):
        rates = [ops.convert_to_numpy(schedule(step)) for step in range(0, 20, 3)]
        yield f"schedule_{schedule.name}", np.array(rates)


def _parts(layer: Any) -> Iterator[Any]:
    """A layer, all within it, and what its first weights were drawn by."""
    yield layer
    for inside in getattr(layer, "_layers", ()):
        yield from _parts(inside)
    if hasattr(layer, "kernel_initializer"):
        yield layer.kernel_initializer


def all_results(folder: Path) -> dict[str, np.ndarray]:
    """Everything, by name; `used` holds the registered names of what took part."""
    register_layers()
    used = {keras.saving.get_registered_name(type(one)) for one in _schedules()}
    results = {}
    for name in NETWORKS:
        results |= of_network(name, folder)
        model = keras.saving.load_model(folder / f"{name}.keras", compile=False)
        used |= {keras.saving.get_registered_name(type(part)) for part in _parts(model)}
    for kind in _PAIRS:
        results |= of_losses(kind, used)
    results |= of_schedules()
    results |= {name: ops.convert_to_numpy(value) for name, value in of_functions()}
    return results | {USED: np.array(sorted(used))}


def registered() -> set[str]:
    """The names of all layers, losses, metrics, schedules and initializers of `keras_models`."""
    register_layers()
    objects = keras.saving.get_custom_objects().items()
    return {name for name, one in objects if name.startswith(PACKAGE) and isinstance(one, type)}


def main() -> int:
    """Writes the results of this process's back end."""
    folder = Path(sys.argv[1])
    results = all_results(folder)
    missing = sorted(registered() - set(results[USED].tolist()))
    if missing:
        print(f"These take part in no comparison: {', '.join(missing)}", file=sys.stderr)
        return 1
    np.savez(folder / f"{keras.backend.backend()}.npz", **results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
