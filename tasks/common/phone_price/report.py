"""The end of the study of phone prices: mean and spread over splits, which columns count, why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from datasets.core import Splits
from datasets.table_splits import TableInfo
from tasks.common import table_baselines
from tasks.common.metric_directions import ACCURACY
from tasks.common.phone_price import figures
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.study import CellResult, StudyRun
from tasks.common.tables import markdown_table, text_table
from tasks.common.wording import MISSING, decimal, duration

SCALINGS = {"global": "one scale for the table", "column": "a scale for each column"}
# What the student report found on the one split it had.
REPORTED = 0.990

Metrics = Mapping[str, float]


def report(
    name: str, run: StudyRun, chosen: CellResult, load_data: Callable[[Any], Splits]
) -> None:
    """Writes `report.md` with its figures and `metrics.json`, and prints the closing table.

    Args:
        name: of the study.
        run: the study, with at least one finished cell.
        chosen: the cell with the best validation accuracy.
        load_data: options of a cell -> its splits.
    """
    methods = {_title(run, key): cells for key, cells in by_scaling(run.results).items()}
    splits = _splits_of(run.results, load_data)
    beside = _baselines(splits)
    first, *others = methods
    found = {
        split: averages([cell.result["metrics"][split] for cell in methods[first]])
        for split in ("validation", "test")
    }
    compared = {
        method: averages([cell.result["metrics"]["test"] for cell in methods[method]])
        for method in others
    } | {method: averages(metrics) for method, metrics in beside.items()}
    folder, parameters = run.folder.report, chosen.result["parameters"]
    write_metrics(folder, name, found, compared, run.seconds, parameters, ACCURACY)
    tests = {method: accuracies(cells, "test") for method, cells in methods.items()} | {
        method: [one["accuracy"] for one in metrics] for method, metrics in beside.items()
    }
    headline = table(tests, methods)
    opening = f"{_opening(run, splits[0].info, methods[first])}\n\n{markdown_table(*headline)}"
    sections = [Section("", opening), *_sections(run, methods, tests, splits)]
    sections.append(Section("Try the model", _try_it(run, chosen)))
    path = write_report(folder, f"Price ranges of phones: {splits[0].info.name}", sections)
    print(f"\n{text_table(*headline)}\nReport: {path}")


def _sections(
    run: StudyRun,
    methods: Mapping[str, Sequence[CellResult]],
    tests: Mapping[str, Sequence[float]],
    splits: Sequence[Splits],
) -> list[Section]:
    first = next(iter(methods.values()))
    # Near a quarter, guessing would squeeze all others into one corner of the chart.
    shown = {key: tests[key] for key in tests if key != table_baselines.MOST_FREQUENT}
    scalings = by_scaling(run.results)
    histories = {SCALINGS[key]: [cell.history for cell in scalings[key]] for key in scalings}
    found = [
        Section(
            "One split tells little",
            _luck(tests, splits),
            {"test_accuracy_by_split": figures.spread(shown)},
        ),
        Section(
            "Which columns count",
            _columns(first),
            {"importance_of_columns": figures.importance(_importance(first))},
        ),
        Section(
            "One scale for the table, or one for each column",
            _scales(scalings, splits[0].info),
            {"accuracy_while_training": figures.learning(histories)},
        ),
    ]
    failed = [result for result in run.results if result.failure is not None]
    if failed:
        lines = "\n".join(f"- `{cell.name}`: {cell.failure}" for cell in failed)
        found.append(Section("Cells that failed", lines))
    return found


def by_scaling(results: Sequence[CellResult]) -> dict[str, list[CellResult]]:
    """The finished cells by their scaling, in the order of the grid."""
    found: dict[str, list[CellResult]] = {}
    for result in results:
        if result.result is not None:
            found.setdefault(result.config.scaling, []).append(result)
    return found


def averages(found: Sequence[Metrics]) -> dict[str, float]:
    """The mean of each number over the splits, and of the accuracy also its spread.

    `accuracy_deviation` is the sample standard deviation, NaN for one split; `accuracy_lowest`
    and `accuracy_highest` are the ends. Bounds of one test split have no mean and are left out.
    """
    names = [name for name in found[0] if not name.endswith(("_low", "_high"))]
    numbers = {name: float(np.mean([one[name] for one in found])) for name in names}
    accuracies = [one["accuracy"] for one in found]
    return numbers | {
        "accuracy_deviation": deviation(accuracies),
        "accuracy_lowest": min(accuracies),
        "accuracy_highest": max(accuracies),
        "splits": len(found),
    }


def deviation(values: Sequence[float]) -> float:
    """Sample standard deviation; NaN where one value cannot tell."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def table(
    tests: Mapping[str, Sequence[float]], methods: Mapping[str, Sequence[CellResult]]
) -> tuple[list[str], list[list[str]]]:
    """Header and rows: test accuracy by method, mean and spread over the splits, and validation."""
    rows = []
    for method, values in tests.items():
        chosen_by = MISSING
        if method in methods:
            chosen_by = decimal(float(np.mean(accuracies(methods[method], "validation"))))
        spread = [decimal(deviation(values)), decimal(min(values)), decimal(max(values))]
        rows.append([method, decimal(float(np.mean(values))), *spread, chosen_by])
    return ["test accuracy", "mean", "deviation", "lowest", "highest", "validation"], rows


def accuracies(cells: Sequence[CellResult], split: str) -> list[float]:
    """The accuracy on a split, `validation` or `test`, of each cell."""
    return [cell.result["metrics"][split]["accuracy"] for cell in cells]


def _title(run: StudyRun, scaling: str) -> str:
    layers = "-".join(map(str, run.config.hidden))
    kind = f"MLP {layers}" if layers else "linear"
    head = "ordinal" if run.config.head == "ordinal" else "softmax"
    return f"{kind}, {head}, {SCALINGS[scaling]}"


def _splits_of(results: Sequence[CellResult], load_data: Callable[[Any], Splits]) -> list[Splits]:
    """One a split: cells that differ in their scaling alone share theirs."""
    configs = {
        (cell.config.seed, cell.config.fold): cell.config
        for cell in results
        if cell.result is not None
    }
    return [load_data(config) for config in configs.values()]


def _baselines(splits: Sequence[Splits]) -> dict[str, list[Metrics]]:
    found: dict[str, list[Metrics]] = {}
    for one in splits:
        for method, metrics in table_baselines.measure(one).items():
            found.setdefault(method, []).append(metrics)
    return found


def _importance(cells: Sequence[CellResult]) -> dict[str, list[float]]:
    """By column, what each network lost."""
    return {
        column: [cell.result["importance"][column] for cell in cells]
        for column in cells[0].result["importance"]
    }


def _opening(run: StudyRun, info: TableInfo, cells: Sequence[CellResult]) -> str:
    config = run.config
    kind = (
        f"{config.folds} folds, each the test once"
        if config.folds is not None
        else f"{len(cells)} seeds, each with a split of its own"
    )
    return (
        f"{info.description.partition('. ')[0].rstrip('.')}. {kind[0].upper()}{kind[1:]}; "
        f"validation, {config.validation_fraction:.0%} of all phones, chose the epoch. Logistic "
        "regression has nothing to choose and learned from the validation phones too. Deviation is "
        f"that between splits. All cells took {duration(run.seconds['cells'])}."
    )


def _luck(tests: Mapping[str, Sequence[float]], splits: Sequence[Splits]) -> str:
    method, values = next(iter(tests.items()))
    mean, count = float(np.mean(values)), len(splits[0].test)
    error = float(np.sqrt(mean * (1 - mean) / count))
    text = (
        f"{method}: from {min(values):.3f} to {max(values):.3f}, with the same recipe, by the "
        f"split and the first weights alone. {count} test phones give a standard error of "
        f"{error:.3f}, and the best of twenty splits is expected 1.9 of them above the mean, for "
        "nothing."
    )
    if splits[0].info.name == "phone_price" and 0 < mean < REPORTED:
        text += (
            f" The {REPORTED:.3f} that the student report has from its one split of this table "
            f"lies {(REPORTED - mean) / error:.1f} standard errors above the mean here."
        )
    return text


def _columns(cells: Sequence[CellResult]) -> str:
    found = {name: float(np.mean(drops)) for name, drops in _importance(cells).items()}
    order = sorted(found, key=lambda name: -found[name])
    named = ", ".join(f"`{name}` {found[name]:.3f}" for name in order[:4])
    rest = len(order) - 4
    return (
        "Each column of the test phones is shuffled in turn, which keeps its values and breaks "
        f"what it says about the phone (permutation importance). Lost in accuracy, for networks "
        f"with {SCALINGS[cells[0].config.scaling]}: {named}. The other {rest} columns lose "
        f"{max(found[name] for name in order[4:]):.3f} at most."
    )


def _scales(methods: Mapping[str, Sequence[CellResult]], info: TableInfo) -> str:
    total = _global_deviation(info)
    sizes = dict(zip(info.column_names, np.asarray(info.deviation) / total, strict=True))
    order = sorted(sizes, key=lambda name: -sizes[name])
    rows = [[name, f"{sizes[name]:.4f}", "1"] for name in (*order[:5], order[-1])]
    header = ["column", "deviation with one scale for the table", "with a scale for each"]
    text = (
        "With one mean and one deviation for the whole table, columns of large numbers stay large, "
        "and it happens that they are those that decide the price. The rest hardly reaches the "
        "first layer: the table is one of four columns in disguise. With a scale for each column, "
        "sixteen columns that say nothing come in as loud as the others, and a large network "
        f"learns the training phones by them.\n\n{markdown_table(header, rows)}\n\n"
    )
    if set(methods) >= {"global", "column"}:
        text += _compared(methods)
    else:
        text += "`--scaling global column` trains both side by side."
    return text + (
        " It is an accident of units, no rule: had `ram` been given in gigabytes, one scale for "
        "the table would have drowned it. A penalty on the weights (`--preset best`) finds the "
        "columns that count in any unit."
    )


def _compared(methods: Mapping[str, Sequence[CellResult]]) -> str:
    tested = {key: float(np.mean(accuracies(cells, "test"))) for key, cells in methods.items()}
    fitted = {
        key: float(np.mean([float(cell.history[-1]["accuracy"]) for cell in cells]))
        for key, cells in methods.items()
    }
    gap = tested["global"] - tested["column"]
    verdict = f"loses {gap:.3f} of test accuracy" if gap > 0 else "does not lose in this run"
    return (
        f"A scale for each column {verdict}: {tested['column']:.3f}, against "
        f"{tested['global']:.3f} with one for the table. Of the training phones the networks got "
        f"{fitted['column']:.3f} and {fitted['global']:.3f} right in their last epoch, which had "
        "dropout on."
    )


def _global_deviation(info: TableInfo) -> float:
    """The deviation of all numbers of the training rows together."""
    mean, deviations = np.asarray(info.mean), np.asarray(info.deviation)
    return float(np.sqrt(np.mean(deviations**2 + mean**2) - mean.mean() ** 2))


def _try_it(run: StudyRun, chosen: CellResult) -> str:
    validation = chosen.result["metrics"]["validation"]["accuracy"]
    return (
        f"The best network by validation is `{chosen.name}` ({validation:.3f}); the commands on "
        f"finished runs open it:\n\n"
        f"```\npython -m tasks.predict {run.folder.path} phones.csv --csv answers.csv\n"
        f"python -m tasks.evaluate {run.folder.path}\npython -m tasks.export {run.folder.path}\n```"
    )
