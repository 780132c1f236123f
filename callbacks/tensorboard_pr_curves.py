"""Precision against recall in TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.pr_curve import summary as pr_curve

from callbacks.event_writer import event_writer


def write_pr_curves(
    folder: Path,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    most_classes: int = 20,
) -> None:
    """Writes a curve over all classes, and one against the rest for each of the hardest classes.

    The curve over all classes counts every pair of an example and a class as one decision.

    Args:
        folder: TensorBoard folder of the run; the curves go to its part `test`.
        labels: class ids, integers, shape (n,).
        probabilities: range [0, 1], shape (n, classes).
        class_names: names by class id.
        most_classes: how many classes have their own curve: those whose examples were given
            the lowest mean probability of their own class. Classes without examples have none.

    Raises:
        ValueError: the shapes do not fit together.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, np.float32)
    if probabilities.shape != (len(labels), len(class_names)):
        raise ValueError(
            f"`probabilities` must have shape ({len(labels)}, {len(class_names)}): examples, "
            f"classes. Received: shape {probabilities.shape}"
        )
    truth = labels[:, None] == np.arange(len(class_names))
    with event_writer(folder / "test"):
        _write("pr_curve/all_classes", truth, probabilities)
        for class_id in hardest_classes(truth, probabilities)[:most_classes]:
            name = f"pr_curve/{class_names[class_id]}"
            _write(name, truth[:, class_id], probabilities[:, class_id])


def hardest_classes(truth: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """Classes that have examples, those first whose examples got the least probability for them.

    Args:
        truth: bool, shape (n, classes), True at each example's class.
        probabilities: range [0, 1], shape (n, classes).
    """
    counts = truth.sum(axis=0)
    means = (probabilities * truth).sum(axis=0) / np.maximum(counts, 1)
    return [int(class_id) for class_id in np.argsort(means, kind="stable") if counts[class_id]]


def _write(name: str, truth: np.ndarray, probabilities: np.ndarray) -> None:
    # Rounding may leave a softmax a little above 1, where the plugin has no bucket.
    inside = np.clip(probabilities.ravel(), 0, 1)
    record = pr_curve.pb(name, truth.ravel(), inside)
    tf.summary.experimental.write_raw_pb(record.SerializeToString(), step=0)
