"""The options every training task has, and how they travel: command line, JSON, run folder."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import tyro

from tasks.common import run_folder
from tasks.common.errors import UserError

ConfigType = TypeVar("ConfigType", bound="RunConfig")

Schedule = Literal[
    "constant", "warmup_cosine", "one_cycle", "inverse_time", "plateau", "step", "polynomial"
]
"""How a learning rate may move; see `tasks.common.optimizers.learning_rate`."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Options of everything that makes a run folder."""

    preset: str = "quick"
    """Defaults of the other options: the task's text says which presets there are."""
    run_name: str | None = None
    """Name of the run folder; the date and time when not given."""
    runs_dir: Path = Path("runs")
    """Folder that holds the run folders of all tasks."""
    resume: str | None = None
    """Go on with this run: a run folder, its name, or `latest`. Its options are read from it."""
    seed: int = 0
    """Seed of weights, order, augmentation and splits: same seed, same result."""


@dataclasses.dataclass(frozen=True)
class StudyConfig(RunConfig):
    """Options every study has: a grid of cells, each run in a process of its own."""

    repetitions: int = 3
    """Seeds with which each cell is repeated, counted from `--seed`."""
    jobs: int | Literal["auto"] = "auto"
    """Cells that run at the same time; `auto` is one a core."""
    dry_run: bool = False
    """Every cell as short as can be: does everything run to the end?"""


@dataclasses.dataclass(frozen=True)
class TrainConfig(RunConfig):
    """Options every training task has."""

    batch_size: int | Literal["auto"] = 32
    """Examples a step; `auto` starts at 128 and halves while the memory does not suffice."""
    limit: int | None = None
    """At most this many examples a split, each class in its share."""
    dry_run: bool = False
    """One batch, one epoch a stage: does everything run to the end?"""

    schedule: Schedule = "warmup_cosine"
    """How the learning rate moves within a stage."""
    warmup_fraction: float = 0.1
    """Share of a stage's steps in which `warmup_cosine` raises the learning rate from 0."""
    decay: float = 1e-5
    """`inverse_time` divides the learning rate by 1 + decay * steps."""
    step_epochs: int = 5
    """`step` multiplies the learning rate by `--step-factor` each time so many epochs are over."""
    step_factor: float = 0.1
    """What `step` multiplies the learning rate by."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """`sgd` has momentum 0.9 (Nesterov)."""
    weight_decay: float = 0.0
    """Decoupled weight decay per step, times the learning rate (Loshchilov & Hutter 2019)."""
    clip_norm: float | None = None
    """Each gradient is scaled down to this L2 norm."""
    accumulate_steps: int = 1
    """Gradients of this many batches are averaged before one update."""
    ema_momentum: float | None = None
    """Evaluate and save an exponential moving average of the weights; 0.99 to 0.9999."""
    patience: int | None = None
    """A stage ends after this many epochs without a better validation result."""

    mixed_precision: bool = False
    """Compute in bfloat16 on CPU and TPU, float16 on GPU; slower on most CPUs."""
    xla: bool = False
    """Compile the step with XLA; needs `--no-deterministic`, slow to start."""
    deterministic: bool = True
    """Only operations that give the same bits each time; may cost speed on a GPU."""
    workers: int = 4
    """Threads that read and decode examples."""
    profile: bool = False
    """Record steps 10 to 20 for TensorBoard's profiler page."""
    find_learning_rate: bool = False
    """Only run the learning-rate range test, draw its curve, propose a value and stop."""
    checkpoint_seconds: float = 60.0
    """The state to resume from is saved at most this often while training."""


# Options that say where and whether to run, not what is computed: a resumed run may change them.
OPERATIONAL = frozenset(
    {"run_name", "runs_dir", "resume", "checkpoint_seconds", "workers", "cache_dir", "jobs"}
)


def parse(presets: Mapping[str, ConfigType], arguments: Sequence[str], command: str) -> ConfigType:
    """The configuration that the command line asks for.

    With `--preset` the options that are not given come from the named preset. With `--resume` they
    come from the run folder, and any that are given again must agree.

    Args:
        presets: by name; `quick` holds the plain defaults. Their fields become the options.
        arguments: the words after the command.
        command: how the user calls the task, for the help text.

    Raises:
        UserError: there is no such preset; the run to resume has other options or is not found.
        SystemExit: status 2 on an unknown option or value, 0 after `--help`.
    """
    config_class = type(presets["quick"])
    config = tyro.cli(config_class, args=list(arguments), prog=command)
    if config.resume is None:
        if config.preset not in presets:
            raise UserError(
                f"--preset must be one of {', '.join(presets)}. Received: {config.preset!r}."
            )
        return tyro.cli(
            config_class, args=list(arguments), prog=command, default=presets[config.preset]
        )
    folder = run_folder.find(config.resume, config.runs_dir, command.rsplit(".", 1)[-1])
    stored = read(config_class, folder / "config.json")
    again = tyro.cli(config_class, args=list(arguments), prog=command, default=stored)
    changed = differences(stored, again)
    if changed:
        raise UserError(
            f"The run {folder} cannot be resumed with other options: {'; '.join(changed)}. "
            "Leave these options out, or start a new run without --resume."
        )
    return dataclasses.replace(
        again, resume=str(folder), run_name=stored.run_name, runs_dir=stored.runs_dir
    )


def differences(stored: RunConfig, received: RunConfig) -> list[str]:
    """The options that decide the result and differ, as `--option: was A, received B`."""
    return [
        f"--{field.name.replace('_', '-')}: was {old}, received {new}"
        for field in dataclasses.fields(stored)
        if field.name not in OPERATIONAL
        and (old := getattr(stored, field.name)) != (new := getattr(received, field.name))
    ]


def read(config_class: type[ConfigType], path: Path) -> ConfigType:
    """The configuration in a file written from `to_json`.

    Raises:
        UserError: the file cannot be read or does not hold such a configuration.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}); the run is damaged.") from None
    return from_json(config_class, text, path)


def to_json(config: Any) -> str:
    """The configuration as JSON text; `from_json` reads it back equal."""
    return json.dumps(dataclasses.asdict(config), indent=2, default=str) + "\n"


def from_json(config_class: type[ConfigType], text: str, place: Path) -> ConfigType:
    """The configuration written by `to_json`.

    An option that is missing takes its default: the run was made before there was such an option.

    Raises:
        UserError: the text is not JSON, or has unknown or mistyped options.
    """
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"{place} is not valid JSON ({error}); the run cannot be read.") from None
    hints = typing.get_type_hints(config_class)
    if not isinstance(values, dict):
        raise UserError(
            f"{place} must hold a JSON object of options. Received: {type(values).__name__}."
        )
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise UserError(
            f"{place} does not fit {config_class.__name__}: unknown options {unknown}. It was "
            "written by a newer version or another task."
        )
    try:
        return config_class(**{key: _restore(hints[key], value) for key, value in values.items()})
    except (TypeError, ValueError) as error:
        raise UserError(f"{place} has a value of the wrong type: {error}.") from None


def _restore(hint: Any, value: Any) -> Any:
    """A JSON value as the Python value that the type hint names."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in options:
            return None
        return _restore_any_of([option for option in options if option is not type(None)], value)
    if origin is Literal:
        if value not in options:
            raise ValueError(f"expected one of {options}, received {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, received {value!r}")
        hints = options[:1] * len(value) if options[-1] is Ellipsis else options
        return tuple(_restore(item, part) for item, part in zip(hints, value, strict=True))
    if hint is Path:
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise TypeError(f"expected {hint.__name__}, received {value!r}")
    return value


def _restore_any_of(hints: Sequence[Any], value: Any) -> Any:
    for hint in hints:
        try:
            return _restore(hint, value)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"expected one of {hints}, received {value!r}")
