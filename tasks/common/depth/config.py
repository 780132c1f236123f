"""The options of the task that learns depth from single pictures."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from tasks.common.dense.config import DenseConfig, check_dense
from tasks.common.option_checks import refuse, require_shares


@dataclasses.dataclass(frozen=True)
class DepthConfig(DenseConfig):
    """Options of a task that learns depth from single pictures."""

    backbone: str = "SmallResNet"
    """The encoder: any network of `keras.applications`, or SmallResNet, for drawn streets."""
    weights: str = "auto"
    """Of the encoder: `imagenet`, `none` (from scratch), a weight file, or `auto`: ImageNet if it
    can be had."""
    decoder_filters: int | None = None
    """Of the decoder's first layer, half at each step up; as many as the encoder ends in when not
    given (Alhashim & Wonka 2018: 1664)."""
    dropout: float = 0.0
    """Share of the encoder's last maps dropped while training; against few pictures."""
    quantity: Literal["metres", "inverse", "log"] = "log"
    """What the network and its loss measure depth in; what comes out is metres all the same."""
    depth_range: tuple[float, float] = (1.0, 80.0)
    """Smallest and largest depth, metres; what is nearer or farther counts as unknown."""
    term_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Weights of the loss's three terms: L1, image gradients, (1 - SSIM) / 2."""
    rounding_step: float | None = None
    """Metres to whose multiples depth is rounded for the rounding accuracy; the largest depth when
    not given, which is depth scaled to [0, 1] and rounded to 0 or 1, as in the earlier report."""

    head_epochs: int = 3
    """First stage: the decoder on the frozen encoder; 0 leaves it out."""
    head_learning_rate: float = 1e-3
    """Of the decoder in the first stage, at its highest."""
    tail_epochs: int = 0
    """Second stage: the decoder and the last stages of the encoder; 0 leaves it out."""
    tail_learning_rate: float = 5e-4
    """Of the decoder in the second stage, at its highest."""
    tail_stages: int = 2
    """How many of the encoder's stages the second stage trains, counted from its output."""
    full_epochs: int = 20
    """Third stage: everything; 0 leaves it out."""
    full_learning_rate: float = 5e-4
    """Of the decoder in the third stage, at its highest."""
    depth_factor: float = 0.7
    """Each stage of the encoder learns at this multiple of the one nearer the output."""
    scratch_epochs: int = 12
    """Epochs in which everything trains from random weights, instead of the three stages."""
    scratch_learning_rate: float = 2e-3
    """At its highest, when everything trains from random weights."""

    @property
    def target_size(self) -> tuple[int, int]:
        """Height and width of the network's output: half the picture."""
        return tuple((side + 1) // 2 for side in self.image_size)

    @property
    def rounding(self) -> float:
        """The step of the rounding accuracy, metres."""
        return self.depth_range[1] if self.rounding_step is None else self.rounding_step


def check_depth(config: DepthConfig) -> None:
    """Finds options that are out of range, before any work.

    Raises:
        UserError: the first one found.
    """
    check_dense(config)
    require_shares(config, ("dropout",))
    low, high = config.depth_range
    if not 0 < low < high < math.inf:
        refuse("depth_range", "two depths above 0, the smaller one first", config.depth_range)
    weights = config.term_weights
    if not (all(0 <= weight < math.inf for weight in weights) and sum(weights) > 0):
        refuse("term_weights", "at least 0, and one of them above", weights)
    if config.rounding_step is not None and not 0 < config.rounding_step < math.inf:
        refuse("rounding_step", "above 0", config.rounding_step)
