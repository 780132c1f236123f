"""`--find-learning-rate`: the range test of the first stage, its curve, and a proposal."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

from callbacks.learning_rate_finder import LearningRateFinder, draw_range_test
from datasets.core import Splits
from tasks.common import batch_size
from tasks.common.task import Task

# Enough steps for a smooth curve over eight orders of magnitude, few enough for a coffee break.
_STEPS = 120


def search(task: Task, config: Any, splits: Splits, model: keras.Model) -> None:
    """Runs the test, draws `learning_rate_finder.png`, prints the proposal; trains nothing.

    The first stage of the recipe is tested, with a plain rate in place of its schedule.
    """
    config = dataclasses.replace(config, schedule="constant")
    size = batch_size.first_choice(config.batch_size, model)
    batches = task.make_batches(config, splits, size)
    stage = task.stages(config, model)[0]
    task.compile_model(config, model, stage, batches.steps_per_epoch)
    finder = LearningRateFinder(_STEPS)
    epochs = -(-_STEPS // batches.steps_per_epoch)
    print(f"Raising the learning rate over {_STEPS} steps of stage {stage.name}.")
    model.fit(
        batches.train(range(epochs), 0),
        epochs=1,
        steps_per_epoch=_STEPS,
        callbacks=[finder],
        shuffle=False,
        verbose=0,
    )
    proposal = finder.proposal()
    path = config.runs_dir / task.name / "learning_rate_finder.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_range_test(path, np.array(finder.rates), np.array(finder.losses), proposal)
    why = (
        "where the loss falls fastest"
        if proposal.learned
        else "a safe guess, because the loss did not fall clearly in this test"
    )
    print(f"Proposed learning rate of stage {stage.name}: {proposal.learning_rate:.1e}, {why}.")
    print(f"Its curve: {path}")
