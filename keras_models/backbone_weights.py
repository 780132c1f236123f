"""Reading a file of weights into a backbone."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np

from keras_models.model_file import first_line, load_model
from keras_models.preprocessing import IMAGENET_STANDARD_DEVIATION_RGB

SUFFIXES = (".h5", ".hdf5", ".keras")


def load_weights(network: keras.Model, path: Path, part: str = "without its classifier") -> None:
    """Load the weights in `path` into `network`, in place.

    Args:
        network: a network of `keras.applications`.
        path: weights of the same network (`.h5`, `.weights.h5`), a saved model of it, or a saved
            classifier built on it (`.keras`).
        part: which part of the network it is, for messages.

    Raises:
        ValueError: the file is missing, of another kind, or of another network.
    """
    if not path.is_file():
        raise ValueError(
            f"The file of weights for {network.name} does not exist; give the path of a "
            f"{', '.join(SUFFIXES)} file. Received: weights={str(path)!r}"
        )
    if path.suffix not in SUFFIXES:
        raise ValueError(
            f"A file of weights must end in one of {SUFFIXES}. Received: weights={str(path)!r}"
        )
    try:
        if path.suffix == ".keras":
            _copy_from_saved_model(network, path)
        else:
            network.load_weights(path)
    except Exception as error:  # readers fail in many ways on what is not theirs
        raise ValueError(
            f"The file does not hold the weights of {network.name} {part} "
            f"({first_line(error)}); give a file saved from that network. "
            f"Received: weights={str(path)!r}"
        ) from error
    _complete_normalization(network)


def _copy_from_saved_model(network: keras.Model, path: Path) -> None:
    """Copy from the saved model itself, or from the model of the same name nested in it."""
    saved = load_model(path)
    nested = [layer for layer in saved.layers if layer.name == network.name]
    network.set_weights((nested or [saved])[0].get_weights())


def weights_folder() -> Path:
    """Where Keras keeps downloaded weights: `models` in $KERAS_HOME or in ~/.keras.

    Without a home that can be written to, as in some containers, it is /tmp/.keras.
    """
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"]).expanduser() / "models"
    try:
        home = Path.home()
    except RuntimeError:  # nobody has told of one
        home = Path("/tmp")
    if not os.access(home, os.W_OK):
        home = Path("/tmp")
    return home / ".keras" / "models"


def _complete_normalization(network: keras.Model) -> None:
    """Make EfficientNet v1 divide by the deviation when it was given ImageNet's file by path.

    The published files hold the deviation where the `Normalization` layer expects the variance;
    Keras makes up for it by one more `Rescaling` layer, but for `weights="imagenet"` alone
    (github.com/tensorflow/tensorflow/issues/49930). Squaring it here computes the same.
    """
    deviation = np.asarray(IMAGENET_STANDARD_DEVIATION_RGB)
    for layer in network.layers:
        # A layer whose statistics are constants in its configuration has no weights.
        if not isinstance(layer, keras.layers.Normalization) or not layer.weights:
            continue
        mean, variance, count = layer.get_weights()
        if np.allclose(variance, deviation, atol=1e-4):
            layer.set_weights([mean, variance**2, count])
        # The layer computes with copies that `set_weights` does not refresh.
        layer.finalize_state()
