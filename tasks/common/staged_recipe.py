"""The recipe of a pretrained network: a new head, then the last stages, then everything.

The options are those that tasks with such a recipe share by name: `head_epochs`, `tail_epochs`,
`full_epochs` and `scratch_epochs`, a learning rate for each, `tail_stages`, `depth_factor`,
`weights` and `backbone`.
"""

from __future__ import annotations

from typing import Any

from keras_models import backbones
from tasks.common.errors import UserError
from tasks.common.option_checks import refuse, require_at_least
from tasks.common.task import Stage


def check_recipe(config: Any) -> None:
    """Finds epochs and learning rates that make no recipe.

    Raises:
        UserError: the first one found.
    """
    require_at_least(config, ("head_epochs", "tail_epochs", "full_epochs"), 0)
    if config.head_epochs + config.tail_epochs + config.full_epochs == 0:
        raise UserError("One of --head-epochs, --tail-epochs and --full-epochs must be positive.")
    require_at_least(config, ("scratch_epochs",), 1)
    rates = ("head", "tail", "full", "scratch")
    for name in (*(f"{rate}_learning_rate" for rate in rates), "depth_factor"):
        # `x <= 0` is false for NaN; `not x > 0` is not.
        if not getattr(config, name) > 0:
            refuse(name, "above 0", getattr(config, name))


def count_stages(backbone: str) -> int:
    """Number of stages of the backbone that `--backbone` names.

    Raises:
        UserError: there is no such backbone.
    """
    try:
        return len(backbones.lookup(backbone).stages)
    except ValueError as error:
        raise UserError(f"--backbone: {error}") from None


def check_tail_stages(config: Any, omitted: int = 0) -> None:
    """Finds more stages to train in the tail than the backbone has.

    Args:
        config: the options.
        omitted: stages of the backbone, from its end on, that the network leaves out.

    Raises:
        UserError: there are fewer, or no such backbone.
    """
    count = count_stages(config.backbone) - omitted
    if not 0 <= config.tail_stages <= count:
        allowed = f"from 0 to the {count} stages of the backbone"
        refuse("tail_stages", allowed, config.tail_stages)


def check_image_size(config: Any) -> None:
    """Finds pictures, of (height, width) `image_size`, that are too small for the backbone.

    Raises:
        UserError: they are.
    """
    backbone = backbones.lookup(config.backbone)
    if min(config.image_size) < backbone.minimum_size:
        allowed = f"at least {backbone.minimum_size} pixels a side for {backbone.name}"
        refuse("image_size", allowed, config.image_size)


def recipe(config: Any, head: Stage) -> list[Stage]:
    """Head, then last stages, then everything; from scratch everything at once.

    Args:
        config: the options.
        head: the first stage of a pretrained network; left out where it has no epochs.
    """
    if config.weights == "none":
        return [Stage("scratch", config.scratch_epochs, config.scratch_learning_rate)]
    factor = config.depth_factor
    stages = [
        head,
        Stage("tail", config.tail_epochs, config.tail_learning_rate, factor, config.tail_stages),
        Stage("full", config.full_epochs, config.full_learning_rate, factor),
    ]
    return [stage for stage in stages if stage.epochs > 0]
