"""Learning-rate schedules that Keras has not, or not in one piece.

A schedule is a function from the optimizer's step, counted from 0, to a learning rate (float32).
"""

from __future__ import annotations

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_models")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """One cycle: up to the peak and down to nearly nothing within the run.

    After Smith & Topin 2018, "Super-Convergence" (arXiv 1708.07120), in its common cosine variant:
    both branches are half cosines instead of straight lines, and the final annihilation is the
    lower end of the second one. With T = total_steps - 1, p = warmup_fraction and t = step / T:

        t <= p:  start + (peak - start) (1 - cos(pi t / p)) / 2,            start = peak / initial
        t > p:   end + (peak - end) (1 + cos(pi (t - p) / (1 - p))) / 2,    end = start / final

    Step 0 has the rate `start`, step total_steps - 1 and every later one `end`.

    Args:
        peak_learning_rate: the highest rate, greater than 0.
        total_steps: optimizer steps in the whole run, at least 2.
        warmup_fraction: share of the run before the peak, in (0, 1).
        initial_divisor: peak / start, at least 1.
        final_divisor: start / end, at least 1.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __init__(
        self,
        peak_learning_rate: float,
        total_steps: int,
        warmup_fraction: float = 0.3,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e4,
        name: str = "one_cycle",
    ):
        """Check and keep the arguments."""
        super().__init__()
        _require_positive("peak_learning_rate", peak_learning_rate)
        if total_steps < 2:
            raise ValueError(f"`total_steps` must be at least 2. Received: {total_steps=}")
        if not 0.0 < warmup_fraction < 1.0:
            raise ValueError(f"`warmup_fraction` must be in (0, 1). Received: {warmup_fraction=}")
        if min(initial_divisor, final_divisor) < 1.0:
            raise ValueError(
                "`initial_divisor` and `final_divisor` must be at least 1. "
                f"Received: {initial_divisor=}, {final_divisor=}"
            )
        self.peak_learning_rate = peak_learning_rate
        self.total_steps = total_steps
        self.warmup_fraction = warmup_fraction
        self.initial_divisor = initial_divisor
        self.final_divisor = final_divisor
        self.name = name

    def __call__(self, step):
        """Learning rate at `step`, a float32 scalar."""
        peak = self.peak_learning_rate
        start = peak / self.initial_divisor
        end = start / self.final_divisor
        progress = ops.minimum(ops.cast(step, "float32") / (self.total_steps - 1), 1.0)
        rising = progress / self.warmup_fraction
        falling = (progress - self.warmup_fraction) / (1.0 - self.warmup_fraction)
        return ops.where(
            progress <= self.warmup_fraction,
            start + (peak - start) * (1.0 - ops.cos(math.pi * rising)) / 2.0,
            end + (peak - end) * (1.0 + ops.cos(math.pi * falling)) / 2.0,
        )

    def get_config(self):
        """The constructor's arguments."""
        return {
            "peak_learning_rate": self.peak_learning_rate,
            "total_steps": self.total_steps,
            "warmup_fraction": self.warmup_fraction,
            "initial_divisor": self.initial_divisor,
            "final_divisor": self.final_divisor,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_models")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A constant rate, then a straight line down to 0.

    As Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks" (arXiv 1703.10593), section 7.1, train: 100 epochs at one rate, 100 of linear decay.
    With c = constant_steps and d = decay_steps, step s has the rate

        peak * (1 - max(0, s - c) / d), at least 0.

    Args:
        peak_learning_rate: the constant rate, greater than 0.
        constant_steps: steps before the decay, at least 0.
        decay_steps: steps from the full rate to 0, at least 1.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __init__(
        self,
        peak_learning_rate: float,
        constant_steps: int,
        decay_steps: int,
        name: str = "constant_then_linear",
    ):
        """Check and keep the arguments."""
        super().__init__()
        _require_positive("peak_learning_rate", peak_learning_rate)
        if constant_steps < 0 or decay_steps < 1:
            raise ValueError(
                "`constant_steps` must be at least 0 and `decay_steps` at least 1. "
                f"Received: {constant_steps=}, {decay_steps=}"
            )
        self.peak_learning_rate = peak_learning_rate
        self.constant_steps = constant_steps
        self.decay_steps = decay_steps
        self.name = name

    def __call__(self, step):
        """Learning rate at `step`, a float32 scalar."""
        decayed = ops.maximum(ops.cast(step, "float32") - self.constant_steps, 0.0)
        return self.peak_learning_rate * ops.maximum(1.0 - decayed / self.decay_steps, 0.0)

    def get_config(self):
        """The constructor's arguments."""
        return {
            "peak_learning_rate": self.peak_learning_rate,
            "constant_steps": self.constant_steps,
            "decay_steps": self.decay_steps,
            "name": self.name,
        }


def warmup_cosine(
    peak: float, total_steps: int, warmup_steps: int
) -> keras.optimizers.schedules.CosineDecay:
    """A straight line up to `peak`, then half a cosine down to 0 at `total_steps`.

    The line is peak (step + 1) / (warmup_steps + 1): the first step already learns (a rate of 0
    would waste it), and step `warmup_steps` has the peak. The decay is that of Loshchilov & Hutter
    2017 (arXiv 1608.03983, equation 5) without restarts.

    Args:
        peak: the highest learning rate, greater than 0.
        total_steps: optimizer steps in the whole run.
        warmup_steps: steps before the peak, from 0 to total_steps - 1.

    Raises:
        ValueError: an argument is outside its range.
    """
    _require_positive("peak", peak)
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(
            "`warmup_steps` must be from 0 to total_steps - 1. "
            f"Received: {warmup_steps=}, {total_steps=}"
        )
    decay_steps = total_steps - warmup_steps
    if warmup_steps == 0:
        return keras.optimizers.schedules.CosineDecay(peak, decay_steps)
    return keras.optimizers.schedules.CosineDecay(
        peak / (warmup_steps + 1), decay_steps, warmup_target=peak, warmup_steps=warmup_steps
    )


def _require_positive(argument: str, value: float) -> None:
    """Raise a ValueError naming `argument` unless `value` is greater than 0."""
    if not value > 0.0:
        raise ValueError(f"`{argument}` must be greater than 0. Received: {argument}={value}")
