"""The columns of a table that a network was made for, kept inside it.

Tensor contract: features (batch, columns), floating point, passed on as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras


@keras.saving.register_keras_serializable(package="keras_models")
class TableColumns(keras.layers.Layer):
    """Passes a table's rows on; carries the names of its columns, so a saved model knows them.

    Args:
        column_names: one name per feature, in their order.
        label_column: name of the column that holds the class in a table of labelled rows.

    Raises:
        ValueError: no names, a name twice, or (when built) not one name per feature.
    """

    def __init__(self, column_names: Sequence[str], label_column: str, **kwargs):
        """Check and keep the names."""
        super().__init__(**kwargs)
        names = tuple(str(name) for name in column_names)
        if not names:
            raise ValueError("`column_names` must not be empty. Received: column_names=()")
        if len({*names, label_column}) != len(names) + 1:
            raise ValueError(
                "`column_names` must be distinct and without the label's. "
                f"Received: column_names={names}, label_column={label_column!r}"
            )
        self.column_names = names
        self.label_column = label_column

    def build(self, input_shape):
        """Check that there is one name per feature."""
        if input_shape[-1] != len(self.column_names):
            raise ValueError(
                "`column_names` must have one name per feature. "
                f"Received: {len(self.column_names)} names, input_shape={tuple(input_shape)}"
            )

    def call(self, features):
        """The features themselves."""
        return features

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "column_names": list(self.column_names),
            "label_column": self.label_column,
        }


def table_columns(model: keras.Model) -> TableColumns:
    """The layer that names the columns, also of a reloaded model.

    Raises:
        ValueError: the model carries no column names.
    """
    for layer in model.layers:
        if isinstance(layer, TableColumns):
            return layer
    raise ValueError(
        f"`model` must begin with a TableColumns layer. Received: model={model.name!r}"
    )
