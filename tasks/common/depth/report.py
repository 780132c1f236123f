"""The end of a run that learns depth: test once, beside baselines; tables, pictures, clouds."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence

import numpy as np

from datasets.dense_batches import DenseBatching
from tasks.common.dense import report as dense_report
from tasks.common.dense import training
from tasks.common.dense.report import DenseResults
from tasks.common.depth import baselines, drawing, evaluation, measures, point_cloud
from tasks.common.depth.evaluation import THIS_MODEL
from tasks.common.depth.measures import HEADLINE, NAMES, DepthScores
from tasks.common.report import Section
from tasks.common.tables import markdown_table
from tasks.common.task import Run, Task
from tasks.common.wording import decimal, percent

_BATCH = 16
_SHOWN = ("delta1", "abs_rel", "rmse", "rounding_accuracy")


def report(task: Task, run: Run) -> None:
    """Predicts validation and test with the best model, writes the report, prints the table."""
    started = time.monotonic()
    config, model = run.config, run.model
    batching = evaluation.batching_of(model, _BATCH, config.workers)
    whole = evaluation.batching_of(model, _BATCH, config.workers, whole=True)
    others = baselines.fit(evaluation.truths(run.splits.train, batching))
    fitted = time.monotonic()
    validation = evaluation.scores(model, run.splits.validation, batching, config.rounding)
    test = evaluation.scores(model, run.splits.test, batching, config.rounding, others)
    enlarged = evaluation.scores(model, run.splits.test, whole, config.rounding, mirrored=True)
    numbers = {name: measures.report_numbers(scores) for name, scores in test.items()}
    metrics = {
        "test": numbers.pop(THIS_MODEL),
        "validation": measures.report_numbers(validation[THIS_MODEL]),
    }
    seconds = {"baselines": fitted - started, "evaluation": time.monotonic() - fitted}
    results = DenseResults(
        metrics=metrics,
        baselines=numbers,
        headline=HEADLINE,
        better="max",
        opening=_opening(metrics["test"], numbers),
        seconds=seconds,
        sections=[
            _ranges(test, config.depth_range[1]),
            _rounding(test, config.depth_range[1]),
            _whole(enlarged, whole.image_size),
            *_pictures(run, whole, test[THIS_MODEL]),
        ],
        explanations={
            **measures.EXPLANATIONS,
            "rounding_accuracy": "share of the known pixels whose predicted and true depth are the "
            f"same after rounding to multiples of {config.rounding:g} m",
        },
        shown=_SHOWN,
    )
    dense_report.write(task, run, results)


def _opening(test: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> str:
    compared = ", ".join(f"{name} {decimal(values[HEADLINE])}" for name, values in others.items())
    return (
        f"Of the known pixels of {test['count']} test pictures, **{percent(test[HEADLINE])}** have "
        "a depth within a factor of 1.25 of the true one (95 % interval "
        f"{percent(test[f'{HEADLINE}_low'])} to {percent(test[f'{HEADLINE}_high'])}, pictures "
        f"resampled); AbsRel {decimal(test['abs_rel'])}, RMSE {decimal(test['rmse'])} m. "
        f"For comparison: {compared}."
    )


def _ranges(scores: Mapping[str, DepthScores], maximum: float) -> Section:
    """How the errors grow with distance."""
    edges = measures.range_edges(maximum)
    total = sum(scores[THIS_MODEL].ranges[:, 0])
    rows = []
    for number, (low, high) in enumerate(itertools.pairwise(edges)):
        sums = {name: of.ranges[number] for name, of in scores.items()}
        found = {name: measures.numbers(part, scores[name].steps) for name, part in sums.items()}
        mine = found.pop(THIS_MODEL)
        rows.append(
            (
                f"{low:g} to {high:g} m",
                percent(sums[THIS_MODEL][0] / max(total, 1)),
                *(decimal(mine[name]) for name in ("delta1", "abs_rel", "rmse")),
                *(decimal(other["delta1"]) for other in found.values()),
            )
        )
    others = [f"delta1 of {name}" for name in scores if name != THIS_MODEL]
    header = ("true depth", "share of pixels", "delta1", "abs rel", "rmse, m", *others)
    return Section("By distance", markdown_table(header, rows))


def _rounding(scores: Mapping[str, DepthScores], maximum: float) -> Section:
    """The rounding accuracy at several steps, beside what constants reach."""
    steps = scores[THIS_MODEL].steps
    found = {name: measures.numbers(of.total, steps) for name, of in scores.items()}
    rows = [
        (f"{step:g} m", *(percent(values[f"rounding_{step:g}"]) for values in found.values()))
        for step in steps
    ]
    text = (
        "The share of the known pixels whose predicted and true depth are the same after rounding "
        f"to multiples of a step. A step of {maximum:g} m is depth scaled to [0, 1] and rounded to "
        "0 or 1, as an earlier report counted: it tells the farther half of the range from the "
        "nearer one, so read it beside the baselines."
    )
    return Section("Rounding accuracy", f"{text}\n\n{markdown_table(('step', *found), rows)}")


def _whole(scores: Mapping[str, DepthScores], size: tuple[int, int]) -> Section:
    """The numbers to lay beside published ones, which are those of whole pictures."""
    text = (
        "Everything above is measured at the size of the network's output, half the picture, as "
        "validation is while it trains. With the output enlarged bilinearly to the pictures' "
        f"{size[0]} x {size[1]}, as the paper evaluates; the second row is its very way, twice the "
        "work for an answer:"
    )
    rows = []
    for name, of in scores.items():
        found = measures.numbers(of.total, of.steps)
        rows.append((name, *(decimal(found[key]) for key in NAMES)))
    table = markdown_table(("answer", *NAMES), rows)
    return Section("At the pictures' size", f"{text}\n\n{table}")


def _pictures(run: Run, batching: DenseBatching, scores: DepthScores) -> Sequence[Section]:
    """The best and worst pictures, and the best and the worst as points in space."""
    by_picture = measures.picture_scores(scores)

    def example(index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        (one,) = training.examples(run.model, run.splits.test, batching, [index])
        return one

    shown = dense_report.extremes(
        by_picture,
        lambda index: drawing.draw(*example(index)),
        "max",
        HEADLINE,
        drawing.HEADINGS,
        text=drawing.ERROR_TEXT,
    )
    order = np.argsort(by_picture, kind="stable")
    order = order[np.isfinite(by_picture[order])]
    if not len(order):
        return (shown,)
    names = {"best": int(order[-1]), "worst": int(order[0])}
    for name, index in names.items():
        picture, truth, output = example(index)
        depth = evaluation.enlarged(output[None], truth.shape[:2])[0, ..., 0]
        run.folder.report.mkdir(parents=True, exist_ok=True)
        point_cloud.write(run.folder.report / f"cloud_{name}.ply", depth, picture.astype(np.uint8))
    text = (
        "The best and the worst picture's predicted depth as coloured points in metres, for "
        "viewers such as MeshLab or CloudCompare: [best](cloud_best.ply), "
        "[worst](cloud_worst.ply). The camera is taken to have the focal length of NYU Depth V2, "
        f"{point_cloud.FOCAL_LENGTH:.2f} widths of the picture."
    )
    return shown, Section("Points in space", text)
