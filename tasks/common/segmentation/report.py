"""The end of a run that names classes of pixels: test once, beside baselines; tables, pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from datasets.dense_batches import DenseBatching
from tasks.common.dense import report as dense_report
from tasks.common.dense import training
from tasks.common.dense.report import DenseResults
from tasks.common.report import Section
from tasks.common.segmentation import class_weights, drawing, evaluation, figures, measures
from tasks.common.segmentation.measures import HEADLINE, PictureCounts
from tasks.common.tables import markdown_table
from tasks.common.task import Run, Task
from tasks.common.wording import decimal, percent

_BATCH = 8
_SHOWN = (HEADLINE, "mean_dice", "pixel_accuracy")
_PANELS = (
    f"Truth and prediction are in the colours of the classes, void is black. {drawing.ERROR_TEXT} "
    "A picture's own mean IoU is over the classes that are in its truth."
)


def report(task: Task, run: Run) -> None:
    """Predicts validation and test with the best model, writes the report, prints the table."""
    started = time.monotonic()
    batching = evaluation.batching_of(run.model, _BATCH, run.config.workers)
    counts = {
        name: evaluation.of_model(run.model, getattr(run.splits, name), batching)
        for name in ("validation", "test")
    }
    evaluated = time.monotonic()
    baselines = evaluation.fit_baselines(run.splits.train, batching)
    others = {
        name: evaluation.of_baseline(baseline, run.splits.test, batching)
        for name, baseline in baselines.items()
    }
    metrics = {name: measures.numbers(counts[name]) for name in ("test", "validation")}
    compared = {name: measures.numbers(other) for name, other in others.items()}
    results = DenseResults(
        metrics=metrics,
        baselines=compared,
        headline=HEADLINE,
        better="max",
        opening=_opening(metrics, compared),
        seconds={
            "evaluation": evaluated - started,
            "baselines": time.monotonic() - evaluated,
        },
        sections=[
            _classes(run, counts, others),
            _confusion(run, counts["test"]),
            *_sequences(run.splits.info.sequence_of, counts),
            _pictures(run, counts["test"], batching),
        ],
        explanations=measures.EXPLANATIONS,
        shown=_SHOWN,
    )
    dense_report.write(task, run, results)


def _opening(
    metrics: Mapping[str, Mapping[str, float]], others: Mapping[str, Mapping[str, float]]
) -> str:
    test, validation = metrics["test"], metrics["validation"]
    compared = ", ".join(f"{name} {decimal(values[HEADLINE])}" for name, values in others.items())
    return (
        f"On {test['count']} test pictures the mean IoU is **{decimal(test[HEADLINE])}** (95 % "
        f"interval {decimal(test[f'{HEADLINE}_low'])} to {decimal(test[f'{HEADLINE}_high'])}, "
        f"pictures resampled), Dice {decimal(test['mean_dice'])}, pixel accuracy "
        f"{percent(test['pixel_accuracy'])}; on {validation['count']} validation pictures, which "
        f"chose the epoch, {decimal(validation[HEADLINE])}. For comparison on test: {compared}."
    )


def _classes(
    run: Run, counts: Mapping[str, PictureCounts], others: Mapping[str, PictureCounts]
) -> Section:
    """Every class by itself, the best baseline beside it."""
    info, config = run.splits.info, run.config
    weights = class_weights.class_weights(
        info.class_shares, config.class_weights, config.enet_constant
    )
    test, validation = (measures.by_class(counts[name].total) for name in ("test", "validation"))
    best = max(others, key=lambda name: measures.mean_iou(others[name].total))
    other = measures.by_class(others[best].total)["iou"]
    rows = [
        (
            name,
            percent(info.class_shares[index]),
            decimal(1.0 if weights is None else weights[index]),
            *(decimal(float(test[score][index])) for score in ("iou", "dice")),
            *(percent(float(test[score][index])) for score in ("recall", "precision")),
            decimal(float(validation["iou"][index])),
            decimal(float(other[index])),
        )
        for index, name in enumerate(info.class_names)
    ]
    header = (
        *("class", "share of training pixels", "weight in the loss", "IoU", "Dice", "recall"),
        *("precision", "IoU on validation", f"IoU of {best}"),
    )
    figure = figures.class_bars(
        {"test": test["iou"], "validation": validation["iou"]}, info.class_names
    )
    return Section("Classes", markdown_table(header, rows), {"class_iou": figure})


def _confusion(run: Run, test: PictureCounts) -> Section:
    text = "What pixels of each true class were taken for: percent of the class, test pictures."
    figure = figures.confusion_in_percent(test.total, run.splits.info.class_names)
    return Section("Confusions", text, {"confusion_matrix": figure})


def _sequences(
    sequence_of: Callable[[str], str] | None, counts: Mapping[str, PictureCounts]
) -> Sequence[Section]:
    """Every drive by itself, where pictures are of drives."""
    if sequence_of is None:
        return ()
    rows = []
    for split in ("test", "validation"):
        names = np.array([sequence_of(name) for name in counts[split].identifiers])
        for name in np.unique(names):
            found = counts[split].part(names == name)
            total = measures.numbers(found)
            score = tuple(decimal(total[f"{HEADLINE}{end}"]) for end in ("", "_low", "_high"))
            rows.append(
                (
                    *(split, str(name), str(total["count"])),
                    f"{score[0]} ({score[1]} to {score[2]})",
                    percent(total["pixel_accuracy"]),
                )
            )
    text = (
        "Frames of one sequence are alike. Where the numbers of sequences differ by more than "
        "their intervals, the next sequence may differ as much."
    )
    table = markdown_table(("split", "sequence", "frames", "mean IoU", "pixel accuracy"), rows)
    return (Section("Sequences", f"{text}\n\n{table}"),)


def _pictures(run: Run, test: PictureCounts, batching: DenseBatching) -> Section:
    draw = drawing.draw(run.splits.info.class_colours)

    def panels_of(index: int) -> Sequence[np.ndarray]:
        (one,) = training.examples(run.model, run.splits.test, batching, [index])
        return draw(*one)

    scores = measures.picture_scores(test)
    return dense_report.extremes(
        scores, panels_of, "max", "mean IoU", drawing.HEADINGS, text=_PANELS
    )
