"""AlexNet, or a network of `keras.applications`, that ends at a layer called by its name.

Tensor contract: an encoder takes what its preprocessing gives for (batch, height, width, 3), uint8,
RGB, range [0, 255], and gives feature maps (batch, h, w, channels) or vectors (batch, units).
"""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path

import keras

from keras_models import alexnet, backbones
from keras_models.cut_backbone import cut_backbone
from keras_models.model_file import load_model
from keras_models.preprocessing import ImagePreprocessing
from keras_models.transfer import InferenceModel

ALEXNET = "AlexNet"

ALEXNET_LAYERS = {
    "conv1": "pool1",
    "conv2": "pool2",
    "conv3": "conv3",
    "conv4": "conv4",
    "conv5": "pool5",
    "fc6": "fc6",
    "fc7": "fc7",
    "fc8": "logits",
}
"""What each layer of AlexNet's own counting gives on: its maps pooled and normalised where it has
such steps (Dosovitskiy & Brox 2016, section 4.1: CONV5 is 6 x 6 x 256)."""

ALEXNET_CLASSES = 1000
"""Units of fc8, the classes of ImageNet."""


@dataclasses.dataclass(frozen=True, eq=False)
class Encoder:
    """A network cut at one of its layers, in inference mode.

    Attributes:
        preprocessing: from pixels to what the network expects.
        network: from there to the layer's output; called `encoder`.
    """

    preprocessing: keras.layers.Layer
    network: keras.Model

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """(h, w, channels) of maps, (units,) of a vector."""
        return tuple(self.network.output_shape[1:])


def is_alexnet(name: str) -> bool:
    """Whether the name means AlexNet, which `keras.applications` does not have."""
    return name.lower() == ALEXNET.lower()


def build_network(
    name: str,
    image_size: tuple[int, int],
    weights: str | Path | None = None,
    width: float = 1.0,
) -> keras.Model:
    """The whole network, to be cut by `cut` at any of its layers.

    Args:
        name: `AlexNet`, or see `backbones.names`.
        image_size: height and width of the pictures.
        weights: None (random: of AlexNet those of He et al. 2015, since the paper's own are made
            to be trained), "imagenet" (not for AlexNet), or a file; of AlexNet a whole network
            (`.keras`) as `alexnet.build_alexnet` makes it, with the preprocessing that it learned
            with.
        width: multiple of a random AlexNet's maps and units, 1 for the paper's; of no other
            network.

    Raises:
        ValueError: an argument is not possible, or the file does not fit.
        ConnectionError: the ImageNet weights could not be downloaded.
    """
    if not is_alexnet(name):
        return backbones.build_backbone(name, image_size, weights)
    if weights is not None:
        return _saved_alexnet(Path(weights), image_size)
    class_names = [str(number) for number in range(ALEXNET_CLASSES)]
    return alexnet.build_alexnet(image_size, class_names, width, initialization="balanced")


def cut(network: keras.Model, layer: str) -> Encoder:
    """The network up to a layer, sharing the weights; nothing in it trains.

    Args:
        network: of `build_network`.
        layer: of AlexNet one of `ALEXNET_LAYERS` or any of its layers; of other networks any layer
            or operation that gives feature maps, as `summary()` names it.

    Raises:
        ValueError: there is no such layer, or it gives neither maps nor vectors.
    """
    if network.name == ALEXNET:
        preprocessing = network.get_layer("preprocessing")
        first, last = preprocessing.output, _alexnet_output(network, layer)
    else:
        mode = backbones.lookup(network.name).preprocessing
        preprocessing = ImagePreprocessing(mode, name="preprocessing")
        part = cut_backbone(network, layer)
        first, last = part.input, part.output
    encoder = InferenceModel(first, last, name="encoder")
    encoder.trainable = False
    return Encoder(preprocessing, encoder)


def _alexnet_output(network: keras.Model, layer: str) -> keras.KerasTensor:
    inside = {one.name: one for one in network.layers}
    first = [one.name for one in network.layers].index("preprocessing") + 1
    allowed = {name: inside[name] for name in list(inside)[first:]}
    found = allowed.get(ALEXNET_LAYERS.get(layer, layer))
    if found is None or len(found.output.shape) not in (2, 4):
        close = difflib.get_close_matches(layer, [*ALEXNET_LAYERS, *allowed], n=5, cutoff=0.4)
        raise ValueError(
            f"`layer` must be a layer of {ALEXNET}; close to it: "
            f"{', '.join(close) or ', '.join(ALEXNET_LAYERS)}. Received: {layer=}"
        )
    return found.output


def _saved_alexnet(path: Path, image_size: tuple[int, int]) -> keras.Model:
    """The AlexNet in a file of a whole model, of the width that it was made with."""
    # Weights alone fit both of AlexNet's kinds of preprocessing, and with the wrong one all pixels
    # are 57 times too small or too large, without a word.
    if path.suffix != ".keras":
        raise ValueError(
            f"`weights` of {ALEXNET} must be a whole network, a `.keras` file, since weights alone "
            "do not tell how pixels were prepared for them: load them into the network that they "
            f"are of (`alexnet.build_alexnet`) and save that. Received: {path}"
        )
    try:
        network = load_model(path)
    except ValueError as error:
        raise ValueError(f"{error}: name a sound file") from error
    shapes = [tuple(tensor.shape[1:3]) for tensor in getattr(network, "inputs", None) or ()]
    if network.name != ALEXNET or shapes != [tuple(image_size)]:
        raise ValueError(
            f"{path} must hold an {ALEXNET} for pictures of {tuple(image_size)} (height, width). "
            f"Received: {network.name} for {' and '.join(map(str, shapes)) or 'any size'}"
        )
    return network
