"""Phones: Kaggle's layout, the splits and their statistics, and the made-up ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets import generated_phones, phone_price, vectors
from datasets.core import DataError
from datasets.phone_price import CLASS_NAMES, COLUMNS
from datasets.table_splits import Parting, part

HOW = Parting(0.1, 0.2, seed=3)


def phones_csv(path: Path, labels: list[object], changes: dict[str, object] | None = None) -> Path:
    """A table in Kaggle's layout; phone i has 100 i MB of memory and otherwise ones."""
    lines = [",".join([*COLUMNS, "price_range"])]
    for index, label in enumerate(labels):
        row = dict.fromkeys(COLUMNS, 1) | {"ram": 100 * index}
        if index == 1:
            row |= changes or {}
        lines.append(",".join(map(str, [*row.values(), label])))
    path.write_text("\n".join(lines) + "\n")
    return path


def indices(source) -> set[int]:
    return set(source.indices.tolist())


def test_a_folder_or_a_file_in_kaggles_layout(tmp_path: Path) -> None:
    path = phones_csv(tmp_path / "train.csv", [0, 1, 2, 3] * 10)
    splits = phone_price.load(tmp_path, HOW)
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [28, 4, 8]
    again = phone_price.load(path, HOW)
    np.testing.assert_array_equal(vectors.matrix(again.test), vectors.matrix(splits.test))
    example = splits.test.example(0)
    position = int(splits.test.indices[0])
    assert example["features"][COLUMNS.index("ram")] == 100 * position
    assert example["label"] == position % 4
    assert splits.test.identifier(0) == f"train.csv, row {position + 2}"
    assert splits.info.class_names == CLASS_NAMES
    assert "40 mobile phones of train.csv" in splits.info.description


def test_statistics_are_those_of_the_training_rows_alone(tmp_path: Path) -> None:
    phones_csv(tmp_path / "train.csv", [0, 1, 2, 3] * 10)
    splits = phone_price.load(tmp_path, HOW)
    rows = vectors.matrix(splits.train)
    np.testing.assert_allclose(splits.info.mean, rows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(splits.info.deviation, rows.std(axis=0), rtol=1e-6)
    assert splits.info.column_names == COLUMNS


def test_every_row_is_the_test_of_one_fold() -> None:
    source = generated_phones.generate(103)
    info = generated_phones.load(103, HOW).info
    tests = []
    for fold in range(5):
        parting = Parting(0.1, 0.2, seed=0, fold=fold, folds=5)
        splits = part(source, info, parting, "here")
        parts = [indices(one) for one in (splits.train, splits.validation, splits.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 103
        assert 8 <= len(parts[1]) <= 13
        assert set(splits.test.labels.tolist()) == {0, 1, 2, 3}
        tests.append(parts[2])
    assert set.union(*tests) == set(range(103))
    assert sum(map(len, tests)) == 103


def test_another_seed_parts_otherwise() -> None:
    first, second = (generated_phones.load(200, Parting(0.1, 0.2, seed)) for seed in (0, 1))
    assert indices(first.test) != indices(second.test)
    rows = [vectors.matrix(part.test.source) for part in (first, second)]
    np.testing.assert_array_equal(rows[0], rows[1])


@pytest.mark.parametrize(
    ("labels", "changes", "message"),
    [
        ([0, 1, 2, 3] * 4, {"ram": "lots"}, r"row 3, column 'ram' must be a number.*'lots'"),
        ([0, 1, 2, 3] * 4, {"ram": 1e9}, r"row 3, column 'ram'.*from -100000 to 100000"),
        ([0, 1, 2, 3] * 4, {"wifi": "nan"}, r"row 3, column 'wifi' must be a finite number"),
        ([0, 4, 2, 3] * 4, {}, r"row 3, column 'price_range' must be a class from 0 to 3.*'4'"),
        ([0, 1, 2, 3] * 3, {}, r"at least 5 rows of each class, received 3 of class 0 \(low\)"),
        ([0, 1, 2] * 9, {}, r"received 0 of class 3 \(very high\)"),
    ],
)
def test_faults_are_named(tmp_path: Path, labels: list, changes: dict, message: str) -> None:
    phones_csv(tmp_path / "train.csv", labels, changes)
    with pytest.raises(DataError, match=message):
        phone_price.load(tmp_path, HOW)


def test_a_place_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.csv, received neither"):
        phone_price.load(tmp_path, HOW)


def test_made_up_phones_follow_their_rule() -> None:
    source = generated_phones.generate(4000, seed=5)
    columns = dict(zip(COLUMNS, source.features.T.astype(np.float64), strict=True))
    for name, (low, high) in generated_phones.RANGES.items():
        assert low <= columns[name].min() < columns[name].max() <= high
    assert (columns["px_height"] <= columns["px_width"]).all()
    assert (columns["four_g"] <= columns["three_g"]).all()
    np.testing.assert_allclose(np.bincount(source.labels) / 4000, 0.25, atol=0.03)
    score = (
        columns["ram"]
        + 0.6 * columns["battery_power"]
        + 0.4 * (columns["px_height"] + columns["px_width"])
    )
    guess = np.digitize(score, generated_phones.THRESHOLDS)
    assert (guess == source.labels).mean() == pytest.approx(0.978, abs=0.008)
    others = [c for c in COLUMNS if c not in generated_phones.WEIGHTS and c not in ("fc", "pc")]
    for name in others:
        assert abs(np.corrcoef(columns[name], source.labels)[0, 1]) < 0.08


def test_the_public_table(shared_data: Path) -> None:
    splits = phone_price.load(shared_data / "phone_price", HOW)
    assert sum(len(one) for one in (splits.train, splits.validation, splits.test)) == 1600
