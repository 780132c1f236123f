"""A convolution in groups, made of plain ones."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_models")
class GroupedConvolution(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `groups`, computed as one plain convolution a group.

    Arguments, weights and result are those of Keras's layer. On a CPU Keras hands a grouped
    convolution to XLA, with which a step of AlexNet takes several times as long.
    """

    def convolution_op(self, inputs, kernel):
        """Each group of input channels with its own kernels; the results side by side."""
        channels = zip(
            ops.split(inputs, self.groups, axis=-1),
            ops.split(kernel, self.groups, axis=-1),
            strict=True,
        )
        plain = super().convolution_op
        return ops.concatenate([plain(own, kernels) for own, kernels in channels], axis=-1)
