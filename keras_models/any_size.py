"""A network for pictures of one size made into one for pictures of any size, and class ids of maps.

Tensor contract: pictures are uint8 (batch, height, width, 3), RGB, range [0, 255]; maps are float32
(batch, height, width, channels); class ids are int32 (batch, height, width).

Everything is matrix products and plain arithmetic, which the runtimes that exports are made for
have; their own resizing knows no antialiasing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_models.map_output import MapOutput, map_layer

# Between sizes such as 360 and 540 one mean in twenty lies halfway between two grey levels, and
# runtimes that add in another order, some 1e-4 apart, would round it either way. All go up, by a
# margin that changes the rounding of one other mean in two thousand.
_HALF = 0.5005

TO_NETWORK, TO_PICTURE = "to_network_size", "to_picture_size"
"""Names of the layers that bring a picture to the network's size, and maps to the picture's."""


def any_size(network: keras.Model) -> keras.Model:
    """The network behind a resizing, and its maps brought back to the picture's own size.

    The picture is squashed to the network's size as in training: bilinear with antialiasing,
    rounded to whole grey levels. A picture that has the network's size goes through unchanged.
    The maps are brought back bilinearly, between the middles of the pixels, without antialiasing.
    Where the network ends in `ClassIds`, the logits are brought back and then compared, so that the
    border between two classes is as fine as the picture. Of a network without it the probabilities
    are brought back: the largest of them is the same class at the network's size, and at other
    sizes may be another one at borders, where between a pixel that is sure and one that is not the
    logits follow the sure one for longer.

    Args:
        network: `image`, uint8 (batch, H, W, 3), -> maps, float32 (batch, any, any, channels), or
            what `class_ids` made of such a network.

    Returns:
        `image`, uint8 (batch, height, width, 3), of any size, -> maps, float32 (batch, height,
        width, channels), or class ids, int32 (batch, height, width). Its weights are the
        network's own.

    Raises:
        ValueError: the network does not take pictures of one size, or gives no maps.
    """
    maps, last = _without_ids(network)
    _require_pictures_to_maps(maps)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = SquashTo(maps.input_shape[1:3], name=TO_NETWORK)(image)
    # A network that was loaded from a file may want its one input in a list.
    x = maps(keras.tree.pack_sequence_as(maps.input, [x]))
    x = SizeOf(name=TO_PICTURE)([x, image])
    ending = maps.layers[-1]
    if isinstance(ending, MapOutput):
        x = MapOutput.from_config({**ending.get_config(), "name": ending.name})(x)
    if last is not None:
        x = ClassIds.from_config(last.get_config())(x)
    return keras.Model(image, x, name=f"any_size_{network.name}")


def class_ids(network: keras.Model) -> keras.Model:
    """The network with the id of the likeliest class in place of probabilities, without softmax.

    The largest logit belongs to the largest probability, so no exponential is needed (Poudel et
    al., "Fast-SCNN", BMVC 2019, section 3.2.4).

    Args:
        network: -> (batch, height, width, classes), ending in a `Softmax` over the classes and a
            `MapOutput`.

    Returns:
        A model on the same layers, -> int32 (batch, height, width).

    Raises:
        ValueError: it does not end in those.
    """
    ending = map_layer(network)
    ids = ClassIds(ending.names)(_logits(network, ending))
    return keras.Model(network.input, ids, name="classes")


@keras.saving.register_keras_serializable("keras_models")
class SquashTo(keras.layers.Layer):
    """Pictures of any size at one size, uint8: bilinear with antialiasing, then rounded, halves up.

    A pixel of the result is the mean of the pixels around its middle, weighted by a triangle whose
    half width is the larger of a pixel of the result and one of the picture, and cut off at the
    border. `tf.image.resize(..., "bilinear", antialias=True)` computes the same before rounding.

    Args:
        size: height and width of the result, in pixels.
    """

    def __init__(self, size: Sequence[int], **options: Any) -> None:
        super().__init__(**{**options, "dtype": "float32"})
        self.size = tuple(int(side) for side in size)

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """(batch, any, any, 3) -> (batch, *size, 3), both uint8."""
        height, width = self.size
        batch, given_height, given_width, channels = ops.shape(image)
        x = ops.reshape(ops.cast(image, "float32"), (batch, given_height, given_width * channels))
        x = ops.matmul(_triangle_weights(given_height, height), x)
        x = ops.reshape(x, (batch, height, given_width, channels))
        x = ops.matmul(_triangle_weights(given_width, width), x)
        return ops.cast(ops.clip(ops.floor(x + _HALF), 0, 255), "uint8")

    def compute_output_spec(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """The size, with the batch and the channels as they are."""
        shape = (image.shape[0], *self.size, image.shape[-1])
        return keras.KerasTensor(shape, dtype="uint8")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("keras_models")
class SizeOf(keras.layers.Layer):
    """Maps at the size of other arrays: [maps, the others] -> maps, bilinear."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "dtype": "float32"})

    def call(self, inputs: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
        """(batch, any, any, channels) -> (batch, height and width of the others, channels)."""
        maps, others = inputs
        # `ops.image.resize` wants a size that is known before.
        for axis in (1, 2):
            maps = _stretched(maps, ops.shape(others)[axis], axis)
        return maps

    def compute_output_spec(self, inputs: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
        """Batch and channels of the maps, height and width of the others."""
        maps, others = inputs
        shape = (maps.shape[0], *others.shape[1:3], maps.shape[-1])
        return keras.KerasTensor(shape, dtype="float32")


@keras.saving.register_keras_serializable("keras_models")
class ClassIds(keras.layers.Layer):
    """The id of the most probable class; of equal ones the lowest; beyond all where it is NaN.

    Args:
        names: of the classes, in order of their ids.
        name: of the layer.
    """

    def __init__(self, names: Sequence[str], name: str = "classes", **options: Any) -> None:
        super().__init__(name=name, **{**options, "dtype": "float32"})
        self.names = tuple(names)

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """(batch, height, width, classes) -> int32 (batch, height, width)."""
        # Not `ops.argmax`, which tells 0.0 from -0.0 by bits, and runtimes of exports cannot.
        largest = ops.max(maps, axis=-1, keepdims=True)
        count = maps.shape[-1]
        ids = ops.where(maps >= largest, ops.arange(count, dtype="int32"), count)
        return ops.min(ids, axis=-1)

    def compute_output_spec(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """The shape without the classes."""
        return keras.KerasTensor(maps.shape[:-1], dtype="int32")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {**super().get_config(), "names": self.names}


def _triangle_weights(given: int | keras.KerasTensor, wanted: int) -> keras.KerasTensor:
    """How much of each of `given` pixels of a line is in each of `wanted`: (wanted, given).

    Each row sums to 1. Where both are equal it is the unit matrix.
    """
    scale = ops.cast(given, "float32") / wanted
    middles = (ops.arange(wanted, dtype="float32") + 0.5) * scale
    places = ops.cast(ops.arange(given, dtype="int32"), "float32") + 0.5
    distances = ops.abs(ops.expand_dims(places, 0) - ops.expand_dims(middles, 1))
    weights = ops.relu(1.0 - distances / ops.maximum(scale, 1.0))
    return weights / ops.sum(weights, axis=1, keepdims=True)


def _stretched(
    maps: keras.KerasTensor, wanted: int | keras.KerasTensor, axis: int
) -> keras.KerasTensor:
    """Maps with `wanted` pixels along an axis, each between the two nearest ones."""
    given = maps.shape[axis]
    scale = given / ops.cast(wanted, "float32")
    places = (ops.cast(ops.arange(wanted, dtype="int32"), "float32") + 0.5) * scale - 0.5
    first = ops.floor(places)
    share = ops.reshape(places - first, (-1, *[1] * (len(maps.shape) - axis - 1)))
    lower, upper = (
        ops.take(maps, ops.cast(ops.clip(neighbour, 0, given - 1), "int32"), axis=axis)
        for neighbour in (first, first + 1)
    )
    return lower * (1 - share) + upper * share


def _without_ids(network: keras.Model) -> tuple[keras.Model, ClassIds | None]:
    """The network that gives maps, and the `ClassIds` behind it, if any."""
    last = network.layers[-1]
    if not isinstance(last, ClassIds):
        return network, None
    return keras.Model(network.input, last.input), last


def _logits(network: keras.Model, ending: MapOutput) -> keras.KerasTensor:
    """What goes into the softmax before the last layer."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Softmax) and layer.output is ending.input:
            return layer.input
    raise ValueError(
        "network must end in a Softmax and a MapOutput, so that its logits can be compared. "
        f"Received: a network whose last layers are {[one.name for one in network.layers[-2:]]}"
    )


def _require_pictures_to_maps(network: keras.Model) -> None:
    shapes = [tensor.shape for tensor in (*network.inputs, *network.outputs)]
    fits = len(shapes) == 2 and all(len(shape) == 4 for shape in shapes)
    if not fits or None in shapes[0][1:] or shapes[0][-1] != 3:
        raise ValueError(
            "network must take pictures of one size, (batch, height, width, 3), and give maps, "
            f"(batch, height, width, channels). Received: shapes {shapes}"
        )
