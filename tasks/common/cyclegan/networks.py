"""The networks that are saved beside the model of a run."""

from __future__ import annotations

import keras

from tasks.common import saved_network
from tasks.common.dense import saved_maps
from tasks.common.run_folder import RunFolder

COMPANIONS = ("depth_to_picture", "depth_discriminator", "picture_discriminator")


def load_companion(folder: RunFolder, name: str) -> keras.Model:
    """One of `COMPANIONS`, as it was when the model of the run was at its best.

    Raises:
        UserError: the file is missing or damaged, or holds another network.
    """
    path = folder.networks / f"{name}.keras"
    network = saved_network.load(path)
    if name == "depth_to_picture":
        saved_maps.require_maps(network, path, of_classes=False)
    return network
