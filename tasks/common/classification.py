"""Numbers that judge a classifier, from its probabilities alone.

Tensor contract: probabilities float (n, classes) in [0, 1], rows summing to 1; labels int (n,),
class ids in [0, classes). Classes that have no example in the split are left out of the averages
over classes (balanced accuracy, macro F1, mean average precision): nothing is known about them.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
)

# Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, table 1: M = 15 bins.
CALIBRATION_BINS = 15
# Room for the rounding of a softmax in float16, the coarsest one a serving model computes in.
SUM_TOLERANCE = 1e-2


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """What a classifier said about one split, beside the truth.

    Attributes:
        probabilities: float, shape (n, classes), in [0, 1], each row summing to 1.
        labels: true class ids, int, shape (n,), in [0, classes).
        identifiers: where each example comes from, n strings.
        class_names: one name per class id, at least two.

    Raises:
        ValueError: the parts do not fit together, the split is empty, or a probability is NaN.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    identifiers: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self):
        _check_shapes(self)
        _check_values(self)

    @functools.cached_property
    def predicted(self) -> np.ndarray:
        """Most probable class ids, int64, shape (n,); the lowest id where several tie."""
        return np.argmax(self.probabilities, axis=1)

    @functools.cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the predicted class, float, shape (n,)."""
        return np.max(self.probabilities, axis=1)

    @functools.cached_property
    def truth_probability(self) -> np.ndarray:
        """Probability given to the true class, float, shape (n,)."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]

    @functools.cached_property
    def correct(self) -> np.ndarray:
        """Where the most probable class is the true one, bool, shape (n,)."""
        return self.predicted == self.labels


def _check_shapes(predictions: Predictions) -> None:
    probabilities, labels = predictions.probabilities, predictions.labels
    classes = len(predictions.class_names)
    if classes < 2:
        raise ValueError(
            f"class_names must name at least two classes. Received: {predictions.class_names}"
        )
    if labels.ndim != 1 or len(labels) == 0 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            "labels must be integers of shape (n,), n at least 1. "
            f"Received: labels.shape={labels.shape}, labels.dtype={labels.dtype}"
        )
    if probabilities.shape != (len(labels), classes):
        raise ValueError(
            f"probabilities must have the shape (examples, classes) = ({len(labels)}, {classes}). "
            f"Received: probabilities.shape={probabilities.shape}"
        )
    if len(predictions.identifiers) != len(labels):
        raise ValueError(
            f"identifiers must name each of the {len(labels)} examples. "
            f"Received: len(identifiers)={len(predictions.identifiers)}"
        )


def _check_values(predictions: Predictions) -> None:
    probabilities, labels = predictions.probabilities, predictions.labels
    if not np.isfinite(probabilities).all():
        index = int(np.flatnonzero(~np.isfinite(probabilities).all(axis=1))[0])
        raise ValueError(
            "probabilities must be finite. Received: NaN or infinity for example "
            f"{index} ({predictions.identifiers[index]})"
        )
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise ValueError(
            "probabilities must be at least 0 and sum to 1 in each row; are these logits? "
            f"Received: minimum {probabilities.min()}, row sums {sums.min()} to {sums.max()}"
        )
    if labels.min() < 0 or labels.max() >= len(predictions.class_names):
        raise ValueError(
            f"labels must be in [0, {len(predictions.class_names)}). "
            f"Received: labels from {labels.min()} to {labels.max()}"
        )


def metrics(predictions: Predictions) -> dict[str, float]:
    """The numbers of one split, in the order in which a report shows them.

    Returns:
        count: number of examples.
        accuracy, accuracy_low, accuracy_high: share of right answers and its 95 % interval.
        top_5_accuracy: share whose truth is among the five most probable; above 5 classes only.
        balanced_accuracy: mean recall over the classes present.
        macro_f1: mean F1 over the classes present.
        mean_average_precision: mean over the classes present of the area under precision-recall.
        log_loss: mean -ln(probability of the truth), nats, probabilities clipped at 1.2e-7.
        expected_calibration_error: mean distance of confidence and accuracy, in [0, 1].
    """
    labels, count = predictions.labels, len(predictions.labels)
    low, high = accuracy_interval(int(predictions.correct.sum()), count)
    present = np.unique(labels)
    _, recall, f1, _ = precision_recall_fscore_support(
        labels, predictions.predicted, labels=present, average="macro", zero_division=0
    )
    numbers = {
        "count": count,
        "accuracy": predictions.correct.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": recall,
        "macro_f1": f1,
        "mean_average_precision": np.nanmean(_average_precisions(predictions)),
        "log_loss": _log_loss(predictions),
        "expected_calibration_error": expected_calibration_error(reliability_bins(predictions)),
    }
    if len(predictions.class_names) > 5:
        numbers["top_5_accuracy"] = top_k_accuracy(predictions, 5)
    return {name: value if name == "count" else float(value) for name, value in numbers.items()}


def accuracy_interval(correct: int, count: int) -> tuple[float, float]:
    """95 % interval of a share of right answers: the score interval of Wilson.

    Unlike the interval from the normal approximation it never leaves [0, 1] and keeps its
    coverage for few examples and for shares near 0 and 1 (Brown, Cai and DasGupta, "Interval
    Estimation for a Binomial Proportion", Statistical Science 16, 2001).

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22, 1927.

    Raises:
        ValueError: `count` is not positive, or `correct` is not in [0, count].
    """
    interval = binomtest(correct, count).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def top_k_accuracy(predictions: Predictions, k: int) -> float:
    """Share of examples whose true class is among the `k` most probable.

    Ties go to the lower class id, as they do in `Predictions.predicted`, so that the number
    never falls below the accuracy; scikit-learn's `top_k_accuracy_score` breaks them otherwise.
    """
    order = np.argsort(-predictions.probabilities, axis=1, kind="stable")
    return float((order[:, :k] == predictions.labels[:, None]).any(axis=1).mean())


def _log_loss(predictions: Predictions) -> float:
    # In float32 scikit-learn clips at 1.2e-7, next to the 1e-7 of Keras's own cross-entropy; in
    # float64 a single probability that underflowed to 0 would weigh as much as 36 nats.
    probabilities = predictions.probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    classes = np.arange(len(predictions.class_names))
    return log_loss(predictions.labels, probabilities.astype(np.float32), labels=classes)


def _average_precisions(predictions: Predictions) -> np.ndarray:
    """One average precision per class, float64, shape (classes,); NaN for an absent class."""
    scores = np.full(len(predictions.class_names), np.nan)
    for class_id in np.unique(predictions.labels):
        scores[class_id] = average_precision_score(
            predictions.labels == class_id, predictions.probabilities[:, class_id]
        )
    return scores


@dataclasses.dataclass(frozen=True)
class ClassScores:
    """How one class was recognised; None where a share has no denominator.

    Attributes:
        class_id: the class.
        name: its name.
        count: examples of the class in the split.
        correct: those of them recognised.
        precision: share of right answers among the answers naming this class.
        recall: share of this class's examples that were recognised.
        f1: harmonic mean of the two.
        average_precision: area under the class's precision-recall curve.
    """

    class_id: int
    name: str
    count: int
    correct: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None


def per_class_table(predictions: Predictions) -> list[ClassScores]:
    """One row of scores per class, in order of the class ids."""
    classes = np.arange(len(predictions.class_names))
    columns = precision_recall_fscore_support(
        predictions.labels, predictions.predicted, labels=classes, zero_division=np.nan
    )
    precision, recall, f1, counts = columns
    # Without an example of a class its F1 would be 0 or undefined depending on the answers.
    f1 = np.where(counts > 0, f1, np.nan)
    correct = np.diagonal(confusion_counts(predictions))
    shares = np.stack([precision, recall, f1, _average_precisions(predictions)], axis=1)
    return [
        ClassScores(
            int(class_id),
            predictions.class_names[class_id],
            int(counts[class_id]),
            int(correct[class_id]),
            *(None if np.isnan(share) else float(share) for share in shares[class_id]),
        )
        for class_id in classes
    ]


def confusion_counts(predictions: Predictions) -> np.ndarray:
    """Examples by true class (row) and predicted class (column), int64, (classes, classes)."""
    classes = np.arange(len(predictions.class_names))
    return confusion_matrix(predictions.labels, predictions.predicted, labels=classes)


@dataclasses.dataclass(frozen=True)
class ConfusedPair:
    """How often one class was taken for another.

    Attributes:
        truth, predicted: class ids.
        count: examples of `truth` that were called `predicted`.
        share: `count` over all the examples of `truth`, in (0, 1].
    """

    truth: int
    predicted: int
    count: int
    share: float


def most_confused_pairs(predictions: Predictions, k: int) -> list[ConfusedPair]:
    """The at most `k` ordered pairs of classes most often mixed up: by count, then by share."""
    counts = confusion_counts(predictions)
    totals = counts.sum(axis=1)
    pairs = [
        ConfusedPair(
            int(truth),
            int(predicted),
            int(counts[truth, predicted]),
            float(counts[truth, predicted] / totals[truth]),
        )
        for truth, predicted in np.argwhere(counts)
        if truth != predicted
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:k]


@dataclasses.dataclass(frozen=True)
class Mistake:
    """One wrong answer.

    Attributes:
        index: position of the example in the split.
        identifier: where the example comes from.
        truth, predicted: class ids.
        truth_probability: probability given to the true class.
        confidence: probability given to the predicted class.
    """

    index: int
    identifier: str
    truth: int
    predicted: int
    truth_probability: float
    confidence: float


def worst_mistakes(predictions: Predictions, k: int) -> list[Mistake]:
    """The at most `k` wrong answers with the largest loss: the truth was least expected."""
    return _mistakes(predictions, (-predictions.confidence, predictions.truth_probability))[:k]


def surest_mistakes(
    predictions: Predictions, k: int, besides: list[Mistake] | None = None
) -> list[Mistake]:
    """The at most `k` wrong answers given with the highest confidence.

    For two classes the order is that of `worst_mistakes`, and for more it is often similar, so a
    report that shows both passes the first list as `besides`, whose examples are then left out.
    """
    shown = {mistake.index for mistake in besides or []}
    order = _mistakes(predictions, (predictions.truth_probability, -predictions.confidence))
    return [mistake for mistake in order if mistake.index not in shown][:k]


def _mistakes(predictions: Predictions, keys: tuple[np.ndarray, ...]) -> list[Mistake]:
    """All wrong answers, sorted by the last of `keys` first, as `numpy.lexsort` does."""
    return [
        Mistake(
            int(index),
            predictions.identifiers[index],
            int(predictions.labels[index]),
            int(predictions.predicted[index]),
            float(predictions.truth_probability[index]),
            float(predictions.confidence[index]),
        )
        for index in np.lexsort(keys)
        if not predictions.correct[index]
    ]


@dataclasses.dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """Confidence and accuracy of the examples between equally spaced confidences.

    Attributes:
        edges: float64, shape (bins + 1,), from 0 to 1; a bin holds its upper edge, not its lower.
        counts: int64, shape (bins,), examples in each bin.
        confidences: float64, shape (bins,), mean confidence; NaN in an empty bin.
        accuracies: float64, shape (bins,), share of right answers; NaN in an empty bin.
    """

    edges: np.ndarray
    counts: np.ndarray
    confidences: np.ndarray
    accuracies: np.ndarray


def reliability_bins(predictions: Predictions, bins: int = CALIBRATION_BINS) -> ReliabilityBins:
    """Groups the examples by confidence (Guo et al., 2017, section 2, equation 2)."""
    edges = np.linspace(0, 1, bins + 1)
    place = np.digitize(predictions.confidence, edges[1:-1], right=True)
    counts = np.bincount(place, minlength=bins)

    def mean_in_bins(values: np.ndarray) -> np.ndarray:
        sums = np.bincount(place, weights=values, minlength=bins)
        return np.divide(sums, counts, out=np.full(bins, np.nan), where=counts > 0)

    return ReliabilityBins(
        edges, counts, mean_in_bins(predictions.confidence), mean_in_bins(predictions.correct)
    )


def expected_calibration_error(bins: ReliabilityBins) -> float:
    """Mean distance between confidence and accuracy, weighted by the examples in each bin.

    In [0, 1]; 0 when answers given with a confidence of 80 % are right 80 % of the time, and so
    on (Guo et al., 2017, section 2, equation 3).
    """
    filled = bins.counts > 0
    gaps = np.abs(bins.accuracies - bins.confidences)[filled]
    return float(np.average(gaps, weights=bins.counts[filled]))
