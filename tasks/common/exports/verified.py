"""Exports that are reloaded and compared before they take their place."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from tasks.common.exports import agreement, formats, litert, onnx, saved_model
from tasks.common.exports.precision import float32_twin
from tasks.common.exports.staging import staged

_MODULES = {"saved_model": saved_model, "litert": litert, "onnx": onnx}


@dataclasses.dataclass(frozen=True)
class ExportRow:
    """One finished export.

    Attributes:
        format: its name in `formats.FORMATS`.
        quantize: how it is quantised; None for float32.
        path: the file or folder.
        size_bytes: of all its files.
        agreement: with the model, on the pictures given.
        latency_ms: median time for one picture, in milliseconds.
    """

    format: str
    quantize: str | None
    path: Path
    size_bytes: int
    agreement: agreement.Agreement
    latency_ms: float


def export_verified(
    model: keras.Model,
    class_names: Sequence[str],
    folder: Path,
    name: str,
    batch: np.ndarray,
    *,
    quantize: str | None = None,
    representative: np.ndarray | None = None,
    resize_picture: saved_model.ResizePicture | None = None,
    runs: int = 20,
) -> ExportRow:
    """Exports to one format, reloads it in its runtime and keeps it if it agrees.

    A model in mixed precision is exported as its float32 twin and compared with it.

    Args:
        model: pictures, uint8, (batch, height, width, 3) -> probabilities, (batch, classes).
        class_names: one name per class.
        folder: where the export goes, under `formats.file_name`; an older one is replaced.
        name: the format, one of `formats.FORMATS`.
        batch: pictures to compare on, uint8, shape (n, height, width, 3): real ones, because
            noise may leave every class alike.
        quantize: one of the format's quantisations, or None.
        representative: pictures of the training split for "int8".
        resize_picture: see `saved_model.export`; other formats take resized pictures only.
        runs: timed calls.

    Raises:
        ValueError: unknown format or quantisation, unfit class names, no representative pictures.
        ExportError: the export differs more than it may; nothing is left of it and an older
            export stays.
    """
    formats.check(name, quantize)
    model = float32_twin(model)
    path = folder / formats.file_name(name, quantize)
    if name == "saved_model":
        write = functools.partial(saved_model.export, resize_picture=resize_picture)
    else:
        write = functools.partial(
            _MODULES[name].export, quantize=quantize, representative=representative
        )
    with staged(path) as unfinished:
        write(model, class_names, unfinished)
        predict = _MODULES[name].load(unfinished)
        found = agreement.compare(model, predict, batch)
        agreement.check(found, name, quantize)
        if _MODULES[name].read_class_names(unfinished) != tuple(class_names):
            raise agreement.ExportError(f"The {name} export does not hold the class names.")
        milliseconds = agreement.latency(predict, batch[:1], runs)
    return ExportRow(name, quantize, path, agreement.size_bytes(path), found, milliseconds)
