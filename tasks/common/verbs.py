"""The record of how `tasks.evaluate`, `tasks.predict` and `tasks.export` treat the runs of a task.

One record a kind of task: classifiers of pictures, of rows of a table, of texts; points on
pictures. The verbs know no kind by name, they call these functions. Light to import.

A `predict` is short: an iterator of `answers.Answer`, the writers that `prediction_files.writers`
gives for classes, and `answers.hand_out`, which counts, stops and concludes
(`image_classifier_verbs` is the model of one). Answers for picture files come from
`prediction.answers`, whatever the columns of the output are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from tasks.common.predict_options import PredictOptions
    from tasks.common.saved_run import SavedRun


@dataclasses.dataclass(frozen=True)
class Verbs:
    """What can be done with a finished run of one kind of task.

    A model here has one input and one output: from an array of shape (batch, ...), of the name,
    the dtype and the shape of its `keras.Input`, to float32 of shape (batch, columns), or for maps
    (batch, height, width, columns).

    Attributes:
        measure: (saved, source, batch_size) -> the numbers that the run's report gives of a split,
            by the same names, computed now on all examples of the source. A name with `accuracy`
            is a share in [0, 1] and shown in percent, `count` a whole number, NAME_low and
            NAME_high the bounds of the 95 % interval of NAME; all others are shown as decimals.
        outside_examples: (saved, place, split, skip_bad) -> the source that `measure` takes, made
            of what a user names with `--data-dir`; under the class ids of the model, if it has
            any. `split` is "test" or "validation", for places that have both. Examples that cannot
            be read are left out and named on standard error where `skip_bad` is true, else
            DataError. Raises DataError where the place is nothing that the model could answer.
        predict: (saved, options) -> None: answers all that `options.paths` names, on standard
            output and in the files that `options.json`, `options.csv` and `options.pictures`
            name; what cannot be read goes to standard error and does not stop the rest. Raises
            UserError where there was nothing to answer.
        arrays: (saved, source, count) -> inputs of the model, shape (n, ...), of at most `count`
            examples spread evenly over the source; of all, in their order, where `count` is its
            length or more.
        outside_arrays: (saved, place, count) -> the same from a place that a user names, labelled
            or not; what cannot be read is left out. Raises DataError where nothing is left.
        made_up_arrays: (saved) -> made-up inputs of the model, shape (n, ...), n > 0, the same for
            one seed of the run: exports are compared on them where the data of the run is gone.
        output_names: (model) -> a name per column of the output: the classes in order of their
            ids; `x00`, `y00`, `x01` and so on for points.
        example: what one example is, in a word whose plural has an s: `picture`, `row`, `text`.
        metric: the most important number of `measure`, by its name.
        output: `probabilities`, rows that sum to 1; `points`, coordinates as shares of the
            picture's width and height in [0, 1]; `probability_maps`, such rows at each pixel; or
            `maps`, quantities at each pixel: what an export may differ by depends on it.
        made_up: what `made_up_arrays` are, in words.
        annotates: whether `predict` can write annotated copies of pictures (`--pictures`). Where
            it cannot, that option is refused before.
        resize_picture: (saved) -> TensorFlow operations from one picture, uint8 (any, any, 3), to
            uint8 (height, width, 3), as the model was trained: for an export that takes encoded
            pictures. None where examples are no pictures.
        served: the network -> what an export holds of it, which takes pictures of any size; None
            where an export holds the network itself.
        networks: other networks of the run by name: saved -> a network that
            `tasks.export --network NAME` writes.
        kept: names of layers that a quantised export computes in float all the same.
        compared: examples that an export is compared on, at most.
        batch_size: of a benchmark of exports.
        writes_arrays: whether `predict` can write arrays (`--arrays`).
        writes_clouds: whether `predict` can write clouds of points (`--point-cloud`).
    """

    measure: Callable[[SavedRun, Any, int], dict[str, float]]
    outside_examples: Callable[[SavedRun, Path, str, bool], Any]
    predict: Callable[[SavedRun, PredictOptions], None]
    arrays: Callable[[SavedRun, Any, int], np.ndarray]
    outside_arrays: Callable[[SavedRun, Path, int], np.ndarray]
    made_up_arrays: Callable[[SavedRun], np.ndarray]
    output_names: Callable[[keras.Model], tuple[str, ...]]
    example: str
    metric: str
    output: Literal["probabilities", "points", "probability_maps", "maps"]
    made_up: str = "made-up examples"
    annotates: bool = False
    resize_picture: Callable[[SavedRun], Callable[[tf.Tensor], tf.Tensor]] | None = None
    served: Callable[[keras.Model], keras.Model] | None = None
    networks: Mapping[str, Callable[[SavedRun], keras.Model]] = dataclasses.field(
        default_factory=dict
    )
    kept: tuple[str, ...] = ()
    compared: int = 128
    batch_size: int = 32
    writes_arrays: bool = False
    writes_clouds: bool = False
