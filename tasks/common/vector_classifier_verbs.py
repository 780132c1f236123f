"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat classifiers of rows of numbers.

What a user names is a CSV file, or a folder with one: a header with the columns that the model
knows, a row an example. A task whose examples come from other files replaces what reads them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import keras
import numpy as np

from datasets import core, number_table, vectors
from datasets.core import DataError
from datasets.number_table import Layout, Row
from keras_models import columns, transfer
from tasks.common import classification, prediction_files, vector_classifier
from tasks.common.answers import Answer, hand_out
from tasks.common.classification import Predictions
from tasks.common.errors import UserError
from tasks.common.predict_options import PredictOptions
from tasks.common.saved_run import SavedRun
from tasks.common.verbs import Verbs
from tasks.common.wording import one_line

_MADE_UP = 128


def measure(saved: SavedRun, source: core.LabelledSource, batch_size: int) -> dict[str, float]:
    """The numbers of `classification.metrics` on every example of a source."""
    predictions = Predictions(
        probabilities=vector_classifier.predict(saved.model, source, batch_size),
        labels=np.asarray(source.labels),
        identifiers=tuple(source.identifier(index) for index in range(len(source))),
        class_names=transfer.class_names(saved.model),
    )
    return classification.metrics(predictions)


def outside_examples(
    saved: SavedRun, place: Path, split: str, skip_bad: bool
) -> core.LabelledSource:
    """The rows of a CSV file with their classes; columns that the model does not know are left out.

    Raises:
        DataError: the place is no such table; a row is faulty and is not to be skipped.
    """
    path = _table_of(place, split)
    layout = _layout(saved.model, labelled=True)
    if not skip_bad:
        return number_table.read(path, layout)
    kept = []
    for row in number_table.rows(path, layout):
        if row.fault is None:
            kept.append(row)
        else:
            print(f"left out: {one_line(row.fault)}", file=sys.stderr)
    if not kept:
        raise DataError(f"{path} must have at least one row without a fault, received none.")
    return number_table.source(path, kept)


def predict(saved: SavedRun, options: PredictOptions) -> None:
    """Classifies the rows of one file after another.

    Raises:
        DataError: a file is no table with the columns of the model; nothing is written.
        UserError: answers would be written over a table; there was no row, or none could be read.
        Interrupted: the user stopped it.
    """
    names = transfer.class_names(saved.model)
    tables = [_table_of(path, "test") for path in options.paths]
    for table in tables:
        _require_apart(table, options)
        next(number_table.rows(table, _layout(saved.model)), None)  # finds what is no table
    with prediction_files.writers(options, names, "row") as writers:
        answers = _answers(saved.model, tables, options.batch_size)
        hand_out(answers, writers, options, "row", "CSV files with rows below their header")


def _require_apart(table: Path, options: PredictOptions) -> None:
    for name in ("csv", "json"):
        place = getattr(options, name)
        if place is not None and place.exists() and table.exists() and place.samefile(table):
            raise UserError(
                f"--{name} must not be a table that is read. Received: {place}, which would be "
                "written over; name another file."
            )


def _answers(model: keras.Model, tables: list[Path], batch_size: int) -> Iterator[Answer]:
    layout = _layout(model)
    for path in tables:
        rows = number_table.rows(path, layout)
        while some := tuple(islice(rows, batch_size)):
            yield from _answer(model, path, some)


def _answer(model: keras.Model, path: Path, rows: tuple[Row, ...]) -> Iterator[Answer]:
    readable = [row.values for row in rows if row.fault is None]
    outputs = iter(model.predict_on_batch(np.stack(readable)) if readable else ())
    for row in rows:
        name = f"{path}, row {row.number}"
        output = next(outputs) if row.fault is None else None
        yield Answer(name, output, row.fault)


def arrays(saved: SavedRun, source: core.LabelledSource, count: int) -> np.ndarray:
    """At most `count` rows spread evenly over a source, float32 (n, d)."""
    chosen = np.unique(np.linspace(0, len(source) - 1, count).astype(int))
    return vectors.matrix(core.Subset(source, chosen))


def outside_arrays(saved: SavedRun, place: Path, count: int) -> np.ndarray:
    """At most `count` rows of a CSV file, spread evenly over it; faulty ones are left out.

    Raises:
        DataError: the place is no such table, or has no row without a fault.
    """
    path = _table_of(place, "test")
    rows = number_table.rows(path, _layout(saved.model))
    kept = [row.values for row in rows if row.fault is None]
    if not kept:
        raise DataError(f"{path} must have at least one row without a fault, received none.")
    chosen = np.unique(np.linspace(0, len(kept) - 1, count).astype(int))
    return np.stack([kept[index] for index in chosen])


def made_up_arrays(saved: SavedRun) -> np.ndarray:
    """Rows sampled from a normal distribution, float32 (n, d), at the scale the model is made for.

    That is the scale of its Normalization layer; without one, mean 0 and deviation 1.
    """
    generator = np.random.default_rng(saved.config.seed)
    rows = generator.normal(size=(_MADE_UP, saved.model.input_shape[-1])).astype(np.float32)
    for layer in saved.model.layers:
        if isinstance(layer, keras.layers.Normalization):
            mean, variance = (np.asarray(part) for part in (layer.mean, layer.variance))
            return (mean + rows * np.sqrt(variance)).astype(np.float32)
    return rows


def _layout(model: keras.Model, labelled: bool = False) -> Layout:
    """What a table has to hold for this model; without `labelled` its classes are not read."""
    known = columns.table_columns(model)
    return Layout(
        known.column_names,
        known.label_column if labelled else None,
        transfer.class_names(model),
        refuse_others=False,
    )


def _table_of(place: Path, split: str) -> Path:
    """The file itself; of a folder the only CSV file, or the one named like the split.

    Raises:
        DataError: the folder has none or several.
    """
    place = place.expanduser()
    if not place.is_dir():
        return place
    found = sorted(place.glob("*.csv"))
    named = [path for path in found if path.stem == split]
    if len(named or found) != 1:
        raise DataError(
            f"{place} must hold one CSV file, or one called {split}.csv, received {len(found)}: "
            "name the file itself."
        )
    return (named or found)[0]


VERBS = Verbs(
    measure=measure,
    outside_examples=outside_examples,
    predict=predict,
    arrays=arrays,
    outside_arrays=outside_arrays,
    made_up_arrays=made_up_arrays,
    output_names=transfer.class_names,
    example="row",
    metric="accuracy",
    output="probabilities",
    made_up="made-up rows",
)
