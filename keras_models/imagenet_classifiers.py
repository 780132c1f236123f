"""The networks of `keras.applications` with the classifier they were trained with on ImageNet.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
probabilities of the 1,000 classes of ImageNet, float32. Preprocessing is inside the model.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import keras

from keras_models.backbone_weights import load_weights
from keras_models.backbones import Backbone, image_shape, lookup
from keras_models.preprocessing import ImagePreprocessing

CLASS_COUNT = 1000

FAMILIES: dict[str, tuple[str, ...]] = {
    "ResNet": ("ResNet50", "ResNet101", "ResNet152"),
    "ResNetV2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "VGG": ("VGG16", "VGG19"),
    "DenseNet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "MobileNet": ("MobileNet",),
    "MobileNetV2": ("MobileNetV2",),
    "MobileNetV3": ("MobileNetV3Small", "MobileNetV3Large"),
    "EfficientNet": tuple(f"EfficientNetB{number}" for number in range(8)),
    "EfficientNetV2": tuple(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", *"SML")),
    "Inception": ("InceptionV3",),
    "InceptionResNet": ("InceptionResNetV2",),
    "Xception": ("Xception",),
    "NASNet": ("NASNetMobile", "NASNetLarge"),
    "ConvNeXt": tuple(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
}
"""Every network by its family, the smallest first."""

WIDTHS: dict[str, tuple[float, ...]] = {
    "MobileNet": (0.25, 0.5, 0.75, 1.0),
    "MobileNetV2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4),
    "MobileNetV3Small": (0.75, 1.0),
    "MobileNetV3Large": (0.75, 1.0),
}
"""Multiples of the usual number of channels (`alpha`) that ImageNet weights exist for."""

# What the name of a file without the classifier ends in, and that of the file with it.
_ENDINGS = {"_no_top_v2.h5": ".h5", "_no_top.h5": ".h5", "_notop.h5": ".h5"}


@dataclasses.dataclass(frozen=True)
class Variant:
    """A network at one width.

    Attributes:
        backbone: the table's entry for it.
        width: multiple of the usual number of channels.
    """

    backbone: Backbone
    width: float = 1.0

    @property
    def name(self) -> str:
        """`MobileNet`, or with another width than the usual one `MobileNet-0.25`."""
        return self.backbone.name if self.width == 1.0 else f"{self.backbone.name}-{self.width:g}"

    @property
    def family(self) -> str:
        """The key of `FAMILIES` under which the network stands."""
        return next(family for family, names in FAMILIES.items() if self.backbone.name in names)

    @property
    def weights_file(self) -> str:
        """Name of the file with the ImageNet weights, classifier included, in Keras's cache."""
        name = self.backbone.weights_file.format(size=self.backbone.default_size)
        for ending, other in _ENDINGS.items():
            name = name.removesuffix(ending) + other if name.endswith(ending) else name
        # MobileNet v1 writes 0.25 as 2_5 and 1.0 as 1_0.
        tenths = f"{self.width if self.width == 1.0 else 10 * self.width:.1f}".replace(".", "_")
        return name.replace("_1_0_", f"_{tenths}_").replace("_1.0_", f"_{self.width}_")


def find(name: str) -> Variant:
    """The network called `name`, in any case: one of `keras.applications`, perhaps with a width.

    Raises:
        ValueError: there is no such network, or Keras has no weights of that width.
    """
    base, width = re.fullmatch(r"(.*?)(?:-(\d+\.\d+))?", str(name), re.DOTALL).groups()
    backbone = lookup(base)
    if not backbone.weights_file:
        raise ValueError(f"{backbone.name} has no classifier of ImageNet. Received: name={name!r}")
    widths = WIDTHS.get(backbone.name, (1.0,))
    if width is not None and float(width) not in widths:
        raise ValueError(
            f"The width of {backbone.name} must be one of {', '.join(map(str, widths))}. "
            f"Received: name={name!r}"
        )
    return Variant(backbone, float(width or 1.0))


def variants(name: str) -> tuple[Variant, ...]:
    """The network called `name` at every width that ImageNet weights exist for."""
    backbone = lookup(name)
    return tuple(Variant(backbone, width) for width in WIDTHS.get(backbone.name, (1.0,)))


def build(variant: Variant, weights: Path | None) -> keras.Model:
    """The network with its classifier at its default size: `image`, `preprocessing`, the network.

    Args:
        variant: from `find`.
        weights: a file with the classifier's weights; None for random weights.

    Raises:
        ValueError: the file is missing or does not hold the weights of this network.
    """
    backbone = variant.backbone
    shape = image_shape(backbone.default_size)
    options = {"alpha": variant.width} if backbone.name in WIDTHS else {}
    network = backbone.constructor(weights=None, input_shape=shape, **options)
    network.name = variant.name.replace(".", "_")
    if weights is not None:
        load_weights(network, weights, "with its classifier")
    image = keras.Input(shape, dtype="uint8", name="image")
    pixels = ImagePreprocessing(backbone.preprocessing, name="preprocessing")(image)
    return keras.Model(image, network(pixels), name=f"{network.name}_classifier")


def depth(model: keras.Model) -> int:
    """Number of layers that have weights, those of nested models counted one by one.

    Keras's documentation calls the column of its table "topological depth"; its numbers are these
    (keras.io/api/applications: 16 for VGG16, 107 for ResNet50, 55 for MobileNet).
    """
    return sum(bool(layer.weights) for layer in _leaves(model))


def _leaves(layer: keras.Layer) -> Iterator[keras.Layer]:
    if isinstance(layer, keras.Model):
        for inner in layer.layers:
            yield from _leaves(inner)
    else:
        yield layer


def megabytes(model: keras.Model) -> float:
    """Size of the weights in float32, in MB of 2^20 bytes.

    Keras's table has the size of the weight files, which is the same (98 for ResNet50) plus a few
    MB for the names of the layers where there are hundreds (33 instead of 31 for DenseNet121).
    """
    return model.count_params() * 4 / 2**20
