"""Reads lists of whole numbers from a NumPy file of Python objects, and runs nothing in it.

NumPy keeps an array of lists as a pickle: a small program that Python's unpickler would execute,
whoever wrote it. `pickletools.genops` is the disassembler of the standard library: it splits the
bytes into operations with their arguments, imports no module and calls nothing that the file
names. The few operations that lists of numbers are written with are then followed here, on plain
values. A call of anything but NumPy's own array constructor is refused, and even that one is only
noted, not made.

Source: PEP 3154 and the comments of `pickletools` for the operations; `numpy.lib.format` for the
header; `ndarray.__reduce__` and `__setstate__` for what the constructor is given.
"""

from __future__ import annotations

import dataclasses
import io
import pickletools
import tokenize
from typing import Any

import numpy as np

# Rebuilding an array calls the first, with the second as its class; the third is its dtype.
# NumPy 2 moved the first module.
_CONSTRUCTORS = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
_KNOWN = _CONSTRUCTORS | {"numpy ndarray", "numpy dtype"}

# What NumPy's reading of a damaged header, a Python literal, may end in.
_HEADER_FAULTS = (ValueError, SyntaxError, TypeError, RecursionError, tokenize.TokenError)

_NUMBERS = {"BININT", "BININT1", "BININT2"}
_TEXTS = {"SHORT_BINSTRING", "SHORT_BINBYTES", "SHORT_BINUNICODE", "BINUNICODE"}
_CONSTANTS = {"NONE": None, "NEWFALSE": False, "NEWTRUE": True}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = {"PROTO", "FRAME"}


class NotNumberListsError(ValueError):
    """What is wrong with the bytes, as a part of a sentence."""


@dataclasses.dataclass
class _Named:
    """Something of NumPy that the file names; not that thing itself."""

    name: str


@dataclasses.dataclass
class _Made:
    """What a call of the named thing would give, and the state that it would be given."""

    maker: _Named
    state: Any = None


class _Mark:
    """Where the items of a list or a tuple begin on the stack."""


_MARK = _Mark()


def read_number_lists(data: bytes) -> list[list[int]]:
    """The lists in the bytes of an `.npy` file that holds a one-dimensional array of lists.

    Returns:
        As many lists as the array has elements; whole numbers in [-2^31, 2^31).

    Raises:
        NotNumberListsError: the bytes are cut off or are anything else.
    """
    shape, dtype, body = read_header(data)
    if dtype != np.dtype(object) or len(shape) != 1:
        raise NotNumberListsError(
            f"it must be a one-dimensional array of lists, received {dtype} of shape {shape}"
        )
    made = _Reading().run(body)
    lists = made.state[4] if _is_array_state(made) else None
    if not isinstance(lists, list) or len(lists) != shape[0]:
        raise NotNumberListsError("its content is not the array that its header announces")
    for numbers in lists:
        # `bool` is a kind of `int`, and no number of a word.
        if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
            raise NotNumberListsError("an element of the array is not a list of whole numbers")
    return lists


def read_header(data: bytes) -> tuple[tuple[int, ...], np.dtype, bytes]:
    """Shape, dtype and the bytes after the header of an `.npy` file.

    Raises:
        NotNumberListsError: the header is missing or damaged.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    except _HEADER_FAULTS:
        raise NotNumberListsError("its header is not that of a NumPy array") from None
    return shape, dtype, data[file.tell() :]


def _is_array_state(made: Any) -> bool:
    """Whether it is an array with the state (version, shape, dtype, Fortran order, elements)."""
    return (
        isinstance(made, _Made)
        and made.maker.name in _CONSTRUCTORS
        and isinstance(made.state, tuple)
        and len(made.state) == 5
    )


class _Reading:
    """Follows the operations of one file on a stack of plain values."""

    def __init__(self) -> None:
        """Starts with an empty stack and nothing remembered."""
        self._stack: list[Any] = []
        self._remembered: dict[int, Any] = {}

    def run(self, body: bytes) -> Any:
        """What lies on the stack at the end.

        Raises:
            NotNumberListsError: an operation is unknown, not allowed or lacks its operands.
        """
        try:
            for operation, argument, _ in pickletools.genops(body):
                if operation.name in _NUMBERS:
                    self._stack.append(argument)
                elif operation.name == "STOP":
                    return self._pop()
                elif operation.name not in _IGNORED:
                    self._follow(operation.name, argument)
        except NotNumberListsError:
            raise
        except ValueError:
            raise NotNumberListsError("its content is cut off or damaged") from None
        raise NotNumberListsError("its content is cut off")

    def _follow(self, name: str, argument: Any) -> None:
        if name in _TEXTS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            self._stack.append(tuple(reversed([self._pop() for _ in range(_TUPLES[name])])))
        elif name in _FOLLOWED:
            _FOLLOWED[name](self, argument)
        else:
            raise NotNumberListsError(f"lists of numbers need no operation {name}")

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise NotNumberListsError("its content is damaged: an operand is missing")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        items = []
        while self._stack and self._stack[-1] is not _MARK:
            items.append(self._stack.pop())
        if not self._stack:
            raise NotNumberListsError("its content is damaged: a mark is missing")
        self._stack.pop()
        items.reverse()
        return items

    def _mark(self, _: Any) -> None:
        self._stack.append(_MARK)

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._pop_to_mark()))

    def _empty_list(self, _: Any) -> None:
        self._stack.append([])

    def _append(self, _: Any) -> None:
        self._extend([self._pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._pop_to_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self._pop()
        if not isinstance(target, list):
            raise NotNumberListsError("its content is damaged: only lists can grow")
        target.extend(items)
        self._stack.append(target)

    def _global(self, name: str) -> None:
        # Refused before anything else: this is how a pickle reaches a function to call.
        if name not in _KNOWN:
            raise NotNumberListsError(f"it asks for {name[:60]!r}, which could run code")
        self._stack.append(_Named(name))

    def _stack_global(self, _: Any) -> None:
        name, module = self._pop(), self._pop()
        self._global(f"{module} {name}")

    def _reduce(self, _: Any) -> None:
        self._pop()
        maker = self._pop()
        if not isinstance(maker, _Named):
            raise NotNumberListsError("its content is damaged: it calls what is no function")
        self._stack.append(_Made(maker))

    def _build(self, _: Any) -> None:
        state, made = self._pop(), self._pop()
        if not isinstance(made, _Made):
            raise NotNumberListsError("its content is damaged: only arrays have a state")
        made.state = state
        self._stack.append(made)

    def _put(self, place: int | None) -> None:
        value = self._pop()
        self._stack.append(value)
        # Lists are never handed out again: a few bytes each could stand for any number of copies.
        self._remembered[len(self._remembered) if place is None else place] = (
            None if isinstance(value, (list, _Made)) else value
        )

    def _get(self, place: int) -> None:
        value = self._remembered.get(place)
        if value is None:
            raise NotNumberListsError("it uses a list or an unknown value twice")
        self._stack.append(value)


_FOLLOWED = {
    "MARK": _Reading._mark,
    "TUPLE": _Reading._tuple,
    "EMPTY_LIST": _Reading._empty_list,
    "APPEND": _Reading._append,
    "APPENDS": _Reading._appends,
    "GLOBAL": _Reading._global,
    "STACK_GLOBAL": _Reading._stack_global,
    "REDUCE": _Reading._reduce,
    "BUILD": _Reading._build,
    "BINPUT": _Reading._put,
    "LONG_BINPUT": _Reading._put,
    "MEMOIZE": _Reading._put,
    "BINGET": _Reading._get,
    "LONG_BINGET": _Reading._get,
}
