"""What callbacks remember, as plain numbers, so that a stopped run can continue.

Keras's callbacks forget at each `fit`: `EarlyStopping` and `ReduceLROnPlateau` set their best
value back in `on_train_begin`. So `restore_state` must be called after that: from the
`on_train_begin` of a callback that stands last in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

# The attributes that decide what a callback does next. Where the name begins with an underscore
# Keras offers no other access.
_ATTRIBUTES: dict[type[keras.callbacks.Callback], tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("wait", "best", "best_epoch", "stopped_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    keras.callbacks.ModelCheckpoint: ("best",),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
}


def collect_state(
    callbacks: Sequence[keras.callbacks.Callback],
) -> dict[str, dict[str, Any]]:
    """The state of all callbacks that have one.

    A callback takes part if it is one of Keras's `EarlyStopping`, `ReduceLROnPlateau`,
    `ModelCheckpoint` and `SwapEMAWeights`, or has methods `get_state()` and `set_state(state)`.

    Returns:
        A dictionary that JSON can hold: the class name, with a number from the second of its
        kind on, to numbers, strings and lists of them.
    """
    return {
        key: {name: keras.tree.map_structure(_plain, value) for name, value in _get(member).items()}
        for key, member in _stateful(callbacks).items()
    }


def restore_state(
    callbacks: Sequence[keras.callbacks.Callback], state: dict[str, dict[str, Any]]
) -> None:
    """Gives callbacks the state that `collect_state` returned for a list of the same kinds.

    Raises:
        ValueError: the state belongs to another list of callbacks.
    """
    stateful = _stateful(callbacks)
    if stateful.keys() != state.keys():
        raise ValueError(
            "The state must come from the same kinds of callbacks. "
            f"Received: state of {sorted(state)} for callbacks {sorted(stateful)}"
        )
    for key, member in stateful.items():
        if hasattr(member, "set_state"):
            member.set_state(state[key])
        else:
            for name in _attributes(member):
                setattr(member, name, state[key][name])


def _stateful(
    callbacks: Sequence[keras.callbacks.Callback],
) -> dict[str, keras.callbacks.Callback]:
    """The callbacks that have a state, by a name that depends on their order alone."""
    named: dict[str, keras.callbacks.Callback] = {}
    counts: dict[str, int] = {}
    for member in callbacks:
        if hasattr(member, "get_state") or _attributes(member):
            kind = type(member).__name__
            counts[kind] = counts.get(kind, 0) + 1
            named[kind if counts[kind] == 1 else f"{kind}_{counts[kind]}"] = member
    return named


def _get(member: keras.callbacks.Callback) -> dict[str, Any]:
    if hasattr(member, "get_state"):
        return member.get_state()
    return {name: getattr(member, name) for name in _attributes(member)}


def _attributes(member: keras.callbacks.Callback) -> tuple[str, ...]:
    for kind, names in _ATTRIBUTES.items():
        if isinstance(member, kind):
            return names
    return ()


def _plain(value: Any) -> bool | int | float | str | None:
    """A NumPy or tensor scalar as the Python value that JSON knows."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return keras.ops.convert_to_numpy(value).item()
