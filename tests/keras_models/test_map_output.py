"""The layer that tells what maps are."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models.map_output import MapOutput, map_layer

COLOURS = ((1, 2, 3), (4, 5, 6))


def network(**options: object) -> keras.Model:
    image = keras.Input((4, 6, 3), dtype="uint8", name="image")
    maps = keras.layers.Rescaling(1 / 255)(image)
    return keras.Model(image, MapOutput(("red", "green", "blue"), "share", **options)(maps))


def test_a_saved_model_knows_what_its_maps_are(tmp_path: Path) -> None:
    colours = (*COLOURS, (7, 8, 9))
    network(colours=colours).save(tmp_path / "model.keras")
    layer = map_layer(keras.saving.load_model(tmp_path / "model.keras"))
    assert layer.names == ("red", "green", "blue")
    assert layer.unit == "share"
    assert layer.colours == colours
    assert layer.name == "maps"


def test_the_maps_are_left_as_they_are() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (2, 4, 6, 3), np.uint8)
    np.testing.assert_allclose(network()(pictures), pictures / 255, atol=1e-6)


def test_maps_are_float32_whatever_the_network_computes_in() -> None:
    layer = MapOutput(("a", "b"), "m", dtype="bfloat16")
    assert layer(keras.ops.ones((1, 2, 2, 2), "bfloat16")).dtype == "float32"


def test_names_and_colours_have_to_fit() -> None:
    with pytest.raises(ValueError, match="colours as many as names"):
        MapOutput(("a",), "m", colours=COLOURS)
    with pytest.raises(ValueError, match="must not be empty"):
        MapOutput((), "m")
    with pytest.raises(ValueError, match="one per channel, 3"):
        MapOutput(("a", "b"), "m")(np.zeros((1, 2, 2, 3), np.float32))


def test_another_model_has_no_such_layer() -> None:
    with pytest.raises(ValueError, match="must be a MapOutput"):
        map_layer(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]))
