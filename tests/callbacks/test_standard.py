from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import callbacks.state
from callbacks.csv_history import read_history
from callbacks.prediction_pictures import classification_pictures
from callbacks.run_position import RunPosition
from callbacks.standard import Monitoring, standard_callbacks

REPOSITORY = Path(__file__).resolve().parents[2]


def multi_optimizer() -> keras.optimizers.Optimizer:
    optimizer_map = keras.optimizers.OptimizerMap(
        keras.optimizers.SGD(0.25, name="trunk"),
        {".*head.*": keras.optimizers.SGD(0.5, name="head")},
    )
    return keras.optimizers.MultiOptimizer(optimizer_map)


@pytest.fixture(scope="module")
def monitor():
    return {"monitor": "val_loss", "mode": "min", "total_epochs": 3}


@pytest.fixture
def two_stages(tmp_path, data, make_model, monitor):
    """A run of a stage of two epochs and one of one epoch; returns its folder and its output."""
    output = io.StringIO()
    for number, (stage, begin, end) in enumerate([("head", 0, 2), ("tail", 2, 3)], start=1):
        model = make_model(keras.optimizers.SGD(0.125) if stage == "head" else multi_optimizer())
        settings = Monitoring(
            folder=tmp_path,
            position=RunPosition(4, 8, 32, first_epoch=begin, first_step=4 * begin),
            stage=stage,
            stage_number=number,
            stage_count=2,
            last_epoch=end,
            example_batch=data[0][:4],
            draw_predictions=classification_pictures(data[0][:4], data[1][:4], ["dark", "light"]),
            stream=output,
            **monitor,
        )
        model.fit(
            *data,
            batch_size=8,
            validation_data=data,
            initial_epoch=begin,
            epochs=end,
            verbose=0,
            callbacks=standard_callbacks(settings),
        )
    return tmp_path, output.getvalue()


def test_a_run_of_two_stages_is_seen_everywhere(two_stages, read_events):
    folder, output = two_stages
    rows = read_history(folder / "metrics.csv")
    assert [(row["epoch"], row["stage"]) for row in rows] == [
        ("1", "head"),
        ("2", "head"),
        ("3", "tail"),
    ]
    train = read_events(folder / "tensorboard" / "train")
    validation = read_events(folder / "tensorboard" / "validation")
    # One chart for both: the same tag, the same steps, the values of the table.
    for name in ("loss", "accuracy"):
        for events, column in ((train, name), (validation, f"val_{name}")):
            assert [step for step, _ in events[f"epoch_{name}"]] == [1, 2, 3]
            values = [float(value) for _, value in events[f"epoch_{name}"]]
            assert values == pytest.approx([float(row[column]) for row in rows], rel=1e-6)
    assert set(validation) == {"epoch_loss", "epoch_accuracy"}
    assert train["epoch_stage"] == [(1, 1), (2, 1), (3, 2)]
    assert train["epoch_learning_rate"] == [(1, 0.125), (2, 0.125)]
    assert train["epoch_learning_rate_trunk"] == [(3, 0.25)]
    assert train["epoch_learning_rate_head"] == [(3, 0.5)]
    speeds = [float(value) for _, value in train["epoch_examples_per_second"]]
    assert len(speeds) == 3 and min(speeds) > 0
    pictures = read_events(folder / "tensorboard" / "pictures")
    assert [step for step, _ in pictures["input"]] == [0, 2]
    assert [step for step, _ in pictures["predictions"]] == [2, 3]
    lines = [line.split("  ")[:2] for line in output.splitlines()]
    assert [[head, re.sub(r"(?<=tracing) .*", "", rest)] for head, rest in lines] == [
        ["stage 1/2 head", "tracing"],
        ["stage 1/2 head", "epoch 1/3"],
        ["stage 1/2 head", "epoch 2/3"],
        ["stage 2/2 tail", "tracing"],
        ["stage 2/2 tail", "epoch 3/3"],
    ]


def test_a_profile_is_recorded_on_request(tmp_path, data, make_model, monitor):
    settings = Monitoring(
        folder=tmp_path,
        position=RunPosition(8, 4, 32),
        stage="all",
        last_epoch=1,
        profile=True,
        stream=io.StringIO(),
        **monitor,
    )
    make_model().fit(*data, batch_size=4, verbose=0, callbacks=standard_callbacks(settings))
    profiles = (tmp_path / "tensorboard" / "train" / "plugins" / "profile").rglob("*.xplane.pb")
    assert len(list(profiles)) == 1


def test_keras_decides_and_comes_last(tmp_path, monitor):
    settings = Monitoring(
        folder=tmp_path,
        position=RunPosition(4, 8, 32),
        stage="all",
        last_epoch=3,
        patience=5,
        minimum_improvement=0.01,
        plateau_patience=2,
        plateau_factor=0.25,
        use_ema=True,
        **monitor,
    )
    members = standard_callbacks(settings)
    first, plateau, stopping = members[0], members[-2], members[-1]
    assert isinstance(first, keras.callbacks.SwapEMAWeights) and first.swap_on_epoch
    assert isinstance(plateau, keras.callbacks.ReduceLROnPlateau)
    assert (plateau.patience, plateau.factor, plateau.mode) == (2, 0.25, "min")
    assert isinstance(stopping, keras.callbacks.EarlyStopping)
    assert (stopping.patience, stopping.monitor, stopping.min_delta) == (5, "val_loss", 0.01)


def test_a_row_holds_the_rate_that_its_epoch_used(tmp_path, data, make_model, monitor):
    settings = Monitoring(
        folder=tmp_path,
        position=RunPosition(1, 32, 32),
        stage="all",
        last_epoch=3,
        plateau_patience=1,
        minimum_improvement=100.0,  # no epoch after the first improves by so much
        stream=io.StringIO(),
        **monitor,
    )
    make_model(keras.optimizers.SGD(0.5)).fit(
        *data,
        batch_size=32,
        epochs=3,
        validation_data=data,
        verbose=0,
        callbacks=standard_callbacks(settings),
    )
    rates = [row["learning_rate"] for row in read_history(tmp_path / "metrics.csv")]
    assert rates == ["0.5", "0.5", "0.25"]


@pytest.mark.parametrize("fault", [{"mode": "best"}, {"predictions_every": 0}])
def test_impossible_settings_are_refused(tmp_path, monitor, fault):
    with pytest.raises(ValueError, match="Received"):
        Monitoring(
            **{
                "folder": tmp_path,
                "position": RunPosition(4, 8, 32),
                "stage": "all",
                "last_epoch": 3,
                **monitor,
                **fault,
            }
        )


def test_importing_the_package_imports_no_library():
    code = (
        "import callbacks, sys; print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_submodules_are_found_by_name_and_others_are_not():
    assert callbacks.state.collect_state([]) == {}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = callbacks.nothing
