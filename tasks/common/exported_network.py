"""What `tasks.export` writes of a run: its model, or another network of it by name."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from datasets import pipeline
from tasks.common.errors import UserError
from tasks.common.exports import formats, output_names
from tasks.common.exports.precision import float32_twin
from tasks.common.saved_run import SavedRun
from tasks.common.verbs import Verbs

# Pictures of each other size that an export for any size is compared on.
_RESIZED = 2


@dataclasses.dataclass(frozen=True, eq=False)
class ExportedNetwork:
    """A network of a run.

    Attributes:
        name: what the user calls it; None is the model of the run.
        model: in float32, from inputs of one size.
        names: one per column of its output, or per class id.
        output: what it gives, one of `output_names.KEYS`.
        verbs: of the run.
    """

    name: str | None
    model: keras.Model
    names: tuple[str, ...]
    output: str
    verbs: Verbs

    def any_size(self, format_name: str, quantize: str | None) -> bool:
        """Whether its export in this form takes pictures of any size."""
        fixed = formats.check(format_name, quantize).fixed
        return self.verbs.served is not None and quantize not in fixed

    def served(self, model: keras.Model, any_size: bool = True) -> keras.Model:
        """What an export holds of the network, or of its twin `model`."""
        return self.verbs.served(model) if any_size and self.verbs.served else model


def choose(saved: SavedRun, name: str | None) -> ExportedNetwork:
    """The network of the run that a user means.

    Raises:
        UserError: the run has no such network.
    """
    verbs = saved.task.verbs()
    if name is not None and name not in verbs.networks:
        known = ", ".join(verbs.networks)
        raise UserError(
            f"--network must name another network of the run than its model, "
            f"{f'one of {known}' if known else 'and it has none'}. Received: {name}."
        )
    network = saved.model if name is None else verbs.networks[name](saved)
    output = "class_maps" if output_names.gives_ids(network) else verbs.output
    twin = float32_twin(network)
    return ExportedNetwork(name, twin, tuple(verbs.output_names(network)), output, verbs)


def other_sizes(pictures: np.ndarray) -> list[np.ndarray]:
    """Some of the pictures smaller, and larger, of other shapes: sides with no common divisor.

    Args:
        pictures: uint8 (n, height, width, 3), n > 0.
    """
    height, width = pictures.shape[1:3]
    sizes = ((2 * height // 3, 3 * width // 4 + 1), (3 * height // 2 + 1, 4 * width // 3))
    return [
        np.stack([pipeline.resize(one, size, "squash").numpy() for one in pictures[:_RESIZED]])
        for size in sizes
    ]
