"""The study of inverted features: its options, its stored features, and that depth costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from datasets import augment, pipeline
from datasets.core import DataError
from keras_models import feature_inversion
from tasks import invert_features
from tasks.common.command_line import run_study
from tasks.common.errors import UserError
from tasks.common.inversion import examples, measures, training
from tasks.common.inversion.config import PRESETS, InversionCellConfig, InvertFeaturesConfig, cells
from tasks.common.run_folder import RunFolder
from tasks.common.runner import prepare_keras
from tasks.common.task import Stage
from tests.tasks.small_runs import refused

STAGE = Stage("decoder", 2, 1e-3)


@pytest.fixture
def config(tmp_path: Path) -> InversionCellConfig:
    return InversionCellConfig(
        layer="conv2",
        image_size=(67, 67),
        target_size=(16, 24),
        encoder_width=0.05,
        decoder_width=16,
        dense_units=8,
        rendered_count=(10, 4, 4),
        augment=("flip", "crop"),
        cached_views=3,
        epochs=3,
        batch_size=4,
        cache_dir=tmp_path / "cache",
        cache_precision="float32",
        workers=1,
    )


def compiled(config: InversionCellConfig):
    prepare_keras(config)
    splits = invert_features.load_data(config)
    model = invert_features.build_model(config, splits.info)
    invert_features.compile_model(config, model, STAGE, 3)
    return splits, model


def test_stored_features_are_those_of_the_stored_pictures(config: InversionCellConfig) -> None:
    """In every view: what the decoder learns to give is what the encoder has seen."""
    splits, model = compiled(config)
    tail = invert_features.tail_training(config, splits, model, [STAGE], 0, 4, lambda: None)
    trunk, _ = feature_inversion.split(model)
    pictures = training.pictures_of(config, splits.train, 3)
    change = augment.picture_changes(config.augment, config.image_size)
    shown = pipeline.view_batches(splits.train, training.batching_of(config, 10), 0, 2, 0, change)
    seen = next(iter(shown)).numpy()
    np.testing.assert_array_equal(pictures.maps[2], np.floor(seen))
    (features, targets), *_ = tail.batches.train(range(1), 0)
    flat = np.concatenate([trunk.predict_on_batch(view) for view in pictures.maps])
    rebuilt = np.concatenate([training.targets(view, (16, 24)) for view in pictures.maps])
    for feature, target in zip(features.numpy(), targets.numpy(), strict=True):
        distances = np.abs(flat - feature).reshape(len(flat), -1).max(axis=1)
        assert distances.min() < 1e-3 * np.abs(flat).max()
        np.testing.assert_allclose(target, rebuilt[distances.argmin()], atol=1e-3)


def test_the_stored_way_gives_what_the_whole_network_gives(config: InversionCellConfig) -> None:
    config = dataclasses.replace(config, augment=())
    splits, model = compiled(config)
    whole = invert_features.make_batches(config, splits, 4)
    tail = invert_features.tail_training(config, splits, model, [STAGE], 0, 4, lambda: None)
    by_tail = tail.model.evaluate(tail.batches.validation, verbose=0, return_dict=True)
    by_whole = model.evaluate(whole.validation, verbose=0, return_dict=True)
    assert by_tail == pytest.approx(by_whole, rel=1e-4)
    assert tail.batches.steps_per_epoch == whole.steps_per_epoch == 3
    layer = feature_inversion.standardization(model)
    assert float(keras.ops.max(layer.deviation)) != 1.0
    # Without a cache the whole network trains, its features standardised all the same.
    learned = layer.get_weights()
    layer.set_weights([np.zeros_like(one) for one in learned])
    uncached = dataclasses.replace(config, cache=False)
    none = invert_features.tail_training(uncached, splits, model, [STAGE], 0, 4, lambda: None)
    assert none is None
    for old, new in zip(learned, layer.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("target_size", [(16, 24), (67, 67), None], ids=["small", "same", "own"])
def test_the_mean_colour_of_the_training_pictures_has_error_1(
    config: InversionCellConfig, target_size: tuple[int, int] | None
) -> None:
    """At the size of the rebuilt, whichever that is: there the errors of the cell are measured."""
    config = invert_features.check_cell(dataclasses.replace(config, target_size=target_size))
    splits = invert_features.load_data(config)
    batching = training.batching_of(config, 4)
    originals = (
        training.targets(pictures, config.target_size).numpy()
        for pictures, _ in pipeline.evaluation_batches(splits.train, batching)
    )
    pairs = measures.always(np.asarray(splits.info.mean), originals)
    found = measures.errors(pairs, splits.info.deviation)
    assert found.squared.mean() == pytest.approx(1, abs=1e-6)


def test_cells_share_a_random_encoder(config: InversionCellConfig) -> None:
    """One network is inverted, not one a layer; another seed has another one."""
    kernels = []
    for layer, seed in (("conv2", 0), ("fc6", 0), ("conv2", 1)):
        _, model = compiled(dataclasses.replace(config, layer=layer, seed=seed))
        kernels.append(model.get_layer("encoder").get_layer("conv2").kernel.numpy())
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_size_of_its_own_is_settled_for_each_layer(config: InversionCellConfig) -> None:
    for layer, size in (("conv2", (48, 48)), ("fc8", (64, 64))):
        asked = dataclasses.replace(config, layer=layer, target_size=None)
        settled = invert_features.check_cell(asked)
        assert settled.target_size == size
    assert invert_features.check_cell(config) == config


def test_the_presets_are_those_of_report_and_paper() -> None:
    seed, paper = PRESETS["seed"], PRESETS["paper"]
    assert seed.layers == ("conv2", "conv5", "fc6", "fc8")
    cell = cells(seed)[1].config
    assert (cell.optimizer, cell.learning_rate, cell.schedule) == ("adam", 1e-3, "step")
    assert (cell.step_epochs, cell.step_factor) == (5, 0.1)
    assert (paper.batch_size, paper.decoder_width, paper.dense_units) == (64, 256, 4096)
    assert paper.image_size == (227, 227)
    assert [cell.name for cell in cells(PRESETS["quick"])] == [
        "1_conv2",
        "2_conv5",
        "3_fc6",
        "4_fc8",
    ]
    repeated = dataclasses.replace(PRESETS["quick"], repetitions=2, seed=4)
    assert cells(repeated)[-1].name == "4_fc8_seed_5"


TINY = {"image_size": (67, 67), "encoder_width": 0.05}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layers": ()}, "--layers must be at least one, each once. Received: nothing"),
        ({"layers": ("fc6", "fc6")}, "--layers must be at least one, each once"),
        ({"layers": ("conv9",)}, r"--layers: .*layer of AlexNet; close to it: conv5"),
        ({"encoder": "MobileNetV9"}, "--encoder: .*close to it: MobileNetV2"),
        ({"weights": "imagenet"}, "--weights must be `none` or a `.keras` file of AlexNet"),
        ({"weights": "nowhere.keras"}, "--weights must be .*Received: nowhere.keras"),
        ({"image_size": (40, 67)}, "--encoder AlexNet: .*at least 67"),
        ({"image_size": (2000, 67)}, "--image-size must be from 32 to 1024"),
        ({"target_size": (0, 4)}, "--target-size must be positive"),
        ({"data": "folder"}, "--data folder needs --data-dir"),
        ({"data_dir": Path("x")}, "--data-dir needs --data folder"),
        ({"rendered_count": (5, 1, 5)}, "--rendered-count must be at least two"),
        ({"cached_views": 0}, "--cached-views must be at least 1"),
        ({"learning_rate": float("nan")}, "--learning-rate must be above 0"),
        ({"encoder_width": 0.0}, "--encoder-width must be above 0"),
        ({"repetitions": 0}, "--repetitions must be at least 1"),
        ({"test_fraction": 1.0}, "--test-fraction must be between 0 and 1"),
        ({"batch_size": 0}, "--batch-size must be at least 1"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        invert_features.check(InvertFeaturesConfig(**{**TINY, **options}))


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    wrong = InvertFeaturesConfig(**TINY, data="folder", data_dir=tmp_path / "nowhere")
    with pytest.raises(DataError, match="nowhere is not a folder"):
        invert_features.check(wrong)


def folder_with_a_bad_picture(folder: Path) -> Path:
    folder.mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    whole = (folder / "07.png").read_bytes()
    (folder / "07.png").write_bytes(whole[: len(whole) // 2])
    return folder


def test_a_bad_picture_is_one_sentence_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data_dir = folder_with_a_bad_picture(tmp_path / "pictures")
    words = ["--data", "folder", "--data-dir", str(data_dir), "--image-size", "67", "67"]
    words += ["--encoder-width", "0.05", "--weights", "none"]
    sentence = refused(capsys, run_study(invert_features.TASK, words))
    assert "1 picture cannot be read" in sentence
    assert "07.png" in sentence
    assert not (tmp_path / "runs").exists()


def test_a_bad_picture_may_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = folder_with_a_bad_picture(tmp_path / "pictures")
    config = InvertFeaturesConfig(**TINY, data="folder", data_dir=data_dir, skip_bad_images=True)
    invert_features.check(config)
    assert "left out" in capsys.readouterr().out


def test_the_pictures_of_every_seed_are_looked_at(tmp_path: Path) -> None:
    data_dir = folder_with_a_bad_picture(tmp_path / "pictures")
    few = InvertFeaturesConfig(**TINY, data="folder", data_dir=data_dir, limit=2)
    refusing = []
    for seed in range(10):
        try:
            invert_features.check(dataclasses.replace(few, seed=seed))
        except DataError:
            refusing.append(seed)
    later = next(seed for seed in range(1, 10) if seed in refusing and seed - 1 not in refusing)
    with pytest.raises(DataError, match=r"07\.png"):
        invert_features.check(dataclasses.replace(few, seed=later - 1, repetitions=2))


def test_weights_alone_are_no_alexnet(tmp_path: Path) -> None:
    weights = tmp_path / "some.weights.h5"
    weights.write_bytes(b"of one of two kinds")
    with pytest.raises(UserError, match=r"--encoder AlexNet: `weights` .*a whole network"):
        invert_features.check(InvertFeaturesConfig(**TINY, weights=str(weights)))


@pytest.mark.parametrize("factor", [0.0, 1.5, float("nan")])
def test_a_step_that_raises_the_rate_is_refused(config: InversionCellConfig, factor) -> None:
    with pytest.raises(UserError, match="--step-factor must be above 0 and at most 1"):
        invert_features.check_cell(dataclasses.replace(config, step_factor=factor))
    with pytest.raises(UserError, match="--step-epochs must be at least 1"):
        invert_features.check_cell(dataclasses.replace(config, step_epochs=0))


def test_examples_of_a_cell_come_back(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3)).astype(np.uint8)
    written = examples.CellExamples(pictures, pictures[::-1], (3, 3, 8), 1234)
    examples.write(RunFolder(tmp_path), written)
    found = examples.read(RunFolder(tmp_path))
    np.testing.assert_array_equal(found.originals, pictures)
    np.testing.assert_array_equal(found.rebuilt, pictures[::-1])
    assert (found.feature_shape, found.decoder_weights) == ((3, 3, 8), 1234)


@pytest.mark.slow
def test_photographs_from_five_depths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_data: Path, shared_weights: Path
) -> None:
    """With real weights: the error rises with depth, though a few epochs leave it high."""
    monkeypatch.chdir(tmp_path)
    weights = next(shared_weights.glob("mobilenet_v2*.h5"))
    words = ["--preset", "mobilenet", "--data-dir", str(shared_data / "imagenet_sample")]
    words += ["--weights", str(weights), "--image-size", "96", "96", "--target-size", "48", "48"]
    words += ["--decoder-width", "64", "--epochs", "12", "--cached-views", "4", "--run-name", "one"]
    assert run_study(invert_features.TASK, words) == 0
    folder = RunFolder(tmp_path / "runs" / "invert_features" / "one")
    text = (folder.report / "report.md").read_text()
    errors = [
        float(row.split("|")[7].split()[0])
        for row in text.splitlines()
        if row.startswith("| ") and " x " in row
    ]
    assert len(errors) == 5
    assert errors == sorted(errors)
    assert errors[0] < 0.3
    with Image.open(folder.report / "rebuilt_seed_0.png") as grid:
        assert min(grid.size) > 300
