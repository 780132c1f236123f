"""The suite as a contestant: its command, and what its run folder says afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measurement import Measurement, Stage
from benchmarks.multiply_adds import NetworkCost, of_plain_stage, of_stored_stage
from benchmarks.timed_process import Finished
from tasks.common.run_folder import RunFolder

TASK = "cars_finetune"

# Chosen by validation accuracy and loss on 20 classes of Stanford Cars, never by the test. Epochs
# of the head cost next to nothing with stored features. It is not solved to its optimum: from
# there the gradients are too small for the last stage to learn much in few epochs.
_TAIL = (
    *("--tail-stages", "1", "--tail-epochs", "4", "--tail-learning-rate", "3e-4"),
    *("--depth-factor", "1"),
)
WITH_CACHE = (*("--head-epochs", "20", "--cached-views", "2"), *_TAIL)
# Every epoch of the head is as slow as one of the tail: fewer, with larger steps.
WITHOUT_CACHE = ("--no-cache", *("--head-epochs", "5", "--head-learning-rate", "3e-3"), *_TAIL)


def words(work_dir: Path, name: str, options: tuple[str, ...]) -> tuple[str, ...]:
    """The words after the interpreter for a run of that name, with a cache of its own, empty.

    Args:
        work_dir: where run folder and cache are put.
        name: of the run.
        options: the other options of the task.
    """
    return (
        *("-m", f"tasks.{TASK}", *options),
        *("--runs-dir", str(work_dir / "runs"), "--run-name", name),
        *("--cache-dir", str(work_dir / f"cache_{name}")),
    )


def run_folder(work_dir: Path, name: str) -> RunFolder:
    """The folder of the run that `words` starts."""
    return RunFolder(work_dir / "runs" / TASK / name)


def training_ended(folder: RunFolder) -> float:
    """When a run ended its training, in seconds of `time.time`."""
    # The last thing that training does is to save where it stands.
    return folder.state.stat().st_mtime


def read(
    name: str, folder: RunFolder, process: Finished, counts: Mapping[str, int], cost: NetworkCost
) -> Measurement:
    """What a finished run measured.

    Args:
        name: for the tables.
        folder: of the run.
        process: that made it.
        counts: pictures by split.
        cost: of its network.
    """
    from callbacks.csv_history import read_history

    metrics = json.loads((folder.report / "metrics.json").read_text(encoding="utf-8"))
    config = json.loads(folder.config.read_text(encoding="utf-8"))
    history = [row["stage"] for row in read_history(folder.history)]
    epochs = {stage: history.count(stage) for stage in dict.fromkeys(history)}
    seconds = metrics["seconds"]
    return Measurement(
        name=name,
        command=process.words,
        accuracy=metrics["metrics"]["test"]["accuracy"],
        # The folder is made when the pictures are checked and the network is built.
        start_seconds=folder.config.stat().st_mtime - process.started,
        stages=tuple(_stages(seconds, epochs, config, counts, cost)),
        training_seconds=training_ended(folder) - process.started,
        evaluation_seconds=seconds["evaluation"],
        total_seconds=process.seconds,
        peak_bytes=process.peak_bytes,
    )


def _stages(
    seconds: Mapping[str, float],
    epochs: Mapping[str, int],
    config: Mapping[str, Any],
    counts: Mapping[str, int],
    cost: NetworkCost,
) -> Iterator[Stage]:
    """The filling of the store of features, if there was one, then the stages.

    The stages fill one store, the later ones after the earlier: what feeds the head is computed
    from what feeds the last stages. So every view passes once through all that is frozen anywhere.
    """
    train, validation = counts["train"], counts["validation"]
    stored = {stage: seconds.get(f"{stage}_features") for stage in epochs}
    trainable = {"head": 0, "tail": config["tail_stages"]}
    filling = {stage: spent for stage, spent in stored.items() if spent is not None}
    if filling:
        views = _views({stage: epochs[stage] for stage in filling}, config)
        deepest = min(trainable[stage] for stage in filling)
        work = (train * views + validation) * cost.frozen(deepest)
        yield Stage("features", sum(filling.values()), train * views, work)
    for stage, count in epochs.items():
        unfrozen = trainable.get(stage, len(cost.stages))
        of_stage = of_stored_stage if stage in filling else of_plain_stage
        work = of_stage(cost, unfrozen, train, validation, count)
        yield Stage(stage, seconds[stage], train * count, work)


def _views(epochs: Mapping[str, int], config: Mapping[str, Any]) -> int:
    """Stored versions of a training picture, the same for all stages that learn from them."""
    if not config["augment"]:
        return 1
    if config["head_solver"] == "logistic":
        return config["cached_views"]
    return min(config["cached_views"], max(epochs.values()))
