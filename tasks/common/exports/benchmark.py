"""The model of a run and its exports side by side: how fast each is and how often each is right."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tasks.common.exports import timing, verified
from tasks.common.exports.agreement import Predict, answer
from tasks.common.exports.precision import is_mixed
from tasks.common.tables import escaped, markdown_table, text_table
from tasks.common.wording import percent

# Pictures answered at once where throughput counts.
BATCH_SIZE = 32
RUNTIMES = {"saved_model": "SavedModel", "litert": "LiteRT", "onnx": "ONNX Runtime"}
_PACKAGES = ("onnxruntime", "ai-edge-litert")
_HEADER = (
    "runtime",
    "numbers",
    "ms a picture",
    "95 % within",
    "pictures a second",
    "accuracy",
    "same class",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Contender:
    """One way to get answers.

    Attributes:
        runtime: what computes, in words.
        numbers: in what: `float32`, `int8` and so on.
        predict: from pictures, uint8, (n, height, width, 3), to probabilities, (n, classes).
        file: name of the exported file; None for the Keras model itself.
    """

    runtime: str
    numbers: str
    predict: Predict
    file: str | None = None


@dataclasses.dataclass(frozen=True)
class Result:
    """What was measured of one contender.

    Attributes:
        runtime: see `Contender`.
        numbers: see `Contender`.
        file: see `Contender`.
        speed: times of one picture and of a batch.
        accuracy: share of the test pictures given their true class, in [0, 1].
        same_class: share given the class that the first contender gives, in [0, 1].
        pictures: number of test pictures.
    """

    runtime: str
    numbers: str
    file: str | None
    speed: timing.Speed
    accuracy: float
    same_class: float
    pictures: int


def contenders(model: keras.Model, rows: Sequence[verified.ExportRow]) -> list[Contender]:
    """The Keras model, as a user calls it and compiled, then each export in its own runtime."""
    numbers = "mixed" if is_mixed(model) else "float32"
    return [
        Contender("Keras predict", numbers, lambda images: model.predict(images, verbose=0)),
        Contender("Keras tf.function", numbers, compiled(model)),
        *(
            Contender(
                RUNTIMES[row.format],
                row.quantize or "float32",
                verified.load(row.format, row.path),
                row.path.name,
            )
            for row in rows
        ),
    ]


def compiled(model: keras.Model) -> Predict:
    """The model as one graph, as exports are: an eager call would mostly measure Python."""
    function = tf.function(functools.partial(answer, model))
    return lambda images: function(tf.constant(images)).numpy()


def batch_of(pictures: np.ndarray) -> np.ndarray:
    """`BATCH_SIZE` pictures; fewer are repeated.

    Args:
        pictures: uint8, shape (n, height, width, 3), n > 0.
    """
    return np.resize(pictures, (BATCH_SIZE, *pictures.shape[1:]))


def measure(
    entrants: Sequence[Contender],
    pictures: np.ndarray,
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
) -> list[Result]:
    """Counts right answers, then times all contenders in turn.

    Args:
        entrants: at least one; the first is what the others are compared with.
        pictures: to time on, uint8, shape (n, height, width, 3).
        batches: all test examples: pictures, uint8, and targets, one-hot, (n, classes).
    """
    predicts = {str(number): entrant.predict for number, entrant in enumerate(entrants)}
    predicted, labels = answers(predicts, batches)
    speeds = timing.speeds(predicts, pictures, timing.ONE_PICTURE, timing.BATCH)
    return [
        Result(
            entrant.runtime,
            entrant.numbers,
            entrant.file,
            speeds[key],
            accuracy=float(np.mean(predicted[key] == labels)),
            same_class=float(np.mean(predicted[key] == predicted["0"])),
            pictures=len(labels),
        )
        for key, entrant in zip(predicts, entrants, strict=True)
    ]


def answers(
    predicts: Mapping[str, Predict], batches: Iterable[tuple[np.ndarray, np.ndarray]]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The most probable class of every picture by every contender, and the true one.

    Each batch is read once and given to all, so that memory does not grow with the pictures.

    Args:
        predicts: functions from pictures to probabilities, by name.
        batches: pictures, uint8, and targets, one-hot, (n, classes); at least one batch.

    Returns:
        Class ids by name, int64, shape (n,) each, and the labels, int64, shape (n,).
    """
    predicted: dict[str, list[np.ndarray]] = {name: [] for name in predicts}
    labels = []
    for images, targets in batches:
        labels.append(np.argmax(targets, axis=-1))
        for name, predict in predicts.items():
            predicted[name].append(np.argmax(predict(np.asarray(images)), axis=-1))
    return {name: np.concatenate(parts) for name, parts in predicted.items()}, np.concatenate(
        labels
    )


def table(results: Sequence[Result]) -> str:
    """The results for a terminal."""
    return text_table(_HEADER, [_cells(result) for result in results])


def _cells(result: Result) -> list[str]:
    return [
        result.runtime,
        result.numbers,
        f"{result.speed.latency_ms:.1f}",
        f"{result.speed.latency_p95_ms:.1f}",
        f"{result.speed.throughput:.0f}",
        percent(result.accuracy),
        percent(result.same_class),
    ]


def explanation(data: str, pictures: int) -> str:
    """What the columns mean and how they were measured, in words."""
    calls = timing.ONE_PICTURE.rounds * timing.ONE_PICTURE.calls
    return (
        f"ms a picture: median of {calls} calls with one picture; 95 % of the calls took at most "
        f"the next number. Pictures a second: in batches of {BATCH_SIZE}, by the median of "
        f"{timing.BATCH.rounds} calls. All take turns, after calls that do not count. Accuracy "
        f"and same class as the Keras model: on {pictures} pictures of {data}."
    )


def page(results: Sequence[Result], data: str, made: Mapping[str, object]) -> str:
    """The results as a page of Markdown.

    Args:
        results: at least one.
        data: what the test pictures are, in words.
        made: as for `document`; `run`, `command`, `processor` and `cores` are shown.
    """
    return "\n\n".join(
        [
            f"# Exports of {escaped(Path(str(made['run'])).name)}",
            markdown_table(_HEADER, [_cells(result) for result in results]),
            escaped(explanation(data, results[0].pictures)),
            f"Machine: {escaped(str(made['processor']))}, {made['cores']} cores. "
            f"Command: {escaped(str(made['command']))}\n",
        ]
    )


def document(results: Sequence[Result], data: str, made: Mapping[str, object]) -> dict:
    """The results as JSON can hold them.

    Args:
        results: at least one.
        data: what the test pictures are, in words.
        made: run, command and machine.
    """
    return {
        **made,
        "runtimes": {package: metadata.version(package) for package in _PACKAGES},
        "data": data,
        "pictures": results[0].pictures,
        "batch_size": BATCH_SIZE,
        "single_calls": timing.ONE_PICTURE.rounds * timing.ONE_PICTURE.calls,
        "batch_calls": timing.BATCH.rounds * timing.BATCH.calls,
        "results": [
            {
                "runtime": result.runtime,
                "numbers": result.numbers,
                "file": result.file,
                **dataclasses.asdict(result.speed),
                "accuracy": result.accuracy,
                "same_class": result.same_class,
            }
            for result in results
        ],
    }
