"""What the task learns from: streets with a sky, and pairs of files whose depth ends at 10 m."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from datasets.rendered import street
from keras_models.depth_scale import SharesToMetres
from tasks.common.cyclegan import training, verbs
from tasks.common.cyclegan.panels import scale_of, to_shares
from tasks.depth_cyclegan import PRESETS, load_data, make_batches
from tests.tasks.cyclegan.tiny_cyclegan import SIDE, TINY


def test_a_batch_of_streets_is_unpaired_and_validation_is_paired() -> None:
    config = dataclasses.replace(
        PRESETS["quick"], rendered_count=(3, 2, 1), image_size=(32, 32), augment=()
    )
    splits = load_data(config)
    batches = make_batches(config, splits, 1)
    assert batches.steps_per_epoch == 3
    scenes = [splits.train.example(index) for index in range(3)]

    def numbers(epoch: int) -> np.ndarray:
        """Which scene the picture and which the depth of each batch is of."""
        shown = batches.train(range(epoch, epoch + 1), 0).as_numpy_iterator()
        return np.array(
            [
                [
                    [np.array_equal(scene[name], one) for scene in scenes].index(True)
                    for name, one in (("image", picture[0]), ("depth", metres[0, ..., 0]))
                ]
                for picture, metres in shown
            ]
        )

    sampled = np.stack([numbers(epoch) for epoch in range(4)])
    assert (np.sort(sampled, axis=1) == np.arange(3)[None, :, None]).all()
    assert (sampled[..., 0] != sampled[..., 1]).any()
    pictures, metres = next(batches.validation.as_numpy_iterator())
    for index in range(2):
        scene = splits.validation.example(index)
        np.testing.assert_array_equal(pictures[index], scene["image"])
        np.testing.assert_array_equal(metres[index, ..., 0], scene["depth"])


def test_the_sky_is_at_the_far_end_of_the_streets() -> None:
    config = dataclasses.replace(PRESETS["quick"], rendered_count=(2, 1, 1), image_size=(32, 32))
    plain = street.source.load(2, 1, 1, (32, 32), config.seed).train.example(0)["depth"]
    depth = load_data(config).train.example(0)["depth"]
    sky = plain == 0
    assert sky.any()
    assert (depth[sky] == config.largest_depth).all()
    np.testing.assert_array_equal(depth[~sky], plain[~sky])


def test_augmented_depth_is_as_far_as_plain_depth() -> None:
    """A random cut shows other parts of a scene at the depth that they have."""
    config = dataclasses.replace(PRESETS["quick"], rendered_count=(40, 1, 1), image_size=(32, 32))
    assert "zoom" in config.augment
    splits = load_data(config)
    seen = make_batches(config, splits, 1).train(range(4), 0).as_numpy_iterator()
    augmented = np.concatenate([metres.ravel() for _, metres in seen])
    plain = np.concatenate([splits.train.example(index)["depth"].ravel() for index in range(40)])
    assert set(np.unique(augmented)) <= set(np.unique(plain))
    assert np.log(augmented).mean() == pytest.approx(np.log(plain).mean(), abs=0.06)


def test_a_hole_of_outside_data_is_no_sky(tmp_path: Path) -> None:
    """A run on streets, whose sky is far, measures pairs of files where their depth is known."""
    random = np.random.default_rng(0)
    depth = random.integers(2000, 9000, (SIDE, SIDE)).astype(np.uint16)
    depth[:10] = 0
    picture = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    for folder, pixels in (("rgb", picture), ("depth", depth)):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "a.png")
    assert TINY.data == "rendered"
    saved = SimpleNamespace(config=TINY, model=training.build_picture_to_depth(TINY))
    found = verbs.measure(saved, verbs.outside_examples(saved, tmp_path, "test", False), 1)
    scale = scale_of(saved.model)
    predicted = to_shares(saved.model.predict_on_batch(picture[None]), scale)[0, ..., 0]
    error = (predicted - to_shares(depth / 1000, scale))[depth > 0]
    assert found["depth_rms"] == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-4)


def test_pairs_of_files_end_at_ten_metres(shared_data: Path) -> None:
    config = dataclasses.replace(PRESETS["nyu"], data_dir=shared_data / "nyu_depth", limit=6)
    splits = load_data(config)
    assert [len(getattr(splits, name)) for name in ("train", "validation", "test")] == [6, 6, 6]
    pictures, metres = training.some_pairs(config, splits.test)
    assert pictures.shape == (4, 64, 64, 3)
    assert metres.shape == (4, 64, 64, 1)
    scale = SharesToMetres("linear", config.nearest_depth, 10.0)
    assert 0 < to_shares(metres, scale).min() < to_shares(metres, scale).max() <= 1
    # 8 bits a pixel, 255 for 10 m: shares are the stored levels.
    levels = 255 * to_shares(splits.test.example(0)["depth"], scale)
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-3)
