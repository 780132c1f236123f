"""compare, on run folders that hold files and nothing to compute with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tasks import compare
from tasks.common import report
from tasks.common.metric_directions import Headline
from tests.tasks import processes
from tests.tasks.small_runs import refused, write_metrics, write_run


@pytest.fixture
def compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs: `plain`, the better `smooth|er`, and `stopped` without a report."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    low = write_run(tmp_path / "runs", "plain", data)
    high = write_run(tmp_path / "runs", "smooth|er", data, label_smoothing=0.1, workers=1)
    write_run(tmp_path / "runs", "stopped", data, augment=())
    write_metrics(low, test_accuracy=0.8, test_accuracy_low=0.7, test_accuracy_high=0.9)
    write_metrics(high, test_accuracy=0.9, validation_accuracy=0.95)
    newer = time.time() + 10
    os.utime(low / "config.json", (newer, newer))
    return tmp_path


def test_compare_ranks_runs_and_names_their_differences(compared, capsys):
    words = ["stopped", "plain", "smooth|er", "--markdown", "tables.md"]
    assert compare.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["smooth|er", "plain", "stopped"]
    assert "70.0 % to 90.0 %" in lines[3]
    assert "1 min 1 s" in lines[3]  # stages only: neither evaluation nor baselines
    options = {
        line.split()[0]: line.split()[1:]
        for line in lines
        if line[2:3].isalpha() and line.startswith("--")
    }
    assert set(options) == {"--label-smoothing", "--augment"}
    assert options["--label-smoothing"] == ["0.1", "0.0", "0.0"]
    assert Image.open("runs/compare.png").format == "PNG"
    assert "| smooth\\|er | 90.0 % |" in Path("tables.md").read_text()


def test_compare_takes_latest_and_folders_once(compared, capsys):
    words = ["latest", "runs/cars_finetune/plain", "plain"]
    assert "at least two different runs" in refused(capsys, compare.main(words))
    assert compare.main(["latest", "smooth|er", "--output", "deep/chart.png"]) == 0
    assert Path("deep/chart.png").is_file()


def test_compare_calls_the_lowest_loss_the_best(compared, capsys):
    for name, loss in (("plain", 0.4), ("smooth|er", 0.7)):
        write_metrics(compared / "runs" / "cars_finetune" / name, test_log_loss=loss)
    assert compare.main(["smooth|er", "plain", "--metric", "log_loss"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("plain")


def test_compare_without_a_metric_takes_the_headline_of_the_reports(compared, capsys):
    for name, error in (("plain", 0.4), ("smooth|er", 0.7)):
        folder = compared / "runs" / "cars_finetune" / name / "report"
        numbers = {"test": {"accuracy": error, "distance": error}}
        report.write_metrics(folder, "x", numbers, {}, {}, 1, Headline("distance", "min"))
    assert compare.main(["smooth|er", "plain", "stopped"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "test distance" in lines[0]
    assert [line.split()[0] for line in lines[2:5]] == ["plain", "smooth|er", "stopped"]


@pytest.mark.parametrize(
    "metric", ["rmse", "abs_rel", "kl", "mse", "log10", "depth_rms", "depth_mae", "failure_rate"]
)
def test_compare_ranks_older_reports_by_what_their_number_means(compared, capsys, metric):
    for name, error in (("plain", 0.4), ("smooth|er", 0.7)):
        folder = compared / "runs" / "cars_finetune" / name
        write_metrics(folder, test_count=4, **{f"test_{metric}": error})
    assert compare.main(["smooth|er", "plain"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("plain")


def test_compare_asks_for_a_metric_where_runs_have_different_headlines(compared, capsys):
    folder = compared / "runs" / "cars_finetune" / "plain" / "report"
    numbers = {"test": {"accuracy": 0.3, "cc": 0.5}}
    report.write_metrics(folder, "x", numbers, {}, {}, 1, Headline("cc", "max"))
    sentence = refused(capsys, compare.main(["plain", "smooth|er"]))
    assert "cc of plain, accuracy of smooth|er" in sentence
    assert "--metric" in sentence
    assert compare.main(["plain", "smooth|er", "--metric", "accuracy"]) == 0


def test_compare_says_that_no_run_has_a_result(compared, capsys):
    write_run(compared / "runs", "broken_off", compared / "data")
    assert "None of these runs" in refused(capsys, compare.main(["stopped", "broken_off"]))


def test_compare_tells_runs_of_one_name_apart(compared, capsys):
    other = write_run(compared / "other", "plain", compared / "data", seed=1)
    write_metrics(other, test_accuracy=0.5)
    assert compare.main(["runs/cars_finetune/plain", str(other)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("runs/cars_finetune/plain")
    assert lines[3].startswith("other/cars_finetune/plain")


@pytest.mark.parametrize(
    "words, part",
    [
        (["plain"], "at least two different runs"),
        (["plain", "nobody"], "no run 'nobody'"),
        (["plain", "smooth|er", "--metric", "speed"], "--metric must be one of accuracy"),
        (["plain", "smooth|er", "--output", "chart.jpg"], "ends in .png"),
        (["plain", "smooth|er", "--markdown", "data.csv"], "ends in .md"),
        (["plain", "smooth|er", "--output", "folder.png"], "--output must lead to a file"),
        (["plain", "smooth|er", "--output", "file/a.png"], "--output must lie in a folder"),
        (["plain", "smooth|er", "--markdown", "folder.md"], "--markdown must lead to a file"),
        (["plain", "smooth|er", "--markdown", "file/a.md"], "--markdown must lie in a folder"),
        (["plain", "smooth|er", "--runs-dir", "file"], "--runs-dir must lie in a folder"),
    ],
)
def test_compare_answers_mistakes_in_one_sentence(compared, capsys, words, part):
    for name in ("folder.png", "folder.md"):
        (compared / name).mkdir()
    (compared / "file").write_text("kept")
    assert part in refused(capsys, compare.main(words))
    assert not (compared / "runs" / "compare.png").exists()


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", "[" * 100_000, '{"metrics": 3}', '{"seconds": {"head": "x"}}'),
        *('{"headline": "accuracy"}', '{"headline": {"metric": "accuracy", "better": "up"}}'),
        '{"headline": {"metric": ["accuracy"], "better": "max"}}',
    ],
)
def test_compare_names_a_damaged_report(compared, capsys, text):
    (compared / "runs/cars_finetune/plain/report/metrics.json").write_text(text)
    assert "metrics.json" in refused(capsys, compare.main(["plain", "smooth|er"]))


def test_help_and_comparison_need_no_tensorflow(compared):
    program = (
        "import sys\n"
        "from tasks import compare, evaluate, export, predict\n"
        "for verb in (compare, evaluate, export, predict):\n"
        "    try:\n"
        "        verb.main(['--help'])\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0\n"
        "assert compare.main(['plain', 'smooth|er']) == 0\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(processes.ROOT)},
        capture_output=True,
        text=True,
        timeout=processes.PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("usage: ") == 4
