"""What a model says about one example after another, handed to all that write it down."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

import numpy as np

from tasks.common.errors import Interrupted, UserError
from tasks.common.found_pictures import FoundPicture
from tasks.common.predict_options import PredictOptions


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What the model says about one example.

    Attributes:
        name: what the example is called: the path of its file, or file and row.
        output: float32, shape (columns,), such as a probability per class, or for maps (height,
            width, columns); None where the example cannot be read.
        error: one sentence that says why it cannot be read; None where it can.
        picture: the file, where the example is a picture.
    """

    name: str
    output: np.ndarray | None
    error: str | None = None
    picture: FoundPicture | None = None

    def top(self, count: int) -> list[tuple[int, float]]:
        """The most probable class ids with their probabilities; ties go to the lower id.

        Raises:
            ValueError: the example could not be read, so there is no answer.
        """
        if self.output is None:
            raise ValueError(f"an unreadable example has no classes. Received: {self.error=}")
        order = np.argsort(-self.output, kind="stable")[:count]
        return [(int(index), float(self.output[index])) for index in order]


Write = Callable[[Answer], None]


def hand_out(
    answers: Iterable[Answer],
    writers: Sequence[Write],
    options: PredictOptions,
    example: str,
    files: str,
    done: str = "classified",
) -> None:
    """Gives each answer to every writer as soon as it is there, then says how many there were.

    Args:
        answers: in the order in which they are written.
        writers: each takes an answer and writes it at once.
        options: whose paths and files are named at the end.
        example: what one example is, in a word: `picture`, `row`.
        files: what a user may name, for one who named nothing: `picture files`.
        done: what was done with the examples, in a word.

    Raises:
        UserError: there was no example, or none could be read.
        Interrupted: the user stopped it.
    """
    counts = {"read": 0, "unreadable": 0}
    try:
        for answer in answers:
            counts["read" if answer.error is None else "unreadable"] += 1
            for write in writers:
                write(answer)
    except KeyboardInterrupt:
        total = sum(counts.values())
        raise Interrupted(
            f"\nStopped after {total} {example}s; their answers are written."
        ) from None
    if counts["read"] == 0:
        _refuse(options, counts["unreadable"], example, files)
    left_out = f", {counts['unreadable']} could not be read" if counts["unreadable"] else ""
    print(f"{counts['read']} {done}{left_out}")
    places = (options.json, options.csv, options.pictures, options.arrays, options.point_cloud)
    written = [place for place in places if place]
    if written:
        print(f"written: {', '.join(map(str, written))}")


def _refuse(options: PredictOptions, unreadable: int, example: str, files: str) -> NoReturn:
    """Says why there is no answer at all."""
    if unreadable == 0:
        places = ", ".join(map(str, options.paths))
        raise UserError(f"There is no {example} in {places}: name {files}.")
    raise UserError(
        f"None of {unreadable} {example}s could be read; the lines above say why."
        if unreadable > 1
        else f"The {example} could not be read; the line above says why."
    )
