"""What a model takes: the name, the type and the shape of its one input."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class ModelInput:
    """The input of a model.

    Attributes:
        name: of its `keras.Input`, such as `image` or `features`.
        dtype: such as `uint8`.
        shape: of one example, without the batch: (height, width, 3), (features,).
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @property
    def is_picture(self) -> bool:
        """Whether an example is a picture: uint8, shape (height, width, 3)."""
        return self.dtype == "uint8" and len(self.shape) == 3 and self.shape[-1] == 3


def of(model: keras.Model) -> ModelInput:
    """The input of a functional model.

    Raises:
        ValueError: it has not one input and one output.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            "model must have one input and one output. "
            f"Received: {len(model.inputs)} inputs, {len(model.outputs)} outputs"
        )
    tensor = model.inputs[0]
    return ModelInput(tensor.name, keras.backend.standardize_dtype(tensor.dtype), tensor.shape[1:])


def representative(arrays: np.ndarray | None, taken: ModelInput) -> np.ndarray:
    """The inputs on which an int8 quantisation measures its ranges, seen to be there.

    Args:
        arrays: inputs of the model, shape (n, ...), n > 0.
        taken: what the model takes.

    Raises:
        ValueError: there are none, or they are not what the model takes.
    """
    if arrays is None or len(arrays) == 0:
        raise ValueError(
            "quantize='int8' needs representative inputs, 100 to 500 of the training split. "
            "Received: none"
        )
    fits = arrays.ndim == len(taken.shape) + 1 and all(
        expected in (None, received)
        for expected, received in zip(taken.shape, arrays.shape[1:], strict=True)
    )
    if arrays.dtype != taken.dtype or not fits:
        shape = ", ".join(["n", *("any" if side is None else str(side) for side in taken.shape)])
        raise ValueError(
            f"representative must be {taken.dtype} of shape ({shape}). "
            f"Received: {arrays.dtype} of shape {arrays.shape}"
        )
    return arrays
