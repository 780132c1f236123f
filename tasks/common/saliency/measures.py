"""How well a map tells where people looked, measured at the places they looked at.

Z. Bylinskii, T. Judd, A. Oliva, A. Torralba, F. Durand, "What Do Different Evaluation Metrics Tell
Us About Saliency Models?", IEEE TPAMI 2019, section 3. CC, SIM and KL, which compare two maps,
are in `keras_models.metrics.saliency`.

Tensor contract: a map is floating point (height, width), as large as the picture; fixations are
(m, 2), x and y in pixels (`datasets.fixation_maps`). A flat map says nothing: it has NSS 0 and
AUC 1/2.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from datasets.fixation_maps import fixation_counts, pixels_of

# Deviations below this share of a map's largest value are rounding: the map is flat.
_FLAT = 1e-6


def nss(saliency: np.ndarray, fixations: np.ndarray) -> float:
    """Normalised scanpath saliency: the mean of the standardised map over the fixations.

        NSS = 1/m sum_i (S(x_i) - mean(S)) / std(S)

    Every fixation counts, also where two fall into one pixel. 0 is chance; NaN without a fixation.
    """
    if not len(fixations):
        return float("nan")
    values = saliency.astype(np.float64)
    spread = values.std()
    if spread <= _FLAT * np.abs(values).max():
        return 0.0
    found = values[pixels_of(fixations, saliency.shape)]
    return float((found.mean() - values.mean()) / spread)


def auc_judd(saliency: np.ndarray, fixations: np.ndarray) -> float:
    """AUC-Judd: area under the ROC curve of the map as a detector of fixated pixels.

    Positives are the pixels with a fixation, negatives all other pixels, the threshold takes every
    value of the map. Equal values count as half right, which is what the tiny noise of the MIT
    benchmark's code comes to on average. That code also draws straight lines between the
    thresholds at fixated pixels, which adds at most 1 / (2 positives).

    Returns:
        In [0, 1]; 1/2 is chance, NaN where no pixel, or every pixel, is fixated.
    """
    fixated = fixation_counts(fixations, saliency.shape) > 0
    return _auc(saliency[fixated], saliency[~fixated])


def shuffled_auc(saliency: np.ndarray, fixations: np.ndarray, others: np.ndarray) -> float:
    """Shuffled AUC: as AUC-Judd, but the negatives are where people looked on other pictures.

    It gives a centre bias no credit, because those places have it, too (Zhang et al., "SUN: A
    Bayesian framework for saliency using natural statistics", Journal of Vision 2008). All of the
    places given count, so that nothing is left to a sample of them.

    Args:
        saliency: the map.
        fixations: on this picture.
        others: fixations on other pictures, (k, 2), x and y in shares of their widths and heights.

    Returns:
        In [0, 1]; 1/2 is chance, NaN without fixations on this or on other pictures.
    """
    height, width = saliency.shape
    elsewhere = others * np.array([width, height])
    return _auc(
        saliency[pixels_of(fixations, saliency.shape)],
        saliency[pixels_of(elsewhere, saliency.shape)],
    )


def _auc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """How often a positive is larger than a negative, equal ones counted half.

    The area under the ROC curve is just that (Hanley & McNeil, "The meaning and use of the area
    under a receiver operating characteristic curve", Radiology 1982).
    """
    if not len(positives) or not len(negatives):
        return float("nan")
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    not_above = np.searchsorted(ordered, positives, "right")
    return float((below + not_above).mean() / (2 * len(negatives)))


def resized(saliency: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map at another size (height, width), float32; bilinear, averaged where it is reduced."""
    if saliency.shape == tuple(size):
        return saliency.astype(np.float32)
    picture = Image.fromarray(np.ascontiguousarray(saliency, np.float32))
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))
