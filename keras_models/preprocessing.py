"""The step from raw pixels to what a backbone was trained on, as a layer inside the model.

Tensor contract: input (..., height, width, 3), RGB, uint8 or floating point, range [0, 255];
output of the same shape in the layer's compute dtype. Serving then cannot disagree with training.
"""

from __future__ import annotations

import keras
from keras import ops

IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
"""Channel means of ImageNet, range [0, 255], as in `keras.applications.imagenet_utils`."""

IMAGENET_MEAN_RGB = (0.485, 0.456, 0.406)
IMAGENET_STANDARD_DEVIATION_RGB = (0.229, 0.224, 0.225)
"""Channel statistics of ImageNet, range [0, 1], as in `keras.applications.imagenet_utils`."""

MODES = ("caffe", "tf", "torch", "none")


@keras.saving.register_keras_serializable(package="keras_models")
class ImagePreprocessing(keras.layers.Layer):
    """RGB pixels in [0, 255] to the range and channel order that a family of backbones expects.

    - `caffe`: BGR, minus the ImageNet mean, not scaled (ResNet, VGG).
    - `tf`: scaled to [-1, 1] (ResNetV2, MobileNet, MobileNetV2, Inception, Xception, NASNet).
    - `torch`: scaled to [0, 1], then normalised by ImageNet's mean and deviation (DenseNet).
    - `none`: unchanged but for the dtype: the network has its own first layers for it.

    Args:
        mode: one of `MODES`.

    Raises:
        ValueError: `mode` is not one of `MODES`.
    """

    def __init__(self, mode: str, **kwargs):
        """Check and keep `mode`."""
        # The layer casts by itself: a float picture cast to bfloat16 on the way in would have
        # lost its low bits before the mean is subtracted.
        super().__init__(autocast=False, **kwargs)
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {MODES}. Received: mode={mode!r}")
        self.mode = mode

    def call(self, images):
        """Preprocess in float32, then cast to the compute dtype."""
        pixels = ops.cast(images, "float32")
        if self.mode == "caffe":
            pixels = ops.flip(pixels, axis=-1) - ops.convert_to_tensor(IMAGENET_MEAN_BGR, "float32")
        elif self.mode == "tf":
            pixels = pixels / 127.5 - 1.0
        elif self.mode == "torch":
            mean = ops.convert_to_tensor(IMAGENET_MEAN_RGB, "float32")
            deviation = ops.convert_to_tensor(IMAGENET_STANDARD_DEVIATION_RGB, "float32")
            pixels = (pixels / 255.0 - mean) / deviation
        return ops.cast(pixels, self.compute_dtype)

    def compute_output_spec(self, images):
        """Same shape, compute dtype."""
        return keras.KerasTensor(images.shape, dtype=self.compute_dtype)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "mode": self.mode}
