"""Transfer learning: a classifier on a pretrained backbone, frozen and thawed stage by stage.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
probabilities (batch, classes), float32. Preprocessing and class names are inside the model.

A backbone is a chain of stages (`keras_models.backbones`), and one tensor alone passes from a
stage to the next. Stages are counted from the head: the last k stages are the k deepest.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_models.backbones import BACKBONES, build_backbone, image_shape, lookup
from keras_models.heads import ClassProbabilities, classification_head
from keras_models.preprocessing import ImagePreprocessing


@keras.saving.register_keras_serializable(package="keras_models")
class InferenceModel(keras.Model):
    """A functional model whose layers run in inference mode even while its weights are trained.

    BatchNormalization stays on its stored statistics in trainable stages too: those of small
    fine-tuning batches are too noisy for pretrained weights (Keras guide "Transfer learning and
    fine-tuning"). Dropout inside is off as well. Calling a functional model with `training=False`
    does not achieve it in Keras 3: when the outer model is called with `training=True`, that
    value replaces the recorded one (github.com/keras-team/keras/issues/20285).

    Constructed like `keras.Model(inputs, outputs, name)`. A part that is cut out of it has to be
    made an InferenceModel again.
    """

    def call(self, inputs, training=None, mask=None):
        """Run the graph with `training=False`, whatever `training` is."""
        return super().call(inputs, training=False, mask=mask)


@dataclasses.dataclass(frozen=True, eq=False)
class ParameterGroup:
    """Trainable variables of one depth, to be given one learning rate.

    Attributes:
        name: "head", or "stage_n" with n counted from the input, 1 the shallowest.
        variables: the trainable variables, in the model's order.
    """

    name: str
    variables: tuple[keras.Variable, ...]


def build_classifier(
    backbone_name: str,
    image_size: int | tuple[int, int],
    class_names: Sequence[str],
    weights: str | Path | None = None,
    dropout: float = 0.2,
    *,
    batch_norm_inference: bool,
) -> keras.Model:
    """A classifier from raw pixels: preprocessing -> backbone -> pooled head.

    Args:
        backbone_name: see `backbones.names`.
        image_size: side, or (height, width), in pixels.
        class_names: one name per class id.
        weights: of the backbone: None (random), "imagenet" or a file.
        dropout: share of pooled features dropped while training, in [0, 1).
        batch_norm_inference: True for pretrained weights (see `InferenceModel`), False to train
            from scratch.

    Returns:
        A functional model; its layers are `image`, `preprocessing`, the backbone under the
        backbone's own name, `pooling`, `dropout`, `logits`, `probabilities`.

    Raises:
        ValueError: an argument is not possible; see `backbones.build_backbone`.
    """
    entry = lookup(backbone_name)
    backbone = build_backbone(entry.name, image_size, weights)
    image = keras.Input(image_shape(image_size), dtype="uint8", name="image")
    pixels = ImagePreprocessing(entry.preprocessing, name="preprocessing")(image)
    if weights is None:
        start_residual_blocks_as_identity(backbone)
    if batch_norm_inference:
        backbone = InferenceModel(backbone.input, backbone.output, name=backbone.name)
    features = backbone(pixels)
    probabilities = classification_head(features, class_names, dropout)
    return keras.Model(image, probabilities, name=f"{entry.name}_classifier")


def start_residual_blocks_as_identity(backbone: keras.Model) -> None:
    """Sets the last scale of each residual branch to 0, in place, so that only shortcuts pass.

    A deep network then learns from its first steps like a shallow one (Goyal et al. 2017, arXiv
    1706.02677, section 5.1). It concerns ResNet50, 101 and 152, whose branches end in a
    BatchNormalization called `..._block1_3_bn`; other networks are left as they are.
    """
    for layer in backbone.layers:
        # Not every `_3_bn`: MobileNet has a `conv_pw_3_bn`, and no shortcut around it.
        last = "_block" in layer.name and layer.name.endswith("_3_bn")
        if isinstance(layer, keras.layers.BatchNormalization) and last:
            layer.gamma.assign(keras.ops.zeros_like(layer.gamma))


def class_names(model: keras.Model) -> tuple[str, ...]:
    """The names of the classes, in order of the class ids, also of a reloaded model.

    Raises:
        ValueError: the model carries no class names.
    """
    for layer in model.layers:
        if isinstance(layer, ClassProbabilities):
            return layer.class_names
    raise ValueError(
        f"`model` must end in a ClassProbabilities layer. Received: model={model.name!r}"
    )


def backbone_of(model: keras.Model) -> keras.Model:
    """The backbone nested in a classifier, also in a reloaded one.

    Raises:
        ValueError: the model has no nested backbone of `backbones.BACKBONES`.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.name in BACKBONES:
            return layer
    raise ValueError(
        f"`model` must contain a backbone of keras_models.backbones. Received: model={model.name!r}"
    )


def feature_extractor(model: keras.Model) -> keras.Model:
    """From raw pixels to the features that the head classifies, sharing the weights.

    Those are pooled; in a network that does not pool, they are what its layer `logits` takes.

    Args:
        model: a classifier, or the tail that `split` cuts from one: a chain of layers.

    Returns:
        A model from what `model` takes to float (batch, features).
    """
    # Called anew, because a layer of a tail belongs to the graph of the whole classifier first.
    features = model.input
    for layer in model.layers[1:]:
        if layer.name == "logits":
            break
        features = layer(features)
        if layer.name == "pooling":
            break
    return keras.Model(model.input, features, name="features")


def stage_count(model: keras.Model) -> int:
    """Number of stages of the classifier's backbone, the head not counted."""
    return len(_stage_ends(backbone_of(model)))


def stage_outputs(backbone: keras.Model) -> tuple[keras.KerasTensor, ...]:
    """The tensor that leaves each stage, shallow to deep: where the backbone may be cut."""
    return _outputs(backbone, _stage_ends(backbone))


def _stage_ends(backbone: keras.Model) -> tuple[str, ...]:
    """The operation that ends each stage; a backbone that is cut has its last stage cut, too."""
    inside = {operation.name for operation in backbone.operations}
    ends = tuple(name for name in BACKBONES[backbone.name].stages if name in inside)
    # `output_names` would be those from before `build_backbone` renamed layers. Where skips come
    # out as well, the deepest output is the last one.
    last = [op.name for op in backbone.operations if op.output is backbone.outputs[-1]]
    return ends if last[0] in ends else (*ends, last[0])


def skip_outputs(backbone: keras.Model) -> tuple[keras.KerasTensor, ...]:
    """The feature maps that a decoder takes from the backbone, shallow to deep."""
    return _outputs(backbone, BACKBONES[backbone.name].skip_layers)


def _outputs(
    backbone: keras.Model, operation_names: Sequence[str]
) -> tuple[keras.KerasTensor, ...]:
    """Output tensors by the name of their operation; `get_layer` would not find `keras.ops`."""
    operations = {operation.name: operation for operation in backbone.operations}
    return tuple(operations[name].output for name in operation_names)


def stage_layers(backbone: keras.Model) -> tuple[tuple[keras.layers.Layer, ...], ...]:
    """The layers of each stage, shallow to deep; every layer is in exactly one stage.

    A layer belongs to the first stage whose output depends on it.
    """
    remaining = list(backbone.layers)
    stages = []
    for output in stage_outputs(backbone):
        inside = {id(layer) for layer in keras.Model(backbone.inputs, output).layers}
        stages.append(tuple(layer for layer in remaining if id(layer) in inside))
        remaining = [layer for layer in remaining if id(layer) not in inside]
    return tuple(stages)


def freeze(model: keras.Model, trainable_stages: int | None) -> None:
    """Let the head and the last `trainable_stages` stages train, and nothing else, in place.

    BatchNormalization of a frozen stage runs on its stored statistics, whatever the model was
    built with. Compile again afterwards: a compiled model keeps the flags it was compiled with.

    Args:
        model: a classifier with a nested backbone.
        trainable_stages: 0 for the head alone, None for everything.

    Raises:
        ValueError: there are fewer stages than that.
    """
    count = stage_count(model)
    unfrozen = count if trainable_stages is None else trainable_stages
    if not 0 <= unfrozen <= count:
        raise ValueError(
            f"`trainable_stages` must be None or from 0 to {count} for "
            f"{backbone_of(model).name}. Received: trainable_stages={trainable_stages}"
        )
    # Keras passes a flag on to the layers inside only where it changes the outer one: so each is
    # set by itself, from the outside in.
    for layer in (model, *model.layers):
        layer.trainable = True
    for number, layers in enumerate(stage_layers(backbone_of(model))):
        for layer in layers:
            layer.trainable = number >= count - unfrozen


def parameter_groups(model: keras.Model) -> tuple[ParameterGroup, ...]:
    """The trainable variables by depth, from the head to the shallowest trainable stage.

    Every trainable variable is in exactly one group; stages without any are left out.
    """
    group_of = {}
    for number, layers in enumerate(stage_layers(backbone_of(model)), start=1):
        for layer in layers:
            group_of.update({id(variable): f"stage_{number}" for variable in layer.variables})
    groups = {"head": []} | {f"stage_{n}": [] for n in range(stage_count(model), 0, -1)}
    for variable in model.trainable_variables:
        groups[group_of.get(id(variable), "head")].append(variable)
    return tuple(
        ParameterGroup(name, tuple(variables)) for name, variables in groups.items() if variables
    )


def count_parameters(model: keras.Model) -> dict[str, int]:
    """Number of weights: `total` and, of those, `trainable`."""
    return {
        "total": model.count_params(),
        "trainable": sum(int(keras.ops.size(weight)) for weight in model.trainable_weights),
    }


def split(model: keras.Model, trainable_stages: int) -> tuple[keras.Model, keras.Model]:
    """Cut a classifier where `freeze(model, trainable_stages)` ends, into trunk and tail.

    Both share the layers of `model`, and so weights and flags: training the tail trains `model`.
    What the trunk gives for a picture can then be computed once and kept.

    Args:
        model: a classifier of `build_classifier`, also a reloaded one.
        trainable_stages: as for `freeze`; 0 leaves the head alone in the tail.

    Returns:
        trunk: uint8 (batch, height, width, 3) to the tensor at the cut: pooled features
            (batch, channels) where `trainable_stages` is 0, else the feature maps
            (batch, h, w, channels) that leave the last frozen stage.
        tail: from that tensor to probabilities (batch, classes), float32.

    Raises:
        ValueError: the trunk would hold no stage, or there are fewer stages than that.
    """
    backbone = backbone_of(model)
    count = stage_count(model)
    if trainable_stages is None or not 0 <= trainable_stages < count:
        raise ValueError(
            f"`trainable_stages` must be from 0 to {count - 1} to leave a frozen trunk of "
            f"{backbone.name}. Received: trainable_stages={trainable_stages}"
        )
    pooling = model.get_layer("pooling")
    if trainable_stages == 0:
        at_cut = pooling.output
        boundary = keras.Input(batch_shape=at_cut.shape, dtype=at_cut.dtype, name="boundary")
        probabilities = _continued(boundary, pooling.output, model)
    else:
        cut = stage_outputs(backbone)[count - trainable_stages - 1]
        # Parts of an InferenceModel are InferenceModels: their BatchNormalization stays as it was.
        first = type(backbone)(backbone.input, cut, name=f"{backbone.name}_trunk")
        last = type(backbone)(cut, backbone.output, name=f"{backbone.name}_tail")
        at_cut = first(model.get_layer("preprocessing").output)
        boundary = keras.Input(batch_shape=at_cut.shape, dtype=at_cut.dtype, name="boundary")
        probabilities = _continued(last(boundary), pooling.input, model)
    trunk = keras.Model(model.input, at_cut, name=f"{model.name}_trunk")
    return trunk, keras.Model(boundary, probabilities, name=f"{model.name}_tail")


def _continued(
    features: keras.KerasTensor, tensor: keras.KerasTensor, model: keras.Model
) -> keras.KerasTensor:
    """The output of `model` if `features` stood in the place of `tensor`; layers are shared.

    The layers are applied one by one: they lie flat in the new model, where `class_names` and
    `model.get_layer` find them.
    """
    return keras.Function(tensor, model.output).call(features)


def join(trunk: keras.Model, tail: keras.Model, name: str) -> keras.Model:
    """One model from raw pixels to probabilities, made of the layers of both parts of `split`.

    Either part may also be another that computes the same, such as a folded trunk.

    Raises:
        ValueError: the tail takes another shape than the trunk gives.
    """
    if trunk.output_shape != tail.input_shape:
        raise ValueError(
            "`tail` must take what `trunk` gives. Received: "
            f"trunk.output_shape={trunk.output_shape}, tail.input_shape={tail.input_shape}"
        )
    return keras.Model(trunk.input, _continued(trunk.output, tail.input, tail), name=name)


def fingerprint(model: keras.Model) -> str:
    """SHA-256, in hexadecimal, of what the network computes in inference.

    It covers every layer's class and configuration, how the layers are connected, and every
    weight to the last bit; not the layers' names, which depend on what else the process has
    built, nor what matters to training alone (initializers, flags, the optimizer).
    """
    structure = _anonymous(model.get_config(), {})
    digest = hashlib.sha256(json.dumps(structure, sort_keys=True).encode())
    for weight in model.weights:
        values = keras.ops.convert_to_numpy(weight)
        digest.update(f"{values.dtype} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


_NAMES_AND_FLAGS = ("name", "trainable", "module", "registered_name", "build_config")
_TRAINING_ONLY = ("_initializer", "_regularizer", "_constraint")


def _anonymous(config: Any, positions: Mapping[str, int]) -> Any:
    """A model's configuration with each layer called by its position instead of its name."""
    if isinstance(config, list | tuple):
        return [_anonymous(item, positions) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "__keras_tensor__":
        layer, *indices = config["config"]["keras_history"]
        return [positions[layer], *indices]
    if "layers" in config:
        positions = {layer.get("name"): n for n, layer in enumerate(config["layers"])}
    result = {}
    for key, value in config.items():
        if key in ("input_layers", "output_layers"):
            result[key] = keras.tree.map_structure(lambda part: positions.get(part, part), value)
        elif key == "dtype":  # its `name` is the precision
            result[key] = value
        elif key not in _NAMES_AND_FLAGS and not key.endswith(_TRAINING_ONLY):
            result[key] = _anonymous(value, positions)
    return result
