"""Makes Keras know every layer, loss and metric of this package, so that saved models load."""

from __future__ import annotations

import importlib
import pkgutil

import keras_models


def register_layers() -> None:
    """Loads every module of the package: each registers what it defines when it is loaded."""
    for module in pkgutil.walk_packages(keras_models.__path__, f"{keras_models.__name__}."):
        importlib.import_module(module.name)
