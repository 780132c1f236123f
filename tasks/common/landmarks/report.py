"""The end of a run that finds points: test once, beside baselines; report and TensorBoard."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from callbacks.tensorboard_hparams import write_hparams
from datasets import core, landmark_batches
from datasets.landmark_batches import LandmarkBatching
from keras_models import transfer
from keras_models.metrics.landmarks import FAILURE_THRESHOLD
from tasks.common import figures, run_folder, run_sections
from tasks.common.landmarks import baselines, drawing, measures
from tasks.common.landmarks import figures as landmark_figures
from tasks.common.landmarks import training as landmark_training
from tasks.common.landmarks.measures import LandmarkPredictions
from tasks.common.metric_directions import Headline
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.tables import markdown_table, text_table
from tasks.common.task import Run, Task
from tasks.common.wording import decimal, duration, percent

_BATCH = 64
_SHOWN = 8
# Side that pictures are averaged down to, at most, for the linear baseline without a pretrained
# network, in pixels.
_THUMBNAIL = 24
# Places a side that the linear baseline sees of a pretrained network's maps, at most.
_PLACES = 4
_HEADLINE = "normalised_mean_error"

Evaluations = Mapping[str, LandmarkPredictions]


def report(task: Task, run: Run) -> None:
    """Predicts validation and test with the best model, writes the report, prints the table."""
    started = time.monotonic()
    splits = {
        name: predictions(run.model, getattr(run.splits, name), run.config)
        for name in ("validation", "test")
    }
    evaluated = time.monotonic()
    others = _baselines(task, run, splits)
    seconds = {
        **run.seconds,
        "evaluation": evaluated - started,
        "baselines": time.monotonic() - evaluated,
    }
    metrics = {name: measures.metrics(splits[name]) for name in ("test", "validation")}
    baseline = {name: measures.metrics(other) for name, other in others.items()}
    parameters = run.model.count_params()
    write_metrics(
        run.folder.report,
        task.name,
        metrics,
        baseline,
        seconds,
        parameters,
        Headline(_HEADLINE, "min"),
    )
    sections = [
        Section("", _headline(metrics["test"], baseline, run)),
        _results(metrics, baseline),
        _curves({"this model": splits["test"], **others}),
        _points(run, splits["test"]),
        _faces(run, splits["test"]),
        run_sections.learning(run.history, seconds, _HEADLINE, "min"),
        run_sections.origin(
            run.splits.info,
            run_folder.environment(run.folder),
            parameters,
            [("points", run.splits.info.scheme.name), ("loss", run.config.loss)],
        ),
    ]
    write_report(run.folder.report, f"{task.name} on {run.splits.info.name}", sections)
    results = {f"test_{key}": value for key, value in metrics["test"].items()}
    write_hparams(
        run.folder.tensorboard, dataclasses.asdict(run.config), results, run.folder.path.name
    )
    print(_closing_table(metrics["test"], baseline, run))


def predictions(
    model: keras.Model, source: core.LabelledSource, config: Any, batch_size: int = _BATCH
) -> LandmarkPredictions:
    """What the model says about every example of a source, beside the truth."""
    size = tuple(model.input_shape[1:3])
    batching = LandmarkBatching(batch_size, size, model.output_shape[-1] // 2, config.workers)
    truth, predicted = landmark_training.predict(model, source, batching)
    return LandmarkPredictions(
        truth=truth,
        predicted=predicted,
        persons=np.asarray(source.labels),
        identifiers=tuple(source.identifier(index) for index in range(len(source))),
        image_size=size,
        eye_corners=landmark_training.eye_corners(model),
    )


def _baselines(task: Task, run: Run, splits: Evaluations) -> dict[str, LandmarkPredictions]:
    """The mean face, and a ridge regression, on the test split."""
    batching = landmark_training.batching_of(run.config, run.splits.info, _BATCH)
    name, network = _linear_features(task, run)
    features, truth = {}, {}
    for split in ("train", "validation", "test"):
        source = getattr(run.splits, split)
        truth[split], features[split] = landmark_training.predict(network, source, batching)
    face = baselines.mean_face(truth["train"])
    test, validation = splits["test"], splits["validation"]

    def validation_error(predicted: np.ndarray) -> float:
        guess = dataclasses.replace(validation, predicted=predicted.astype(np.float32))
        return measures.metrics(guess)[_HEADLINE]

    linear = baselines.ridge(features, truth["train"], validation_error)
    return {
        "mean face": dataclasses.replace(test, predicted=np.tile(face, (len(test.truth), 1))),
        f"ridge regression on {name}": dataclasses.replace(
            test, predicted=linear.astype(np.float32)
        ),
    }


def _linear_features(task: Task, run: Run) -> tuple[str, keras.Model]:
    """What the linear baseline sees: the backbone's first weights if there are any, else pixels."""
    config = run.config
    if config.weights == "none":
        image = keras.Input((*config.image_size, 3), dtype="uint8")
        maps = keras.layers.Rescaling(1 / 255, dtype="float32")(image)
        places, name = _THUMBNAIL, "small pictures"
    else:
        network = task.build_model(config, run.splits.info)
        image = network.input
        maps = transfer.backbone_of(network)(network.get_layer("preprocessing").output)
        places, name = _PLACES, f"frozen {config.backbone} features"
    pool = tuple(-(-side // places) for side in maps.shape[1:3])
    few = keras.layers.AveragePooling2D(pool, padding="same", dtype="float32")(maps)
    return name, keras.Model(image, keras.layers.Flatten(dtype="float32")(few))


def _headline(test: Mapping[str, float], baseline: Mapping[str, Any], run: Run) -> str:
    others = ", ".join(f"{name} {decimal(values[_HEADLINE])}" for name, values in baseline.items())
    eyes = landmark_training.eye_corners(run.model) is not None
    size = "distance of the outer eye corners" if eyes else "size of the points' box"
    return (
        f"The points of {test['count']} test faces are off by **{decimal(test[_HEADLINE])}** of "
        f"the {size} on average (95 % interval {_interval(test)}, persons resampled); "
        f"{percent(test['failure_rate'])} of the faces by more than {FAILURE_THRESHOLD}. "
        f"For comparison: {others}."
    )


def _interval(values: Mapping[str, float]) -> str:
    return f"{decimal(values[f'{_HEADLINE}_low'])} to {decimal(values[f'{_HEADLINE}_high'])}"


def _results(metrics: Mapping[str, Any], baseline: Mapping[str, Any]) -> Section:
    columns = {"this model": metrics["test"], "on validation": metrics["validation"], **baseline}
    names = [name for name in metrics["test"] if not name.endswith(("_low", "_high"))]
    rows = [
        (name.replace("_", " "), *(_shown(name, values[name]) for values in columns.values()))
        for name in names
    ]
    models = {"this model": metrics["test"], **baseline}
    # Without a face whose size is known there is no error to draw.
    known = all(np.isfinite(values[_HEADLINE]) for values in models.values())
    figure = {"baselines": _bars(models)} if known else {}
    return Section("Results", markdown_table(("metric", *columns), rows), figure)


def _bars(models: Mapping[str, Any]) -> figures.Figure:
    return figures.metric_bars(
        {name: values[_HEADLINE] for name, values in models.items()},
        "normalised mean error on test, lower is better",
        {
            name: (values[f"{_HEADLINE}_low"], values[f"{_HEADLINE}_high"])
            for name, values in models.items()
        },
    )


def _shown(name: str, value: float) -> str:
    return str(value) if name == "count" else decimal(value)


def _curves(models: Evaluations) -> Section:
    curves = {name: measures.cumulative_curve(model) for name, model in models.items()}
    text = "How many faces are found how well: the higher a curve rises to the left, the better."
    figure = landmark_figures.cumulative_curves(curves)
    return Section("Cumulative error", text, {"cumulative_error": figure})


def _points(run: Run, test: LandmarkPredictions) -> Section:
    scheme = run.splits.info.scheme
    errors = measures.point_errors(test)
    face = baselines.mean_face(test.pixels(test.truth)).reshape(-1, 2)
    size = (
        np.linalg.norm(face[test.eye_corners[0]] - face[test.eye_corners[1]])
        if test.eye_corners is not None
        else np.sqrt(np.prod(np.ptp(face, axis=0)))
    )
    order = np.argsort(np.nan_to_num(errors, nan=-1.0))[::-1]
    rows = [(scheme.point_names[number], decimal(errors[number])) for number in order[:10]]
    text = "The ten points that are hardest to find; each disc below is as large as the mean error."
    table = markdown_table(("point", "mean error"), rows)
    figure = landmark_figures.point_error_map(face / max(size, 1e-6), errors, scheme.lines)
    return Section("Points", f"{text}\n\n{table}", {"point_errors": figure})


def _faces(run: Run, test: LandmarkPredictions) -> Section:
    errors = measures.errors(test)
    order = np.argsort(errors, kind="stable")
    order = order[~np.isnan(errors[order])]
    groups = {"best_faces": order[:_SHOWN], "worst_faces": order[::-1][:_SHOWN]}
    shown = {name: _grid(run, test, errors, chosen) for name, chosen in groups.items()}
    text = "Red is the prediction, green the truth; missing points have no green."
    drawn = {name: figure for name, figure in shown.items() if figure is not None}
    return Section("Best and worst faces", text, drawn)


def _grid(
    run: Run, test: LandmarkPredictions, errors: np.ndarray, chosen: np.ndarray
) -> figures.Figure | None:
    if not len(chosen):
        return None
    lines = run.splits.info.scheme.lines
    subset = core.Subset(run.splits.test, chosen)
    batching = landmark_training.batching_of(run.config, run.splits.info, len(chosen))
    pictures, _ = next(iter(landmark_batches.evaluation_batches(subset, batching)))
    drawn = [
        drawing.drawn(picture, lines, test.truth[index], test.predicted[index])
        for picture, index in zip(pictures.numpy(), chosen, strict=True)
    ]
    captions = [f"error {decimal(errors[index])}" for index in chosen]
    return figures.picture_grid(drawn, captions)


def _closing_table(test: Mapping[str, float], baseline: Mapping[str, Any], run: Run) -> str:
    rows = [
        (
            name,
            f"{decimal(values[_HEADLINE])} ({_interval(values)})",
            percent(values["failure_rate"]),
        )
        for name, values in {"this model": test, **baseline}.items()
    ]
    header = ("test", "normalised mean error (95 % interval)", f"above {FAILURE_THRESHOLD}")
    training = sum(run.seconds.values())
    return "\n".join(
        [
            "",
            text_table(header, rows),
            "",
            f"training {duration(training)}, {run.model.count_params():,} parameters",
            f"report: {run.folder.report / 'report.md'}",
            f"TensorBoard: tensorboard --logdir {run.folder.path.parent}",
        ]
    )
