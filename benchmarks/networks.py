"""The networks that a benchmark is asked to measure."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.common.command_line import import_tensorflow_quietly
from tasks.common.errors import UserError


def known_names(backbones: Sequence[str], option: str) -> tuple[str, ...]:
    """The networks by the names that `keras_models.backbones` gives them, each once.

    Args:
        backbones: names in any case.
        option: the options that they come from, for the message: such as `--backbones`.

    Raises:
        UserError: one of them is no network.
    """
    import_tensorflow_quietly()
    from keras_models.backbones import lookup

    try:
        return tuple(dict.fromkeys(lookup(name).name for name in backbones))
    except ValueError as error:
        raise UserError(f"{option}: {error}") from None
