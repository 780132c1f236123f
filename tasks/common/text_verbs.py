"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat classifiers of texts.

What a user names is a text file with one text a line; with labels, a folder that holds a file
CLASS.txt for each class. The model itself knows its words.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import keras
import numpy as np

from datasets import core, texts, vectors
from datasets.core import DataError
from datasets.vectors import VectorSource
from keras_models import text_classifier, transfer
from tasks.common import classification, prediction_files, vector_classifier_verbs
from tasks.common.answers import Answer, hand_out
from tasks.common.classification import Predictions
from tasks.common.predict_options import PredictOptions
from tasks.common.saved_run import SavedRun
from tasks.common.simplex import closest_distributions
from tasks.common.verbs import Verbs

# A line longer than this is no text but another kind of file.
_LONGEST_LINE = 1_000_000
_MADE_UP = 128


def predictions(
    model: keras.Model, source: core.LabelledSource, batch_size: int = 256
) -> Predictions:
    """What the model says about every text of a source, beside the truth.

    Scores that are no probabilities, from sigmoids or linear outputs, become the nearest ones,
    which leaves the most probable class what it was.
    """
    scores = model.predict(vectors.matrix(source), batch_size, verbose=0)
    return Predictions(
        probabilities=_shares(model, scores),
        labels=np.asarray(source.labels),
        identifiers=tuple(source.identifier(index) for index in range(len(source))),
        class_names=transfer.class_names(model),
    )


def _shares(model: keras.Model, scores: np.ndarray) -> np.ndarray:
    return closest_distributions(text_classifier.target_scale(model, scores))


def measure(saved: SavedRun, source: core.LabelledSource, batch_size: int) -> dict[str, float]:
    """The numbers of `classification.metrics` on every text of a source."""
    return classification.metrics(predictions(saved.model, source, batch_size))


def outside_examples(saved: SavedRun, place: Path, split: str, skip_bad: bool) -> VectorSource:
    """The texts of a folder with a file CLASS.txt, one text a line, for each class.

    Raises:
        DataError: there is no such folder, it has a class that the model does not know, or a line
            cannot be used and is not to be skipped.
    """
    place = place.expanduser()
    paths = sorted(place.glob("*.txt")) if place.is_dir() else []
    names = transfer.class_names(saved.model)
    unknown = [path.name for path in paths if path.stem not in names]
    if unknown or not paths:
        raise DataError(
            f"{place} must be a folder of text files named like the model's classes, such as "
            f"{names[0]}.txt, received {unknown[0] if unknown else 'none'}: rename or add them."
        )
    kept, labels, identifiers = [], [], []
    for path in paths:
        for name, line, fault in _lines(saved.model, path):
            if fault is None:
                kept.append(line)
                labels.append(names.index(path.stem))
                identifiers.append(name)
            elif not skip_bad:
                raise DataError(f"{fault} Correct it, or leave it out with --skip-bad-images.")
    if not kept:
        raise DataError(f"{place} must hold at least one text that can be used, received none.")
    counts = texts.count_words(kept, text_classifier.word_weights(saved.model).vocabulary)
    return VectorSource(counts, np.array(labels, np.int64), identifiers)


def predict(saved: SavedRun, options: PredictOptions) -> None:
    """Classifies the lines of one text file after another.

    Raises:
        UserError: there was no text, or none could be used.
        Interrupted: the user stopped it.
    """
    names = transfer.class_names(saved.model)
    with prediction_files.writers(options, names, "text") as writers:
        answers = _answers(saved.model, options.paths, options.batch_size)
        hand_out(answers, writers, options, "text", "text files with one text a line")


def _answers(model: keras.Model, paths: tuple[Path, ...], batch_size: int) -> Iterator[Answer]:
    lines = (line for path in paths for line in _lines(model, path.expanduser()))
    while some := tuple(islice(lines, batch_size)):
        usable = [line for _, line, fault in some if fault is None]
        outputs = iter(_answer(model, usable) if usable else ())
        for name, _, fault in some:
            yield Answer(name, next(outputs) if fault is None else None, fault)


def _answer(model: keras.Model, lines: list[str]) -> np.ndarray:
    counts = texts.count_words(lines, text_classifier.word_weights(model).vocabulary)
    return _shares(model, model.predict_on_batch(counts))


def _lines(model: keras.Model, path: Path) -> Iterator[tuple[str, str, str | None]]:
    """Name, text and what is wrong, if anything, of each line that is not blank."""
    known = set(text_classifier.word_weights(model).vocabulary)
    try:
        with path.open(encoding="utf-8") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                name = f"{path}, line {number}"
                if len(line) == _LONGEST_LINE:
                    yield name, "", f"{name} is too long for a text; the rest is not read."
                    return
                if line.strip():
                    yield name, line, _fault(name, line, known)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        yield str(path), "", f"{path} cannot be read ({reason})."


def _fault(name: str, line: str, known: set[str]) -> str | None:
    if known.isdisjoint(texts.words_of(line)):
        return f"{name} has no word that the model knows."
    return None


def outside_arrays(saved: SavedRun, place: Path, count: int) -> np.ndarray:
    """Counts of at most `count` texts of a file or folder, spread evenly, float32 (n, columns).

    Raises:
        DataError: no text there can be used.
    """
    place = place.expanduser()
    paths = sorted(place.glob("*.txt")) if place.is_dir() else [place]
    kept = [line for path in paths for _, line, fault in _lines(saved.model, path) if not fault]
    if not kept:
        raise DataError(
            f"{place} must be a text file with one text a line, or a folder with some, received "
            "no text that can be used: name another one with --data-dir."
        )
    chosen = np.unique(np.linspace(0, len(kept) - 1, count).astype(int))
    vocabulary = text_classifier.word_weights(saved.model).vocabulary
    return texts.count_words([kept[index] for index in chosen], vocabulary)


def made_up_arrays(saved: SavedRun) -> np.ndarray:
    """Made-up texts: each word is there as often as in the training texts, float32 (n, columns)."""
    known = text_classifier.word_weights(saved.model)
    shares = np.array(known.document_frequencies) / max(known.texts, 1)
    generator = np.random.default_rng(saved.config.seed)
    there = generator.random((_MADE_UP, len(shares))) < shares
    return (there * generator.geometric(0.5, there.shape)).astype(np.float32)


VERBS = Verbs(
    measure=measure,
    outside_examples=outside_examples,
    predict=predict,
    arrays=vector_classifier_verbs.arrays,
    outside_arrays=outside_arrays,
    made_up_arrays=made_up_arrays,
    output_names=transfer.class_names,
    example="text",
    metric="accuracy",
    output="probabilities",
    made_up="made-up texts",
)
