"""The deep and the shallow network that were trained end to end to predict where people look.

J. Pan, K. McGuinness, E. Sayrol, N. O'Connor, X. Giro-i-Nieto, "Shallow and Deep Convolutional
Networks for Saliency Prediction", CVPR 2016. Sizes and paddings are those of the authors' files
`deploy.prototxt` and `shallow/train.py` (github.com/imatge-upc/saliency-2016-cvpr).

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
`maps` (batch, map height, map width, 1), float32: saliency relative to the most salient place of
the picture. Preprocessing is a layer inside the model.

With `output="linear"` the maps are what the last layer gives, as in the paper: trained by mean
squared error towards [0, 1], but not held there. `density` holds them there (`RelativeDensity`).
"""

from __future__ import annotations

from typing import Literal

import keras
from keras import ops

from keras_models.local_response_normalization import LocalResponseNormalization
from keras_models.map_output import MapOutput
from keras_models.preprocessing import ImagePreprocessing
from keras_models.saliency_layers import Maxout, RelativeDensity

Output = Literal["linear", "density"]

DEEP_SIZE = (240, 320)
SHALLOW_SIZE = (96, 96)
SHALLOW_MAP_SIZE = (48, 48)

DEEP_LAYERS = ((48, 7), (128, 5), (256, 3), (256, 5), (256, 5), (128, 7), (64, 11), (16, 11))
"""Maps and kernel of convolutions 1 to 8: half of the paper's maps, its kernels."""

POOLING = 4
"""The two poolings of the deep network together divide height and width by this."""


def build_deep_salnet(
    image_size: tuple[int, int] = DEEP_SIZE,
    width: float = 1.0,
    output: Output = "linear",
) -> keras.Model:
    """Nine convolutions and one transposed one; maps as large as the picture.

    Half of the paper's maps, 6,457,057 weights; with `width` 2 all of them, 25,806,209. At 240 x
    320 a picture costs 34 thousand million multiplications; with `width` 2, 134 thousand million.

    Args:
        image_size: height and width in pixels, multiples of `POOLING`; 240 x 320 in the paper.
        width: multiple of the maps of convolutions 1 to 8, above 0.
        output: see the head of this module.

    Raises:
        ValueError: an argument is out of its range.
    """
    _check_deep(image_size, width)
    image = keras.Input((*image_size, 3), dtype="uint8", name="image")
    # Pixels of mean 0 and variance 1, for which He et al. derive their first weights. The paper
    # takes the mean alone away: its first three layers come trained.
    x = ImagePreprocessing("torch", name="preprocessing")(image)
    for number, (maps, size) in enumerate(DEEP_LAYERS, start=1):
        x = keras.layers.Conv2D(
            max(1, round(maps * width)),
            size,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"conv{number}",
        )(x)
        if number == 1:
            # Caffe divides alpha by n and begins at 1, unlike AlexNet's paper.
            x = LocalResponseNormalization(k=1.0, n=5, alpha=1e-4 / 5, beta=0.75, name="norm1")(x)
        if number <= 2:
            x = keras.layers.MaxPooling2D(3, 2, padding="same", name=f"pool{number}")(x)
    # A hundredth of He's deviation, which is for layers before a ReLU: maps of size 1 where a tenth
    # is wanted make a first gradient after which, at any useful rate, every ReLU is silent.
    small = keras.initializers.VarianceScaling(2e-4, "fan_in", "truncated_normal")
    x = keras.layers.Conv2D(1, 13, padding="same", kernel_initializer=small, name="conv9")(x)
    x = keras.layers.Conv2DTranspose(
        1,
        2 * POOLING,
        POOLING,
        padding="same",
        use_bias=False,
        kernel_initializer=BilinearKernel(),
        name="deconv1",
    )(x)
    return keras.Model(image, _maps(x, output), name="deep_salnet")


def _check_deep(image_size: tuple[int, int], width: float) -> None:
    if min(image_size) < POOLING or any(side % POOLING for side in image_size):
        raise ValueError(
            f"`image_size` must be multiples of {POOLING} pixels for the deep network. "
            f"Received: image_size={tuple(image_size)}"
        )
    if not width > 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")


@keras.saving.register_keras_serializable(package="keras_models")
class BilinearKernel(keras.initializers.Initializer):
    """Bilinear interpolation as the first kernel of a transposed convolution with stride size / 2.

    For one map. Random numbers would begin with a chequered one (Long, Shelhamer & Darrell, "Fully
    Convolutional Networks for Semantic Segmentation", CVPR 2015, section 3.3).
    """

    def __call__(self, shape, dtype=None):
        """The kernel of shape (size, size, 1, 1)."""
        size = shape[0]
        middle = (size - 1) / 2
        share = 1 - ops.abs(ops.arange(size, dtype="float32") - middle) / (size / 2)
        return ops.cast((share[:, None] * share[None, :])[..., None, None], dtype or "float32")


def build_shallow_salnet(width: float = 1.0, output: Output = "linear") -> keras.Model:
    """Three convolutions and two dense layers: 96 x 96 pixels to a map of 48 x 48.

    34,864,384 weights, nearly all of them in the dense layers.

    Args:
        width: multiple of the maps of the convolutions, above 0; the dense layers stay.
        output: see the head of this module.

    Raises:
        ValueError: an argument is out of its range.
    """
    if not width > 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    image = keras.Input((*SHALLOW_SIZE, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 255, name="preprocessing")(image)
    for number, (maps, size) in enumerate(((32, 5), (64, 3), (64, 3)), start=1):
        x = keras.layers.Conv2D(
            max(1, round(maps * width)),
            size,
            activation="relu",
            kernel_initializer="he_normal",
            name=f"conv{number}",
        )(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    places = SHALLOW_MAP_SIZE[0] * SHALLOW_MAP_SIZE[1]
    x = keras.layers.Dense(
        2 * places, activation="relu", kernel_initializer="he_normal", name="hidden4"
    )(x)
    x = Maxout(name="maxout")(x)
    x = keras.layers.Dense(places, kernel_initializer="he_normal", name="dense5")(x)
    x = keras.layers.Reshape((*SHALLOW_MAP_SIZE, 1), name="map")(x)
    return keras.Model(image, _maps(x, output), name="shallow_salnet")


def _maps(x: keras.KerasTensor, output: Output) -> keras.KerasTensor:
    """The last layers, which say what the numbers are.

    Raises:
        ValueError: there is no such output.
    """
    if output not in ("linear", "density"):
        raise ValueError(f'`output` must be "linear" or "density". Received: {output=}')
    if output == "density":
        x = RelativeDensity(name="density")(x)
    return MapOutput(("saliency",), "share of the highest")(x)
