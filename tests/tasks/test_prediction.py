"""Pictures of any number, kind and shape through prediction and onto annotated copies."""

from __future__ import annotations

import itertools
from pathlib import Path, PurePath

import numpy as np
import pytest
from PIL import Image

from datasets import core
from tasks.common import class_folders, image_classifier, run_pictures, saved_run
from tasks.common.annotated_pictures import LONGEST_COPY, SHORTEST_COPY, annotate
from tasks.common.answers import Answer
from tasks.common.found_pictures import FoundPicture, find_pictures
from tasks.common.prediction import answers
from tests.tasks.small_runs import CLASS_NAMES, HEIGHT, WIDTH, write_picture, write_run


def test_an_endless_folder_is_read_only_a_batch_ahead(tmp_path):
    write_run(tmp_path / "runs", "small", tmp_path)
    saved = saved_run.open_run("small", tmp_path / "runs")
    pictures = [
        write_picture(tmp_path / f"{name}.png", name, size=(WIDTH, HEIGHT))
        for name in ("blue", "red")
    ]
    asked = itertools.count()

    def endless():
        for number in asked:
            yield FoundPicture(pictures[number % 2], PurePath("a.png"))

    stream = answers(saved, endless(), batch_size=8)
    first = list(itertools.islice(stream, 20))
    stream.close()
    assert [answer.top(1)[0][0] for answer in first] == [0, 2] * 10
    # Three batches of 8, and at most one more ahead.
    assert 24 <= next(asked) <= 34


def test_large_jpegs_are_decoded_as_for_training_and_evaluation(tmp_path):
    """At the reduced scale that the model's size allows, where the numbers differ a little."""
    write_run(tmp_path / "runs", "small", tmp_path)
    saved = saved_run.open_run("small", tmp_path / "runs")
    place = tmp_path / "cars"
    for name in CLASS_NAMES:
        write_picture(place / name / "large.jpg", name, size=(10 * WIDTH, 10 * HEIGHT))
    source = class_folders.folder_examples(
        place, "test", CLASS_NAMES, False, 2, image_size=(HEIGHT, WIDTH)
    )
    assert source.example(0)["image"].shape == (10 * HEIGHT // 4, 10 * WIDTH // 4, 3)

    def predicted(source: core.LabelledSource) -> np.ndarray:
        return image_classifier.predict(saved.model, source, run_pictures.batching_of(saved, 3))

    received = [answer.output for answer in answers(saved, find_pictures([place]), 3)]
    np.testing.assert_allclose(received, predicted(source), rtol=0, atol=1e-6)
    in_full = class_folders.folder_examples(place, "test", CLASS_NAMES, False, 2)
    difference = np.abs(predicted(source) - predicted(in_full)).max()
    assert 1e-5 < difference < 1e-2


def test_an_unreadable_picture_has_no_classes():
    answer = Answer("a.png", None, "a.png is empty.")
    with pytest.raises(ValueError, match="no classes"):
        answer.top(1)


def test_top_classes_come_by_probability_then_id():
    shares = np.array([0.2, 0.3, 0.2, 0.3], np.float32)
    answer = Answer("a.png", shares)
    assert [index for index, _ in answer.top(9)] == [1, 3, 0, 2]


def test_pictures_have_places_of_their_own(tmp_path, monkeypatch):
    for name in ("one/x.png", "two/x.png", "two/X.PNG", "cars/x.png", "cars/.hidden.png"):
        write_picture(tmp_path / name, "red")
    (tmp_path / "one" / "bytes").write_bytes(b"")
    (tmp_path / "cars" / "notes.txt").write_text("no picture")
    monkeypatch.chdir(tmp_path / "one")
    words = ("x.png", "../two/x.png", "../two/X.PNG", "bytes", "../cars", "../two/../cars", "..")
    found = [picture.place for picture in find_pictures([Path(word) for word in words])]
    places = {place.as_posix() for place in found}
    assert len(places) == len(found)
    assert places >= {"x.png", "x-2.png", "X-3.PNG", "bytes.png", "cars/x.png", "cars-2/x.png"}
    assert f"{tmp_path.name}/one/x.png" in places
    assert not any(".." in place.parts or place.is_absolute() for place in found)


@pytest.mark.parametrize("shape", [(1, 1), (24, 32), (700, 900), (40, 3000), (3000, 2)])
def test_annotated_copies_are_of_a_size_to_look_at(shape):
    picture = np.full((*shape, 3), (10, 200, 30), np.uint8)
    ranking = [("a name " * 30, 0.75), ("š", 0.25)]
    copy = np.asarray(annotate(picture, ranking))
    assert SHORTEST_COPY <= max(copy.shape) <= LONGEST_COPY + 200
    assert copy.shape[1] >= SHORTEST_COPY
    # The picture itself is not drawn on: all of it is there, in its colour.
    rows = np.flatnonzero((copy == (10, 200, 30)).all(axis=2).any(axis=1))
    assert len(rows) == rows[-1] + 1
    factor = np.clip(max(shape), SHORTEST_COPY, LONGEST_COPY) / max(shape)
    assert len(rows) == max(1, round(factor * shape[0]))


def test_the_bars_of_an_annotation_are_as_long_as_the_probabilities():
    copy = np.asarray(annotate(np.zeros((480, 480, 3), np.uint8), [("", 0.75), ("", 0.25)]))
    lines = (len(copy) - 480) // 2
    for number, share in enumerate((0.75, 0.25)):
        row = copy[480 + number * lines + 1]
        assert np.count_nonzero((row != 255).any(axis=1)) == pytest.approx(480 * share, abs=2)


def test_a_copy_is_not_the_array_it_was_made_from():
    picture = np.zeros((480, 640, 3), np.uint8)
    annotate(picture, [("car", 1.0)])
    assert not picture.any()
    assert isinstance(annotate(picture, []), Image.Image)
