"""The end of the study of phone prices: mean and spread over splits, which columns count, why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from datasets.core import Splits
from datasets.table_splits import TableInfo
from tasks.common import phone_price_figures, table_baselines
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
    methods = by_scaling(run.results)
    splits = _splits_of(run.results, load_data)
    beside = _baselines(splits)
    tests = {
        **{_title(run, scaling): _column(cells, "test") for scaling, cells in methods.items()},
        **{method: [one["accuracy"] for one in found] for method, found in beside.items()},
    }
    first = next(iter(methods.values()))
    baseline = {method: averages(found) for method, found in beside.items()} | {
        _title(run, scaling): averages([cell.result["metrics"]["test"] for cell in cells])
        for scaling, cells in list(methods.items())[1:]
    }
    metrics = {
        split: averages([cell.result["metrics"][split] for cell in first])
        for split in ("validation", "test")
    }
    folder = run.folder.report
    parameters = chosen.result["parameters"]
    write_metrics(folder, name, metrics, baseline, run.seconds, parameters)
    headline = table(tests, {_title(run, key): cells for key, cells in methods.items()})
    info = splits[0].info
    sections = [
        Section("", f"{_opening(run, info, first)}\n\n{markdown_table(*headline)}"),
        Section(
            "One split tells little",
            _luck(tests, splits),
            {
                "test_accuracy_by_split": phone_price_figures.spread(
                    {method: values for method, values in tests.items() if min(values) > 0.5}
                    or tests
                )
            },
        ),
        Section(
            "Which columns count",
            _columns(first, run),
            {"importance_of_columns": phone_price_figures.importance(_importance(first))},
        ),
        Section(
            "Why a scale for each column loses",
            _why(methods, info),
            {
                "accuracy_while_training": phone_price_figures.learning(
                    {_title(run, key): [c.history for c in cells] for key, cells in methods.items()}
                )
            },
        ),
        Section("Try the model", _try_it(run, chosen)),
    ]
    failed = [result for result in run.results if result.failure is not None]
    if failed:
        lines = "\n".join(f"- `{cell.name}`: {cell.failure}" for cell in failed)
        sections.append(Section("Cells that failed", lines))
    path = write_report(folder, f"Price ranges of phones: {info.name}", sections)
    print(f"\n{text_table(*headline)}\nReport: {path}")


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
            chosen_by = decimal(float(np.mean(_column(methods[method], "validation"))))
        spread = [decimal(deviation(values)), decimal(min(values)), decimal(max(values))]
        rows.append([method, decimal(float(np.mean(values))), *spread, chosen_by])
    return ["test accuracy", "mean", "deviation", "lowest", "highest", "validation"], rows


def _column(cells: Sequence[CellResult], split: str) -> list[float]:
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
    return (
        f"{method}: from {min(values):.3f} to {max(values):.3f}, with the same recipe, by the "
        f"split and the first weights alone. {count} test phones give a standard error of "
        f"{error:.3f}; so a single {REPORTED:.3f}, as the student report has it, and a mean of "
        f"{mean:.3f} need not contradict each other, and only the mean says how the recipe does."
    )


def _columns(cells: Sequence[CellResult], run: StudyRun) -> str:
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


def _why(methods: Mapping[str, Sequence[CellResult]], info: TableInfo) -> str:
    total = _global_deviation(info)
    sizes = dict(zip(info.column_names, np.asarray(info.deviation) / total, strict=True))
    order = sorted(sizes, key=lambda name: -sizes[name])
    rows = [[name, f"{sizes[name]:.4f}", "1"] for name in (*order[:4], order[4], order[-1])]
    header = ["column", "deviation with one scale for the table", "with a scale for each"]
    text = (
        "With one mean and one deviation for the whole table, columns of large numbers stay large, "
        "and it happens that they are those that decide the price. The rest hardly reaches the "
        "first layer: the table is a network of four inputs in disguise. With a scale for each "
        "column, sixteen columns that say nothing come in as loud as the others, and a large "
        f"network learns the training phones by them.\n\n{markdown_table(header, rows)}\n\n"
    )
    if set(methods) >= {"global", "column"}:
        return text + _compared(methods)
    return text + "See both side by side with `--scaling global column`."


def _compared(methods: Mapping[str, Sequence[CellResult]]) -> str:
    means = {key: float(np.mean(_column(cells, "test"))) for key, cells in methods.items()}
    fitted = {
        key: float(np.mean([float(cell.history[-1]["accuracy"]) for cell in cells]))
        for key, cells in methods.items()
    }
    gap = means["global"] - means["column"]
    said = "loses" if gap > 0 else "did not lose here: the difference is"
    return (
        f"Here a scale for each column {said} {abs(gap):.3f} of test accuracy "
        f"({means['column']:.3f} against {means['global']:.3f}), while the training phones are "
        f"known by heart either way or better: {fitted['column']:.3f} and {fitted['global']:.3f} "
        "in the last epoch. It is an accident of units, no rule: had `ram` been given in "
        "gigabytes, the global scale would have drowned it. A penalty on the weights (`--preset "
        "best`) finds the columns that count in any unit."
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
