"""Fast-SCNN: a class for every pixel of a street, on a device of small power.

R. P. K. Poudel, S. Liwicki, R. Cipolla, "Fast-SCNN: Fast Semantic Segmentation Network", BMVC 2019
(arXiv 1902.04502), table 1. Two branches share their first layers: small maps see far (global
feature extractor), large ones see where edges lie, and both are added.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
probabilities (batch, height, width, classes), float32, which sum to 1 over the classes. Any height
and width: sides are halved five times, rounded up.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_models.map_output import MapOutput
from keras_models.preprocessing import ImagePreprocessing

STEM_CHANNELS = (32, 48, 64)
"""Learning to downsample: a convolution and two depthwise separable ones, all of stride 2."""

BOTTLENECKS = ((64, 3, 2), (96, 3, 2), (128, 3, 1))
"""Global feature extractor: channels, repetitions and stride of the first of each group."""

EXPANSION = 6
"""Bottlenecks widen their maps by this factor (table 2: t)."""

PYRAMID_BINS = (1, 2, 3, 6)
"""Sides of the grids of means (Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017)."""

FUSED_CHANNELS = 128
CLASSIFIER_DEPTH = 2

DROPOUT = 0.1


@keras.saving.register_keras_serializable(package="keras_models")
class GridMeans(keras.layers.Layer):
    """Means over a grid of regions: (batch, h, w, channels) to (batch, bins, bins, channels).

    Region i of a side of n pixels spans floor(i n / bins) to ceil((i + 1) n / bins), so that sides
    that are no multiple of `bins`, or smaller, have regions that overlap by a pixel.

    Args:
        bins: regions a side.
    """

    def __init__(self, bins: int, **options):
        """Keep the number of regions."""
        super().__init__(**options)
        self.bins = bins

    def build(self, input_shape):
        """What each region takes of each row and of each column."""
        self._rows, self._columns = (_shares(side, self.bins) for side in input_shape[1:3])
        self.built = True

    def call(self, maps):
        """Sums of rows, then of columns, with the shares as weights."""
        rows, columns = (
            ops.convert_to_tensor(shares, maps.dtype) for shares in (self._rows, self._columns)
        )
        # Not an einsum, of which the converter to LiteRT makes constants of -1 pictures.
        height, width, channels = maps.shape[1:]
        sums = ops.matmul(rows, ops.reshape(maps, (-1, height, width * channels)))
        return ops.matmul(columns, ops.reshape(sums, (-1, self.bins, width, channels)))

    def compute_output_shape(self, input_shape):
        """A grid of vectors."""
        return (input_shape[0], self.bins, self.bins, input_shape[-1])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "bins": self.bins}


def _shares(side: int, bins: int) -> np.ndarray:
    """Row i has 1 / (length of region i) in that region and 0 outside: float32 (bins, side)."""
    shares = np.zeros((bins, side), np.float32)
    for number in range(bins):
        first, last = number * side // bins, -(-(number + 1) * side // bins)
        shares[number, first:last] = 1 / (last - first)
    return shares


@keras.saving.register_keras_serializable(package="keras_models")
class BilinearResize(keras.layers.Layer):
    """Maps at another size, (batch, h, w, channels) to (batch, *size, channels), bilinear.

    Args:
        size: height and width of the result.
    """

    def __init__(self, size: Sequence[int], **options):
        """Keep the size."""
        super().__init__(**options)
        self.size = tuple(int(side) for side in size)

    def call(self, maps):
        """Between the middles of the pixels, without smoothing."""
        return ops.image.resize(
            maps, self.size, interpolation="bilinear", data_format="channels_last"
        )

    def compute_output_shape(self, input_shape):
        """The size, with the channels as they are."""
        return (input_shape[0], *self.size, input_shape[-1])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="keras_models")
class ClassShares(keras.layers.Layer):
    """Leaves maps as they are, and carries how common each class was in training.

    The loss weighs classes by it, and whoever reads the probabilities of a saved model has to know
    it: a network that was trained with weights for rare classes names them too often.

    Args:
        shares: of each class among the training pixels that are not void; they sum to 1.
    """

    def __init__(self, shares: Sequence[float], **options):
        """Keep the shares."""
        super().__init__(**options)
        self.shares = tuple(float(share) for share in shares)

    def call(self, maps):
        """The maps themselves."""
        return maps

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "shares": self.shares}


def build_fast_scnn(
    image_size: tuple[int, int],
    class_names: Sequence[str],
    class_colours: Sequence[Sequence[int]] | None = None,
    class_shares: Sequence[float] | None = None,
    dropout: float = DROPOUT,
) -> keras.Model:
    """Table 1 of the paper, from raw pixels to a probability of each class at each pixel.

    At 1024 x 2048 pixels and 19 classes its convolutions have 1.11 million weights.

    Args:
        image_size: height and width of the pictures, in pixels.
        class_names: one per class, in order of the ids, without void.
        class_colours: a display colour per class, RGB in [0, 255].
        class_shares: of each class among the training pixels (`ClassShares`); None takes all to be
            equally common.
        dropout: share of the features dropped before the last layer while training, in [0, 1).

    Returns:
        A functional model; `downsample3`, `global9`, `pyramid`, `fusion` and `classifier2` end its
        parts, `logits` has a number per class at an eighth of the size, and `maps` is the
        `MapOutput`.

    Raises:
        ValueError: there are fewer than two classes, the shares are not as many, or a side is not
            positive.
    """
    count = len(class_names)
    shares = class_shares or [1 / max(count, 1)] * count
    if count < 2 or min(image_size) < 1 or len(shares) != count:
        raise ValueError(
            "`class_names` must be two or more, `class_shares` as many, `image_size` positive. "
            f"Received: {class_names=}, {class_shares=}, {image_size=}"
        )
    image = keras.Input((*image_size, 3), dtype="uint8", name="image")
    x = ImagePreprocessing("tf", name="preprocessing")(image)
    large = _learning_to_downsample(x)
    small = _global_features(large)
    x = _fusion(large, small)
    x = _classifier(x, count, dropout)
    x = ClassShares(shares, name="class_shares")(x)
    x = BilinearResize(image_size, name="full_size", dtype="float32")(x)
    x = keras.layers.Softmax(name="probabilities", dtype="float32")(x)
    output = MapOutput(class_names, "probability", class_colours)(x)
    return keras.Model(image, output, name="FastSCNN")


def share_layer(model: keras.Model) -> ClassShares:
    """The layer of a network of `build_fast_scnn` that knows how common the classes were."""
    return model.get_layer("class_shares")


def _learning_to_downsample(x: keras.KerasTensor) -> keras.KerasTensor:
    """To an eighth of the size; no non-linearity between depthwise and pointwise convolution."""
    first, *others = STEM_CHANNELS
    x = _convolution(x, first, 3, 2, "downsample1")
    x = keras.layers.ReLU(name="downsample1")(x)
    for number, channels in enumerate(others, start=2):
        x = _separable(x, channels, 2, f"downsample{number}")
    return x


def _global_features(x: keras.KerasTensor) -> keras.KerasTensor:
    """Nine inverted residual bottlenecks, to a thirty-second of the size, and the pyramid."""
    number = 0
    for channels, repetitions, first_stride in BOTTLENECKS:
        for repetition in range(repetitions):
            number += 1
            stride = first_stride if repetition == 0 else 1
            x = _bottleneck(x, channels, stride, f"global{number}")
    return _pyramid(x)


def _bottleneck(x: keras.KerasTensor, channels: int, stride: int, name: str) -> keras.KerasTensor:
    """Table 2: widen, filter each map by itself, narrow; added to the input where both fit.

    Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, with ReLU
    instead of ReLU6.
    """
    inputs, wide = x, EXPANSION * x.shape[-1]
    x = _convolution(x, wide, 1, 1, f"{name}_widen")
    x = keras.layers.ReLU(name=f"{name}_widen_relu")(x)
    x = _depthwise(x, stride, f"{name}_filter")
    x = keras.layers.ReLU(name=f"{name}_filter_relu")(x)
    x = _convolution(x, channels, 1, 1, f"{name}_narrow")
    if stride == 1 and channels == inputs.shape[-1]:
        return keras.layers.Add(name=name)([inputs, x])
    return keras.layers.Identity(name=name)(x)


def _pyramid(x: keras.KerasTensor) -> keras.KerasTensor:
    """What is seen as a whole, in halves, thirds and sixths, beside each place's own features."""
    size, channels = x.shape[1:3], x.shape[-1] // len(PYRAMID_BINS)
    parts = [x]
    for bins in PYRAMID_BINS:
        name = f"pyramid_{bins}"
        part = GridMeans(bins, name=f"{name}_means")(x)
        part = _convolution(part, channels, 1, 1, name)
        part = keras.layers.ReLU(name=f"{name}_relu")(part)
        parts.append(BilinearResize(size, name=f"{name}_resize")(part))
    x = keras.layers.Concatenate(name="pyramid_parts")(parts)
    x = _convolution(x, FUSED_CHANNELS, 1, 1, "pyramid_join")
    return keras.layers.ReLU(name="pyramid")(x)


def _fusion(large: keras.KerasTensor, small: keras.KerasTensor) -> keras.KerasTensor:
    """Table 3: both branches at an eighth of the size, added.

    The enlarged one is filtered with holes as wide as its pixels have become.
    """
    factor = -(-large.shape[1] // small.shape[1])
    small = BilinearResize(large.shape[1:3], name="fusion_resize")(small)
    small = _depthwise(small, 1, "fusion_filter", dilation=factor)
    small = keras.layers.ReLU(name="fusion_filter_relu")(small)
    small = _convolution(small, FUSED_CHANNELS, 1, 1, "fusion_small")
    large = _convolution(large, FUSED_CHANNELS, 1, 1, "fusion_large")
    x = keras.layers.Add(name="fusion_sum")([large, small])
    return keras.layers.ReLU(name="fusion")(x)


def _classifier(x: keras.KerasTensor, class_count: int, dropout: float) -> keras.KerasTensor:
    for number in range(1, CLASSIFIER_DEPTH + 1):
        x = _separable(x, FUSED_CHANNELS, 1, f"classifier{number}")
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.layers.Conv2D(class_count, 1, name="logits")(x)


def _separable(x: keras.KerasTensor, channels: int, stride: int, name: str) -> keras.KerasTensor:
    x = _depthwise(x, stride, f"{name}_filter")
    x = _convolution(x, channels, 1, 1, f"{name}_mix")
    return keras.layers.ReLU(name=name)(x)


def _depthwise(
    x: keras.KerasTensor, stride: int, name: str, dilation: int = 1
) -> keras.KerasTensor:
    """A 3 x 3 filter for each map, and BatchNormalization."""
    x = keras.layers.DepthwiseConv2D(
        3,
        stride,
        "same",
        dilation_rate=dilation,
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"{name}_depthwise",
    )(x)
    return _normalised(x, name)


def _convolution(
    x: keras.KerasTensor, channels: int, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    """Convolution and BatchNormalization, whose offset makes a bias superfluous."""
    x = keras.layers.Conv2D(
        channels,
        kernel,
        stride,
        "same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return _normalised(x, name)


def _normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    # Keras's momentum of 0.99 follows the weights within hundreds of steps; a few hundred are an
    # epoch's worth of a large data set and the whole run of a small one.
    return keras.layers.BatchNormalization(momentum=0.95, name=f"{name}_bn")(x)
