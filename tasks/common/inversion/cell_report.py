"""The end of one cell: its errors beside those of a mean picture and of a linear decoder."""

from __future__ import annotations

import time
from collections.abc import Iterator

import keras
import numpy as np

from datasets import core, pipeline
from keras_models import feature_inversion
from tasks.common import feature_store
from tasks.common.dense import report as dense_report
from tasks.common.inversion import drawing, examples, measures, training
from tasks.common.inversion.linear_decoder import Examples, LinearDecoder
from tasks.common.report import Section
from tasks.common.task import Run, Task

MEAN_COLOUR, MEAN_PICTURE, LINEAR = "mean colour", "mean picture", "linear decoder"
BASELINES = (MEAN_COLOUR, MEAN_PICTURE, LINEAR)
# Test pictures of the grid that the study shows, spread over the split.
_SHOWN = 5
_BATCH = 32


def report(task: Task, run: Run) -> None:
    """Tests once, writes the report of the cell and the examples for that of the study."""
    started = time.monotonic()
    batching = training.batching_of(run.config, _BATCH)
    deviation = run.model.get_layer("pixels").deviation
    found = {
        name: measures.errors(
            measures.rebuilt_by(run.model, getattr(run.splits, name), batching), deviation
        )
        for name in ("validation", "test")
    }
    measured = time.monotonic()
    baselines = {
        name: _test_numbers(measures.errors(pairs, deviation))
        for name, pairs in _baseline_pairs(run, batching).items()
    }
    _write_examples(run, batching)
    dense_report.write(
        task,
        run,
        dense_report.DenseResults(
            metrics={name: measures.numbers(errors) for name, errors in found.items()},
            baselines=baselines,
            headline=measures.HEADLINE,
            better="min",
            opening=_opening(run),
            seconds={
                "evaluation": measured - started,
                "baselines": time.monotonic() - measured,
            },
            sections=[_extremes(run, found["test"], batching)],
            explanations=measures.EXPLANATIONS,
            shown=("squared_error", "relative_error"),
        ),
    )


def _test_numbers(errors: measures.Errors) -> dict[str, float]:
    numbers = measures.numbers(errors)
    return {name: numbers[name] for name in ("squared_error", "relative_error")}


def _baseline_pairs(
    run: Run, batching: pipeline.Batching
) -> dict[str, Iterator[tuple[np.ndarray, np.ndarray]]]:
    """What answers without a network give for the test pictures; each to be gone through once."""

    def originals(source: core.LabelledSource) -> Iterator[np.ndarray]:
        size = training.target_size(run.model)
        for pictures, _ in pipeline.evaluation_batches(source, batching):
            yield training.targets(pictures, size).numpy()

    test = run.splits.test
    mean = measures.mean_picture(originals(run.splits.train))
    found = {
        MEAN_COLOUR: measures.always(np.asarray(run.splits.info.mean), originals(test)),
        MEAN_PICTURE: measures.always(mean, originals(test)),
    }
    if run.config.cache:
        found[LINEAR] = zip(originals(test), _linearly_rebuilt(run), strict=True)
    return found


def _linearly_rebuilt(run: Run) -> Iterator[np.ndarray]:
    """Test pictures as a linear decoder rebuilds them, in batches."""
    config, splits = run.config, run.splits
    trunk, _ = feature_inversion.split(run.model)
    store = feature_store.Store(config, splits.info, trunk)

    def stored(name: str) -> Examples:
        source = getattr(splits, name)
        features = store.features(name, source, 1).maps[0]
        return Examples(features, training.pictures_of(config, source, 1).maps[0])

    size = training.target_size(run.model)
    decoder = LinearDecoder(stored("train"), stored("validation"), size, config.seed)
    return decoder.rebuilt(store.features("test", splits.test, 1).maps[0], _BATCH)


def _write_examples(run: Run, batching: pipeline.Batching) -> None:
    test = run.splits.test
    chosen = np.unique(np.linspace(0, len(test) - 1, _SHOWN).astype(int))
    pairs = _rebuilt_at(run.model, test, batching, chosen)
    trunk, _ = feature_inversion.split(run.model)
    shown = examples.CellExamples(
        np.stack([drawing.as_picture(original) for original, _ in pairs]),
        np.stack([drawing.as_picture(rebuilt) for _, rebuilt in pairs]),
        tuple(trunk.output_shape[1:]),
        run.model.get_layer("decoder").count_params(),
    )
    examples.write(run.folder, shown)


def _rebuilt_at(
    model: keras.Model,
    source: core.LabelledSource,
    batching: pipeline.Batching,
    indices: np.ndarray,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Originals and rebuilt pictures of some examples, each for itself."""
    batches = measures.rebuilt_by(model, core.Subset(source, np.asarray(indices)), batching)
    return [pair for batch in batches for pair in zip(*batch, strict=True)]


def _extremes(run: Run, errors: measures.Errors, batching: pipeline.Batching) -> Section:
    def panels_of(index: int) -> list[np.ndarray]:
        (pair,) = _rebuilt_at(run.model, run.splits.test, batching, np.array([index]))
        return drawing.panels(*pair)

    return dense_report.extremes(
        errors.squared,
        panels_of,
        "min",
        "squared error",
        drawing.HEADINGS,
        text=drawing.EXPLANATION,
    )


def _opening(run: Run) -> str:
    config = run.config
    trunk, _ = feature_inversion.split(run.model)
    shape = " x ".join(map(str, trunk.output_shape[1:]))
    size = " x ".join(map(str, training.target_size(run.model)))
    weights = "random weights" if config.weights == "none" else "trained weights"
    return (
        f"Pictures of {size} pixels rebuilt from the {shape} features that {config.encoder}, with "
        f"{weights}, has in its layer {config.layer}."
    )
