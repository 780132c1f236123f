from __future__ import annotations

import matplotlib
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from PIL import Image
from sklearn.metrics import precision_score, recall_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins import projector
from tensorboard.plugins.hparams import plugin_data_pb2

from callbacks.flat_record import flatten
from callbacks.tensorboard_confusion import confusion_matrix_picture, write_confusion_matrix
from callbacks.tensorboard_hparams import write_hparams
from callbacks.tensorboard_pr_curves import hardest_classes, write_pr_curves
from callbacks.tensorboard_projector import MOST_EXAMPLES, THUMBNAIL_SIZE, write_projector
from callbacks.tensorboard_text import markdown_table, write_text

RECORD = {"rate": 0.5, "stages": ("head", "tail"), "augment": {"flip": True, "crop": None}}
FLAT = {"rate": 0.5, "stages": "head, tail", "augment.flip": True, "augment.crop": "none"}


def test_a_nested_record_becomes_flat(tmp_path):
    assert flatten({**RECORD, "path": tmp_path}) == {**FLAT, "path": str(tmp_path)}


def test_text_is_a_table_that_keeps_its_cells(tmp_path, read_events):
    write_text(tmp_path, "config", RECORD)
    ((step, value),) = read_events(tmp_path)["config"]
    assert step == 0
    assert value.item().decode().splitlines() == [
        "| name | value |",
        "|---|---|",
        "| rate | 0.5 |",
        "| stages | head, tail |",
        "| augment.flip | True |",
        "| augment.crop | none |",
    ]
    assert markdown_table({"a|b": "c\nd"}).splitlines()[2] == "| a\\|b | c d |"


def test_hparams_stand_beside_the_results(tmp_path, read_events):
    write_hparams(tmp_path, RECORD, {"test_accuracy": 0.75}, "run-1")
    accumulator = EventAccumulator(str(tmp_path / "test"))
    accumulator.Reload()
    content = accumulator.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    assert {
        name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()
    } == FLAT
    assert start.group_name == "run-1"
    assert read_events(tmp_path / "test")["result/test_accuracy"] == [(0, np.float32(0.75))]


def test_the_shade_of_the_confusion_matrix_is_the_share_of_the_class():
    counts = np.array([[0, 50, 50], [0, 7, 0], [0, 0, 0]])
    picture = confusion_matrix_picture(counts, ["a", "b", "c"]).astype(int)
    assert picture.ndim == 3 and picture.shape[-1] == 3
    blues = matplotlib.colormaps["Blues"]

    def area(share: float) -> int:
        return int((picture == blues(share, bytes=True)[:3]).all(axis=-1).sum())

    # Cells have equal area: one full, two half, six empty.
    assert area(1.0) > 0
    assert area(0.5) == pytest.approx(2 * area(1.0), rel=0.1)
    assert area(0.0) == pytest.approx(6 * area(1.0), rel=0.1)


def test_a_confusion_matrix_of_many_classes_is_written(tmp_path, read_events):
    names = [f"class {n}" for n in range(196)]
    write_confusion_matrix(tmp_path, np.eye(196, dtype=int), names)
    ((step, value),) = read_events(tmp_path / "test")["confusion_matrix"]
    assert step == 0
    assert tf.io.decode_png(value[2]).shape[-1] == 3
    with pytest.raises(ValueError, match="196 classes"):
        write_confusion_matrix(tmp_path, np.eye(3), names)


@pytest.fixture
def scores() -> tuple[np.ndarray, np.ndarray]:
    """Labels of 60 examples of 3 of 4 classes, and probabilities that favour them."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 60)
    scores = generator.random((60, 4)) + np.eye(4)[labels] * [0.8, 0.4, 0.1, 0]
    return labels, (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


def test_pr_curves_agree_with_scikit_learn(tmp_path, read_events, scores):
    labels, probabilities = scores
    write_pr_curves(tmp_path, labels, probabilities, ["a", "b", "c", "d"])
    events = read_events(tmp_path / "test")
    # No curve for class d, which has no example.
    assert set(events) == {f"pr_curve/{n}/pr_curves" for n in ("all_classes", "a", "b", "c")}
    curve = events["pr_curve/b/pr_curves"][0][1]
    assert curve.shape == (6, 201)
    for bucket in (20, 60, 80):  # thresholds 0.1, 0.3, 0.4
        guess = probabilities[:, 1] >= bucket / 200
        assert curve[4, bucket] == pytest.approx(precision_score(labels == 1, guess))
        assert curve[5, bucket] == pytest.approx(recall_score(labels == 1, guess))
    positives = events["pr_curve/all_classes/pr_curves"][0][1][0, 0]
    assert positives == 60


def test_the_hardest_classes_come_first(tmp_path, read_events, scores):
    labels, probabilities = scores
    means = [probabilities[labels == c, c].mean() for c in range(3)]
    assert hardest_classes(labels[:, None] == np.arange(4), probabilities) == list(
        np.argsort(means)
    )
    write_pr_curves(tmp_path, labels, probabilities, ["a", "b", "c", "d"], most_classes=1)
    hardest = "abc"[int(np.argmin(means))]
    assert f"pr_curve/{hardest}/pr_curves" in read_events(tmp_path / "test")
    assert len(read_events(tmp_path / "test")) == 2


def test_a_probability_rounded_above_one_still_counts(tmp_path, read_events):
    probabilities = np.array([[np.nextafter(np.float32(1), np.float32(2)), 0.0]], np.float32)
    write_pr_curves(tmp_path, np.array([0]), probabilities, ["a", "b"])
    assert read_events(tmp_path / "test")["pr_curve/a/pr_curves"][0][1][0, 0] == 1


def test_shapes_of_probabilities_are_checked(tmp_path, scores):
    with pytest.raises(ValueError, match=r"\(60, 3\)"):
        write_pr_curves(tmp_path, *scores, ["a", "b", "c"])


def test_the_projector_finds_its_files(tmp_path):
    count = MOST_EXAMPLES + 5
    features = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    shades = (np.arange(count) % 256).astype(np.uint8)
    pictures = np.broadcast_to(shades[:, None, None, None], (count, 8, 8, 3))
    names = [f"car\t{n}" for n in range(count)]
    write_projector(tmp_path, features, pictures, {"class": names, "guess": names})
    folder = tmp_path / "test"
    config = projector.ProjectorConfig()
    text_format.Parse((folder / "projector_config.pbtxt").read_text(), config)
    (embedding,) = config.embeddings
    received = np.loadtxt(folder / embedding.tensor_path, delimiter="\t")
    np.testing.assert_allclose(received, features[:MOST_EXAMPLES], rtol=1e-3)
    lines = (folder / embedding.metadata_path).read_text().splitlines()
    assert lines[:2] == ["class\tguess", "car 0\tcar 0"]
    assert len(lines) == MOST_EXAMPLES + 1
    sprite = np.asarray(Image.open(folder / embedding.sprite.image_path))
    assert list(embedding.sprite.single_image_dim) == [THUMBNAIL_SIZE, THUMBNAIL_SIZE]
    # 32 thumbnails a row: number 100 is in row 3, column 4.
    assert sprite.shape == (32 * THUMBNAIL_SIZE, 32 * THUMBNAIL_SIZE, 3)
    assert (sprite[3 * THUMBNAIL_SIZE + 9, 4 * THUMBNAIL_SIZE + 9] == 100).all()


def test_one_column_has_no_heading(tmp_path):
    write_projector(tmp_path, np.eye(2), np.zeros((2, 8, 8, 3)), {"class": ["a", "b"]})
    assert (tmp_path / "test" / "metadata.tsv").read_text() == "a\nb\n"


@pytest.mark.parametrize("columns", [{}, {"class": ["a"]}])
def test_counts_of_the_projector_are_checked(tmp_path, columns):
    with pytest.raises(ValueError, match="Received: 2 features"):
        write_projector(tmp_path, np.eye(2), np.zeros((2, 8, 8, 3)), columns)
