"""A report folder: `metrics.json`, `report.md` and figures, whatever the task measured."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tasks.common import figures
from tasks.common.metric_directions import Headline
from tasks.common.run_folder import replace_text
from tasks.common.tables import escaped


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a report: a heading, then text, then figures.

    Attributes:
        heading: of the section; empty for the opening one.
        text: Markdown.
        figures: file name without suffix to figure; saved beside the report and shown under the
            text in this order. The name, with spaces for underscores, is the alternative text.
    """

    heading: str
    text: str = ""
    figures: Mapping[str, Figure] = dataclasses.field(default_factory=dict)


def write_report(folder: Path, title: str, sections: Sequence[Section]) -> Path:
    """Writes `report.md` with its figures into `folder`, made where it is missing; gives its path.

    The figures are written first, so that the text never points to one that is not there; those
    of an earlier report in the folder are removed.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    parts = [f"# {escaped(title)}"]
    for section in sections:
        if section.heading:
            parts.append(f"## {escaped(section.heading)}")
        if section.text:
            parts.append(section.text)
        for name, figure in section.figures.items():
            figures.save(figure, folder / f"{name}.png")
            parts.append(f"![{name.replace('_', ' ')}]({name}.png)")
    path = folder / "report.md"
    replace_text(path, "\n\n".join(parts) + "\n")
    return path


def write_metrics(
    folder: Path,
    task: str,
    metrics: Mapping[str, Mapping[str, float]],
    baseline: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, float],
    parameters: int,
    headline: Headline | None = None,
) -> Path:
    """Writes `metrics.json`; a number that is not finite becomes null, which JSON can hold.

    Args:
        folder: made where it is missing.
        task: name of the task.
        metrics: by split, `test` and `validation`.
        baseline: test metrics by the name of the baseline.
        seconds: time by part of the run.
        parameters: weights of the model.
        headline: of the metrics; None where they are those of many models, by which no run can
            be compared with another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "task": task,
        "metrics": metrics,
        "baseline": baseline,
        "seconds": seconds,
        "parameters": parameters,
        "headline": None if headline is None else dataclasses.asdict(headline),
    }
    path = folder / "metrics.json"
    replace_text(path, json.dumps(_finite(document), indent=2, allow_nan=False) + "\n")
    return path


def _finite(value: Any) -> Any:
    """The same structure with None for every float that is NaN or infinite."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
