"""How well the classes of pixels are found: everything follows from one confusion matrix.

Tensor contract: a confusion matrix is int64 (int32 on JAX), (classes, classes); row t, column p
counts the pixels of true class t that were taken for class p. Pixels whose true id is no class,
outside [0, classes), are void and in no cell. Scores are float32, NaN where they are not defined.
"""

from __future__ import annotations

import keras
from keras import ops


def confusion_matrix(y_true, y_pred, class_count: int):
    """Counts pixels by true and by predicted class.

    Args:
        y_true: class ids of any shape and dtype; an id outside [0, class_count) is void.
        y_pred: class ids of the same number of pixels, each in [0, class_count).
        class_count: number of classes.

    Returns:
        int64 (class_count, class_count).
    """
    truth = ops.reshape(ops.cast(y_true, "int32"), (-1,))
    predicted = ops.reshape(ops.cast(y_pred, "int32"), (-1,))
    valid = ops.logical_and(truth >= 0, truth < class_count)
    # Void pixels are counted in a cell behind the last one, which is cut off.
    cells = class_count * class_count
    cell = ops.where(valid, truth * class_count + predicted, cells)
    counts = ops.segment_sum(ops.ones_like(cell), cell, num_segments=cells + 1)
    return ops.cast(ops.reshape(counts[:cells], (class_count, class_count)), "int64")


def intersection_over_union(matrix):
    """Of each class: pixels found / (pixels of the class or taken for it), float32 (classes,).

    NaN for a class that is neither in the truth nor in the prediction. Everingham et al., "The
    Pascal Visual Object Classes Challenge", IJCV 2010, section 4.2.
    """
    found, true, predicted = _marginals(matrix)
    return _ratio(found, true + predicted - found)


def dice_scores(matrix):
    """Of each class: 2 found / (pixels of the class + pixels taken for it), float32 (classes,).

    NaN as in `intersection_over_union`; it is 2 IoU / (1 + IoU), the F1 score of the pixels.
    """
    found, true, predicted = _marginals(matrix)
    return _ratio(2.0 * found, true + predicted)


def pixel_accuracy(matrix):
    """Share of the pixels whose class was found, a float32 scalar; NaN without pixels."""
    found, true, _ = _marginals(matrix)
    return _ratio(ops.sum(found), ops.sum(true))


def mean_of_defined(scores):
    """Mean of the scores (n,) that are not NaN; NaN without any."""
    defined = ops.logical_not(ops.isnan(scores))
    total = ops.sum(ops.where(defined, scores, 0.0))
    return _ratio(total, ops.sum(ops.cast(defined, "float32")))


def _marginals(matrix):
    """Found, true and predicted pixels of each class, float32 (classes,) each.

    Counts are summed as integers: float32 is exact to 16.7 million only.
    """
    matrix = ops.convert_to_tensor(matrix)
    counts = ops.diagonal(matrix), ops.sum(matrix, axis=1), ops.sum(matrix, axis=0)
    return tuple(ops.cast(count, "float32") for count in counts)


def _ratio(part, whole):
    return ops.where(whole > 0, part / ops.where(whole > 0, whole, 1.0), float("nan"))


@keras.saving.register_keras_serializable(package="keras_models")
class MeanIoU(keras.metrics.Metric):
    """Mean over the classes of intersection over union, counted over all pixels seen so far.

    Not the mean of the batches' values: a class that is rare in a batch would count by chance.
    Unlike `keras.metrics.MeanIoU` it leaves void out whatever its id, and takes a class that does
    not occur out of the mean.

    Args:
        class_count: number of classes.
    """

    def __init__(self, class_count: int, name: str = "mean_iou", **kwargs):
        """Start with an empty confusion matrix."""
        super().__init__(name=name, **kwargs)
        self.class_count = int(class_count)
        self.matrix = self.add_variable(
            (self.class_count, self.class_count), "zeros", dtype="int64", name="matrix"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: class ids (batch, height, width[, 1]); probabilities (..., classes).

        Raises:
            ValueError: `sample_weight` is given.
        """
        if sample_weight is not None:
            raise ValueError("MeanIoU takes no `sample_weight`: mark pixels as void instead.")
        # As `argmax`, which takes three times as long on a CPU where classes are few.
        found = ops.top_k(y_pred, 1)[1]
        self.matrix.assign_add(confusion_matrix(y_true, found, self.class_count))

    def result(self):
        """The mean over the classes that occur; 0 before any pixel was seen."""
        scores = mean_of_defined(intersection_over_union(self.matrix))
        return ops.where(ops.isnan(scores), 0.0, scores)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "class_count": self.class_count}
