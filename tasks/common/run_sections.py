"""Parts of a report that do not depend on what was learned: how it went, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from datasets.core import DatasetInfo
from tasks.common import figures
from tasks.common.report import Section
from tasks.common.tables import markdown_table
from tasks.common.wording import duration


def learning(
    history: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
    metric: str,
    better: Literal["max", "min"],
) -> Section:
    """Times of the parts of the run, and loss, metric and learning rate by epoch.

    Args:
        history: rows of `metrics.csv`, one an epoch.
        seconds: time by part of the run.
        metric: the column that is shown; `val_` and its name decide which epoch is the best.
        better: whether more or less of it is better.
    """
    rows = [(name, duration(value)) for name, value in seconds.items()]
    curves = figures.learning_curves(history, metric, f"val_{metric}", better)
    table = markdown_table(("part of the run", "time"), rows)
    return Section("Learning", table, {"learning_curves": curves})


def origin(
    info: DatasetInfo,
    environment: Mapping[str, Any],
    parameters: int,
    more: Sequence[tuple[str, str]] = (),
) -> Section:
    """Command, data, machine, versions and seed.

    Args:
        info: the data set.
        environment: what `environment.json` holds.
        parameters: weights of the model.
        more: what the task says besides, shown after the data.
    """
    packages = ", ".join(
        f"{name} {version}" for name, version in environment.get("packages", {}).items() if version
    )
    rows = [
        ("command", str(environment.get("command", ""))),
        ("data", f"{info.description} {info.origin}"),
        ("licence of the data", info.licence),
        *more,
        ("parameters", f"{parameters:,}"),
        ("processor", f"{environment.get('processor')}, {environment.get('cores')} cores"),
        ("system", f"{environment.get('platform')}, Python {environment.get('python')}"),
        ("packages", packages),
        ("revision of the code", str(environment.get("git_revision"))),
        ("seed", str(environment.get("seed"))),
        ("started", str(environment.get("started"))),
    ]
    return Section("How this was made", markdown_table(("what", "value"), rows))
