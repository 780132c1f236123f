"""Pictures of a prepared folder; the folders themselves are read in `test_stanford_cars`."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from datasets.core import DataError
from datasets.prepared_tfds import PreparedPictures


def test_a_box_of_a_picture_that_is_stored_turned_is_refused() -> None:
    """Its shares are of the sides as they are stored, or of those that are shown."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.new("RGB", (30, 40)).save(stream, "JPEG", exif=exif)
    turned = {"image": stream.getvalue(), "label": 0, "bbox": [0.1, 0.1, 0.5, 0.5]}
    whole = PreparedPictures(iter([turned]), "here train", crop_to_box=False)
    assert whole.example(0)["image"].shape == (30, 40, 3)
    cropped = PreparedPictures(iter([turned]), "here train", crop_to_box=True)
    with pytest.raises(DataError, match=r"here train example 0 is stored turned .* do not crop\.$"):
        cropped.example(0)
