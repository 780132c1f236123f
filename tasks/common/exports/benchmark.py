"""The model of a run and its exports side by side: how fast each is and how often each is right."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
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

# Examples answered at once where throughput counts.
BATCH_SIZE = 32
RUNTIMES = {"saved_model": "SavedModel", "litert": "LiteRT", "onnx": "ONNX Runtime"}
_PACKAGES = ("onnxruntime", "ai-edge-litert")


@dataclasses.dataclass(frozen=True, eq=False)
class Contender:
    """One way to get answers.

    Attributes:
        runtime: what computes, in words.
        numbers: in what: `float32`, `int8` and so on.
        predict: from inputs of the model, shape (n, ...), to its outputs, (n, columns).
        file: name of the exported file; None for the Keras model itself.
    """

    runtime: str
    numbers: str
    predict: Predict
    file: str | None = None


@dataclasses.dataclass(frozen=True)
class Counts:
    """How often a contender is right.

    Attributes:
        accuracy: share of the test examples given their true class, in [0, 1].
        same_class: share given the class that the first contender gives, in [0, 1].
    """

    accuracy: float
    same_class: float


@dataclasses.dataclass(frozen=True)
class Result:
    """What was measured of one contender.

    Attributes:
        runtime: see `Contender`.
        numbers: see `Contender`.
        file: see `Contender`.
        speed: times of one example and of a batch.
        counts: what was counted on the test examples; None where the model gives no classes.
    """

    runtime: str
    numbers: str
    file: str | None
    speed: timing.Speed
    counts: Counts | None


@dataclasses.dataclass(frozen=True)
class Words:
    """How the results speak of the data.

    Attributes:
        example: what one example is, in a word: `picture`, `row`.
        data: what the test examples are, in words.
        examples: how many they are.
        batch_size: examples answered at once where throughput counts.
    """

    example: str
    data: str
    examples: int
    batch_size: int = BATCH_SIZE


def contenders(model: keras.Model, rows: Sequence[verified.ExportRow]) -> list[Contender]:
    """The Keras model, as a user calls it and compiled, then each export in its own runtime."""
    numbers = "mixed" if is_mixed(model) else "float32"
    return [
        Contender("Keras predict", numbers, lambda inputs: model.predict(inputs, verbose=0)),
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
    return lambda inputs: function(tf.constant(inputs)).numpy()


def batch_of(inputs: np.ndarray, size: int = BATCH_SIZE) -> np.ndarray:
    """`size` inputs; fewer are repeated.

    Args:
        inputs: shape (n, ...), n > 0.
        size: of the batch.
    """
    return np.resize(inputs, (size, *inputs.shape[1:]))


def measure(
    entrants: Sequence[Contender],
    inputs: np.ndarray,
    batches: Iterable[tuple[np.ndarray, np.ndarray]] | None,
) -> list[Result]:
    """Counts right answers, then times all contenders in turn.

    Args:
        entrants: at least one; the first is what the others are compared with.
        inputs: to time on, shape (n, ...).
        batches: all test examples: inputs, and class ids, int64, (n,). None: nothing is counted,
            because the model gives no classes.
    """
    predicts = {str(number): entrant.predict for number, entrant in enumerate(entrants)}
    counts = dict.fromkeys(predicts) if batches is None else _count(predicts, batches)
    speeds = timing.speeds(predicts, inputs, timing.ONE_EXAMPLE, timing.BATCH)
    return [
        Result(entrant.runtime, entrant.numbers, entrant.file, speeds[key], counts[key])
        for key, entrant in zip(predicts, entrants, strict=True)
    ]


def _count(
    predicts: Mapping[str, Predict], batches: Iterable[tuple[np.ndarray, np.ndarray]]
) -> dict[str, Counts]:
    """How often each of the functions is right, and how often it says what the first one says.

    Each batch is read once and given to all, so that memory does not grow with the examples.

    Args:
        predicts: functions from inputs to probabilities, (n, classes), by name.
        batches: inputs, and class ids, int64, (n,); at least one batch.
    """
    right, same, examples = Counter(), Counter(), 0
    for inputs, labels in batches:
        predicted = {name: predict(inputs).argmax(axis=-1) for name, predict in predicts.items()}
        first = next(iter(predicted.values()))
        for name, classes in predicted.items():
            right[name] += int(np.count_nonzero(classes == labels))
            same[name] += int(np.count_nonzero(classes == first))
        examples += len(labels)
    return {name: Counts(right[name] / examples, same[name] / examples) for name in predicts}


def table(results: Sequence[Result], words: Words) -> str:
    """The results for a terminal."""
    return text_table(*_columns(results, words))


def _columns(results: Sequence[Result], words: Words) -> tuple[list[str], list[list[str]]]:
    """Header and rows; a column of classes only where classes were counted."""
    header = ["runtime", "numbers", f"ms a {words.example}", "95 % within"]
    header += [f"{words.example}s a second"]
    if results[0].counts is not None:
        header += ["accuracy", "same class"]
    return header, [_cells(result) for result in results]


def _cells(result: Result) -> list[str]:
    speed, counts = result.speed, result.counts
    times = f"{speed.latency_ms:.1f}", f"{speed.latency_p95_ms:.1f}", f"{speed.throughput:.0f}"
    shares = () if counts is None else (percent(counts.accuracy), percent(counts.same_class))
    return [result.runtime, result.numbers, *times, *shares]


def explanation(results: Sequence[Result], words: Words) -> str:
    """What the columns mean and how they were measured, in words."""
    calls = timing.ONE_EXAMPLE.rounds * timing.ONE_EXAMPLE.calls
    times = (
        f"ms a {words.example}: median of {calls} calls with one {words.example}; 95 % of the "
        f"calls took at most the next number. {words.example.capitalize()}s a second: in batches "
        f"of {words.batch_size}, by the median of {timing.BATCH.rounds} calls. All take turns, "
        "after calls that do not count."
    )
    if results[0].counts is None:
        return f"{times} Timed on {words.data}; there is no class to count right answers by."
    return (
        f"{times} Accuracy and same class as the Keras model: on {words.examples} "
        f"{words.example}s of {words.data}."
    )


def page(results: Sequence[Result], words: Words, made: Mapping[str, object]) -> str:
    """The results as a page of Markdown.

    Args:
        results: at least one.
        words: how they speak of the data.
        made: as for `document`; `run`, `command`, `processor` and `cores` are shown.
    """
    return "\n\n".join(
        [
            f"# Exports of {escaped(Path(str(made['run'])).name)}",
            markdown_table(*_columns(results, words)),
            escaped(explanation(results, words)),
            f"Machine: {escaped(str(made['processor']))}, {made['cores']} cores. "
            f"Command: {escaped(str(made['command']))}\n",
        ]
    )


def document(results: Sequence[Result], words: Words, made: Mapping[str, object]) -> dict:
    """The results as JSON can hold them.

    Args:
        results: at least one.
        words: how they speak of the data.
        made: run, command and machine.
    """
    return {
        **made,
        "runtimes": {package: metadata.version(package) for package in _PACKAGES},
        "data": words.data,
        f"{words.example}s": words.examples,
        "batch_size": words.batch_size,
        "single_calls": timing.ONE_EXAMPLE.rounds * timing.ONE_EXAMPLE.calls,
        "batch_calls": timing.BATCH.rounds * timing.BATCH.calls,
        "results": [
            {
                "runtime": result.runtime,
                "numbers": result.numbers,
                "file": result.file,
                **dataclasses.asdict(result.speed),
                **({} if result.counts is None else dataclasses.asdict(result.counts)),
            }
            for result in results
        ],
    }
