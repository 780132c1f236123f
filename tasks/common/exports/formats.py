"""Which formats there are, what their files are called and how each may be quantised."""

from __future__ import annotations

import dataclasses
import types


@dataclasses.dataclass(frozen=True)
class Format:
    """A file format for serving.

    Attributes:
        suffix: what the name of the file ends with; empty for a folder.
        quantisations: the ways to store it smaller than float32.
        fixed: those in which a model for pictures of any size cannot be stored. LiteRT computes
            all of an int8 model in 8 bits, which cannot say which pixel of a thousand is meant.
    """

    suffix: str
    quantisations: tuple[str, ...]
    fixed: tuple[str, ...] = ()


FORMATS = types.MappingProxyType(
    {
        "saved_model": Format("", ()),
        "litert": Format(".tflite", ("float16", "dynamic", "int8"), ("int8",)),
        "onnx": Format(".onnx", ("int8",)),
    }
)


def quantisations() -> tuple[str, ...]:
    """Every quantisation that at least one format has, in the table's order."""
    return tuple(dict.fromkeys(way for form in FORMATS.values() for way in form.quantisations))


def check(name: str, quantize: str | None) -> Format:
    """The format called `name`.

    Raises:
        ValueError: there is no such format, or it has no such quantisation.
    """
    if name not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}. Received: format={name!r}")
    form = FORMATS[name]
    if quantize is not None and quantize not in form.quantisations:
        allowed = " or ".join(repr(way) for way in (None, *form.quantisations))
        raise ValueError(f"quantize must be {allowed} for format {name!r}. Received: {quantize=}")
    return form


def file_name(name: str, quantize: str | None, network: str | None = None) -> str:
    """What an export is called inside the export folder: `model_int8.tflite`, `saved_model`.

    That of another network of the run has its name: `classes_int8.tflite`, `saved_model_classes`.
    """
    form = check(name, quantize)
    if not form.suffix:
        return f"{name}_{network}" if network else name
    return f"{network or 'model'}{'_' + quantize if quantize else ''}{form.suffix}"
