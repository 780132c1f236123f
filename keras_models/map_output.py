"""The last layer of every network for dense prediction: what its maps are called and measured in.

Tensor contract: input and output (batch, height, width, channels); the output is float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable("keras_models")
class MapOutput(keras.layers.Layer):
    """Leaves maps as they are, in float32, and carries what they mean in the saved model.

    Args:
        names: one per channel: the classes in order of their ids, or a quantity such as `depth`.
        unit: what the numbers are: `probability`, `m`, `share`.
        colours: a display colour per channel, RGB in [0, 255]; None where channels are no classes.
        name: of the layer.

    Raises:
        ValueError: names and colours do not fit together.
    """

    def __init__(
        self,
        names: Sequence[str],
        unit: str,
        colours: Sequence[Sequence[int]] | None = None,
        name: str = "maps",
        **options: Any,
    ) -> None:
        # Probabilities and metres in half precision would lose what metrics tell apart.
        super().__init__(name=name, **{**options, "dtype": "float32"})
        self.names = tuple(names)
        self.unit = unit
        self.colours = None if colours is None else tuple(tuple(colour) for colour in colours)
        if not self.names or (self.colours is not None and len(self.colours) != len(self.names)):
            raise ValueError(
                "names must not be empty, and colours as many as names. Received: "
                f"{len(self.names)} names, {colours=}"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Sees that there is a name per channel.

        Raises:
            ValueError: there is not.
        """
        if input_shape[-1] != len(self.names):
            raise ValueError(
                f"names must be one per channel, {input_shape[-1]}. Received: {self.names}"
            )
        self.built = True

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """The maps themselves."""
        return keras.ops.cast(maps, "float32")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return super().get_config() | {
            "names": self.names,
            "unit": self.unit,
            "colours": self.colours,
        }


def map_layer(model: keras.Model) -> MapOutput:
    """The last layer of a network for dense prediction.

    Raises:
        ValueError: the model has none.
    """
    last = model.layers[-1]
    if not isinstance(last, MapOutput):
        raise ValueError(f"The last layer must be a MapOutput. Received: {last.name!r}")
    return last
