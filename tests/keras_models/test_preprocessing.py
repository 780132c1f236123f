"""The preprocessing layer against each family's own `preprocess_input`."""

from __future__ import annotations

import importlib
import inspect

import keras
import numpy as np
import pytest

from keras_models import backbones
from keras_models.preprocessing import ImagePreprocessing

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)


def family_preprocessing(name):
    """`preprocess_input` from the module of keras.applications that defines the network."""
    return importlib.import_module(inspect.getmodule(getattr(keras.applications, name)).__name__)


@pytest.mark.parametrize("name", backbones.names())
def test_equals_the_family_s_own(name):
    # preprocess_input changes float arrays in place: it gets a copy.
    expected = family_preprocessing(name).preprocess_input(PIXELS.astype("float32").copy())
    layer = ImagePreprocessing(backbones.lookup(name).preprocessing)
    for images in (PIXELS, PIXELS.astype("float32")):
        before = images.copy()
        np.testing.assert_allclose(np.asarray(layer(images)), expected, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(images, before)


def test_modes_differ():
    outputs = [np.asarray(ImagePreprocessing(m)(PIXELS)) for m in ("caffe", "tf", "torch", "none")]
    spans = [float(output.max() - output.min()) for output in outputs]
    assert spans[1] == pytest.approx(2.0, abs=0.05)
    assert len({round(span, 2) for span in spans}) == 4


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch", "none"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_compute_dtype(mode, policy):
    layer = ImagePreprocessing(mode, dtype=policy)
    compute_dtype = keras.DTypePolicy(policy).compute_dtype
    exact = np.asarray(ImagePreprocessing(mode, dtype="float32")(PIXELS))
    # Rounded once, at the end: half a unit in the last place (bfloat16 keeps 8 bits, float16 11).
    relative = {"float32": 1e-7, "bfloat16": 2**-8, "float16": 2**-11}[compute_dtype]
    for images in (PIXELS, PIXELS.astype("float32")):
        output = layer(images)
        assert keras.backend.standardize_dtype(output.dtype) == compute_dtype
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(keras.ops.cast(output, "float32")), exact, rtol=relative
        )
    symbolic = layer(keras.Input((5, 7, 3), dtype="uint8"))
    assert (symbolic.shape, symbolic.dtype) == ((None, 5, 7, 3), compute_dtype)


def test_survives_serialisation():
    config = keras.saving.serialize_keras_object(ImagePreprocessing("caffe", name="first"))
    again = keras.saving.deserialize_keras_object(config)
    assert (type(again), again.mode, again.name) == (ImagePreprocessing, "caffe", "first")


def test_unknown_mode():
    with pytest.raises(ValueError, match="mode='imagenet'"):
        ImagePreprocessing("imagenet")
