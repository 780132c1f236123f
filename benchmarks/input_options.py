"""The options of `python -m benchmarks.input`, and the pictures that it draws."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from PIL import Image

from benchmarks import networks, results
from datasets.rendered import cars
from tasks.common.errors import UserError

JPEG_QUALITY = 90
# The large JPEG is a sheet of so many drawings in each direction.
SHEET = 4


@dataclasses.dataclass(frozen=True)
class InputOptions:
    """Steps per second with real input, against the same step fed from memory; and peak memory."""

    data_dir: Path | None = None
    """Folder of photographs for the speed, instead of drawn pictures."""
    pictures: int = 64
    """Pictures drawn for the speed, or taken at most from --data-dir."""
    picture_size: tuple[int, int] = (480, 640)
    """Height and width of the drawn pictures, in pixels."""
    backbones: tuple[str, ...] = ("MobileNetV2", "ResNet50")
    """Networks of `keras.applications` that the step trains, all layers."""
    image_size: tuple[int, int] = (224, 224)
    """Height and width of the pictures that the networks see."""
    batch_size: int = 8
    """Pictures a step."""
    steps: int = 4
    """Timed steps each time an input has its turn."""
    repeats: int = 5
    """Turns of each input."""
    workers: int = 4
    """Threads that read and decode pictures."""
    large_size: tuple[int, int] = (2000, 3000)
    """Height and width of the large JPEG, in pixels."""
    counts: tuple[int, ...] = (1_000, 10_000, 50_000)
    """Numbers of pictures for the memory; the smallest number is drawn, and listed repeatedly."""
    small_size: tuple[int, int] = (64, 96)
    """Height and width of the pictures for the memory, in pixels."""
    output: Path = results.DEFAULT_FOLDER
    """Folder for input.json and input.png."""
    quick: bool = False
    """Seconds instead of minutes: everything tiny, so the numbers mean nothing."""


def checked(options: InputOptions) -> InputOptions:
    """The options, tiny where `quick` says so; what does not fit is found before any work.

    Raises:
        UserError: the first fault found.
    """
    if options.quick:
        options = dataclasses.replace(
            options,
            backbones=("MobileNetV2",),
            image_size=(32, 32),
            pictures=8,
            picture_size=(48, 64),
            batch_size=4,
            steps=2,
            repeats=2,
            large_size=(400, 600),
            counts=(20, 40),
        )
    for name in ("pictures", "batch_size", "steps", "repeats", "workers"):
        if getattr(options, name) < 1:
            option = name.replace("_", "-")
            raise UserError(f"--{option} must be at least 1. Received: {getattr(options, name)}.")
    smallest, largest = cars.SMALLEST_SIDE, cars.LARGEST_SIDE
    for name, parts in (("picture_size", 1), ("small_size", 1), ("large_size", SHEET)):
        if not all(parts * smallest <= side <= parts * largest for side in getattr(options, name)):
            raise UserError(
                f"--{name.replace('_', '-')} must have sides from {parts * smallest} to "
                f"{parts * largest}. Received: {getattr(options, name)}."
            )
    if options.pictures < options.batch_size:
        raise UserError(
            f"--pictures must be at least --batch-size. Received: {options.pictures} and "
            f"{options.batch_size}."
        )
    if len(options.counts) < 2 or min(options.counts) < 1:
        raise UserError(
            f"--counts must be two or more positive numbers. Received: {options.counts}."
        )
    if not options.backbones:
        raise UserError("--backbones must name a network. Received none.")
    networks.known_names(options.backbones, "--backbones")
    results.require_writable(options.output)
    return options


def draw_jpegs(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Draws `count` cars of height and width `size` into JPEG files; their paths."""
    folder.mkdir(parents=True)
    source = cars.RenderedCars(count, 0, size, cars.CLASS_NAMES[:2])
    paths = [folder / f"{index:06}.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        picture = Image.fromarray(source.example(index)["image"])
        picture.save(path, quality=JPEG_QUALITY)
    return paths
