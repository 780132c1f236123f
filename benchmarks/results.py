"""Where a benchmark leaves what it measured: a JSON file to compare with, and a chart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.common.errors import UserError
from tasks.common.run_folder import replace_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEFAULT_FOLDER = Path("benchmarks/results")


def require_writable(folder: Path) -> None:
    """Makes the folder for the results, before a long measurement rather than after it.

    Raises:
        UserError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"--output must be a folder that can be written to. Received: {folder} "
            f"({error.strerror})."
        ) from None


def save(name: str, folder: Path, document: dict, figure: Figure) -> None:
    """Writes `NAME.json` and `NAME.png` and prints the two paths.

    Args:
        name: of the benchmark, a plain file name without a suffix.
        folder: where to; it is made if need be.
        document: what JSON can hold; paths are written as text. A number that is not finite has
            no place in JSON: write None for it.
        figure: the chart.

    Raises:
        UserError: the folder cannot be written to.
        ValueError: the document holds a number that is not finite.
    """
    from tasks.common import figures

    require_writable(folder)
    text = json.dumps(document, indent=2, default=str, allow_nan=False) + "\n"
    replace_text(folder / f"{name}.json", text)
    figures.save(figure, folder / f"{name}.png")
    for suffix in ("json", "png"):
        print(folder / f"{name}.{suffix}")
