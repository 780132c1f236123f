"""Batch sizes that fit into memory: a first choice, and smaller ones where it was too large."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Literal

import keras
import tensorflow as tf

from tasks.common.errors import UserError
from tasks.common.resume import Position

# Where `auto` starts: large enough for good use of a GPU, small enough for stable fine-tuning.
LARGEST = 128

_FLOAT_BYTES = 4
# Activations are kept for the backward pass, and their gradients stand beside them.
_COPIES_OF_ACTIVATIONS = 2
# The rest of the memory is for weights, optimizer, input pipeline and everything else running.
_SHARE_OF_MEMORY = 0.5


def first_choice(requested: int | Literal["auto"], model: keras.Model) -> int:
    """The batch size to start with: the requested one, or for `auto` the largest that should fit.

    On a CPU too large a batch does not fail in a way that can be caught: the system kills the
    process. So there the activations are counted against the memory that is free.
    """
    if requested != "auto":
        return requested
    if tf.config.list_physical_devices("GPU"):
        return LARGEST
    size = LARGEST
    budget = _SHARE_OF_MEMORY * _free_memory()
    while size > 1 and size * bytes_per_example(model) > budget:
        size //= 2
    return size


def bytes_per_example(model: keras.Model) -> int:
    """Memory that the activations of one example take while training, in bytes."""
    values = 0
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model):
            continue
        for node in layer._inbound_nodes:
            for output in node.outputs:
                count = 1
                for side in output.shape[1:]:
                    count *= side or 1
                values += count
    return values * _FLOAT_BYTES * _COPIES_OF_ACTIVATIONS


def halving_on_exhaustion(
    train: Callable[[Position], Position], position: Position, may_halve: bool
) -> Position:
    """Calls `train`, with half the batch size each time the device's memory does not suffice.

    Raises:
        UserError: the memory does not suffice, and halving is not allowed or no longer possible.
    """
    while True:
        try:
            return train(position)
        except (tf.errors.ResourceExhaustedError, MemoryError):
            size = position.batch_size
            if not may_halve or size == 1:
                raise UserError(
                    f"The memory does not suffice for --batch-size {size}: choose a smaller one, "
                    "or --batch-size auto with a new run, or a smaller --image-size."
                ) from None
            position = dataclasses.replace(position, batch_size=size // 2)
            print(f"The memory does not suffice for {size} examples a step; trying {size // 2}.")


def _free_memory() -> int:
    """Bytes of memory that are free on this machine; where it does not tell, 4 GiB."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * 2**30
