"""Exports that are reloaded and compared before they take their place."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from tasks.common.exports import (
    agreement,
    formats,
    litert,
    model_input,
    onnx,
    output_names,
    saved_model,
    timing,
)
from tasks.common.exports.precision import float32_twin
from tasks.common.exports.staging import staged
from tasks.common.wording import shorten

_MODULES = {"saved_model": saved_model, "litert": litert, "onnx": onnx}


@dataclasses.dataclass(frozen=True)
class ExportRow:
    """One finished export.

    Attributes:
        format: its name in `formats.FORMATS`.
        quantize: how it is quantised; None for float32.
        path: the file or folder.
        size_bytes: of all its files.
        agreement: with the model, on the examples given.
        latency_ms: median time for one example, in milliseconds.
        any_size: whether it takes pictures of any size, and was compared on some.
    """

    format: str
    quantize: str | None
    path: Path
    size_bytes: int
    agreement: agreement.Agreement
    latency_ms: float
    any_size: bool = False


def export_verified(
    model: keras.Model,
    names: Sequence[str],
    folder: Path,
    name: str,
    batch: np.ndarray,
    *,
    output: str = "probabilities",
    written: keras.Model | None = None,
    quantize: str | None = None,
    representative: np.ndarray | None = None,
    resize_picture: saved_model.ResizePicture | None = None,
    resized: Sequence[np.ndarray] = (),
    network: str | None = None,
    kept: Sequence[str] = (),
    runs: int = 20,
) -> ExportRow:
    """Exports to one format, reloads it in its runtime and keeps it if it agrees.

    A model in mixed precision is exported as its float32 twin and compared with it.

    Args:
        model: one input -> one output, float32, (batch, columns), or maps, or class ids.
        names: one per column of the output.
        folder: where the export goes, under `formats.file_name`; an older one is replaced.
        name: the format, one of `formats.FORMATS`.
        batch: inputs to compare on, shape (n, ...): real ones, because noise may leave every
            answer alike.
        output: what the output holds, one of `output_names.KEYS`.
        written: what the export holds instead of `model`, which it is compared with all the same:
            a float32 model of the same function, as `folded` makes it.
        quantize: one of the format's quantisations, or None.
        representative: inputs of the training split for "int8".
        resize_picture: see `saved_model.export`; other formats take resized pictures only.
        resized: more inputs to compare on, each shape (n, height, width, 3), of other sizes than
            `batch`, where the model takes pictures of any size.
        network: name of the network of the run, which the file is called after.
        kept: names of layers that ONNX's "int8" leaves in float32.
        runs: timed calls.

    Raises:
        ValueError: unknown format or quantisation, unfit names, no representative inputs.
        ExportError: its converter or runtime cannot take this model, or the export differs more
            than it may; nothing is left of it and an older export stays.
    """
    # What is wrong with the arguments is found here, so that it is not laid to the converter.
    formats.check(name, quantize)
    output_names.check(model, names)
    if quantize == "int8":
        model_input.representative(representative, model_input.of(model))
    model = float32_twin(model)
    path = folder / formats.file_name(name, quantize, network)
    write_to = functools.partial(
        write,
        written or model,
        names,
        name,
        output=output,
        quantize=quantize,
        representative=representative,
        resize_picture=resize_picture,
        kept=kept,
    )
    with staged(path) as unfinished:
        predict = _made(write_to, unfinished, name, quantize, batch[:1])
        found = agreement.compare(model, predict, batch, output)
        agreement.check(found, name, quantize, output)
        for others in resized:
            more = agreement.compare(model, predict, others, output)
            agreement.check(more, name, quantize, output, resized=True)
        if _MODULES[name].read_output_names(unfinished) != tuple(names):
            raise agreement.ExportError(f"The {name} export does not hold the output's names.")
        milliseconds = timing.latency(functools.partial(predict, batch[:1]), runs)
    size = agreement.size_bytes(path)
    return ExportRow(name, quantize, path, size, found, milliseconds, bool(resized))


def _made(
    write_to: Callable[[Path], None],
    path: Path,
    name: str,
    quantize: str | None,
    one: np.ndarray,
) -> agreement.Predict:
    """Writes to `path`, loads what was written, and sees that it runs; for the rest see above.

    Raises:
        OSError: the file cannot be written.
        ExportError: anything else went wrong.
    """
    try:
        write_to(path)
        predict = load(name, path)
        predict(one)
    except OSError:
        raise
    except Exception as error:
        # Converters and runtimes raise errors of their own classes, many of them plain.
        raise agreement.ExportError(
            f"The {quantize or 'float32'} {name} export was not made, because its converter or "
            f"runtime failed with {type(error).__name__}: {shorten(str(error), 200)}."
        ) from error
    return predict


def write(
    model: keras.Model,
    names: Sequence[str],
    name: str,
    path: Path,
    *,
    output: str = "probabilities",
    quantize: str | None = None,
    representative: np.ndarray | None = None,
    resize_picture: saved_model.ResizePicture | None = None,
    kept: Sequence[str] = (),
) -> None:
    """Writes one format as it is, without comparing it; for the arguments see `export_verified`.

    Raises:
        ValueError: unknown format or quantisation, unfit names, no representative inputs.
    """
    formats.check(name, quantize)
    if name == "saved_model":
        saved_model.export(model, names, path, resize_picture, output)
    elif name == "onnx":
        onnx.export(model, names, path, quantize, representative, output, kept)
    else:
        litert.export(model, names, path, quantize, representative)


def load(name: str, path: Path) -> agreement.Predict:
    """A written export as a function from inputs to outputs, in its own runtime.

    Args:
        name: the format, one of `formats.FORMATS`.
        path: the file or folder.
    """
    return _MODULES[name].load(path)
