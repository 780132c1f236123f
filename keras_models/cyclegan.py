"""The networks of CycleGAN: two generators, two discriminators, and the models made of them.

Paper: J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, "Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks", ICCV 2017 (arXiv 1703.10593), section 7.2 of the appendix;
the generator is that of Johnson, Alahi & Fei-Fei 2016, the discriminator the 70 x 70 PatchGAN of
Isola et al. 2017.

Tensor contract inside: (batch, height, width, channels), floating point, range [-1, 1]; a picture
has three channels, a depth map has one, -1 near and 1 far. The models that are saved take and give
what the rest of the suite does: pictures uint8 [0, 255], depth float32 in metres.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_models.depth_scale import MetresToShares, ScaleKind, SharesToMetres
from keras_models.map_output import MapOutput

# Of the normalisation in the authors' program.
_EPSILON = 1e-5
# Weights begin as in the paper, section 7.1: normal with a standard deviation of 0.02.
_DEVIATION = 0.02
# Three halvings and two unpadded 4 x 4 windows leave one score of a side of 24.
SMALLEST_SIDE = 24
# Two halvings, and two doublings that give the same side again.
SIDE_MULTIPLE = 4


@keras.saving.register_keras_serializable("keras_models")
class ReflectionPadding(layers.Layer):
    """Mirrors a border of the maps to the outside, so that no edge of zeros is seen in the result.

    Args:
        pixels: width of the border, on each side; smaller than the maps.
        name: of the layer.
    """

    def __init__(self, pixels: int, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.pixels = pixels

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """The maps with their border, (batch, height + 2 pixels, width + 2 pixels, channels)."""
        border = (self.pixels, self.pixels)
        return ops.pad(maps, ((0, 0), border, border, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Two borders higher and wider than the input."""
        batch, height, width, channels = input_shape
        grown = [side and side + 2 * self.pixels for side in (height, width)]
        return (batch, *grown, channels)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return super().get_config() | {"pixels": self.pixels}


def build_generator(
    in_channels: int,
    out_channels: int,
    image_size: tuple[int, int],
    width: int = 64,
    residual_blocks: int = 5,
    name: str = "generator",
) -> keras.Model:
    """c7s1-w, d2w, d4w, residual blocks, u2w, uw, c7s1 in the paper's words (section 7.2).

    `build_generator(3, 3, (256, 256), residual_blocks=9)` has 11,378,179 parameters, as the
    authors' program prints. A convolution before a normalisation has no bias: the shift of the
    normalisation does its work, and has as many weights.

    Args:
        in_channels: of what is translated.
        out_channels: of what it becomes.
        image_size: height and width, multiples of 4.
        width: channels of the first convolution.
        residual_blocks: of 4 `width` channels, at a quarter of the size.
        name: of the model.

    Returns:
        A model from (batch, height, width, in_channels) to (batch, height, width, out_channels),
        both in [-1, 1].

    Raises:
        ValueError: a number is out of its range.
    """
    check_generator(image_size, width, residual_blocks)
    source = keras.Input((*image_size, in_channels), name="source")
    maps = _convolved(ReflectionPadding(3, name="pad_in")(source), width, 7, 1, "in")
    for number, factor in enumerate((2, 4), start=1):
        maps = _convolved(maps, factor * width, 3, 2, f"down{number}", padding="same")
    for number in range(1, residual_blocks + 1):
        maps = _residual_block(maps, 4 * width, f"residual{number}")
    for number, factor in enumerate((2, 1), start=1):
        maps = _doubled(maps, factor * width, f"up{number}")
    maps = ReflectionPadding(3, name="pad_out")(maps)
    generated = layers.Conv2D(
        out_channels, 7, activation="tanh", kernel_initializer=_initializer(), name="out"
    )(maps)
    return keras.Model(source, generated, name=name)


def build_discriminator(
    channels: int, image_size: tuple[int, int], width: int = 64, name: str = "discriminator"
) -> keras.Model:
    """C64-C128-C256-C512 and a map of scores, each for a patch of 70 x 70 pixels (section 7.2).

    The first three convolutions halve the size. `build_discriminator(3, (256, 256))` has 2,764,737
    parameters and gives (30, 30) scores, as the authors' program does.

    Args:
        channels: of what is judged.
        image_size: height and width, each at least 24.
        width: channels of the first convolution.
        name: of the model.

    Returns:
        A model from (batch, height, width, channels) in [-1, 1] to scores (batch, rows, columns,
        1), any number: trained to be 1 for what is real and 0 for what a generator made.

    Raises:
        ValueError: a number is out of its range.
    """
    check_discriminator(image_size, width)
    judged = keras.Input((*image_size, channels), name="judged")
    maps = layers.Conv2D(width, 4, 2, name="conv1", kernel_initializer=_initializer())(
        layers.ZeroPadding2D(name="pad1")(judged)
    )
    maps = layers.LeakyReLU(0.2, name="leaky1")(maps)
    for number, (factor, strides) in enumerate(((2, 2), (4, 2), (8, 1)), start=2):
        maps = layers.ZeroPadding2D(name=f"pad{number}")(maps)
        maps = layers.Conv2D(
            factor * width,
            4,
            strides,
            use_bias=False,
            kernel_initializer=_initializer(),
            name=f"conv{number}",
        )(maps)
        maps = _normalised(maps, f"norm{number}")
        maps = layers.LeakyReLU(0.2, name=f"leaky{number}")(maps)
    maps = layers.ZeroPadding2D(name="pad5")(maps)
    scores = layers.Conv2D(1, 4, kernel_initializer=_initializer(), name="scores")(maps)
    return keras.Model(judged, scores, name=name)


def build_picture_to_depth(
    generator: keras.Model, kind: ScaleKind, nearest: float, largest: float
) -> keras.Model:
    """The generator of depth, from a uint8 picture to metres; shares its weights.

    Args:
        generator: from three channels to one.
        kind: of the scale of depth; likewise `nearest` and `largest`, in metres.
    """
    image = keras.Input(generator.input_shape[1:], dtype="uint8", name="image")
    generated = generator(layers.Rescaling(1 / 127.5, -1.0, name="to_signed")(image))
    shares = layers.Rescaling(0.5, 0.5, dtype="float32", name="to_shares")(generated)
    metres = SharesToMetres(kind, nearest, largest, name="to_metres")(shares)
    return keras.Model(image, MapOutput(("depth",), "m")(metres), name="picture_to_depth")


def build_depth_to_picture(
    generator: keras.Model, kind: ScaleKind, nearest: float, largest: float
) -> keras.Model:
    """The generator of pictures, from metres to RGB in [0, 255]; shares its weights.

    Args:
        generator: from one channel to three.
        kind: of the scale of depth; likewise `nearest` and `largest`, in metres. 0 metres, as in
            the sky, are the far end.
    """
    metres = keras.Input(generator.input_shape[1:], dtype="float32", name="depth")
    shares = MetresToShares(kind, nearest, largest, name="to_shares")(metres)
    generated = generator(layers.Rescaling(2.0, -1.0, name="to_signed")(shares))
    return keras.Model(metres, _as_picture(generated), name="depth_to_picture")


def build_grey_depth_to_picture(generator: keras.Model) -> keras.Model:
    """The generator of pictures, from depth as a grey picture; shares its weights.

    For where only pictures can be handed in: level 0 is the near end of the scale and 255 the far
    one. Of a picture with colours the mean of the channels counts.

    Args:
        generator: from one channel to three.
    """
    image = keras.Input((*generator.input_shape[1:3], 3), dtype="uint8", name="image")
    signed = layers.Rescaling(1 / 127.5, -1.0, name="to_signed")(image)
    generated = generator(ops.mean(signed, axis=-1, keepdims=True))
    return keras.Model(image, _as_picture(generated), name="grey_depth_to_picture")


def check_generator(image_size: tuple[int, int], width: int, residual_blocks: int) -> None:
    """Finds numbers that make no generator.

    Raises:
        ValueError: the first one found.
    """
    if any(side < SIDE_MULTIPLE or side % SIDE_MULTIPLE for side in image_size):
        raise ValueError(
            f"image_size must be multiples of {SIDE_MULTIPLE}. Received: {image_size=}"
        )
    if width < 1 or residual_blocks < 0:
        raise ValueError(
            "width must be at least 1 and residual_blocks at least 0. "
            f"Received: {width=}, {residual_blocks=}"
        )


def check_discriminator(image_size: tuple[int, int], width: int) -> None:
    """Finds numbers that make no discriminator.

    Raises:
        ValueError: the first one found.
    """
    if min(image_size) < SMALLEST_SIDE or width < 1:
        raise ValueError(
            f"image_size must be at least {SMALLEST_SIDE} and width at least 1. "
            f"Received: {image_size=}, {width=}"
        )


def _as_picture(generated: keras.KerasTensor) -> keras.KerasTensor:
    """From [-1, 1] to levels in [0, 255], float32."""
    levels = layers.Rescaling(127.5, 127.5, dtype="float32", name="to_levels")(generated)
    return MapOutput(("red", "green", "blue"), "level")(levels)


def _initializer() -> keras.initializers.Initializer:
    """A new one each time: one that is shared would give equal weights to equal shapes."""
    return keras.initializers.RandomNormal(stddev=_DEVIATION)


def _normalised(maps: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Instance normalisation (Ulyanov, Vedaldi & Lempitsky 2016), a group of one channel each.

    Without a factor: what follows scales anyway.
    """
    return layers.GroupNormalization(groups=-1, epsilon=_EPSILON, scale=False, name=name)(maps)


def _convolved(
    maps: keras.KerasTensor,
    filters: int,
    kernel: int,
    strides: int,
    name: str,
    padding: str = "valid",
) -> keras.KerasTensor:
    maps = layers.Conv2D(
        filters,
        kernel,
        strides,
        padding,
        use_bias=False,
        kernel_initializer=_initializer(),
        name=name,
    )(maps)
    return layers.ReLU(name=f"{name}_relu")(_normalised(maps, f"{name}_norm"))


def _residual_block(maps: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Two 3 x 3 convolutions beside an unchanged path, which nothing follows."""
    added = ReflectionPadding(1, name=f"{name}_pad1")(maps)
    added = _convolved(added, filters, 3, 1, f"{name}_conv1")
    added = ReflectionPadding(1, name=f"{name}_pad2")(added)
    added = layers.Conv2D(
        filters, 3, use_bias=False, kernel_initializer=_initializer(), name=f"{name}_conv2"
    )(added)
    return layers.Add(name=f"{name}_add")([maps, _normalised(added, f"{name}_norm2")])


def _doubled(maps: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    maps = layers.Conv2DTranspose(
        filters, 3, 2, "same", use_bias=False, kernel_initializer=_initializer(), name=name
    )(maps)
    return layers.ReLU(name=f"{name}_relu")(_normalised(maps, f"{name}_norm"))
