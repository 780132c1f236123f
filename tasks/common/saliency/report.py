"""The end of a run that predicts where people look: test once, beside the middle and people."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from datasets import core, dense_batches
from datasets.dense_batches import DenseBatching
from datasets.dense_maps import MapKind
from datasets.fixation_maps import Blur
from tasks.common.dense import report as dense_report
from tasks.common.dense import training
from tasks.common.report import Section
from tasks.common.saliency import baselines, drawing, evaluation
from tasks.common.saliency.evaluation import EXPLANATIONS, HEADLINE, Looked, Scores
from tasks.common.tables import markdown_table
from tasks.common.task import Run, Task
from tasks.common.wording import decimal, percent

MAPS = (MapKind("saliency", "bilinear", 0.0),)
"""The one map of an example; nobody looks beside the picture."""

_BATCH = 16
_LESS_IS_BETTER = ("kl", "mse")
CENTRE_BIAS, PEOPLE, CHANCE = "centre bias", "human consistency", "chance"


@dataclasses.dataclass(frozen=True)
class Predicted:
    """What a model says of every example of a split, beside the truth.

    Attributes:
        truth: float32 (n, map height, map width).
        maps: the same shape.
        looked: the fixations on each picture.
    """

    truth: np.ndarray
    maps: np.ndarray
    looked: list[Looked]

    def scores(self) -> Scores:
        """Every measure for every picture."""
        return evaluation.score(self.maps, self.truth, self.looked)


def predict(
    model: keras.Model, source: core.LabelledSource, config: Any, batch_size: int = _BATCH
) -> Predicted:
    """What the model says of every example of a source."""
    batching = _batching(model, config, batch_size)
    batches = [
        (truth[..., 0], output[..., 0])
        for _, truth, output in training.predictions(model, source, batching)
    ]
    truth, maps = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return Predicted(truth, maps, evaluation.looked_at(source))


def report(task: Task, run: Run) -> None:
    """Scores validation and test with the best model, writes the report, prints the table."""
    started = time.monotonic()
    test = predict(run.model, run.splits.test, run.config)
    scores = {
        "validation": predict(run.model, run.splits.validation, run.config).scores(),
        "test": test.scores(),
    }
    evaluated = time.monotonic()
    others = _baselines(run, test)
    metrics = {name: evaluation.summary(each) for name, each in scores.items()}
    beside = {name: evaluation.summary(each) for name, each in others.items()}
    dense_report.write(
        task,
        run,
        dense_report.DenseResults(
            metrics=metrics,
            baselines=beside,
            headline=HEADLINE,
            better="max",
            opening=_opening(metrics["test"], beside),
            seconds={
                "evaluation": evaluated - started,
                "baselines": time.monotonic() - evaluated,
            },
            sections=[
                _comparison(scores["test"], others[CENTRE_BIAS]),
                _extremes(run, test, scores["test"]),
            ],
            explanations=_explanations(run.config),
            shown=evaluation.MEASURES,
        ),
    )


def _batching(model: keras.Model, config: Any, batch_size: int) -> DenseBatching:
    height, width = model.input_shape[1:3]
    target = tuple(model.output_shape[1:3])
    return DenseBatching(batch_size, (height, width), MAPS, target, config.workers)


def _baselines(run: Run, test: Predicted) -> dict[str, Scores]:
    batching = _batching(run.model, run.config, _BATCH)
    training_maps = (
        maps.numpy()[..., 0]
        for _, maps in dense_batches.evaluation_batches(run.splits.train, batching)
    )
    middle = baselines.centre_bias(training_maps)
    flat = np.full_like(middle, middle.mean())
    blur = Blur(run.config.blur_degrees, run.config.pixels_per_degree)
    return {
        CENTRE_BIAS: baselines.same_for_all(middle, test.truth, test.looked),
        PEOPLE: baselines.human_consistency(
            test.looked, batching.target_size, blur, run.config.seed
        ),
        CHANCE: baselines.same_for_all(flat, test.truth, test.looked),
    }


def _opening(test: Mapping[str, float], beside: Mapping[str, Mapping[str, float]]) -> str:
    middle = beside[CENTRE_BIAS]
    parts = ", ".join(
        f"{label} **{decimal(test[name])}** ({decimal(middle[name])})"
        for name, label in (("auc_judd", "AUC-Judd"), ("nss", "NSS"), ("cc", "CC"))
    )
    return (
        f"On {int(test['count'])} test pictures, with what the mean map of the training pictures, "
        f"the centre bias, reaches in brackets: {parts}. One half of the observers predicts the "
        f"other with a CC of {decimal(beside[PEOPLE]['cc'])} and an NSS of "
        f"{decimal(beside[PEOPLE]['nss'])}."
    )


def _explanations(config: Any) -> dict[str, str]:
    blur = Blur(config.blur_degrees, config.pixels_per_degree)
    known = (
        f"{config.pixels_per_degree:g} pixels a degree"
        if config.pixels_per_degree is not None
        else f"the longer side of a picture taken for {1 / Blur().pixels((1, 1)):.1f} degrees"
    )
    return {
        **EXPLANATIONS,
        "maps": (
            f"fixations under a Gaussian of {blur.degrees:g} degrees of visual angle, {known}"
        ),
        CENTRE_BIAS: "the mean map of the training pictures for every picture",
        PEOPLE: (
            "one half of each picture's observers predicts the other half, both ways; maps of half "
            "as many people are noisier, so a model may come out above"
        ),
        CHANCE: "the same value everywhere",
    }


def _comparison(model: Scores, middle: Scores) -> Section:
    """How often the model is better than the centre bias, and by how much."""
    rows = []
    for name in evaluation.MEASURES:
        sign = -1.0 if name in _LESS_IS_BETTER else 1.0
        gain = sign * (model[name] - middle[name])
        gain = gain[np.isfinite(gain)]
        if not len(gain):
            continue
        low, high = dense_report.mean_interval(gain)
        rows.append(
            (
                name.replace("_", " "),
                percent(float((gain > 0).mean())),
                f"{decimal(float(gain.mean()))} ({decimal(low)} to {decimal(high)})",
            )
        )
    text = (
        "Both see the same pictures, so the differences are told picture by picture, which is "
        "sharper than two intervals; above 0 the model is better."
    )
    header = ("measure", "pictures on which it is better", "mean gain (95 % interval)")
    return Section("Beside the centre bias", f"{text}\n\n{markdown_table(header, rows)}")


def _extremes(run: Run, test: Predicted, scores: Scores) -> Section:
    def panels_of(index: int) -> tuple[np.ndarray, ...]:
        picture = run.splits.test.example(index)["image"]
        truth, output = test.truth[index, ..., None], test.maps[index, ..., None]
        return drawing.rows(picture, truth, output, test.looked[index].fixations)

    return dense_report.extremes(
        scores[HEADLINE], panels_of, "max", HEADLINE, drawing.HEADINGS, text=drawing.TEXT
    )
