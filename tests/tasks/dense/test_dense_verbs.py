"""evaluate and predict on runs whose answers are maps."""

from __future__ import annotations

import csv
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from datasets import pipeline
from datasets.core import DataError
from keras_models.map_output import map_layer
from tasks import evaluate, predict
from tasks.common.dense import legend, own_size, video
from tests.tasks.small_dense import (
    CLASS_NAMES,
    CLASSES,
    COLOURS,
    DEPTH,
    HEIGHT,
    WIDTH,
    brightest_channel,
    brightness,
    open_as_run,
    picture,
)
from tests.tasks.small_runs import refused


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that makes `RUN` a run of a kind and gives its folder."""
    return lambda kind: open_as_run(kind, tmp_path / "run", monkeypatch)


def expected_maps(model, pixels: np.ndarray) -> np.ndarray:
    """The maps at the picture's size, by TensorFlow's own resizing; of classes their logarithms."""
    squashed = pipeline.resize(pixels, (HEIGHT, WIDTH), "squash").numpy()
    maps = model(squashed[None])
    if map_layer(model).unit == "probability":
        maps = tf.math.log(maps)
    return tf.image.resize(maps, pixels.shape[:2])[0].numpy()


def save(path: Path, pixels: np.ndarray, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def write_video(
    path: Path, frames: int = 10, size: tuple[int, int] = (40, 60), rate: float = 12.5
) -> Path:
    """A red, then a blue half; each frame a little brighter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with video.written(path, rate) as write:
        for number in range(frames):
            frame = np.zeros((*size, 3), np.uint8)
            frame[:, : size[1] // 2, 0] = frame[:, size[1] // 2 :, 2] = 100 + 5 * number
            write(frame)
    return path


def chunk(tag: bytes, data: bytes) -> bytes:
    return tag + struct.pack("<I", len(data)) + data


def uncompressed_avi(height: int, bits: int, code: bytes, width: int = 64) -> bytes:
    """Two uncompressed frames; a negative height: the first row comes first."""
    frame = (width * bits + 31) // 32 * 4 * abs(height)
    main = struct.pack("<14I", 40000, 0, 0, 16, 2, 0, 1, frame, width, abs(height), 0, 0, 0, 0)
    stream = b"vidsDIB " + struct.pack("<12I", 0, 0, 0, 1, 25, 0, 2, frame, 0, 0, 0, 0)
    form = struct.pack("<IiiHH4sI4I", 40, width, height, 1, bits, code, frame, 0, 0, 0, 0)
    form += bytes(1024 if bits == 8 and not any(code) else 0)  # the palette
    header = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", form))
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + header)
    frames = chunk(b"LIST", b"movi" + 2 * chunk(b"00db", b"\x40" * frame))
    return chunk(b"RIFF", b"AVI " + header + frames)


# --- evaluate


def test_evaluate_takes_own_and_other_data(opened, tmp_path, capsys):
    folder = opened(CLASSES)
    assert evaluate.main(["RUN"]) == 0
    assert "mean iou  0.500" in capsys.readouterr().out.replace("   ", "  ")
    assert evaluate.main(["RUN", "--data-dir", str(tmp_path / "more")]) == 0
    document = json.loads((folder / "evaluations" / "more.json").read_text())
    assert document["metrics"]["test"]["count"] == 3


# --- maps at the picture's own size


@pytest.mark.parametrize("size", [(24, 32), (57, 91), (11, 200), (1, 1)])
def test_maps_are_stretched_as_tensorflow_does(size, monkeypatch):
    maps = np.random.default_rng(1).normal(size=(24, 32, 3)).astype(np.float32)
    monkeypatch.setattr(own_size, "_BAND", 1000)
    expected = tf.image.resize(maps, size).numpy()
    np.testing.assert_allclose(own_size.stretched(maps, size), expected, atol=1e-5)


def test_a_map_that_is_too_large_to_hold_is_held_smaller():
    assert own_size.allowed_size((4000, 6000), 1) == (4000, 6000)
    height, width = own_size.allowed_size((4000, 6000), 100)
    assert 0.95 * own_size.LARGEST_MAP < 100 * height * width <= own_size.LARGEST_MAP
    assert height / width == pytest.approx(2 / 3, abs=0.01)


# --- predict on pictures


def test_predict_writes_the_map_of_each_picture_at_its_own_size(opened, tmp_path, capsys):
    opened(CLASSES)
    pixels = picture(45, 71)
    named = save(tmp_path / "in" / "deep" / "a.png", pixels)
    save(tmp_path / "in" / "a.jpg", picture(20, 30, 1))
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG")
    out, arrays = tmp_path / "out", tmp_path / "arrays"
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
    words = ["RUN", str(tmp_path / "in"), "--pictures", str(out), "--arrays", str(arrays)]
    assert predict.main([*words, "--json", str(lines), "--csv", str(table)]) == 0
    captured = capsys.readouterr()
    assert "2 mapped, 1 could not be read" in captured.out
    assert "broken.png" in captured.err
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {
        "legend.png",
        *("a.jpg.map.png", "a.jpg.overlay.png"),
        *("deep/a.png.map.png", "deep/a.png.overlay.png"),
    }
    ids = expected_maps(brightest_channel(), pixels).argmax(axis=-1)
    received = np.load(arrays / "deep" / "a.png.npy")
    assert (received.dtype, received.shape) == (np.uint8, (45, 71))
    assert (received != ids).mean() < 0.001
    painted = np.asarray(Image.open(out / "deep" / "a.png.map.png"))
    np.testing.assert_array_equal(painted, np.array(COLOURS, np.uint8)[received])
    overlay = np.asarray(Image.open(out / "deep" / "a.png.overlay.png")).astype(float)
    np.testing.assert_allclose(overlay, (painted.astype(float) + pixels) / 2, atol=1)
    good = [json.loads(line) for line in lines.read_text().splitlines()]
    (mine,) = [line for line in good if line["file"] == str(named)]
    assert (mine["height"], mine["width"]) == (45, 71)
    assert mine["most"] == CLASS_NAMES[np.bincount(ids.ravel()).argmax()]
    assert mine["red share"] == pytest.approx((ids == 0).mean(), abs=0.02)
    assert sum("error" in line for line in good) == 1
    rows = list(csv.DictReader(table.open(newline="")))
    assert [row["file"] for row in rows] == [line["file"] for line in good if "error" not in line]
    assert rows[-1]["frame"] == ""


def test_predict_turns_a_rotated_photograph_upright(opened, tmp_path):
    """Orientation 6: the stored rows are columns of what is seen."""
    opened(DEPTH)
    upright = np.zeros((64, 40, 3), np.uint8)
    upright[:32] = 250
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = np.rot90(upright, 1)
    path = save(tmp_path / "in" / "phone.jpg", np.ascontiguousarray(lying), exif=exif, quality=95)
    words = ["RUN", str(path), "--arrays", str(tmp_path / "out")]
    assert predict.main([*words, "--pictures", str(tmp_path / "copies")]) == 0
    distances = np.load(tmp_path / "out" / "phone.jpg.npy")
    assert (distances.dtype, distances.shape) == (np.float32, (64, 40, 1))
    assert distances[:24].min() > 9
    assert distances[40:].max() < 1
    overlay = Image.open(tmp_path / "copies" / "phone.jpg.overlay.png")
    assert overlay.size == (40, 64)
    assert sum(overlay.getpixel((20, 5))) > sum(overlay.getpixel((20, 60))) + 300
    assert not (tmp_path / "copies" / "legend.png").exists()


def test_predict_writes_distances_and_a_cloud_of_points(opened, tmp_path, monkeypatch):
    opened(DEPTH)
    pixels = picture(30, 50)
    path = save(tmp_path / "in" / "a.png", pixels)
    words = ["RUN", str(path), "--arrays", str(tmp_path / "out"), "--focal-length", "40"]
    words += ["--point-cloud", str(tmp_path / "clouds")]
    assert predict.main(words) == 0
    received = np.load(tmp_path / "out" / "a.png.npy")
    np.testing.assert_allclose(received, expected_maps(brightness(), pixels), atol=0.02)
    ply = tmp_path / "clouds" / "a.png.ply"
    assert ply.read_bytes() == b"(30, 50, 3) (30, 50, 1) 40.0"
    monkeypatch.setattr(own_size, "LARGEST_MAP", 15 * 25)
    assert predict.main(words) == 0
    assert ply.read_bytes() == b"(15, 25, 3) (15, 25, 1) 20.0"


# --- predict on videos


def test_predict_follows_a_video(opened, tmp_path, capsys):
    opened(CLASSES)
    film = write_video(tmp_path / "in" / "drive.mp4")
    out, arrays = tmp_path / "out", tmp_path / "arrays"
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
    words = ["RUN", str(film.parent), "--pictures", str(out), "--arrays", str(arrays)]
    words += ["--json", str(lines), "--csv", str(table), "--batch-size", "4"]
    assert predict.main(words) == 0
    shown = capsys.readouterr().out
    assert "drive.mp4, 10 frames" in shown
    assert "10 mapped" in shown
    for word in ("map", "overlay"):
        with video.opened(out / f"drive.mp4.{word}.mp4") as painted:
            frames = list(painted.frames)
            assert painted.rate == pytest.approx(12.5)
        assert [frame.shape for frame in frames] == 10 * [(40, 60, 3)]
        left, right = frames[5][:, 5:20], frames[5][:, 40:55]
        assert left.mean(axis=(0, 1)).argmax() == 0
        assert right.mean(axis=(0, 1)).argmax() == 2
    assert sorted(path.name for path in arrays.rglob("*.npy")) == [
        f"{number:06d}.npy" for number in range(10)
    ]
    ids = np.load(arrays / "drive.mp4" / "000003.npy")
    assert (ids[:, :28] == 0).all()
    assert (ids[:, 32:] == 2).all()
    documents = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [document["frame"] for document in documents] == list(range(10))
    assert documents[5]["seconds"] == 0.4
    assert documents[5]["blue share"] == pytest.approx(0.5, abs=0.05)
    assert len(list(csv.DictReader(table.open(newline="")))) == 10


@pytest.mark.parametrize("size", [(1, 60), (40, 1)])
def test_a_video_that_cannot_be_painted_is_named_once_and_does_not_stop_the_rest(
    opened, tmp_path, capsys, size
):
    """Its arrays are written, and so are the videos before and after it."""
    opened(CLASSES)
    films = [tmp_path / "in" / name for name in ("a.mp4", "b.avi", "c.mp4")]
    for film in (films[0], films[2]):
        write_video(film, 3)
    films[1].write_bytes(uncompressed_avi(size[0], 8, b"Y800", size[1]))
    out, arrays = tmp_path / "out", tmp_path / "arrays"
    words = ["RUN", str(tmp_path / "in"), "--pictures", str(out), "--arrays", str(arrays)]
    assert predict.main(words) == 0
    captured = capsys.readouterr()
    assert "8 mapped" in captured.out
    (line,) = captured.err.splitlines()
    assert line.startswith(f"not written: {films[1]} has frames of {size[1]} x {size[0]} pixels")
    assert {path.name for path in out.iterdir()} == {
        "legend.png",
        *(f"{name}.mp4.{word}.mp4" for name in "ac" for word in ("map", "overlay")),
    }
    assert len(list(arrays.rglob("*.npy"))) == 8


def test_copies_that_cannot_be_written_are_named_once_and_do_not_stop_the_rest(
    opened, tmp_path, capsys
):
    """A long name, folders in the way of a video's and a picture's copies, a file of frames'."""
    opened(CLASSES)
    film, last = tmp_path / "in" / "a.mp4", tmp_path / "in" / "z.png"
    write_video(film, 3)
    long = save(film.with_name(240 * "x" + ".png"), picture(20, 30))
    save(last, picture(20, 30))
    out, arrays = tmp_path / "out", tmp_path / "arrays"
    for name in ("a.mp4.map.mp4", "z.png.overlay.png"):
        (out / name).mkdir(parents=True)
    arrays.mkdir()
    (arrays / film.name).touch()
    words = ["RUN", str(film.parent), "--pictures", str(out), "--arrays", str(arrays)]
    assert predict.main(words) == 0
    captured = capsys.readouterr()
    assert "5 mapped" in captured.out
    assert sorted(captured.err.splitlines()) == sorted(
        f"not written: a copy of {name}: {reason}"
        for name, reason in (
            (film, "a file of that name is there"),
            (film, "a folder of that name is there"),
            (long, "the name is longer than the file system allows"),
            (last, "a folder of that name is there"),
        )
    )
    assert {path.name for path in out.iterdir() if path.is_file()} == {
        *("legend.png", "a.mp4.overlay.mp4", "z.png.map.png")
    }
    assert {path.name for path in arrays.iterdir()} == {
        *(film.name, f"{long.name}.npy", f"{last.name}.npy")
    }


def damaged(film: Path, way: str) -> bytes:
    data = film.read_bytes()
    return {
        "empty": b"",
        "text": b"#EXTM3U\nfile:///etc/hostname\n",
        "cut": data[: len(data) // 2],
        "noise": data[:32] + np.random.default_rng(0).bytes(len(data)),
        "headless": data[64:],
    }[way]


@pytest.mark.parametrize("way", ["empty", "text", "cut", "noise", "headless"])
def test_a_damaged_video_is_refused_in_a_sentence(opened, tmp_path, capfd, way):
    opened(CLASSES)
    film = write_video(tmp_path / "in" / "drive.mp4")
    film.write_bytes(damaged(film, way))
    out = tmp_path / "out"
    status = predict.main(["RUN", str(film), "--pictures", str(out)])
    errors = capfd.readouterr().err
    assert status == 2
    first, second = errors.splitlines()
    assert first.startswith(f"not read: {film}")
    assert second == "error: The picture could not be read; the line above says why."
    assert not out.exists()


def test_a_video_that_ends_too_early_keeps_what_it_had(opened, tmp_path, capsys, monkeypatch):
    """Damage in the middle: the frames before it are answered and written."""
    opened(CLASSES)
    film = write_video(tmp_path / "in" / "drive.mp4", frames=30)
    monkeypatch.setattr(video, "cv2", ShortCapture(7))
    assert predict.main(["RUN", str(film), "--pictures", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert "7 mapped, 1 could not be read" in captured.out
    assert "ends after 7 of the 30 frames" in captured.err
    with video.opened(tmp_path / "out" / "drive.mp4.overlay.mp4") as painted:
        assert len(list(painted.frames)) == 7


class ShortCapture:
    """OpenCV, whose decoder gives up after some frames."""

    def __init__(self, frames: int) -> None:
        import cv2

        self._cv2, self._frames = cv2, frames

    def __getattr__(self, name: str):
        return getattr(self._cv2, name)

    def VideoCapture(self, *arguments):  # noqa: N802
        capture, left = self._cv2.VideoCapture(*arguments), iter(range(self._frames))

        class Short:
            def __getattr__(self, name: str):
                return getattr(capture, name)

            def read(self):
                return (False, None) if next(left, None) is None else capture.read()

        return Short()


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught, video.opened(path) as film:
        list(film.frames)
    return str(caught.value)


def test_videos_that_cannot_be_decoded_safely_are_refused(tmp_path, monkeypatch):
    film = write_video(tmp_path / "drive.mp4", frames=2)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp4"))
    film.rename(odd)
    assert "is no UTF-8 text" in refusal(odd)
    odd.rename(film)
    assert "was not found" in refusal(odd.with_name("no.mp4"))
    assert "is not a file" in refusal(tmp_path)
    monkeypatch.setattr(video, "MAX_FRAME_PIXELS", 100)
    assert "must have frames of 1 to 100 pixels, received 60 x 40" in refusal(film)


@pytest.mark.parametrize(
    ("rate", "stored"),
    [
        *((119.987, 119.99), (90.001, 90), (100.123, 100.12), (65.536, 65.54), (1e-5, 0.01)),
        *((30000 / 1001, 29.97), (24000 / 1001, 23.976), (59.94, 59.94), (239.76, 239.76)),
    ],
)
def test_a_video_is_written_at_the_nearest_rate_that_the_codec_can_state(tmp_path, rate, stored):
    with video.opened(write_video(tmp_path / "a.mp4", 2, rate=rate)) as film:
        assert film.rate == pytest.approx(stored)
        assert len(list(film.frames)) == 2


def test_a_video_is_written_below_a_relative_folder_with_a_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(Path("file:x:1") / "a.mp4", 2)
    assert (tmp_path / "file:x:1" / "a.mp4").stat().st_size > 100


@pytest.mark.parametrize("size", [(8192, 16), (16, 8192), (1, 16), (16, 1)])
def test_frames_that_the_codec_cannot_hold_are_refused_by_the_name_of_the_source(tmp_path, size):
    with (
        pytest.raises(DataError, match=r"^/in/drive.mp4 has frames of .* sides of 2 to 8191"),
        video.written(tmp_path / ".a.part.mp4", 25.0, Path("/in/drive.mp4")) as write,
    ):
        write(np.zeros((*size, 3), np.uint8))


def test_a_video_that_the_encoder_refuses_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "encoded_rate", lambda rate: rate)
    with pytest.raises(DataError, match=r"a.mp4 has 119.987 frames a second of 60 x 40 pixels"):
        write_video(tmp_path / "a.mp4", rate=119.987)
    with pytest.raises(DataError, match="name another folder"):
        write_video(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")) / "a.mp4")


@pytest.mark.parametrize(
    ("height", "bits", "code"),
    [
        *((48, 24, bytes(4)), (-48, 24, bytes(4)), (48, 32, bytes(4)), (48, 16, bytes(4))),
        *((48, 8, bytes(4)), (48, 24, b"WRAW"), (48, 24, b"raw ")),
    ],
)
def test_a_video_of_uncompressed_rgb_is_refused_before_its_first_frame(
    tmp_path, height, bits, code
):
    """In a process of its own: OpenCV would end this one when it reads the first kind."""
    film = tmp_path / "raw.avi"
    film.write_bytes(uncompressed_avi(height, bits, code))
    words = "import sys, pathlib; from tasks.common.dense import video\n"
    words += "with video.opened(pathlib.Path(sys.argv[1])) as film: list(film.frames)"
    done = subprocess.run(
        [sys.executable, "-c", words, str(film)], capture_output=True, text=True, check=False
    )
    assert f"{film} is a video of uncompressed RGB frames" in done.stderr
    assert done.returncode == 1


def test_an_uncompressed_video_that_is_not_rgb_is_read(tmp_path):
    film = tmp_path / "raw.avi"
    film.write_bytes(uncompressed_avi(48, 16, b"YUY2"))
    with video.opened(film) as opened_film:
        assert [frame.shape for frame in opened_film.frames] == 2 * [(48, 64, 3)]


def test_few_large_maps_are_held_at_once():
    assert own_size.batch_size((24, 32, 3), 32) == 32
    assert own_size.batch_size((512, 1024, 19), 32) == 6
    assert own_size.batch_size((20_000, 20_000, 1), 32) == 1


def test_pictures_and_videos_keep_their_order(opened, tmp_path, capsys):
    opened(DEPTH)
    first = write_video(tmp_path / "a" / "one.mp4", frames=2)
    second = save(tmp_path / "a" / "two.png", picture(20, 20))
    third = write_video(tmp_path / "b" / "one.mp4", frames=3)
    words = ["RUN", *map(str, (first, second, third)), "--pictures", str(tmp_path / "out")]
    assert predict.main(words) == 0
    names = [line.split(",")[0].split()[0] for line in capsys.readouterr().out.splitlines()[1:4]]
    assert [name[-7:] for name in names] == ["one.mp4", "two.png", "one.mp4"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("one.mp4.map.mp4", "one.mp4.overlay.mp4", "two.png.map.png", "two.png.overlay.png"),
        *("one-2.mp4.map.mp4", "one-2.mp4.overlay.mp4"),
    }


# --- mistakes


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--point-cloud", "clouds"], "--point-cloud writes what lies how far away"),
        (["--arrays", "in"], "--arrays must be a folder apart"),
        (["--focal-length", "0"], "--focal-length must be a positive number"),
    ],
)
def test_predict_answers_mistakes_of_maps_in_a_sentence(
    opened,
    tmp_path,
    capsys,
    monkeypatch,
    words,
    part,
):
    opened(CLASSES)
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "in" / "a.png", picture(20, 30))
    assert part in refused(capsys, predict.main(["RUN", "in", *words]))


@pytest.mark.parametrize("place", ["nothing.png", "empty", "bad"])
def test_a_command_without_an_answer_leaves_older_files_and_writes_no_new_ones(
    opened, tmp_path, capsys, place
):
    opened(CLASSES)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"\x89PNG")
    lines, table = tmp_path / "old.json", tmp_path / "old.csv"
    lines.write_text("old")
    table.write_text("old")
    before = sorted(tmp_path.rglob("*"))
    words = ["RUN", str(tmp_path / place), "--json", str(lines), "--csv", str(table)]
    words += ["--pictures", str(tmp_path / "out"), "--arrays", str(tmp_path / "arrays")]
    assert predict.main(words) == 2
    assert lines.read_text() == table.read_text() == "old"
    assert sorted(tmp_path.rglob("*")) == before


def test_what_could_not_be_read_before_the_first_answer_stands_before_it(opened, tmp_path):
    opened(CLASSES)
    first, second = tmp_path / "in" / "a.png", save(tmp_path / "in" / "b.png", picture(20, 30))
    first.write_bytes(b"\x89PNG")
    lines = tmp_path / "new" / "a.json"
    assert predict.main(["RUN", str(tmp_path / "in"), "--json", str(lines)]) == 0
    documents = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [document["file"] for document in documents] == [str(first), str(second)]
    assert "error" in documents[0]


def test_the_legend_names_each_colour():
    page = np.asarray(legend.drawn(CLASS_NAMES, COLOURS))
    for number, colour in enumerate(COLOURS):
        assert page[8 + 32 * number + 10, 20].tolist() == list(colour)
        assert (page[32 * number + 8 : 32 * number + 32, 84:] < 128).any()
