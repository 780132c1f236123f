"""Features of test examples in TensorBoard's embedding projector, shown as thumbnails."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins import projector

from callbacks.captioned_pictures import as_uint8

# The projector computes in the browser, and its sprite must not exceed 8192 pixels a side
# (TensorBoard's documentation of the embedding projector): 32 x 32 thumbnails of 64 pixels.
MOST_EXAMPLES = 1000
THUMBNAIL_SIZE = 64


def write_projector(
    folder: Path,
    features: np.ndarray,
    pictures: np.ndarray,
    columns: Mapping[str, Sequence[str]],
) -> None:
    """Writes the first `MOST_EXAMPLES` examples for the projector.

    Args:
        folder: TensorBoard folder of the run; the files go to its part `test`.
        features: float, shape (n, dimensions).
        pictures: range [0, 255], shape (n, height, width, 1 or 3).
        columns: what is known of each example: a heading to n texts, such as the class and the
            prediction. The projector labels and colours points by them.

    Raises:
        ValueError: the counts differ, or there is no column.
    """
    counts = {len(features), len(pictures), *(len(column) for column in columns.values())}
    if len(counts) != 1 or not columns:
        raise ValueError(
            "There must be as many pictures and texts as features, and at least one column. "
            f"Received: {len(features)} features, {len(pictures)} pictures, columns of "
            f"{ {name: len(column) for name, column in columns.items()} }"
        )
    folder = folder / "test"
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "features.tsv", features[:MOST_EXAMPLES], fmt="%.4g", delimiter="\t")
    (folder / "metadata.tsv").write_text(_metadata(columns), encoding="utf-8")
    sprite(pictures[:MOST_EXAMPLES]).save(folder / "sprite.png")
    (folder / "projector_config.pbtxt").write_text(_config(), encoding="utf-8")


def sprite(pictures: np.ndarray) -> Image.Image:
    """Thumbnails in a square, row by row, as the projector reads them.

    Args:
        pictures: range [0, 255], shape (n, height, width, 1 or 3).
    """
    per_row = math.ceil(math.sqrt(len(pictures)))
    side = per_row * THUMBNAIL_SIZE
    sheet = Image.new("RGB", (side, side), "white")
    for index, picture in enumerate(as_uint8(pictures)):
        thumbnail = Image.fromarray(picture).resize((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
        row, column = divmod(index, per_row)
        sheet.paste(thumbnail, (column * THUMBNAIL_SIZE, row * THUMBNAIL_SIZE))
    return sheet


def _metadata(columns: Mapping[str, Sequence[str]]) -> str:
    """The table of texts. The projector reads a heading only if there are two columns or more."""
    rows = [[_cell(text) for text in row[:MOST_EXAMPLES]] for row in columns.values()]
    lines = ["\t".join(row) for row in zip(*rows, strict=True)]
    if len(columns) > 1:
        lines.insert(0, "\t".join(_cell(name) for name in columns))
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(str(text).split())


def _config() -> str:
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "test features"
    embedding.tensor_path = "features.tsv"
    embedding.metadata_path = "metadata.tsv"
    embedding.sprite.image_path = "sprite.png"
    embedding.sprite.single_image_dim.extend([THUMBNAIL_SIZE, THUMBNAIL_SIZE])
    return text_format.MessageToString(config)
