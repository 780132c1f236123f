"""The options of learning to translate between pictures and depth maps without pairs."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Literal

from tasks.common.data_choice import check_data_dir, check_drawn_count, check_metres_per_unit
from tasks.common.dense.config import DenseConfig, check_dense
from tasks.common.errors import UserError
from tasks.common.option_checks import refuse, refuse_unused, require_at_least, require_shares

# The paper scales pictures to 286 pixels and cuts a random 256 x 256 out of them.
JITTER = 286 / 256


@dataclasses.dataclass(frozen=True)
class CycleGanConfig(DenseConfig):
    """Translate pictures into depth maps and back, learned without pairs (CycleGAN).

    With no option at all it draws its own streets and takes a few minutes. Presets: `quick`;
    `nyu`, for a few hundred pictures of rooms at 64 x 64; `seed` and `paper`, the networks of the
    earlier report and of the paper, 256 x 256, on the same data. All but the first want
    --data-dir.
    """

    data: Literal["rendered", "nyu"] = "rendered"
    """Drawn streets, or a folder with `rgb` and `depth` as of NYU Depth V2."""
    data_dir: Path | None = None
    """Folder of the data; `nyu` needs it."""
    rendered_count: tuple[int, int, int] = (300, 40, 60)
    """Drawn scenes for training, validation and test."""
    metres_per_unit: float | None = None
    """Of stored depth; by default 10 m / 255 for 8 bits a pixel and 1 mm for 16."""
    image_size: tuple[int, int] = (64, 64)
    """Height and width of pictures and depth maps, in pixels: multiples of 4, at least 24."""
    batch_size: int = 1
    """Pictures, and as many depth maps, a step; the paper's is 1."""
    augment: tuple[Literal["flip", "zoom", "turn", "colour", "erase"], ...] = ("flip", "zoom")
    """Random changes of each training picture and each training map, for themselves; `--augment`
    alone for none."""
    zoom: tuple[float, float] = (JITTER, JITTER)
    """Smallest and largest factor of `zoom`; by default a random cut of what was enlarged from 256
    to 286, as in the paper."""

    depth_scale: Literal["log", "linear"] = "log"
    """How metres become [0, 1]: d / largest, or ln(d / nearest) / ln(largest / nearest)."""
    nearest_depth: float = 2.0
    """Where the `log` scale begins, in metres; what is nearer counts as this near."""
    largest_depth: float = 100.0
    """Where the scale ends, in metres; what is farther counts as this far, and so does the sky."""

    generator_width: int = 8
    """Channels of a generator's first convolution; the paper's is 64."""
    residual_blocks: int = 5
    """Of a generator; the paper has 6 at 128 x 128 and 9 at 256 x 256, the earlier report 5."""
    discriminator_width: int = 16
    """Channels of a discriminator's first convolution; the paper's is 64."""

    cycle_weight: float = 10.0
    """Weight of the cycle losses beside the adversarial ones (lambda of the paper)."""
    identity_share: float = 0.0
    """Weight of the identity losses in parts of `--cycle-weight`: 0.5 in the paper where it has
    them; 0 leaves them out."""
    pool_size: int = 50
    """Generated pictures that each discriminator's pool keeps; 0 for none."""

    epochs: int = 12
    """Epochs; in each of them every picture and every depth map comes once."""
    learning_rate: float = 2e-4
    """Of Adam with beta1 0.5, for generators and discriminators."""
    constant_share: float = 0.5
    """Share of the epochs before the learning rate begins to fall; 100 of 200 in the paper."""
    schedule: Literal["constant_then_linear", "constant"] = "constant_then_linear"
    """Whether the learning rate falls in a straight line to 0 in the end."""
    optimizer: Literal["adam"] = "adam"
    """Adam with beta1 0.5, one for both generators and one for both discriminators."""


def check_cyclegan(config: CycleGanConfig) -> None:
    """Finds options that are out of range or that this training has no use for.

    Raises:
        UserError: the first one found.
    """
    _refuse_what_has_no_meaning(config)
    check_dense(config)
    check_data_dir(config, "the folder that holds `rgb` and `depth`")
    check_drawn_count(config)
    check_metres_per_unit(config)
    require_at_least(config, ("epochs", "generator_width", "discriminator_width"), 1)
    require_at_least(config, ("residual_blocks", "identity_share", "pool_size"), 0)
    require_shares(config, ("constant_share",))
    for name in ("learning_rate", "cycle_weight"):
        if not 0 < getattr(config, name) < math.inf:
            refuse(name, "above 0 and finite", getattr(config, name))
    if not 0 < config.nearest_depth < config.largest_depth < math.inf:
        received = f"{config.largest_depth} with --nearest-depth {config.nearest_depth}"
        refuse("largest_depth", "finite and above --nearest-depth, which is above 0", received)
    if config.pool_size and config.batch_size > config.pool_size:
        received = f"{config.batch_size} with --pool-size {config.pool_size}"
        refuse("batch_size", "at most --pool-size", received)


def _refuse_what_has_no_meaning(config: CycleGanConfig) -> None:
    """Options of other trainings, which four networks at odds with each other cannot follow."""
    if config.batch_size == "auto":
        refuse(
            "batch_size", "a number: instance normalisation wants few, the paper takes 1", "auto"
        )
    if config.find_learning_rate:
        raise UserError(
            "--find-learning-rate needs a loss that falls; adversaries have none. Leave it out."
        )
    if config.mixed_precision:
        raise UserError("--mixed-precision is not supported here. Leave it out.")
    unused = ("warmup_fraction", "decay", "step_epochs", "step_factor")
    refuse_unused(config, unused, "a schedule that this task does not have", CycleGanConfig())
    for name, off in (("accumulate_steps", 1), ("ema_momentum", None)):
        if getattr(config, name) != off:
            refuse(name, f"left at {off}, because two optimizers take turns", getattr(config, name))
