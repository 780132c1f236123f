"""evaluate, predict and export know a task by its `Verbs` alone: here rows, and points."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from datasets import core
from datasets.core import DataError
from tasks import evaluate, export, predict
from tasks.common import saved_run
from tasks.common.exports import timing
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import SavedRun
from tasks.common.verbs import Verbs
from tests.tasks.small_arrays import (
    CLASS_NAMES,
    POINT_NAMES,
    patches,
    point_finder,
    rows,
    vector_classifier,
)
from tests.tasks.small_runs import refused


@dataclasses.dataclass(frozen=True)
class Arrays:
    """A source that has no pictures and, of points, no labels."""

    inputs: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    def example(self, index: int) -> dict[str, np.ndarray]:
        return {"inputs": self.inputs[index]}

    def identifier(self, index: int) -> str:
        return f"example {index}"


@dataclasses.dataclass(frozen=True)
class LabelledArrays(Arrays):
    """The same with class ids."""

    labels: np.ndarray


def arrays(saved: SavedRun, source: core.Source, count: int) -> np.ndarray:
    """The first examples."""
    chosen = range(min(count, len(source)))
    return np.stack([source.example(index)["inputs"] for index in chosen])


def labelled_rows(count: int, seed: int) -> LabelledArrays:
    """Rows with the class that the model gives them, but for every fourth."""
    inputs = rows(count, seed)
    labels = vector_classifier().predict(inputs, verbose=0).argmax(axis=1)
    labels[::4] = (labels[::4] + 1) % len(CLASS_NAMES)
    return LabelledArrays(inputs, labels)


def outside_examples(saved: SavedRun, place: Path, split: str, skip_bad: bool) -> core.Source:
    print(f"{split} of {place.name}, {skip_bad=}")
    return labelled_rows(8, seed=7)


ROWS = Verbs(
    measure=lambda saved, source, batch_size: {
        "count": float(len(source)),
        "accuracy": 0.75,
        "log_loss": 1.23456,
        "log_loss_low": 1.1,
        "log_loss_high": 1.4,
        "low": 0.5,
    },
    outside_examples=outside_examples,
    predict=lambda saved, options: print("answered", *options.paths),
    arrays=arrays,
    outside_arrays=lambda saved, place, count: rows(count, seed=8),
    made_up_arrays=lambda saved: rows(30, seed=9),
    output_names=lambda model: CLASS_NAMES,
    example="row",
    metric="accuracy",
    output="probabilities",
)
POINTS = dataclasses.replace(
    ROWS,
    measure=lambda saved, source, batch_size: {"normalised_mean_error": 0.0421, "count": 8.0},
    output_names=lambda model: POINT_NAMES,
    example="picture",
    metric="normalised_mean_error",
    output="points",
    made_up_arrays=lambda saved: patches(30, seed=9),
)


@pytest.fixture(autouse=True)
def few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ONE_EXAMPLE", timing.Plan(rounds=2, calls=1, settling=0))
    monkeypatch.setattr(timing, "BATCH", timing.Plan(rounds=2, calls=1, settling=0))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that makes `RUN` a run of the kind and gives its folder."""

    def make(verbs: Verbs, splits: core.Splits | None = None) -> Path:
        model = point_finder() if verbs is POINTS else vector_classifier()
        model.save(tmp_path / "model.keras")

        def load_data(config: object) -> core.Splits:
            if splits is None:
                raise DataError("table.csv is gone.")
            return splits

        task = SimpleNamespace(name="any_kind", verbs=lambda: verbs, load_data=load_data)
        saved = SavedRun(RunFolder(tmp_path), task, SimpleNamespace(seed=0), model)
        monkeypatch.setattr(saved_run, "open_run", lambda name, runs_dir: saved)
        return tmp_path

    return make


def row_splits() -> core.Splits:
    """100 rows to train on, 40 for validation, 8 for the test."""
    train, validation, test = (labelled_rows(n, seed) for seed, n in enumerate((100, 40, 8)))
    return core.Splits(train, validation, test, info=None)


def point_splits() -> core.Splits:
    parts = (Arrays(patches(count, seed)) for seed, count in enumerate((100, 40, 8)))
    return core.Splits(*parts, info=None)


# --- evaluate


def test_evaluate_shows_whatever_the_kind_measures(opened, capsys):
    folder = opened(ROWS, row_splits())
    assert evaluate.main(["RUN"]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    shown = [tuple(part.strip() for part in line if part.strip()) for line in lines]
    assert shown[0] == ("test", "now")
    assert [line for line in shown if line[0] in ("examples", "accuracy", "log loss", "low")] == [
        ("examples", "8"),
        ("accuracy", "75.0 %"),
        ("log loss", "1.235"),
        ("low", "0.500"),
    ]
    after = shown[shown.index(("log loss", "1.235")) + 1]
    assert after == ("95 % interval", "1.100 to 1.400")
    document = json.loads((folder / "evaluations" / "test.json").read_text())
    assert document["metrics"]["test"]["log_loss"] == 1.23456


def test_evaluate_compares_errors_of_points_with_the_report(opened, capsys):
    folder = opened(POINTS, point_splits())
    (folder / "report").mkdir()
    for reported, sentence in (
        (0.0421, "These are the numbers of the run's report."),
        (0.05, "report: normalised mean error 0.042, was 0.050."),
    ):
        document = {"metrics": {"test": {"normalised_mean_error": reported, "count": 8}}}
        (folder / "report" / "metrics.json").write_text(json.dumps(document))
        assert evaluate.main(["RUN"]) == 0
        assert sentence in capsys.readouterr().out


def test_evaluate_hands_the_users_place_to_the_kind(opened, tmp_path, capsys):
    folder = opened(ROWS)
    words = ["RUN", "--data-dir", str(tmp_path / "more.csv"), "--split", "validation"]
    assert evaluate.main([*words, "--skip-bad-images"]) == 0
    assert "validation of more.csv, skip_bad=True" in capsys.readouterr().out
    assert (folder / "evaluations" / "more.csv.json").is_file()


# --- predict


def test_predict_hands_the_paths_to_the_kind(opened, capsys):
    opened(ROWS)
    assert predict.main(["RUN", "a.csv", "b.csv"]) == 0
    assert capsys.readouterr().out == "answered a.csv b.csv\n"


def test_predict_refuses_pictures_of_rows(opened, tmp_path, capsys):
    folder = opened(ROWS)
    words = ["RUN", "a.csv", "--pictures", str(tmp_path / "copies")]
    assert refused(capsys, predict.main(words)) == (
        f"--pictures writes annotated copies of pictures, and {folder} is a run of any_kind, whose "
        "examples are rows: leave the option out.\n"
    )


def test_predict_never_writes_over_the_table_it_reads(opened, capsys):
    opened(ROWS)
    assert "--csv must name another file" in refused(
        capsys, predict.main(["RUN", "a.csv", "--csv", "./a.csv"])
    )


# --- export


def test_export_tests_and_times_rows(opened, capsys):
    folder = opened(ROWS, row_splits())
    assert export.main(["RUN", "--quantize", "int8", "--benchmark"]) == 0
    output = capsys.readouterr().out
    assert "compared with the model on 40 validation rows: they agree" in output
    assert "folded 1 of 1 batch normalisations" in output
    assert "ms a row" in output
    assert "on 8 rows of the run's test split" in output
    document = json.loads((folder / "export" / "benchmark.json").read_text())
    assert document["rows"] == 8
    assert len(document["results"]) == 7
    for result in document["results"]:
        if result["numbers"] == "float32":
            assert (result["accuracy"], result["same_class"]) == (6 / 8, 1.0)


def test_export_of_points_speaks_of_no_class(opened, capsys):
    folder = opened(POINTS, point_splits())
    words = ["RUN", "--format", "litert", "onnx", "--benchmark"]
    assert export.main(words) == 0
    output = capsys.readouterr().out
    (row,) = [line.split() for line in output.splitlines() if line.startswith("onnx")]
    assert row[-1] == "–"
    assert float(row[-2]) < 1e-4
    results = json.loads((folder / "export" / "benchmark.json").read_text())["results"]
    assert len(results) == 4
    assert not any({"accuracy", "same_class"} & set(result) for result in results)
    page = (folder / "export" / "benchmark.md").read_text()
    assert "no class to count" in page
    assert "accuracy" not in page


def test_export_compares_on_made_up_rows_where_the_table_is_gone(opened, tmp_path, capsys):
    opened(ROWS)
    words = ["RUN", "--format", "onnx"]
    assert export.main(words) == 0
    captured = capsys.readouterr()
    assert "on 30 made-up examples: they agree" in captured.out
    assert "the run's rows cannot be read: table.csv is gone." in captured.err
    sentence = refused(capsys, export.main([*words, "--quantize", "int8"]))
    assert "those of the run cannot be read: table.csv is gone." in sentence
    assert "similar rows with --data-dir" in sentence
    other = str(tmp_path / "other.csv")
    assert export.main([*words, "--quantize", "int8", "--data-dir", other]) == 0
    assert f"128 rows of {other}: they agree" in capsys.readouterr().out
