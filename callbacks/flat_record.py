"""A nested record, such as a configuration, as one level of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, bool | int | float | str]:
    """Names joined by dots, with values that a table can hold.

    Args:
        record: names to numbers, texts, None, paths, sequences or further mappings.
        prefix: what stands before each name.

    Returns:
        bool, int, float and str as they are; a sequence as its elements joined by ", "; None as
        "none"; anything else as its text.
    """
    flat: dict[str, bool | int | float | str] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = _plain(value)
    return flat


def _plain(value: Any) -> bool | int | float | str:
    if value is None:
        return "none"
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(_plain(element)) for element in value)
    return str(value)
