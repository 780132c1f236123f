"""evaluate and predict, on a run folder whose answers are known beforehand."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import core, folder, pipeline
from tasks import evaluate, predict
from tasks.common import run_pictures, run_splits, saved_run
from tasks.common.resume import Position
from tests.tasks import processes
from tests.tasks.small_runs import (
    CLASS_NAMES,
    HEIGHT,
    WIDTH,
    refused,
    write_class_folders,
    write_picture,
    write_run,
)

# --- evaluate


def test_evaluate_counts_the_mistakes_of_a_folder(runs, tmp_path, capsys):
    data = write_class_folders(tmp_path / "field", {"blue": 4, "green": 4, "red": 4})
    for number in range(3):
        write_picture(data / "green" / f"wrong{number}.png", "red", number)
    assert evaluate.main(["small", "--data-dir", str(data), "--batch-size", "4"]) == 0
    document = json.loads((runs / "evaluations" / "field.json").read_text())
    metrics = document["metrics"]["test"]
    assert (metrics["count"], metrics["accuracy"]) == (15, 12 / 15)
    assert metrics["balanced_accuracy"] == pytest.approx((1 + 4 / 7 + 1) / 3)
    # Wilson 1927 by hand: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964.
    assert metrics["accuracy_low"] == pytest.approx(0.54812, abs=1e-4)
    assert metrics["accuracy_high"] == pytest.approx(0.92952, abs=1e-4)
    assert document["data"] == str(data)
    output = capsys.readouterr().out
    assert "80.0 %" in output
    assert "54.8 % to 93.0 %" in output


def test_evaluate_own_split_agrees_with_the_report_or_says_what_differs(runs, capsys):
    assert evaluate.main(["latest"]) == 0
    document = json.loads((runs / "evaluations" / "test.json").read_text())
    assert document["metrics"]["test"]["count"] == 6  # 15 % of 36, at least one a class
    (runs / "report").mkdir()
    report = runs / "report" / "metrics.json"
    report.write_text(json.dumps(document))
    capsys.readouterr()
    assert evaluate.main(["small", "--batch-size", "1"]) == 0
    assert "These are the numbers of the run's report." in capsys.readouterr().out
    document["metrics"]["test"] |= {"accuracy": 0.5, "log_loss": None}
    report.write_text(json.dumps(document))
    assert evaluate.main(["small"]) == 0
    assert "report: accuracy 100.0 %, was 50.0 %." in capsys.readouterr().out


def test_evaluate_does_without_a_damaged_report(place, tmp_path, capsys):
    run = write_run(tmp_path / "runs", "own", place / "colours")
    report = run / "report" / "metrics.json"
    report.parent.mkdir()
    for text in ("[" * 100_000, '{"metrics": {"test": {"accuracy": "high", "count": [3]}}}'):
        report.write_text(text)
        assert evaluate.main([str(run)]) == 0
        assert "accuracy" in capsys.readouterr().out


def test_evaluate_matches_classes_by_name(runs, tmp_path, capsys):
    data = write_class_folders(tmp_path / "two", {"blue": 2, "red": 3})
    assert evaluate.main(["small", "--data-dir", str(data)]) == 0
    document = json.loads((runs / "evaluations" / "two.json").read_text())
    assert document["metrics"]["test"]["accuracy"] == 1.0
    assert "no pictures of 'green'" in capsys.readouterr().err


def test_evaluate_refuses_classes_the_model_does_not_know(runs, tmp_path, capsys):
    data = write_class_folders(tmp_path / "more", {"blue": 1, "red": 1})
    write_picture(data / "violet" / "1.png", "red")
    sentence = refused(capsys, evaluate.main(["small", "--data-dir", str(data)]))
    assert "received also 'violet'" in sentence
    assert "'blue', 'green', 'red'" in sentence


def test_evaluate_takes_the_split_of_a_folder_that_has_some(runs, tmp_path, capsys):
    data = tmp_path / "parts"
    write_class_folders(data / "train", {"blue": 1, "green": 1, "red": 1})
    write_class_folders(data / "test", {"blue": 2, "green": 3, "red": 2})
    assert evaluate.main(["small", "--data-dir", str(data)]) == 0
    document = json.loads((runs / "evaluations" / "parts.json").read_text())
    assert document["metrics"]["test"]["count"] == 7
    words = ["small", "--data-dir", str(data), "--split", "validation"]
    capsys.readouterr()
    assert "none for validation" in refused(capsys, evaluate.main(words))


def test_evaluations_of_folders_of_one_name_are_kept_apart(runs, tmp_path):
    for parent, count in (("a", 1), ("b", 2), ("b", 2)):
        data = tmp_path / parent / "same"
        if not data.exists():
            write_class_folders(data, {"blue": count, "red": count})
        assert evaluate.main(["small", "--data-dir", str(data)]) == 0
    written = {path.name: json.loads(path.read_text()) for path in runs.glob("evaluations/same*")}
    assert {name: document["metrics"]["test"]["count"] for name, document in written.items()} == {
        "same.json": 2,
        "same-2.json": 4,
    }


def test_evaluate_stops_at_an_unreadable_picture_or_leaves_it_out(runs, tmp_path, capsys):
    data = write_class_folders(tmp_path / "cut", {"blue": 2, "red": 2})
    (data / "red" / "cut.png").write_bytes(b"\x89PNG")
    words = ["small", "--data-dir", str(data)]
    assert "--skip-bad-images" in refused(capsys, evaluate.main(words))
    assert evaluate.main([*words, "--skip-bad-images"]) == 0
    assert "left out" in capsys.readouterr().err
    document = json.loads((runs / "evaluations" / "cut.json").read_text())
    assert document["metrics"]["test"]["count"] == 4


def test_evaluate_warns_when_the_examples_are_not_those_of_the_training(runs, capsys):
    splits = run_splits.load_splits(saved_run.open_run("small", Path("runs")))
    state = runs / "checkpoints" / "state.npz"
    state.parent.mkdir()
    right = core.fingerprint([splits.train, splits.validation])
    for data, warned in ((right, False), ("another", True)):
        position = dataclasses.asdict(Position(1, 1, 0, 8, data, {}))
        np.savez(state, document=json.dumps({"position": position}))
        capsys.readouterr()
        assert evaluate.main(["small"]) == 0
        assert ("files were added, removed or renamed" in capsys.readouterr().err) is warned
    state.unlink()


@pytest.mark.parametrize(
    "words, part",
    [
        (["nobody"], "There is no run 'nobody'"),
        (["small", "--batch-size", "0"], "--batch-size must be at least 1"),
        (["small", "--data-dir", "nowhere"], "nowhere"),
    ],
)
def test_evaluate_answers_mistakes_in_one_sentence(runs, capsys, words, part):
    assert part in refused(capsys, evaluate.main(words))


# --- predict


def expected_shares(pixels: np.ndarray) -> np.ndarray:
    """Softmax of ten times the mean of blue, green and red."""
    logits = 10 * pixels.reshape(-1, 3).mean(axis=0)[::-1] / 255
    return np.exp(logits) / np.exp(logits).sum()


def test_predict_gives_the_probabilities_of_the_pixels(runs, tmp_path, capsys):
    picture = write_picture(tmp_path / "in" / "a.png", "green", size=(WIDTH, HEIGHT))
    broken = picture.with_name("broken.jpg")
    broken.write_bytes(b"no picture")
    lines, table = tmp_path / "out" / "a.jsonl", tmp_path / "out" / "a.csv"
    words = ["small", str(picture), str(broken), "--top", "2"]
    assert predict.main([*words, "--json", str(lines), "--csv", str(table)]) == 0
    captured = capsys.readouterr()
    assert "1 classified, 1 could not be read" in captured.out
    assert "broken.jpg" in captured.err
    expected = expected_shares(np.asarray(Image.open(picture)))
    good, bad = (json.loads(line) for line in lines.read_text().splitlines())
    assert (good["file"], good["class"]) == (str(picture), "green")
    assert good["probability"] == pytest.approx(expected[1], abs=1e-5)
    assert [entry["class"] for entry in good["top"]] == [
        CLASS_NAMES[index] for index in np.argsort(-expected)[:2]
    ]
    assert set(bad) == {"file", "error"}
    (row,) = csv.DictReader(table.open(newline=""))
    received = [float(row[f"probability of {name}"]) for name in CLASS_NAMES]
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_predict_answers_as_evaluation_does_and_in_order(runs, place, tmp_path):
    files = sorted((place / "colours").rglob("*.png"))
    lines = tmp_path / "a.jsonl"
    words = ["small", *map(str, files), "--batch-size", "7", "--json", str(lines), "--top", "3"]
    assert predict.main(words) == 0
    saved = saved_run.open_run("small", Path("runs"))
    _, parts = folder.read_parts(place / "colours")
    batches = pipeline.evaluation_batches(parts["train"], run_pictures.batching_of(saved, 36))
    expected = saved.model.predict(batches, verbose=0)
    documents = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [document["file"] for document in documents] == [str(path) for path in files]
    for document, shares in zip(documents, expected, strict=True):
        for entry in document["top"]:
            index = CLASS_NAMES.index(entry["class"])
            assert entry["probability"] == pytest.approx(shares[index], abs=1e-6)


def test_predict_writes_annotated_copies_of_pictures_of_one_name(runs, tmp_path):
    first = write_picture(tmp_path / "one" / "cars" / "deep" / "a.png", "red")
    second = write_picture(tmp_path / "two" / "cars" / "deep" / "a.png", "blue")
    third = write_picture(tmp_path / "three" / "a.png", "green")
    before = [path.read_bytes() for path in (first, second, third)]
    copies = tmp_path / "copies"
    arguments = [tmp_path / "one" / "cars", tmp_path / "two" / "cars", third]
    assert predict.main(["small", *map(str, arguments), "--pictures", str(copies)]) == 0
    written = {str(path.relative_to(copies)) for path in copies.rglob("*") if path.is_file()}
    assert written == {"cars/deep/a.png", "cars-2/deep/a.png", "a.png"}
    assert [path.read_bytes() for path in (first, second, third)] == before
    middle = {name: Image.open(copies / name).getpixel((200, 100)) for name in written}
    assert np.argmax(middle["cars/deep/a.png"]) == 0
    assert np.argmax(middle["cars-2/deep/a.png"]) == 2
    assert np.argmax(middle["a.png"]) == 1


@pytest.mark.parametrize("copies", ["in", "in/inside", "."])
def test_predict_never_writes_among_the_pictures_it_reads(runs, tmp_path, capsys, copies):
    write_picture(tmp_path / "in" / "a.png", "red")
    words = ["small", str(tmp_path / "in"), "--pictures", str(tmp_path / copies)]
    assert "apart from the pictures" in refused(capsys, predict.main(words))
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["a.png"]


def test_predict_replaces_a_link_and_leaves_what_it_points_to(runs, tmp_path):
    picture = write_picture(tmp_path / "in" / "a.png", "red")
    before = picture.read_bytes()
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "a.png").symlink_to(picture)
    words = ["small", str(picture), "--pictures", str(tmp_path / "copies")]
    assert predict.main(words) == 0
    assert picture.read_bytes() == before
    assert not (tmp_path / "copies" / "a.png").is_symlink()


def test_predict_does_not_follow_a_folder_link_out_of_the_copies(runs, tmp_path, capsys):
    write_picture(tmp_path / "in" / "sub" / "a.png", "red")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "sub").symlink_to(outside)
    words = ["small", str(tmp_path / "in"), "--pictures", str(tmp_path / "copies")]
    assert predict.main(words) == 0
    assert list(outside.iterdir()) == []
    assert "not annotated" in capsys.readouterr().err


def test_a_copy_that_cannot_be_written_is_named_and_does_not_stop_the_rest(runs, tmp_path, capsys):
    """A name that has no room for that of the temporary file, and a folder in the way."""
    long, taken = 250 * "x" + ".png", "a.png"
    for name in (long, taken, "z.png"):
        write_picture(tmp_path / "in" / name, "red")
    copies = tmp_path / "copies"
    (copies / taken).mkdir(parents=True)
    assert predict.main(["small", str(tmp_path / "in"), "--pictures", str(copies)]) == 0
    captured = capsys.readouterr()
    assert "3 classified" in captured.out
    first, second = captured.err.splitlines()
    assert first == f"not written: the copy of {tmp_path}/in/a.png: a folder of that name is there"
    assert second.endswith("the name is longer than the file system allows")
    assert {path.name for path in copies.iterdir()} == {taken, "z.png"}


def test_a_full_disk_ends_predict_in_a_sentence(runs, tmp_path, capsys):
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "a.json").symlink_to(device)
    picture = write_picture(tmp_path / "in" / "a.png", "red")
    words = ["small", str(picture), "--json", str(tmp_path / "a.json")]
    sentence = refused(capsys, predict.main(words))
    assert "the disk is full" in sentence
    assert "--resume" not in sentence


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no file names that are not UTF-8")
def test_predict_takes_file_names_that_are_no_text(runs, tmp_path, capsys):
    picture = write_picture(tmp_path / "a.png", "red")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[2J.png"))
    picture.rename(odd)
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
    words = ["small", str(odd), "--json", str(lines), "--csv", str(table)]
    assert predict.main(words) == 0
    assert json.loads(lines.read_text())["file"] == str(odd)
    assert os.fsencode(odd) in table.read_bytes()
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, part",
    [
        (["small"], "at least one picture or folder"),
        (["small", "nothing.png"], "could not be read"),
        (["small", "empty"], "no picture in empty"),
        (["small", "a", "--top", "0"], "--top must be at least 1"),
        (["small", "a", "--json", "a.png"], "ends in .json or .jsonl"),
        (["small", "a", "--csv", "a.json"], "ends in .csv"),
        (["small", "colours", "--json", "folder.json"], "--json must lead to a file. Received: t"),
        (["small", "colours", "--csv", "afile/b/a.csv"], "--csv must lie in a folder"),
        (["small", "colours", "--pictures", "afile"], "--pictures must be a folder"),
        (["small", "colours", "--pictures", "afile/b"], "afile is none"),
        (
            ["small", "colours", "--pictures", "b/" + 300 * "y"],
            "--pictures must have names of at m",
        ),
        (["small", "colours", "--json", 300 * "y" + ".json"], "305 bytes"),
    ],
)
def test_predict_answers_mistakes_in_one_sentence(runs, place, capsys, words, part):
    for name in ("empty", "folder.json"):
        (place / name).mkdir(exist_ok=True)
    (place / "afile").touch()
    assert part in refused(capsys, predict.main(words))


def test_predict_says_in_one_sentence_where_nobody_can_write(runs, place, capsys):
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    # The superuser may write there, which fails all the same.
    may = os.access("/proc", os.W_OK)
    part = "Could not write '/proc/a" if may else "no permission to write to /proc"
    words = ["small", "colours", "--json", "/proc/a/b.json"]
    assert part in refused(capsys, predict.main(words))


@pytest.mark.parametrize("named", ["nothing.png", "empty", "bad"])
def test_predict_without_an_answer_leaves_older_files_alone(runs, tmp_path, named):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"\x89PNG")
    lines, table = tmp_path / "old.json", tmp_path / "new" / "a.csv"
    lines.write_text("old")
    words = ["small", str(tmp_path / named), "--json", str(lines), "--csv", str(table)]
    assert predict.main([*words, "--pictures", str(tmp_path / "copies")]) == 2
    assert lines.read_text() == "old"
    assert not table.parent.exists()
    assert not (tmp_path / "copies").exists()


def test_predict_writes_down_what_could_not_be_read_before_the_first_answer(runs, tmp_path):
    second = write_picture(tmp_path / "in" / "b.png", "red")
    first = second.with_name("a.png")
    first.write_bytes(b"\x89PNG")
    lines, table = tmp_path / "a.json", tmp_path / "a.csv"
    words = ["small", str(tmp_path / "in"), "--json", str(lines), "--csv", str(table)]
    assert predict.main(words) == 0
    documents = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [document["file"] for document in documents] == [str(first), str(second)]
    assert "error" in documents[0]
    assert [row.split(",")[0] for row in table.read_text().splitlines()] == ["file", str(second)]


# --- as a process


def test_a_verb_runs_as_a_command_and_is_quiet(runs, place):
    result = processes.run(place, "tasks.predict", "latest", "colours/red", "--top", "1")
    assert "12 classified" in result.stdout
    assert result.stderr == ""
    result = processes.run(place, "tasks.predict", "latest", "a.png", "--top", "0", status=2)
    assert result.stderr == "error: --top must be at least 1. Received: 0.\n"


def test_a_damaged_model_is_named(place, tmp_path, capsys):
    # Not among the runs of the other tests, of which it would be the latest.
    damaged = write_run(tmp_path / "runs", "damaged", place / "colours")
    (damaged / "model.keras").write_bytes(b"nothing")
    assert "model.keras" in refused(capsys, predict.main([str(damaged), "a.png"]))
