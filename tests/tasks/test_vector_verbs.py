"""evaluate, predict and export on classifiers of rows: what they take and what they refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from datasets.core import DataError
from datasets.vectors import VectorSource
from keras_models.mlp import build_mlp, column_scaling
from tasks import phone_price
from tasks.common import vector_classifier_verbs as verbs
from tasks.common.errors import UserError
from tasks.common.predict_options import PredictOptions
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import SavedRun

ROWS = "name,width,height\nfirst,1,20\nsecond,oops,10\nthird,3,40\n"
LABELLED = "height,width,kind\n20,1,small\n10,x,large\n40,3,1\n"


@pytest.fixture
def saved(tmp_path: Path) -> SavedRun:
    keras.utils.set_random_seed(5)
    scaling = column_scaling([2.0, 30.0], [1.0, 10.0])
    model = build_mlp(("width", "height"), "kind", ("small", "large"), scaling, (4,))
    task, config = phone_price.CELL_TASK, phone_price.PhoneCellConfig()
    return SavedRun(RunFolder(tmp_path / "run"), task, config, model)


@pytest.fixture
def table(tmp_path: Path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def options(*paths: Path, **others: object) -> PredictOptions:
    return PredictOptions(run="run", paths=paths, **others)


def test_each_row_gets_its_answer_and_a_faulty_one_is_named(saved, table, tmp_path, capsys) -> None:
    path = table("rows.csv", ROWS)
    answers, shares = tmp_path / "answers.jsonl", tmp_path / "shares.csv"
    verbs.VERBS.predict(saved, options(path, json=answers, csv=shares, batch_size=2))
    expected = np.asarray(saved.model(np.float32([[1, 20], [3, 40]])))
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [line["row"] for line in lines] == [f"{path}, row {n}" for n in (2, 3, 4)]
    assert "'oops'" in lines[1]["error"]
    for line, probabilities in zip((lines[0], lines[2]), expected, strict=True):
        assert line["class"] == ("small", "large")[probabilities.argmax()]
        assert line["probability"] == pytest.approx(float(probabilities.max()), abs=1e-6)
    with shares.open(newline="") as file:
        rows = list(csv.DictReader(file))
    received = [float(row["probability of large"]) for row in rows]
    np.testing.assert_allclose(received, expected[:, 1], atol=1e-5)
    output = capsys.readouterr()
    assert "row 3, column 'width'" in output.err
    assert "2 classified, 1 could not be read" in output.out


def test_a_table_without_a_column_of_the_model_is_refused(saved, table) -> None:
    path = table("rows.csv", "width\n1\n")
    with pytest.raises(DataError, match="must have the column 'height'"):
        verbs.VERBS.predict(saved, options(path))
    with pytest.raises(UserError, match="no row in"):
        verbs.VERBS.predict(saved, options(table("empty.csv", "width,height\n")))


def test_a_refused_table_leaves_nothing_written(saved, table, tmp_path) -> None:
    good, bad = table("good.csv", ROWS), table("bad.csv", "width\n1\n")
    answers = tmp_path / "answers.csv"
    with pytest.raises(DataError, match="'height'"):
        verbs.VERBS.predict(saved, options(good, bad, csv=answers))
    assert not answers.exists()
    with pytest.raises(UserError, match="--csv must not be a table that is read"):
        verbs.VERBS.predict(saved, options(good, csv=good))
    assert good.read_text() == ROWS


def test_classes_in_the_table_are_not_read_for_predictions(saved, table, capsys) -> None:
    path = table("rows.csv", "width,height,kind\n1,20,\n3,40,unknown\n")
    verbs.VERBS.predict(saved, options(path))
    assert "2 classified\n" in capsys.readouterr().out


def test_labelled_rows_are_measured(saved, table, capsys) -> None:
    path = table("data.csv", LABELLED)
    with pytest.raises(DataError, match=r"row 3, column 'width'"):
        verbs.VERBS.outside_examples(saved, path, "test", False)
    source = verbs.VERBS.outside_examples(saved, path, "test", True)
    assert "row 3, column 'width'" in capsys.readouterr().err
    np.testing.assert_array_equal(source.labels, [0, 1])
    np.testing.assert_array_equal(source.features, [[1, 20], [3, 40]])
    metrics = verbs.VERBS.measure(saved, source, 1)
    predicted = np.asarray(saved.model(source.features)).argmax(axis=1)
    assert metrics["accuracy"] == (predicted == [0, 1]).mean()
    assert metrics["count"] == 2
    with pytest.raises(DataError, match="without a fault"):
        bad = table("bad.csv", "width,height,kind\nx,1,0\n")
        verbs.VERBS.outside_examples(saved, bad, "test", True)


def test_a_folder_has_one_table_or_one_named_like_the_split(saved, table, tmp_path) -> None:
    folder = tmp_path / "tables"
    table("tables/one.csv", LABELLED.replace("x", "2"))
    assert len(verbs.VERBS.outside_examples(saved, folder, "test", False)) == 3
    table("tables/two.csv", LABELLED)
    with pytest.raises(DataError, match=r"one CSV file, or one called test\.csv, received 2"):
        verbs.VERBS.outside_examples(saved, folder, "test", False)
    table("tables/test.csv", "width,height,kind\n1,1,0\n")
    assert len(verbs.VERBS.outside_examples(saved, folder, "test", False)) == 1


def test_rows_for_exports_are_spread_over_what_there_is(saved, table) -> None:
    features = np.arange(20, dtype=np.float32).reshape(10, 2)
    source = VectorSource(features, np.zeros(10, np.int64), [str(n) for n in range(10)])
    received = verbs.VERBS.arrays(saved, source, 3)
    np.testing.assert_array_equal(received, features[[0, 4, 9]])
    np.testing.assert_array_equal(verbs.VERBS.arrays(saved, source, 50), features)
    outside = verbs.VERBS.outside_arrays(saved, table("rows.csv", ROWS), 5)
    np.testing.assert_array_equal(outside, [[1, 20], [3, 40]])
    with pytest.raises(DataError, match="without a fault"):
        verbs.VERBS.outside_arrays(saved, table("bad.csv", "width,height\n1,\n"), 5)


def test_made_up_rows_have_the_scale_of_the_models_columns(saved) -> None:
    made_up = verbs.VERBS.made_up_arrays(saved)
    assert made_up.dtype == np.float32
    np.testing.assert_array_equal(made_up, verbs.VERBS.made_up_arrays(saved))
    np.testing.assert_allclose(made_up.mean(axis=0), [2, 30], atol=4)
    np.testing.assert_allclose(made_up.std(axis=0), [1, 10], rtol=0.3)
    assert verbs.VERBS.output_names(saved.model) == ("small", "large")
