"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs whose answers are maps."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

import keras

from datasets.core import LabelledSource
from keras_models import any_size
from keras_models.map_output import map_layer
from tasks.common import image_classifier_verbs
from tasks.common.answers import Answer, hand_out
from tasks.common.dense import answer_files, answers, own_size
from tasks.common.dense.kind import DenseKind
from tasks.common.predict_options import PredictOptions
from tasks.common.saved_run import SavedRun
from tasks.common.verbs import Verbs

# Each picture has thousands of answers: a share of wrong pixels of one in a million would show.
_COMPARED = 16
# Maps of 32 pictures of 512 x 1024 pixels and 19 classes would be 1.3 GB.
_BATCH = 4


def dense_verbs(kind: DenseKind) -> Verbs:
    """The verbs of a kind of maps."""
    of_classes = kind.output == "probabilities"
    ids = {"classes": lambda saved: any_size.class_ids(saved.model)} if of_classes else {}
    return dataclasses.replace(
        image_classifier_verbs.VERBS,
        measure=functools.partial(measure, kind),
        outside_examples=kind.outside_examples,
        predict=functools.partial(predict, kind),
        output_names=output_names,
        metric=kind.metric,
        output="probability_maps" if of_classes else "maps",
        resize_picture=None,
        served=any_size.any_size,
        networks={**ids, **kind.networks},
        kept=(any_size.TO_NETWORK, any_size.TO_PICTURE),
        compared=_COMPARED,
        batch_size=_BATCH,
        writes_arrays=True,
        writes_clouds=kind.point_cloud is not None,
    )


def measure(
    kind: DenseKind, saved: SavedRun, source: LabelledSource, batch_size: int
) -> dict[str, float]:
    """The kind's own numbers, in batches whose maps are not too large to hold."""
    fitting = own_size.batch_size(saved.model.output_shape[1:], batch_size)
    return kind.measure(saved, source, fitting)


def predict(kind: DenseKind, saved: SavedRun, options: PredictOptions) -> None:
    """Answers picture after picture and frame after frame, to everything that was asked for.

    Raises:
        UserError: no picture was found, or none could be read.
        Interrupted: the user stopped it.
    """

    def until_the_end(end: Callable[[], None]) -> Iterator[Answer]:
        yield from answers.answers(saved, options)
        end()

    with answer_files.writers(options, saved, kind) as (write, end):
        files = "picture files, videos, or folders that hold some"
        hand_out(until_the_end(end), [write], options, "picture", files, "mapped")


def output_names(model: keras.Model) -> tuple[str, ...]:
    """What the channels of the maps, or the class ids, are called."""
    last = model.layers[-1]
    return last.names if isinstance(last, any_size.ClassIds) else map_layer(model).names
