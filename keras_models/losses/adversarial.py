"""Losses of generators and discriminators that learn against each other, and of cycles.

Paper: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks" (arXiv 1703.10593), sections 3, 4 and 5.2; least squares in place of the logarithm after
Mao et al. 2017 (arXiv 1611.04076).

Tensor contract: scores are of any shape, floating point, any number; translated pictures and maps
are (batch, height, width, channels), the same shape for both arguments. All results are scalars.
"""

from __future__ import annotations

from keras import ops

# Weights of the paper, section 4 and 5.2: identity counts half as much as cycles.
CYCLE_WEIGHT = 10.0
IDENTITY_SHARE = 0.5


def least_squares_generator_loss(fake_scores):
    """Mean of (D(G(x)) - 1)^2: how far the discriminator is from taking it for real."""
    return ops.mean(ops.square(fake_scores - 1.0))


def least_squares_discriminator_loss(real_scores, fake_scores):
    """Half of: mean of (D(y) - 1)^2 plus mean of D(G(x))^2.

    Half, "which slows down the rate at which D learns, relative to the rate of G" (section 7.1).
    """
    return 0.5 * (ops.mean(ops.square(real_scores - 1.0)) + ops.mean(ops.square(fake_scores)))


def cycle_loss(real, rebuilt, weight: float = CYCLE_WEIGHT, mask=None):
    """weight * mean |F(G(x)) - x|: what was lost on the way there and back (equation 2).

    Args:
        real: what went in.
        rebuilt: what came back.
        weight: of the loss.
        mask: 1 where `real` is known, of its shape; None where all of it is.

    Raises:
        ValueError: the shapes differ.
    """
    return weight * _mean_difference(real, rebuilt, mask)


def identity_loss(real, kept, weight: float = IDENTITY_SHARE * CYCLE_WEIGHT, mask=None):
    """weight * mean |G(y) - y|: a generator leaves alone what is of its own kind (section 5.2).

    Args, raises: as `cycle_loss`.
    """
    return weight * _mean_difference(real, kept, mask)


def _mean_difference(one, other, mask=None):
    """Over what is known; 0 where nothing is."""
    shapes = {tuple(values.shape) for values in (one, other, mask) if values is not None}
    if len(shapes) > 1:
        raise ValueError(
            "All must have the same shape (batch, height, width, channels). "
            f"Received: {tuple(one.shape)}, {tuple(other.shape)} and mask "
            f"{None if mask is None else tuple(mask.shape)}"
        )
    differences = ops.abs(other - one)
    if mask is None:
        return ops.mean(differences)
    mask = ops.cast(mask, differences.dtype)
    return ops.sum(differences * mask) / ops.maximum(ops.sum(mask), 1.0)
