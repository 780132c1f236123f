"""Checks of options that the tasks share: what is out of range is found before any work."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NoReturn

from tasks.common.config import StudyConfig, TrainConfig
from tasks.common.errors import UserError


def refuse(name: str, allowed: str, received: object) -> NoReturn:
    """Ends the command because the option of the field `name` is not what is allowed.

    Raises:
        UserError: always.
    """
    option = name.replace("_", "-")
    raise UserError(f"--{option} must be {allowed}. Received: {received}.")


def check_training(config: TrainConfig) -> None:
    """Finds options of `TrainConfig` that are out of range.

    Raises:
        UserError: the first one found.
    """
    require_at_least(config, ("limit", "patience", "accumulate_steps", "workers"), 1)
    require_at_least(config, ("step_epochs",), 1)
    require_at_least(config, ("weight_decay", "decay", "checkpoint_seconds"), 0)
    require_shares(config, ("warmup_fraction",))
    _require_seed(config.seed)
    if not 0 < config.step_factor <= 1:
        refuse("step_factor", "above 0 and at most 1", config.step_factor)
    if config.batch_size != "auto" and config.batch_size < 1:
        refuse("batch_size", "at least 1, or `auto`", config.batch_size)
    if config.ema_momentum is not None and not 0 < config.ema_momentum < 1:
        refuse("ema_momentum", "between 0 and 1", config.ema_momentum)
    if config.clip_norm is not None and config.clip_norm <= 0:
        refuse("clip_norm", "above 0", config.clip_norm)
    if config.xla and config.deterministic:
        raise UserError(
            "--xla needs --no-deterministic: Keras leaves XLA off where operations have to be "
            "deterministic. Add it, or leave out --xla."
        )


def check_study(config: StudyConfig) -> None:
    """Finds options of `StudyConfig` that are out of range.

    Raises:
        UserError: the first one found.
    """
    require_at_least(config, ("repetitions",), 1)
    if config.jobs != "auto" and config.jobs < 1:
        refuse("jobs", "at least 1, or `auto`", config.jobs)
    _require_seed(config.seed)


def _require_seed(seed: int) -> None:
    if not 0 <= seed < 2**31:
        refuse("seed", "at least 0 and below 2^31", seed)


def check_split_fractions(config: Any) -> None:
    """Finds `validation_fraction` and `test_fraction` that leave no examples for a split.

    Raises:
        UserError: the first one found.
    """
    for name in ("validation_fraction", "test_fraction"):
        if not 0 < getattr(config, name) < 1:
            refuse(name, "between 0 and 1", getattr(config, name))
    if config.validation_fraction + config.test_fraction >= 1:
        refuse(
            "validation_fraction",
            "below 1 together with --test-fraction",
            config.validation_fraction,
        )


def require_at_least(config: Any, names: Sequence[str], least: int) -> None:
    """Refuses the first of these options that is below `least`; None is an option left out.

    Raises:
        UserError: see there.
    """
    for name in names:
        value = getattr(config, name)
        # `value < least` is false for NaN; `not value >= least` is not.
        if value is not None and not value >= least:
            refuse(name, f"at least {least}", value)


def refuse_unused(config: Any, names: Sequence[str], needs: str, preset: Any) -> None:
    """Refuses the first of these options that the user set although nothing would come of it.

    Args:
        config: the options.
        names: fields that the chosen network, or whatever it is, has no use for.
        needs: the option that would have a use for them, such as `--network deep`.
        preset: the options of the preset. A value is not the user's where the preset has it, or
            where it is the default of the field.

    Raises:
        UserError: see above.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    for name in names:
        value = getattr(config, name)
        if value not in (defaults[name], getattr(preset, name)):
            option = name.replace("_", "-")
            raise UserError(f"--{option} needs {needs}: leave it out. Received: {value}.")


def require_shares(config: Any, names: Sequence[str]) -> None:
    """Refuses the first of these options that is not at least 0 and below 1.

    Raises:
        UserError: see there.
    """
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            refuse(name, "at least 0 and below 1", getattr(config, name))
