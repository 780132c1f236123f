"""What the task learns from: streets with a sky, and pairs of files whose depth ends at 10 m."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from keras_models.depth_scale import SharesToMetres
from tasks.common.cyclegan import training
from tasks.common.cyclegan.panels import to_shares
from tasks.depth_cyclegan import PRESETS, load_data, make_batches


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

    drawn = np.stack([numbers(epoch) for epoch in range(4)])
    assert (np.sort(drawn, axis=1) == np.arange(3)[None, :, None]).all()
    assert (drawn[..., 0] != drawn[..., 1]).any()
    pictures, metres = next(batches.validation.as_numpy_iterator())
    for index in range(2):
        scene = splits.validation.example(index)
        np.testing.assert_array_equal(pictures[index], scene["image"])
        np.testing.assert_array_equal(metres[index, ..., 0], scene["depth"])


def test_the_sky_is_at_the_far_end_of_the_streets() -> None:
    config = PRESETS["quick"]
    assert training.sky_is_far(config)
    assert not training.sky_is_far(PRESETS["nyu"])
    scale = SharesToMetres(config.depth_scale, config.nearest_depth, config.largest_depth)
    np.testing.assert_allclose(to_shares(np.array([0.0, 2.0, 100.0]), scale), [1, 0, 1], atol=1e-6)


def test_pairs_of_files_end_at_ten_metres(shared_data: Path) -> None:
    config = dataclasses.replace(PRESETS["nyu"], data_dir=shared_data / "nyu_depth", limit=6)
    splits = load_data(config)
    assert [len(getattr(splits, name)) for name in ("train", "validation", "test")] == [6, 6, 6]
    pictures, metres = training.some_pairs(config, splits.test)
    assert pictures.shape == (4, 64, 64, 3)
    assert metres.shape == (4, 64, 64, 1)
    shares = to_shares(metres, SharesToMetres("linear", config.nearest_depth, 10.0))
    assert 0 < shares.min() < shares.max() <= 1
    # 8 bits a pixel, 255 for 10 m: shares are the stored levels.
    np.testing.assert_allclose(shares * 255, np.rint(shares * 255), atol=1e-3)
