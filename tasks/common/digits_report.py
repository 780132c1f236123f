"""What the report of a network for digits adds to that of any classifier: errors and filters."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import matplotlib
import numpy as np
from matplotlib.figure import Figure

from callbacks.filter_pictures import filter_sheet, write_filters
from tasks.common import classification, figures, image_classifier_report
from tasks.common.classification_report import ClassificationReport
from tasks.common.report import Section
from tasks.common.tables import markdown_table
from tasks.common.task import Run, Task

# Pixels of the sheet an inch of the figure: the pixels stay visible.
_PIXELS_AN_INCH = 110


def report(task: Task, run: Run) -> None:
    """The report of any image classifier, with the error rate and the filters of the first layer.

    The field of handwritten digits counts errors, since 98.9 % and 99.1 % look alike and 1.1 %
    and 0.9 % do not.
    """
    filters = first_layer_filters(run.model)
    document = image_classifier_report.report(
        task, run, lambda document: [_errors(document), _filters(filters)]
    )
    write_filters(run.folder.tensorboard, filters)
    print(f"test error: {error_rate(classification.metrics(document.test))}")


def error_rate(metrics: Mapping[str, float]) -> str:
    """The share of wrong answers in percent with its 95 % interval, from that of right ones."""
    rate, low, high = (
        f"{100 * (1 - metrics[name]):.2f}" for name in ("accuracy", "accuracy_high", "accuracy_low")
    )
    return f"{rate} % ({low} to {high} %)"


def first_layer_filters(model: keras.Model) -> np.ndarray:
    """The weights of the first convolution, float (filters, height, width, 1 or 3).

    Raises:
        ValueError: the model has no convolution.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            return np.moveaxis(keras.ops.convert_to_numpy(layer.kernel), -1, 0)
    raise ValueError(f"`model` must have a convolution. Received: model={model.name!r}")


def _errors(document: ClassificationReport) -> Section:
    metrics = {"this model": classification.metrics(document.test)} | dict(document.baselines)
    rows = [(name, error_rate(values)) for name, values in metrics.items()]
    text = "Share of the test pictures that are classified wrongly."
    if document.info.name == "mnist":
        text += (
            " With 60,000 training and 10,000 test pictures LeCun et al. 1998 report 0.95 % for "
            "LeNet-5, 0.8 % for LeNet-5 trained with distorted pictures, and 12.0 % for a linear "
            "classifier."
        )
    return Section("Error rate", f"{markdown_table(('', 'test error'), rows)}\n\n{text}")


def _filters(filters: np.ndarray) -> Section:
    count, height, width, _ = filters.shape
    text = (
        f"The {count} filters of {height} x {width} pixels that the first layer has learned. Grey "
        "is a weight of 0, white (or a full colour) the filter's largest weight, black its "
        "negative: an edge is a bright side beside a dark one."
    )
    return Section("Filters of the first layer", text, {"filters": _sheet_figure(filters)})


@matplotlib.rc_context(figures.STYLE)
def _sheet_figure(filters: np.ndarray) -> Figure:
    sheet = filter_sheet(filters)
    figure = figures.new_figure(*(side / _PIXELS_AN_INCH for side in sheet.shape[1::-1]))
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    return figure
