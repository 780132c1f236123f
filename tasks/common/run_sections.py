"""Parts of a report that do not depend on what was learned: how it went, and how it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from tasks.common import figures
from tasks.common.report import Section
from tasks.common.tables import markdown_table
from tasks.common.task import Run
from tasks.common.wording import duration


def learning(
    run: Run, seconds: Mapping[str, float], metric: str, better: Literal["max", "min"]
) -> Section:
    """Times of the parts of the run, and loss, metric and learning rate by epoch."""
    rows = [(name, duration(value)) for name, value in seconds.items()]
    curves = figures.learning_curves(run.history, metric, f"val_{metric}", better)
    table = markdown_table(("part of the run", "time"), rows)
    return Section("Learning", table, {"learning_curves": curves})


def origin(run: Run, more: Sequence[tuple[str, str]] = ()) -> Section:
    """Command, data, machine and seed.

    Args:
        run: at its end.
        more: what the task says besides, shown after the data.
    """
    info = run.splits.info
    environment = json.loads(run.folder.environment.read_text(encoding="utf-8"))
    rows = [
        ("command", str(environment.get("command", ""))),
        ("data", f"{info.description} {info.origin}"),
        ("licence of the data", info.licence),
        *more,
        ("parameters", f"{run.model.count_params():,}"),
        ("processor", f"{environment.get('processor')}, {environment.get('cores')} cores"),
        ("revision of the code", str(environment.get("git_revision"))),
        ("seed", str(environment.get("seed"))),
    ]
    return Section("How this was made", markdown_table(("what", "value"), rows))
