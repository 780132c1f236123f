"""The end of a run: test once, beside baselines; both translations, both cycles, every loss."""

from __future__ import annotations

import time
from collections.abc import Mapping

import keras
import numpy as np

from datasets.depth_range import DEPTH
from tasks.common.cyclegan import baselines, figures, measures, panels, training
from tasks.common.cyclegan.config import CycleGanConfig
from tasks.common.cyclegan.networks import load_companion
from tasks.common.cyclegan.trainer import DISCRIMINATOR_TERMS, METRIC, generator_terms
from tasks.common.dense import report as dense_report
from tasks.common.dense.figures import panel_rows
from tasks.common.dense.report import DenseResults
from tasks.common.dense.training import batching_of, examples
from tasks.common.report import Section
from tasks.common.task import Run, Task
from tasks.common.wording import decimal

_BATCH = 32
_SHOWN_CYCLES = 5


def report(task: Task, run: Run) -> None:
    """Measures the best model on validation and test, writes the report, prints the table."""
    started = time.monotonic()
    batching = batching_of(run.config, _BATCH, (DEPTH,))
    of_pictures = {
        name: measures.of_model(run.model, getattr(run.splits, name), batching)
        for name in ("validation", "test")
    }
    evaluated = time.monotonic()
    scale = panels.scale_of(run.model)
    others = baselines.baselines(
        run.splits.train, run.splits.test, batching, scale, run.config.seed
    )
    seconds = {
        "evaluation": evaluated - started,
        "baselines": time.monotonic() - evaluated,
    }
    metrics = {name: with_interval(statistics) for name, statistics in of_pictures.items()}
    results = DenseResults(
        metrics=metrics,
        baselines=others,
        headline=METRIC,
        better="min",
        opening=opening(metrics["test"], others, run.config),
        seconds=seconds,
        sections=[_extremes(run, of_pictures["test"]), _cycles(run), _losses(run)],
        explanations=measures.EXPLANATIONS,
        shown=(METRIC, "depth_correlation"),
    )
    dense_report.write(task, run, results)


def with_interval(statistics: np.ndarray) -> dict[str, float]:
    """The metrics of a split, with the 95 % interval of the first, pictures resampled."""
    low, high = dense_report.bootstrap(statistics, measures.rms)
    numbers = measures.metrics(statistics.sum(axis=0))
    return {**numbers, f"{METRIC}_low": low, f"{METRIC}_high": high}


def opening(
    test: Mapping[str, float], others: Mapping[str, Mapping[str, float]], config: CycleGanConfig
) -> str:
    """What came out, in words, with what it does not beat said plainly."""
    own = test[METRIC]
    worse = [name for name, numbers in others.items() if own < numbers.get(METRIC, np.inf)]
    better = [name for name in others if name not in worse]
    height, width = config.image_size
    text = (
        f"Depth generated from pictures of {height} x {width} pixels, learned from pictures and "
        "depth maps that were never shown as pairs, has a root mean squared error of "
        f"**{decimal(own)}** on the scale of [0, 1]."
    )
    if worse:
        text += f" That is better than: {_named(worse, others)}."
    if better:
        text += (
            f" It does **not** beat: {_named(better, others)}. No pair tells this network what the "
            "depth of a picture is; it only learns what depth maps look like and that the picture "
            "can be made again from them."
        )
    return text


def _named(names: list[str], others: Mapping[str, Mapping[str, float]]) -> str:
    return ", ".join(f"{name} ({decimal(others[name][METRIC])})" for name in names)


def _extremes(run: Run, statistics: np.ndarray) -> Section:
    scale = panels.scale_of(run.model)
    batching = batching_of(run.config, 1, (DEPTH,))

    def panels_of(index: int) -> list[np.ndarray]:
        (shown,) = examples(run.model, run.splits.test, batching, [index])
        return panels.draw(*shown, scale)

    return dense_report.extremes(
        np.array([measures.rms(each) for each in statistics]),
        panels_of,
        "min",
        "RMS",
        panels.HEADINGS,
        text=(
            "Near is light, far is dark. In the error, too far is red and too near is blue, in "
            f"full colour from {panels.ERROR_LIMIT} of the scale on."
        ),
    )


def _cycles(run: Run) -> Section:
    """Both translations and the ways back, of some test examples."""
    to_picture = load_companion(run.folder, "depth_to_picture")
    pictures, metres = training.some_pairs(run.config, run.splits.test, _SHOWN_CYCLES)
    translated = panels.both_ways(run.model, to_picture, pictures, metres)
    scale = panels.scale_of(run.model)
    rows = panels.cycles(translated, scale)
    errors = cycle_errors(translated, scale)
    captions = [f"again: picture {a:.3f}, depth {b:.3f}" for a, b in errors]
    text = (
        "From a picture to its depth and again to a picture; from a depth map to its picture and "
        "again to depth. Below each row the mean absolute differences from the beginning, on "
        "[0, 1]. A picture that comes back well through a depth map that is wrong was hidden in "
        "it: cycle consistency alone does not make depth true."
    )
    figure = panel_rows(rows, panels.CYCLE_HEADINGS, captions)
    return Section("Both translations and both cycles", text, {"cycles": figure})


def cycle_errors(
    translated: panels.Translations, scale: keras.layers.Layer
) -> list[tuple[float, float]]:
    """Mean absolute differences on [0, 1] of picture and depth after each cycle, by example."""
    pictures = np.abs(translated.pictures_again / 255.0 - translated.pictures / 255.0)
    depths = np.abs(
        panels.to_shares(translated.metres_again, scale)
        - panels.to_shares(translated.metres, scale)
    )
    return [(float(a.mean()), float(b.mean())) for a, b in zip(pictures, depths, strict=True)]


def _losses(run: Run) -> Section:
    terms = (*generator_terms(training.objective(run.config)), *DISCRIMINATOR_TERMS)
    text = (
        "Each part of the generators' loss as it enters their sum, with its weight, and the loss "
        "of each discriminator. One that cannot tell real from generated has 0.25; the generator "
        "it judges then has an adversarial loss of 0.25 as well."
    )
    return Section("Losses", text, {"losses": figures.loss_curves(run.history, terms)})
