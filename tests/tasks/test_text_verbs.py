"""What the commands on finished runs do with texts: files of them, good and bad."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from datasets import texts
from datasets.core import DataError
from datasets.vectors import VectorSource
from keras_models.text_classifier import WordWeights, build_text_classifier
from tasks.common import text_verbs
from tasks.common.errors import UserError
from tasks.common.predict_options import PredictOptions

WORDS = (*texts.SPECIAL_NAMES, "oil", "gold", "profit")
CLASSES = ("crude", "earn", "metal")


def classifier(activation: str = "softmax") -> keras.Model:
    """Says crude for oil, metal for gold, earn for profit."""
    weights = WordWeights(WORDS, "binary", [0, 9, 5, 0, 3, 3, 3], 9)
    model = build_text_classifier(weights, CLASSES, (3,), 0.0, activation)
    hidden, output = np.zeros((7, 3)), 3.0 * np.eye(3)[[0, 2, 1]]
    hidden[4:] = np.eye(3)
    model.set_weights([hidden, np.zeros(3), output, np.full(3, -0.5)])
    return model


@pytest.fixture
def saved() -> SimpleNamespace:
    return SimpleNamespace(model=classifier(), config=SimpleNamespace(seed=0))


def options(*paths: Path, **others) -> PredictOptions:
    return PredictOptions("latest", tuple(paths), **others)


def test_each_line_is_a_text(saved, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.txt").write_text("Oil, oil!\n\nThe GOLD price\n", encoding="utf-8")
    (tmp_path / "two.txt").write_text("no word known\nprofit", encoding="utf-8")
    answers = tmp_path / "answers.jsonl"
    paths = (tmp_path / "one.txt", tmp_path / "two.txt")
    text_verbs.predict(saved, options(*paths, json=answers, top=2, batch_size=2))
    found = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [one.get("class") for one in found] == ["crude", "metal", None, "earn"]
    assert found[1]["text"].endswith("one.txt, line 3")
    assert found[2]["error"] == f"{tmp_path / 'two.txt'}, line 1 has no word that the model knows."
    assert found[0]["top"][0]["class"] == "crude"
    shares = np.exp([2.5, -0.5, -0.5])
    assert found[0]["probability"] == pytest.approx(shares[0] / shares.sum(), rel=1e-5)
    captured = capsys.readouterr()
    assert "3 classified, 1 could not be read" in captured.out
    assert "line 1 has no word that the model knows" in captured.err


def test_files_that_cannot_be_read_do_not_stop_the_rest(
    saved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00oil")
    (tmp_path / "long.txt").write_text("oil " * 400_000)
    (tmp_path / "good.txt").write_text("gold")
    places = [tmp_path / name for name in ("bytes.txt", "missing.txt", "long.txt", "good.txt")]
    text_verbs.predict(saved, options(*places, tmp_path))
    captured = capsys.readouterr()
    assert "1 classified, 4 could not be read" in captured.out
    for said in ("no UTF-8 text", "No such file", "too long", "Is a directory"):
        assert said in captured.err


def test_nothing_to_answer_is_one_sentence(saved, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(UserError, match=r"no text in .*empty\.txt: name text files"):
        text_verbs.predict(saved, options(tmp_path / "empty.txt"))


def test_outside_examples_are_a_file_a_class(saved, tmp_path: Path) -> None:
    (tmp_path / "crude.txt").write_text("oil\noil oil\n")
    (tmp_path / "metal.txt").write_text("gold mine\n")
    source = text_verbs.outside_examples(saved, tmp_path, "test", False)
    assert source.labels.tolist() == [0, 0, 2]
    assert source.features[:, 4].tolist() == [1, 2, 0]
    measured = text_verbs.measure(saved, source, 2)
    assert (measured["count"], measured["accuracy"]) == (3, 1.0)
    (tmp_path / "crude.txt").write_text("oil\nnothing\n")
    with pytest.raises(DataError, match="line 2 has no word"):
        text_verbs.outside_examples(saved, tmp_path, "test", False)
    assert len(text_verbs.outside_examples(saved, tmp_path, "test", True)) == 2


def test_wrong_folders_are_refused(saved, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="received none"):
        text_verbs.outside_examples(saved, tmp_path, "test", False)
    (tmp_path / "sport.txt").write_text("oil")
    with pytest.raises(DataError, match=r"such as crude\.txt, received sport\.txt"):
        text_verbs.outside_examples(saved, tmp_path, "test", False)
    (tmp_path / "sport.txt").rename(tmp_path / "crude.txt")
    (tmp_path / "crude.txt").write_text("nothing")
    with pytest.raises(DataError, match="at least one text"):
        text_verbs.outside_examples(saved, tmp_path, "test", True)
    with pytest.raises(DataError, match="no text that can be used"):
        text_verbs.outside_arrays(saved, tmp_path, 3)


def test_arrays_are_word_counts(saved, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("oil\ngold\nprofit oil\n")
    found = text_verbs.outside_arrays(saved, tmp_path / "texts.txt", 2)
    assert found.tolist() == [[0, 1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0, 1]]
    assert len(text_verbs.outside_arrays(saved, tmp_path, 9)) == 3
    made_up = text_verbs.made_up_arrays(saved)
    assert made_up.shape[1:] == saved.model.input_shape[1:]
    assert made_up.dtype == np.float32
    np.testing.assert_array_equal(made_up, text_verbs.made_up_arrays(saved))
    # The start is in every text, the padding in none.
    assert (made_up[:, 1] >= 1).all()
    assert (made_up[:, 0] == 0).all()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "linear", "margin"])
def test_scores_of_any_activation_become_probabilities(activation: str) -> None:
    model = classifier(activation)
    counts = texts.count_words(["oil", "gold", "profit", "oil gold profit", ""], WORDS)
    source = VectorSource(counts, np.array([0, 2, 1, 0, 0]), tuple("abcde"))
    found = text_verbs.predictions(model, source)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert found.predicted[:3].tolist() == [0, 2, 1]
    scores = model.predict(counts, verbose=0)
    np.testing.assert_array_equal(found.predicted, scores.argmax(axis=1))
