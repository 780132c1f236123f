"""The learning rates of an optimizer, whatever it is wrapped in."""

from __future__ import annotations

import keras


def optimizer_groups(
    optimizer: keras.optimizers.Optimizer,
) -> dict[str, keras.optimizers.Optimizer]:
    """The optimizers that hold a learning rate of their own, by name.

    A `keras.optimizers.MultiOptimizer` has one per group of variables, known by the name that the
    inner optimizer was given; any other optimizer is one group with the empty name. A
    `LossScaleOptimizer` is looked through.

    Raises:
        ValueError: two groups of a `MultiOptimizer` have the same name.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not hasattr(optimizer, "optimizers"):
        return {"": optimizer}
    names = [inner.name for inner in optimizer.optimizers]
    if len(set(names)) < len(names):
        raise ValueError(
            "The optimizers inside a MultiOptimizer must have different names, so that their "
            f"learning rates can be told apart. Received: names={names}"
        )
    return dict(zip(names, optimizer.optimizers, strict=True))


def learning_rates(optimizer: keras.optimizers.Optimizer) -> dict[str, float]:
    """The learning rate that the next step will use, one per group of variables.

    Returns:
        `{"learning_rate": value}`, or `{"learning_rate_NAME": value, ...}` for a
        `MultiOptimizer`: the keys that Keras's own callbacks use. A schedule is evaluated at the
        optimizer's present step.
    """
    return {
        f"learning_rate_{name}" if name else "learning_rate": float(
            keras.ops.convert_to_numpy(group.learning_rate)
        )
        for name, group in optimizer_groups(optimizer).items()
    }
