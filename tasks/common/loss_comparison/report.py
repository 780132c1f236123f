"""The end of a comparison of losses: ranking, curves, gradients, and in words why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from datasets import texts, vectors
from datasets.core import Splits
from tasks.common import figures, text_baselines
from tasks.common.loss_comparison import figures as loss_comparison_figures
from tasks.common.loss_comparison.groups import (
    OPTIMIZER_NAMES,
    PAIR_NAMES,
    Group,
    Pair,
    as_csv,
    by_optimizer,
    groups,
    ranking,
    spread,
)
from tasks.common.metric_directions import ACCURACY
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.run_folder import replace_text
from tasks.common.study import CellResult, StudyRun
from tasks.common.tables import markdown_table, text_table
from tasks.common.wording import MISSING, decimal, duration

EXAMPLES = "example_texts.txt"
_EXAMPLES = 10


def report(
    study_name: str,
    run: StudyRun,
    chosen: CellResult,
    splits: Splits,
    at_start: Mapping[Pair, float],
    reported: Mapping[Pair, Sequence[float]],
) -> None:
    """Writes `report.md`, `metrics.json`, `cells.csv`, example texts and figures; prints tables.

    Args:
        study_name: name of the study.
        run: the study, with at least one finished cell.
        chosen: the cell with the best validation accuracy.
        splits: the texts.
        at_start: norm of the gradient at the logits of each pair while all logits are 0.
        reported: what another report found for plain SGD; may be empty.
    """
    found, epochs = groups(run), lengths(run)
    baselines = text_baselines.baselines(splits)
    folder = run.folder.report
    metrics = chosen.result["metrics"]
    parameters = chosen.result["parameters"]
    write_metrics(folder, study_name, metrics, baselines, run.seconds, parameters, ACCURACY)
    replace_text(folder / "cells.csv", as_csv(found, epochs))
    replace_text(folder / EXAMPLES, example_texts(splits))
    most_frequent = text_baselines.most_frequent_share(splits.train, splits.validation)
    curves = loss_comparison_figures.learning_curves(found, epochs[0], reported, most_frequent)
    gradients = loss_comparison_figures.gradient_norms(found, epochs[0])
    headline = test_table(chosen, baselines)
    sections = [
        Section(
            "", f"{splits.info.description}.\n\n{markdown_table(*headline)}\n\n{_best(chosen)}"
        ),
        Section(
            "Ranking",
            _ranking_text(run, found, epochs, reported, most_frequent),
            {"accuracy": curves},
        ),
        Section("Why", _why(found, epochs, at_start), {"gradient_at_the_logits": gradients}),
        Section("Test accuracy", "", {"test_accuracy": _bars(chosen, baselines)}),
        Section("Try the model", _try_it(run)),
    ]
    if any(result.failure for result in run.results):
        sections.append(Section("Cells that failed", _failures(run)))
    path = write_report(folder, f"Output activation and loss: {splits.info.name}", sections)
    for optimizer, members in by_optimizer(found).items():
        print(f"\n{OPTIMIZER_NAMES[optimizer]}")
        print(text_table(*ranking_table(members, epochs, reported)))
    print(f"\n{text_table(*headline)}\nReport: {path}")


def lengths(run: StudyRun) -> list[int]:
    """After how many epochs the results are read: early, where that is before the end, and last."""
    longest = max(len(result.history) for result in run.results)
    return sorted({min(run.config.early_epochs, longest), longest})


def ranking_table(
    members: Sequence[Group], epochs: Sequence[int], reported: Mapping[Pair, Sequence[float]]
) -> tuple[list[str], list[list[str]]]:
    """Header and rows: validation accuracy after each length beside the other report's, and test.

    The best pair at the end comes first.
    """
    beside = reported if members[0].optimizer == "sgd" and len(epochs) == 2 else {}
    header = ["output and loss"]
    for epoch in epochs:
        header += [f"epoch {epoch}", *(["the report"] if beside else [])]
    rows = []
    for group in ranking(members, epochs[-1]):
        row = [group.name]
        for number, epoch in enumerate(epochs):
            row.append(spread(group.at(epoch, group.accuracies)))
            if beside:
                row.append(decimal(beside[group.pair][number]) if group.pair in beside else MISSING)
        rows.append([*row, spread(group.tests)])
    return [*header, "test, best epoch"], rows


def test_table(
    chosen: CellResult, baselines: Mapping[str, Mapping[str, float]]
) -> tuple[list[str], list[list[str]]]:
    """Header and rows: test accuracy of the best cell and of the baselines, with its interval."""
    scored = {_name(chosen): chosen.result["metrics"]["test"], **baselines}
    rows = [
        [name, decimal(one["accuracy"]), f"{one['accuracy_low']:.3f} to {one['accuracy_high']:.3f}"]
        for name, one in scored.items()
    ]
    return ["test accuracy", "", "95 % interval"], rows


def _name(chosen: CellResult) -> str:
    config = chosen.config
    pair = PAIR_NAMES[config.activation, config.loss]
    return f"{pair}, {OPTIMIZER_NAMES[config.optimizer]}, seed {config.seed}"


def _best(chosen: CellResult) -> str:
    return (
        f"The best cell by validation is `{chosen.name}` (validation accuracy "
        f"{chosen.result['metrics']['validation']['accuracy']:.3f}, in its best epoch): its model "
        "stands for the study. The choice saw validation alone."
    )


def _ranking_text(
    run: StudyRun,
    found: Sequence[Group],
    epochs: Sequence[int],
    reported: Mapping[Pair, Sequence[float]],
    most_frequent: float,
) -> str:
    config = run.config
    seeds = f"{config.repetitions} seeds" if config.repetitions > 1 else "one seed"
    parts = [
        f"Validation accuracy, mean and standard deviation over {seeds}. Validation is the last "
        "part of the training texts, as in `fit(validation_split=...)`; the band in the chart "
        f"spans all seeds. All cells took {duration(run.seconds['cells'])}.",
        f"The most frequent class has {most_frequent:.3f} of the validation texts: a pair near "
        "that has learned how frequent the classes are, and little else; a pair far below it "
        "answers as its random initial weights do.",
    ]
    if len(epochs) == 2 and config.schedule == "constant":
        parts.append(
            f"Both lengths come from one run of {epochs[1]} epochs: at a constant learning rate, "
            "with an order of the texts that depends on seed and epoch alone, its first "
            f"{epochs[0]} epochs are, step by step, a run of {epochs[0]}."
        )
    for optimizer, members in by_optimizer(found).items():
        header, rows = ranking_table(members, epochs, reported)
        parts.append(f"**{OPTIMIZER_NAMES[optimizer]}**\n\n{markdown_table(header, rows)}")
        if optimizer == "sgd" and reported and len(epochs) == 2:
            parts += [
                _beside_reported(members, epoch, {pair: two[n] for pair, two in reported.items()})
                for n, epoch in enumerate(epochs)
            ]
            parts.append(_ONE_RUN)
        parts += _fallen(members, epochs)
    return "\n\n".join(parts)


_ONE_RUN = (
    "The report has one run a pair, without its seed. The bands in the chart show how far one run "
    "can lie from another: a pair below the most frequent class says what its initial weights say, "
    "and one on its way up may be early or late."
)


def _beside_reported(members: Sequence[Group], epoch: int, reported: Mapping[Pair, float]) -> str:
    """The order after an epoch beside the other report's, and which pairs differ."""
    here = [group for group in ranking(members, epoch) if group.pair in reported]
    there = sorted(here, key=lambda group: -reported[group.pair])
    orders = [" > ".join(group.name for group in order) for order in (here, there)]
    if here == there:
        text = f"After {epoch} epochs the order is that of the report: {orders[0]}."
    else:
        text = f"After {epoch} epochs the order is {orders[0]}; in the report {orders[1]}."
    far = [
        f"{group.name} ({reported[group.pair]:.3f} there, {spread(values)} here)"
        for group in here
        if _is_far(reported[group.pair], values := group.at(epoch, group.accuracies))
    ]
    if not far:
        return f"{text} Each number of the report lies within two standard deviations."
    return f"{text} Two standard deviations or more from the report: {', '.join(far)}."


def _is_far(number: float, values: np.ndarray) -> bool:
    """Whether it lies two standard deviations or more from the mean; 0.05 where there is one."""
    deviation = values.std(ddof=1) if len(values) > 1 else 0.025
    return abs(number - values.mean()) >= 2 * deviation


def _fallen(members: Sequence[Group], epochs: Sequence[int]) -> list[str]:
    """The pairs that were better early than at the end, which is what overfitting looks like."""
    early, last = (
        {group.name: group.at(epoch, group.accuracies).mean() for group in members}
        for epoch in (epochs[0], epochs[-1])
    )
    fallen = [name for name in early if last[name] < early[name] - 0.01]
    if not fallen:
        return []
    moves = ", ".join(f"{name} ({early[name]:.3f} to {last[name]:.3f})" for name in fallen)
    return [
        f"Better after {epochs[0]} epochs than after {epochs[-1]}: {moves}. The gradient is still "
        "there, and from then on it fits what the training texts alone have: who learns fast "
        "overfits early."
    ]


def _why(found: Sequence[Group], epochs: Sequence[int], at_start: Mapping[Pair, float]) -> str:
    """What the gradient explains, pair by pair, with the measured numbers in a table."""
    members = next(iter(by_optimizer(found).values()))
    optimizer = OPTIMIZER_NAMES[members[0].optimizer]
    header = ["gradient norm", "all logits 0", *(f"{optimizer}, epoch {n}" for n in (1, *epochs))]
    rows = [
        [
            group.name,
            f"{at_start[group.pair]:.2g}",
            *(f"{group.at(epoch, group.gradients).mean():.2g}" for epoch in (1, *epochs)),
        ]
        for group in sorted(members, key=lambda group: -at_start[group.pair])
    ]
    reasons = [_REASONS[pair] for pair in PAIR_NAMES if any(g.pair == pair for g in members)]
    return "\n\n".join(
        [
            _GRADIENT,
            markdown_table(header, rows),
            *_stall(members, epochs[-1]),
            "\n".join(f"- {reason}" for reason in reasons),
            *([_ADAM] if any(group.optimizer != "sgd" for group in found) else []),
        ]
    )


def _stall(members: Sequence[Group], last: int) -> list[str]:
    """How much weaker squared error pulls at a softmax than cross-entropy, where both were run."""
    norms = {group.pair: group for group in members}
    slow = norms.get(("softmax", "mean_squared_error"))
    fast = norms.get(("softmax", "categorical_crossentropy"))
    if slow is None or fast is None:
        return []
    slow_first, fast_first = (one.at(1, one.gradients).mean() for one in (slow, fast))
    change = slow.at(last, slow.gradients).mean() / slow_first
    return [
        f"After one epoch softmax + MSE pulls {fast_first / slow_first:,.0f} times more weakly "
        f"than softmax + CCE. From there to epoch {last} its pull changed by a factor of "
        f"{change:.2f}."
    ]


_GRADIENT = (
    "All that a network learns from its loss passes the gradient at the logits, the inputs of the "
    "output activation. Its L2 norm, averaged over the validation texts without dropout, is how "
    "hard a loss pulls. Plain SGD moves by the learning rate times this pull, so that at one rate "
    "for all, a pair whose pull is a thousandth needs a thousand times as many steps. The first "
    "column is computed, for 1 right class and logits that are all 0. Two factors decide it. A "
    "mean over the K outputs divides by K what a sum over them would give: binary cross-entropy "
    "and squared error are such means in Keras, categorical cross-entropy is a sum. And squared "
    "error passes the derivative of the activation, which both cross-entropies cancel."
)
_REASONS: dict[Pair, str] = {
    ("softmax", "categorical_crossentropy"): (
        "**softmax + CCE**: the gradient is s - y, the mistake itself, in full: near 1 for a text "
        "that is wrong, whatever the activation's slope. It alone has a pull that the rate was "
        "made for."
    ),
    ("sigmoid", "binary_crossentropy"): (
        "**sigmoid + BCE**: the slope cancels too, but the mean over K outputs leaves (s - y) / K. "
        "And at the start nearly all of that pulls the K - 1 wrong outputs from 0.5 down to 0, the "
        "same for every text: it teaches how rare each class is, not which text is which. What "
        "tells the texts apart is left over after that, at about 1 / K."
    ),
    ("linear", "mean_squared_error"): (
        "**linear + MSE**: no activation, so no slope: 2 (s - y) / K. The pull is small, but it "
        "points straight at the right class from the first step and does not fade while the text "
        "is wrong. So it is slow, and steadily so."
    ),
    ("margin", "squared_hinge"): (
        "**margin + hinge**: max(0, 1 - t s)^2 with t = 1 for the right class and -1 for all "
        "others: no pull once an output is on its side by a margin of 1. With an L2 penalty on "
        "the weights and no hidden layer this is the linear support vector machine, one class "
        "against the rest, learned by gradient descent."
    ),
    ("sigmoid", "mean_squared_error"): (
        "**sigmoid + MSE**: 2 (s - y) / K times s (1 - s): a quarter at 0.5, and a fiftieth once "
        "the outputs have gone down to the 1 / K that suits most classes. Pulling all outputs "
        "down, the loss turns off its own gradient, also at the class that should go up."
    ),
    ("softmax", "mean_squared_error"): (
        "**softmax + MSE**: the Jacobian diag(s) - s s^T is near 1 / K everywhere as long as all "
        "shares are near 1 / K: together with 2 / K a thousandth of the pull of cross-entropy. "
        "At a rate made for cross-entropy nothing moves, the answers stay those of random weights, "
        "and so does the accuracy: it stalls. Later a confident mistake is as bad: at s = (1, 0, "
        "..., 0) the Jacobian is 0."
    ),
}
_ADAM = (
    "**Adam** divides each weight's step by the running size of its own gradient, so that a factor "
    "common to all gradients drops out: 1 / K, or a thousandth, no longer matters. Pairs that were "
    "far apart come close: most of the difference under SGD is one of step size, not of what the "
    "losses ask for. A difference that stays is the loss's own: squared error at a linear output "
    "also punishes an answer that is more than right, and every wobble that dropout gives to the "
    "outputs."
)


def _bars(chosen: CellResult, baselines: Mapping[str, Mapping[str, float]]):
    scored = {_name(chosen): chosen.result["metrics"]["test"], **baselines}
    return figures.metric_bars(
        {name: one["accuracy"] for name, one in scored.items()},
        "test accuracy, with its 95 % interval",
        {name: (one["accuracy_low"], one["accuracy_high"]) for name, one in scored.items()},
    )


def _try_it(run: StudyRun) -> str:
    place = run.folder.path
    return (
        f"`{EXAMPLES}` has {_EXAMPLES} test texts, one a line, the words in the order of their "
        "columns: the order says nothing to a model of word counts.\n\n"
        f"    python -m tasks.predict {place} {place / 'report' / EXAMPLES}"
    )


def example_texts(splits: Splits) -> str:
    """Some test texts, spread over the split, made of the words that the model knows."""
    chosen = np.unique(np.linspace(0, len(splits.test) - 1, _EXAMPLES).astype(int))
    counts = vectors.matrix(splits.test)[chosen]
    return "".join(f"{texts.as_text(row, splits.info.vocabulary)}\n" for row in counts)


def _failures(run: StudyRun) -> str:
    rows = [[result.name, result.failure] for result in run.results if result.failure]
    return markdown_table(["cell", "why"], rows)
