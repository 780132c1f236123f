"""The record that a task is: its options and the functions that the runner calls in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tasks.common.config import TrainConfig

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from datasets.core import DatasetInfo, Splits
    from tasks.common.labelled_features import Solver
    from tasks.common.run_folder import RunFolder
    from tasks.common.verbs import Verbs


@dataclasses.dataclass(frozen=True)
class Stage:
    """One part of a recipe: what trains, for how long and how fast.

    Attributes:
        name: short name for the log and the charts, such as `head`.
        epochs: epochs of this stage.
        learning_rate: of the output layers; deeper parameter groups get less.
        depth_factor: each group that lies one deeper learns at this multiple of the one above.
        trainable_stages: stages of the backbone that train, counted from the output; None is all.
        solver: sets the tail on frozen features to the solution of its problem at once; the epoch
            that follows, with learning rate 0, measures it. None descends step by step.
    """

    name: str
    epochs: int
    learning_rate: float
    depth_factor: float = 1.0
    trainable_stages: int | None = None
    solver: Solver | None = None


@dataclasses.dataclass(frozen=True)
class Batches:
    """What `fit` is fed.

    Attributes:
        train: (epochs, first_step) -> batches of these epochs from that step of the first one on.
        validation: the validation examples, once, in order.
        steps_per_epoch: batches in one epoch.
    """

    train: Callable[[range, int], tf.data.Dataset]
    validation: tf.data.Dataset
    steps_per_epoch: int


@dataclasses.dataclass(frozen=True)
class Training:
    """What `fit` trains in one stage, and what it is fed.

    Attributes:
        model: compiled; the whole network, or its tail, which shares the network's layers, or
            what holds the network and others that it learns with.
        batches: of raw examples for the whole network, of stored features for its tail.
        companions: networks, by name, that are saved in `networks/NAME.keras` of the run folder as
            they were when the network was at its best.
    """

    model: keras.Model
    batches: Batches
    companions: Mapping[str, keras.Model] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained run at its end: all that a report is made from."""

    config: Any
    folder: RunFolder
    splits: Splits
    model: keras.Model
    seconds: dict[str, float]
    history: Sequence[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Task:
    """One task of the suite: plain functions that the runner calls from top to bottom.

    Attributes:
        name: the module's name, as in `python -m tasks.NAME`.
        summary: one line for the list of tasks.
        presets: the task's options by preset; `quick` holds the defaults.
        check: config -> config with every `auto` settled; raises UserError where options do not
            fit together, before any work.
        load_data: config -> splits.
        build_model: (config, info) -> network, with preprocessing inside.
        make_batches: (config, splits, batch_size) -> what fit is fed.
        stages: (config, model) -> the recipe.
        compile_model: (config, model, stage, steps_per_epoch) -> sets optimizer, loss, metrics.
        tail_training: (config, splits, compiled network, stages, number of the stage, batch_size,
            working) -> the tail of the network, compiled, with the stored features it learns from;
            None where the whole network has to be trained. It calls `working` now and then, which
            may raise Interrupted.
        joint_training: (config, network, stage, batches) -> the compiled network that learns with
            the task's, such as its adversary, around both of them; None where it learns alone.
        watch: (config, splits, network, epoch) -> pictures for TensorBoard, as arguments of
            `callbacks.standard.Monitoring`, for the stage that starts at that epoch.
        report: run -> writes the report, prints the closing table.
        verbs: how `tasks.evaluate`, `tasks.predict` and `tasks.export` treat a run of the task.
        monitor: name of the validation metric that selects the best model.
        mode: whether the best value is the largest or the smallest.
    """

    name: str
    summary: str
    presets: Mapping[str, TrainConfig]
    check: Callable[[Any], Any]
    load_data: Callable[[Any], Splits]
    build_model: Callable[[Any, DatasetInfo], keras.Model]
    make_batches: Callable[[Any, Splits, int], Batches]
    stages: Callable[[Any, keras.Model], Sequence[Stage]]
    compile_model: Callable[[Any, keras.Model, Stage, int], None]
    watch: Callable[[Any, Splits, keras.Model, int], dict[str, Any]]
    report: Callable[[Run], None]
    verbs: Callable[[], Verbs]
    tail_training: Callable[..., Training | None] = lambda *_: None
    joint_training: Callable[[Any, keras.Model, Stage, Batches], Training | None] = lambda *_: None
    monitor: str = "val_accuracy"
    mode: Literal["max", "min"] = "max"
