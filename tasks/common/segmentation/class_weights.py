"""How much a pixel of each class counts in the loss, by how rare the class is in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Weighting = Literal["none", "enet", "median_frequency"]

ENET_CONSTANT = 1.02
"""Bounds the weights to [1.4, 50.5] (Paszke et al., "ENet", 2016, section 5.2)."""


def class_weights(
    shares: Sequence[float], weighting: Weighting, constant: float = ENET_CONSTANT
) -> tuple[float, ...] | None:
    """One weight per class, whose mean over the training pixels is 1; None where all count alike.

    - `enet`: 1 / ln(constant + share): Paszke, Chaurasia, Kim, Culurciello, "ENet: A Deep Neural
      Network Architecture for Real-Time Semantic Segmentation", arXiv 1606.02147, section 5.2. The
      larger the constant, the more alike the weights.
    - `median_frequency`: median of the shares / share: Eigen and Fergus, "Predicting Depth, Surface
      Normals and Semantic Labels", ICCV 2015, section 6.3.2, with shares of all pixels.

    A class without a pixel has the weight 0: nothing can be learned of it.

    Args:
        shares: of each class among the training pixels that are not void; they sum to 1.
        weighting: which of them.
        constant: of `enet`, at least 1, so that no weight is infinite or negative.

    Raises:
        ValueError: the constant is below 1.
    """
    share = np.asarray(shares, np.float64)
    present = share > 0
    if weighting == "none":
        return None
    if constant < 1:
        raise ValueError(f"constant must be at least 1. Received: {constant=}")
    if weighting == "enet":
        weights = 1 / np.log(constant + np.where(present, share, 1.0))
    else:
        weights = np.median(share[present]) / np.where(present, share, 1.0)
    weights = np.where(present, weights, 0.0)
    return tuple(float(weight) for weight in weights / (weights * share).sum())
