"""The learning-rate range test.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, arXiv 1506.01186,
section 3.3. There the rate rises linearly within guessed bounds; rising exponentially needs no
guess, and is what later implementations do.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from callbacks.learning_rates import optimizer_groups

# Weight of the past in the average of the losses: about the last ten batches count.
SMOOTHING = 0.9
# The test ends when the averaged loss is this many times its best: the training has diverged.
DIVERGENCE = 4.0
# A loss that falls by less than this share of its start has not fallen.
LEAST_DESCENT = 0.001


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A learning rate, and how it was found.

    Attributes:
        learning_rate: where to start.
        learned: True if the loss fell clearly during the test and the rate is that of its
            steepest descent; False if it did not, and the rate is only a safe one.
    """

    learning_rate: float
    learned: bool


class LearningRateFinder(keras.callbacks.Callback):
    """Raises the learning rate at each step and records the loss, then puts everything back.

    Use it in a fit of one epoch of `steps` steps that ends with it:
    `model.fit(data.repeat(), epochs=1, steps_per_epoch=finder.steps, callbacks=[finder])`.
    Weights, optimizer and random generators of the model are as before afterwards. The fit
    ends early when the averaged loss exceeds `DIVERGENCE` times its best, or is not finite.

    With a `MultiOptimizer` all groups rise together, in the proportion of their learning rates;
    the recorded rate is that of the group with the highest.

    Attributes:
        rates: the learning rates tried, ascending.
        losses: the loss of the batch at each of them.

    Args:
        steps: steps of the test, at least 2.
        lowest: first learning rate, positive.
        highest: last learning rate, greater than `lowest`.

    Raises:
        ValueError: the arguments are out of range; or, when the fit begins, the optimizer has a
            schedule in place of a learning rate.
    """

    def __init__(self, steps: int = 200, lowest: float = 1e-7, highest: float = 10.0):
        super().__init__()
        if steps < 2 or not 0 < lowest < highest:
            raise ValueError(
                "`steps` must be at least 2 and `lowest` between 0 and `highest`. "
                f"Received: {steps=}, {lowest=}, {highest=}"
            )
        self.steps = steps
        self.schedule = np.geomspace(lowest, highest, steps)
        self.rates: list[float] = []
        self.losses: list[float] = []
        self._shares: dict[str, float] = {}
        self._saved: list[tuple[keras.Variable, np.ndarray]] = []

    def on_train_begin(self, logs=None):
        self.rates, self.losses = [], []
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        self._shares = _shares(optimizer)
        variables = [*self.model.variables, *optimizer.variables]
        self._saved = [(v, keras.ops.convert_to_numpy(v).copy()) for v in variables]

    def on_train_batch_begin(self, batch, logs=None):
        # Keras reports the mean since the last reset; the test needs the loss of one batch.
        self.model.reset_metrics()
        for name, group in optimizer_groups(self.model.optimizer).items():
            group.learning_rate = self.schedule[min(batch, self.steps - 1)] * self._shares[name]

    def on_train_batch_end(self, batch, logs=None):
        loss = logs["loss"]
        if math.isfinite(loss):
            self.rates.append(float(self.schedule[batch]))
            self.losses.append(loss)
        averages = smoothed(self.losses)
        diverged = len(averages) > 0 and averages[-1] > DIVERGENCE * averages.min()
        if diverged or not math.isfinite(loss) or batch + 1 >= self.steps:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        for variable, value in self._saved:
            variable.assign(value)
        self._saved = []

    def proposal(self) -> Proposal:
        """The proposed learning rate, of the highest group. See `propose_learning_rate`."""
        return propose_learning_rate(np.array(self.rates), np.array(self.losses))


def _shares(optimizer: keras.optimizers.Optimizer) -> dict[str, float]:
    """Each group's learning rate as a share of the highest."""
    rates = {}
    for name, group in optimizer_groups(optimizer).items():
        try:
            # Keras refuses to set the rate of an optimizer that has a schedule.
            group.learning_rate = rate = float(keras.ops.convert_to_numpy(group.learning_rate))
        except TypeError:
            raise ValueError(
                "The learning-rate finder needs an optimizer with a plain learning rate. "
                f"Received: a schedule in optimizer {group.name!r}"
            ) from None
        rates[name] = rate
    highest = max(rates.values())
    if highest <= 0:
        raise ValueError(f"One learning rate must be positive. Received: {rates}")
    return {name: rate / highest for name, rate in rates.items()}


def smoothed(losses: np.ndarray | list[float], weight: float = SMOOTHING) -> np.ndarray:
    """Exponential average, corrected for its start as in Adam (arXiv 1412.6980, section 3).

    Args:
        losses: shape (n,).
        weight: weight of the past, in [0, 1).

    Returns:
        float64, shape (n,): average_i = weight * average_(i-1) + (1 - weight) * loss_i, divided
        by 1 - weight^i.
    """
    averages, average = np.zeros(len(losses)), 0.0
    for index, loss in enumerate(losses):
        average = weight * average + (1 - weight) * loss
        averages[index] = average / (1 - weight ** (index + 1))
    return averages


def propose_learning_rate(rates: np.ndarray, losses: np.ndarray) -> Proposal:
    """The rate at which the loss falls fastest as the logarithm of the rate grows.

    The losses are averaged forwards and then backwards, so that the average does not lag behind
    the rate; before, they are capped at the first ones, so that the divergence at the end
    does not reach back. The steepest point is sought up to the lowest loss.

    If the loss did not fall by more than it scatters, the proposal is a tenth of the rate with
    the lowest averaged loss, but not less than the lowest rate tried.

    Args:
        rates: ascending, positive, shape (n,).
        losses: loss of the batch at each rate, finite, shape (n,).

    Raises:
        ValueError: the shapes differ, or there are fewer than 2 rates.
    """
    rates, losses = np.asarray(rates, float), np.asarray(losses, float)
    if rates.shape != losses.shape or rates.ndim != 1 or len(rates) < 2:
        raise ValueError(
            "`rates` and `losses` must have the same length of at least 2. "
            f"Received: shapes {rates.shape} and {losses.shape}"
        )
    capped = np.minimum(losses, losses[: max(1, len(losses) // 10)].max())
    curve = smoothed(smoothed(capped)[::-1])[::-1]
    lowest = int(curve.argmin())
    scatter = float(np.std(capped[: lowest + 1] - curve[: lowest + 1]))
    if lowest < 1 or curve[0] - curve[lowest] <= max(scatter, LEAST_DESCENT * abs(curve[0])):
        return Proposal(float(max(rates[0], rates[lowest] / 10)), learned=False)
    slopes = np.gradient(curve[: lowest + 1], np.log(rates[: lowest + 1]))
    return Proposal(float(rates[slopes.argmin()]), learned=True)


def draw_range_test(path: Path, rates: np.ndarray, losses: np.ndarray, proposal: Proposal) -> None:
    """Draws loss against learning rate, with the proposal, into the picture file `path`."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    averages = smoothed(np.asarray(losses, float))
    axes.plot(rates, losses, color="0.8", linewidth=1, label="loss of the batch")
    axes.plot(rates, averages, color="tab:blue", label="averaged")
    axes.axvline(
        proposal.learning_rate,
        color="tab:red",
        linestyle="--",
        label=f"proposal {proposal.learning_rate:.1e}",
    )
    top = 1.5 * averages[: max(1, len(averages) // 10)].max()
    axes.set(
        xscale="log",
        xlabel="learning rate",
        ylabel="training loss",
        title="Range test",
        ylim=(None, top),
    )
    axes.legend()
    figure.savefig(path, dpi=120)
