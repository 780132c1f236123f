"""Runs a task from its options to its report; short and linear, the same for every task."""

from __future__ import annotations

import csv
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from callbacks.best_model import BestModel
from callbacks.csv_history import read_history
from callbacks.not_finite import StopIfNotFinite
from callbacks.run_position import RunPosition
from callbacks.standard import Monitoring, standard_callbacks
from callbacks.state import collect_state
from callbacks.state import restore_state as set_states
from callbacks.tensorboard_text import write_text
from datasets import core
from tasks.common import (
    batch_size,
    console,
    learning_rate_search,
    run_folder,
    saved_network,
    signals,
)
from tasks.common import config as configs
from tasks.common.errors import Diverged, Interrupted, UserError
from tasks.common.resume import (
    Position,
    ResumePoint,
    WholeEpochsAgain,
    network_variables,
    read_position,
    restore_state,
    save_state,
)
from tasks.common.run_folder import RunFolder
from tasks.common.task import Batches, Run, Stage, Task, Training


@dataclasses.dataclass(frozen=True)
class _Work:
    """What the stages of one run share."""

    task: Task
    config: Any
    folder: RunFolder
    splits: core.Splits
    model: keras.Model
    stages: Sequence[Stage]


def run(task: Task, config: Any, place: Path | None = None) -> None:
    """Trains, selects by validation, tests once, reports.

    Args:
        task: what to run.
        config: its options, checked.
        place: the run folder, where it shall not lie under `config.runs_dir`.

    Raises:
        UserError: the options, the data or the run to resume do not allow it.
        Interrupted: the user stopped the run; it can be resumed.
    """
    prepare_keras(config)
    splits = task.load_data(config)
    print(splits.info.description)
    model = task.build_model(config, splits.info)
    if config.find_learning_rate:
        learning_rate_search.search(task, config, splits, model)
        return
    work = _open(task, config, splits, model, place)
    with console.copied_to(work.folder.log):
        position = _train(work)
        load_best(model, work.folder)
        history = read_history(work.folder.history)
        task.report(Run(config, work.folder, splits, model, position.seconds, history))


def prepare_keras(config: Any) -> None:
    """Sets seed, determinism and precision for the whole process.

    Raises:
        UserError: Keras runs on another back end than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            "Training runs on Keras's TensorFlow back end. Received: KERAS_BACKEND="
            f"{keras.backend.backend()}. Unset KERAS_BACKEND, or set it to tensorflow."
        )
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    if config.mixed_precision:
        on_gpu = bool(tf.config.list_physical_devices("GPU"))
        keras.config.set_dtype_policy("mixed_float16" if on_gpu else "mixed_bfloat16")


def load_best(model: keras.Model, folder: RunFolder) -> None:
    """Puts the weights of the best model of the run into `model`.

    Raises:
        UserError: its file is gone or damaged, or is that of another network.
    """
    best = saved_network.load(folder.model)
    try:
        model.set_weights(best.get_weights())
    except ValueError:
        raise UserError(
            f"{folder.model} holds a network of other weights than this run has: "
            f"{saved_network.REMEDY}."
        ) from None


def _open(
    task: Task, config: Any, splits: core.Splits, model: keras.Model, place: Path | None
) -> _Work:
    """The run folder, new or of the run to resume, with the recipe."""
    if config.resume is None:
        text = configs.to_json(config)
        if place is None:
            place = run_folder.new_place(config.runs_dir, task.name, config.run_name)
            folder = run_folder.create(place, task.name, text, config.seed)
            run_folder.point_latest(config.runs_dir, folder)
        else:
            folder = run_folder.create(place, task.name, text, config.seed)
        write_text(folder.tensorboard, "config", json.loads(text))
        write_text(folder.tensorboard, "environment", run_folder.environment(folder))
    else:
        folder = RunFolder(run_folder.find(config.resume, config.runs_dir, task.name))
        _require_sound(folder)
    stages = task.stages(config, model)
    if config.dry_run:
        stages = [dataclasses.replace(stage, epochs=1) for stage in stages]
    return _Work(task, config, folder, splits, model, stages)


def _require_sound(folder: RunFolder) -> None:
    """Sees that what the report tells of a run that goes on can be read, before the training.

    Raises:
        UserError: it cannot.
    """
    run_folder.environment(folder)
    try:
        read_history(folder.history)
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            f"{folder.history} cannot be read ({error}): copy it again from where it is sound, or "
            "start a new run."
        ) from None


def _train(work: _Work) -> Position:
    """All stages that are still to do; where the run then stands."""
    saved = _saved_position(work)
    position = saved or Position(
        stage=0,
        epoch=0,
        step=0,
        batch_size=batch_size.first_choice(work.config.batch_size, work.model),
        data=_fingerprint(work),
        seconds={},
    )
    best = BestModel(
        work.folder.model,
        work.task.monitor,
        work.task.mode,
        work.model,
        work.config.checkpoint_seconds,
    )
    with signals.noted("Stopping after this step") as stop_requested:
        while position.stage < len(work.stages):
            position = batch_size.halving_on_exhaustion(
                lambda position: _train_stage(
                    work, position, best, position == saved, stop_requested
                ),
                position,
                may_halve=work.config.batch_size == "auto" and position != saved,
            )
    save_state(work.folder, position, [], {})
    return position


def _saved_position(work: _Work) -> Position | None:
    """Where the run to resume stands; None for a new run."""
    if work.config.resume is None:
        return None
    saved = read_position(work.folder)
    if saved.data != _fingerprint(work):
        raise UserError(
            f"The training or validation examples are not those that {work.folder.path} started "
            "with: files were added, removed or renamed. Restore them, or start a new run."
        )
    if saved.epoch and not read_history(work.folder.history):
        raise UserError(
            f"{work.folder.history} must hold a row for each of the {saved.epoch} epochs that are "
            "complete, received none: copy it again from where it is whole, or start a new run."
        )
    return saved


def _fingerprint(work: _Work) -> str:
    return core.fingerprint([work.splits.train, work.splits.validation])


def _train_stage(
    work: _Work, position: Position, best: BestModel, resumed: bool, stop_requested
) -> Position:
    """One stage, or what is left of it; the position at which the next one starts."""
    stage = work.stages[position.stage]
    first_epoch = sum(earlier.epochs for earlier in work.stages[: position.stage])
    last_epoch = first_epoch + stage.epochs
    in_the_middle = resumed and (position.epoch, position.step) != (first_epoch, 0)
    if in_the_middle:
        # What is frozen now may have been trained before; the rest follows when `fit` begins.
        restore_state(work.folder, network_variables(work.model), first_part=True)
    else:
        _start_stage(work, position, best, resumed)
    try:
        position, training = _prepare(work, position, stage, stop_requested)
        batches = training.batches
        best.companions = _places(work.folder, training)
        standard = standard_callbacks(_monitoring(work, position, stage, batches, last_epoch))
        point = ResumePoint(
            work.folder,
            position,
            stage.name,
            batches.steps_per_epoch,
            companions=[*standard, best],
            network=work.model,
            before_saving=best.write,
            resumed=in_the_middle,
            stop_requested=stop_requested,
            seconds_between=work.config.checkpoint_seconds,
        )
        # The best model is saved after the logs are complete and before the learning rate moves.
        shortened = WholeEpochsAgain(position.epoch, position.step)
        training.model.fit(
            batches.train(range(position.epoch, last_epoch), position.step),
            validation_data=batches.validation,
            initial_epoch=position.epoch,
            epochs=last_epoch,
            steps_per_epoch=batches.steps_per_epoch,
            callbacks=[shortened, *standard, best, point],
            shuffle=False,  # the pipeline shuffles
            verbose=0,
        )
    except Interrupted:
        raise Interrupted(
            f"\nStopped; the state is saved. Go on with:\n"
            f"  python -m tasks.{work.task.name} --resume {work.folder.path}"
        ) from None
    _require_finite(work, standard)
    return dataclasses.replace(
        position,
        stage=position.stage + 1,
        epoch=last_epoch,
        step=0,
        seconds=point.seconds(),
    )


def _start_stage(work: _Work, position: Position, best: BestModel, resumed: bool) -> None:
    """Puts the weights in place that a stage starts from, and saves them as the state."""
    # The best ones so far, not the last ones; after a stop they are in the file alone.
    if position.stage > 0 and not best.put_back(work.model):
        load_best(work.model, work.folder)
    variables = network_variables(work.model)
    if resumed:
        set_states([best], restore_state(work.folder, variables))
    else:
        save_state(work.folder, position, variables, collect_state([best]))


def _prepare(
    work: _Work, position: Position, stage: Stage, stop_requested: Callable[[], bool]
) -> tuple[Position, Training]:
    """What the stage trains, compiled, and the position with the time that this took."""

    def working() -> None:
        if stop_requested():
            raise Interrupted

    started = time.monotonic()
    config, size = work.config, position.batch_size
    batches = _batches(work, size)
    work.task.compile_model(config, work.model, stage, batches.steps_per_epoch)
    tail = work.task.tail_training(
        config, work.splits, work.model, work.stages, position.stage, size, working
    )
    joint = work.task.joint_training(config, work.model, stage, batches)
    training = tail or joint or Training(work.model, batches)
    _build_for_training(training)
    if tail is None:
        return position, training
    name = f"{stage.name}_features"
    spent = position.seconds.get(name, 0.0) + time.monotonic() - started
    return dataclasses.replace(position, seconds={**position.seconds, name: spent}), training


def _places(folder: RunFolder, training: Training) -> dict[Path, keras.Model]:
    """Where the networks that learn with the best model are saved."""
    if training.companions:
        folder.networks.mkdir(exist_ok=True)
    return {
        folder.networks / f"{name}.keras": network for name, network in training.companions.items()
    }


def _build_for_training(training: Training) -> None:
    """Makes the variables of optimizer and metrics, which Keras would make in the first step.

    A saved state is put back before that step, and counts on finding all of them.
    """
    model = training.model
    model.optimizer.build(model.trainable_variables)
    spec = training.batches.validation.element_spec[1]
    target = tf.zeros((1, *spec.shape[1:]), spec.dtype)
    model.compute_metrics(None, target, tf.zeros((1, *model.output_shape[1:])))
    model.reset_metrics()


def _batches(work: _Work, size: int) -> Batches:
    batches = work.task.make_batches(work.config, work.splits, size)
    if not work.config.dry_run:
        return batches
    return dataclasses.replace(batches, validation=batches.validation.take(1), steps_per_epoch=1)


def _monitoring(
    work: _Work,
    position: Position,
    stage: Stage,
    batches: Batches,
    last_epoch: int,
) -> Monitoring:
    earlier_epochs = sum(other.epochs for other in work.stages[: position.stage])
    config = work.config
    # A stage that goes on has shown its pictures already.
    pictures = work.task.watch(config, work.splits, work.model, position.epoch)
    if position.epoch > earlier_epochs or position.step:
        pictures.pop("example_batch", None)
        pictures.pop("example_captions", None)
    return Monitoring(
        folder=work.folder.path,
        position=RunPosition(
            steps_per_epoch=batches.steps_per_epoch,
            batch_size=position.batch_size,
            examples_per_epoch=min(
                len(work.splits.train), batches.steps_per_epoch * position.batch_size
            ),
            first_epoch=position.epoch,
            first_batch=position.step,
            first_step=position.epoch * batches.steps_per_epoch + position.step,
        ),
        stage=stage.name,
        stage_number=position.stage + 1,
        stage_count=len(work.stages),
        last_epoch=last_epoch,
        total_epochs=sum(other.epochs for other in work.stages),
        monitor=work.task.monitor,
        mode=work.task.mode,
        patience=config.patience,
        plateau_patience=(max(1, stage.epochs // 10) if config.schedule == "plateau" else None),
        use_ema=config.ema_momentum is not None,
        profile=config.profile,
        **pictures,
    )


def _require_finite(work: _Work, callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Ends the run with one sentence where its loss is no longer a number."""
    for callback in callbacks:
        if isinstance(callback, StopIfNotFinite) and callback.found:
            kept = (
                f"the best model so far is {work.folder.model}"
                if work.folder.model.is_file()
                else "no epoch had been completed"
            )
            raise Diverged(
                f"Training stopped: {callback.name} became {callback.value} at step "
                f"{callback.step} (epoch {callback.epoch}); {kept}, and the last good state is "
                f"{work.folder.state}. Start again with a lower learning rate or --clip-norm 1."
            )
