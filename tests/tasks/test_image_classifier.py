"""What image classifiers share: weights of classes, and options refused before any work."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from datasets.core import DataError, DatasetInfo, Splits
from datasets.pipeline import resize
from tasks import cars_finetune
from tasks.cars_finetune import CarsFinetuneConfig
from tasks.common import image_classifier
from tasks.common.errors import UserError
from tasks.common.image_classifier import class_weights
from tasks.common.image_classifier_config import ImageClassifierConfig, check_image_classifier
from tests.datasets.sources import Pictures, numbered

INFO = DatasetInfo("numbers", ("zero", "one", "two"), "Grey pictures.", "drawn", "none")


def splits_of(train: Pictures, other: Pictures | None = None) -> Splits:
    return Splits(train, other or numbered(6), other or numbered(6), INFO)


@pytest.mark.parametrize("counts", [[5, 5, 5], [1, 10, 100], [7, 1]])
def test_class_weights_are_scikit_learns_balanced_ones(counts: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    received = class_weights(labels, len(counts))
    assert received.dtype == np.float32
    np.testing.assert_allclose(received, expected, rtol=1e-6)
    assert received[labels].mean() == pytest.approx(1.0)


def test_a_class_without_examples_has_the_weight_0() -> None:
    labels = np.array([0, 0, 2, 2, 2, 4])
    received = class_weights(labels, 6)
    np.testing.assert_array_equal(received[[1, 3, 5]], 0.0)
    expected = compute_class_weight("balanced", classes=np.array([0, 2, 4]), y=labels)
    np.testing.assert_allclose(received[[0, 2, 4]], expected, rtol=1e-6)


def test_weighted_batches_carry_the_weight_of_each_examples_class() -> None:
    config = ImageClassifierConfig(image_size=(4, 6), class_weights=True, augment=())
    train = Pictures([np.zeros((4, 6, 3), np.uint8)] * 9, [0, 0, 0, 0, 0, 0, 1, 1, 2])
    batches = image_classifier.make_batches(config, splits_of(train), 9)
    _, targets, weights = next(iter(batches.train(range(1), 0)))
    np.testing.assert_allclose(weights, np.array([0.5, 1.5, 3.0])[np.argmax(targets, axis=1)])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_size": "auto", "limit": 1, "patience": 1, "clip_norm": 0.1},
        {"ema_momentum": 0.999, "dropout": 0.0, "label_smoothing": 0.1, "cache_megabytes": 0},
        {"class_weights": True},
        {"mixing": "cutmix", "mixing_alpha": 1.0, "augment": ()},
        {"validation_fraction": 0.5, "test_fraction": 0.49, "checkpoint_seconds": 0.0},
    ],
)
def test_good_options_pass(changes: dict) -> None:
    check_image_classifier(dataclasses.replace(ImageClassifierConfig(), **changes))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", 0),
        ("patience", 0),
        ("accumulate_steps", 0),
        ("workers", 0),
        ("batch_size", 0),
        ("batch_size", -8),
        ("image_size", (0, 64)),
        ("image_size", (64, -1)),
        ("validation_fraction", 0.0),
        ("validation_fraction", 1.0),
        ("test_fraction", -0.1),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("label_smoothing", 1.0),
        ("warmup_fraction", 1.0),
        ("weight_decay", -1e-4),
        ("cache_megabytes", -1),
        ("checkpoint_seconds", -1.0),
        ("ema_momentum", 0.0),
        ("ema_momentum", 1.0),
        ("clip_norm", 0.0),
        ("mixing_alpha", 0.0),
        ("decay", -1e-3),
        ("seed", -1),
        ("seed", 2**40),
        ("cached_views", 0),
        ("dropout", float("nan")),
    ],
)
def test_a_bad_option_is_refused_by_its_name(name: str, value: object) -> None:
    config = dataclasses.replace(ImageClassifierConfig(), **{name: value})
    with pytest.raises(UserError) as caught:
        check_image_classifier(config)
    message = str(caught.value)
    assert message.startswith(f"--{name.replace('_', '-')} must be ")
    assert f"Received: {value}." in message
    assert "\n" not in message


def test_fractions_that_leave_nothing_to_train_are_refused() -> None:
    config = ImageClassifierConfig(validation_fraction=0.6, test_fraction=0.4)
    with pytest.raises(UserError, match=r"--validation-fraction.*--test-fraction"):
        check_image_classifier(config)


def test_class_weights_and_mixing_exclude_each_other() -> None:
    config = ImageClassifierConfig(class_weights=True, mixing="mixup")
    with pytest.raises(UserError, match="--class-weights cannot be used with --mixing"):
        check_image_classifier(config)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"data": "folder"}, "--data-dir"),
        ({"data": "stanford_cars"}, "--data-dir"),
        ({"rendered_count": (100, 100, 7)}, "--rendered-count"),
        ({"rendered_classes": 0}, "--rendered-classes"),
        ({"rendered_classes": 1000, "rendered_count": (1000,) * 3}, "--rendered-classes"),
        ({"backbone": "ResNet5"}, "--backbone"),
        ({"head_epochs": -1}, "--head-epochs"),
        ({"scratch_epochs": 0}, "--scratch-epochs"),
        ({"scratch_learning_rate": 0.0}, "--scratch-learning-rate"),
        ({"scratch_learning_rate": -1.0}, "--scratch-learning-rate"),
        ({"tail_stages": -1}, "--tail-stages"),
        ({"tail_stages": 99}, "--tail-stages"),
        ({"depth_factor": 0.0}, "--depth-factor"),
        (
            {"backbone": "Xception", "image_size": (70, 96)},
            "--image-size must be at least 71 pixels a side for Xception",
        ),
        ({"head_solver": "logistic", "cache": False}, "--no-cache"),
        ({"xla": True}, "--no-deterministic"),
        ({"head_solver": "logistic", "mixing": "mixup"}, "--mixing"),
    ],
)
def test_an_option_of_the_cars_that_cannot_work_is_refused(changes: dict, option: str) -> None:
    config = dataclasses.replace(CarsFinetuneConfig(weights="none"), **changes)
    with pytest.raises(UserError) as caught:
        cars_finetune.check(config)
    assert option in str(caught.value)


def test_a_recipe_without_any_stage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """All epochs 0: there would be no model to report on."""
    monkeypatch.setattr("tasks.common.pretrained.choose_weights", lambda *asked: "imagenet")
    config = CarsFinetuneConfig(weights="imagenet", head_epochs=0, tail_epochs=0, full_epochs=0)
    with pytest.raises(UserError, match="epochs"):
        cars_finetune.check(config)


def test_a_blend_that_cutmix_cannot_draw_is_refused() -> None:
    """Keras's CutMix takes parameters of the Beta distribution up to 1 alone."""
    check_image_classifier(ImageClassifierConfig(mixing="cutmix", mixing_alpha=1.0))
    with pytest.raises(UserError, match="--mixing-alpha"):
        check_image_classifier(ImageClassifierConfig(mixing="cutmix", mixing_alpha=2.0))


class Damaged(Pictures):
    """Picture 2 cannot be read."""

    def example(self, index: int) -> dict[str, np.ndarray]:
        if index == 2:
            raise DataError("picture 2 is cut off")
        return super().example(index)


@pytest.fixture
def damaged() -> Splits:
    pictures = [np.full((4, 6, 3), number, np.uint8) for number in range(6)]
    return splits_of(Damaged(pictures, [0, 1, 2, 0, 1, 2]))


def test_an_unreadable_picture_stops_the_run(damaged: Splits) -> None:
    with pytest.raises(DataError, match=r"picture 2 is cut off.*--skip-bad-images"):
        image_classifier.checked(damaged, ImageClassifierConfig())


def test_an_unreadable_picture_is_left_out_and_listed(
    damaged: Splits, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ImageClassifierConfig(skip_bad_images=True)
    splits = image_classifier.checked(damaged, config)
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [5, 6, 6]
    np.testing.assert_array_equal(splits.train.labels, [0, 1, 0, 1, 2])
    assert "left out picture 2: picture 2 is cut off" in capsys.readouterr().out


def test_a_checked_picture_is_not_decoded_again() -> None:
    source = numbered(6)
    splits = image_classifier.checked(splits_of(source), ImageClassifierConfig())
    for index in range(6):
        splits.train.example(index)
    assert set(source.reads.values()) == {1}


def no_network(pictures: np.ndarray) -> np.ndarray:
    raise AssertionError("pictures are drawn with the network later")


def test_pictures_may_be_kept_decoded_on_disk(tmp_path: Path) -> None:
    source = numbered(6)
    config = ImageClassifierConfig(decoded_cache=True, cache_dir=tmp_path, image_size=(4, 6))
    splits = image_classifier.checked(splits_of(source), config)
    for index in range(6):
        picture = splits.train.example(index)["image"]
        expected = resize(source.example(index)["image"], (4, 6), "squash").numpy()
        np.testing.assert_array_equal(picture, expected)
    assert list(tmp_path.glob("*/rows.bin"))


@pytest.fixture
def watched() -> Callable[[ImageClassifierConfig, Splits], dict]:
    def watch(config: ImageClassifierConfig, splits: Splits) -> dict:
        return image_classifier.watch(config, splits, no_network, 0)

    return watch


def test_the_pictures_shown_are_captioned_with_their_classes(watched: Callable) -> None:
    config = ImageClassifierConfig(image_size=(4, 6), augment=())
    shown = watched(config, splits_of(numbered(9)))
    levels = shown["example_batch"][:, 0, 0, 0]
    expected = [INFO.class_names[int(level) % 3] for level in levels]
    assert list(shown["example_captions"]) == expected


def test_a_blended_picture_is_captioned_with_both_classes(watched: Callable) -> None:
    config = ImageClassifierConfig(
        image_size=(4, 6), augment=(), mixing="mixup", mixing_alpha=1.0, seed=3
    )
    captions = watched(config, splits_of(numbered(12)))["example_captions"]
    assert any(" + " in caption and "%" in caption for caption in captions)
