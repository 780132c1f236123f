"""A file of a network that is missing, damaged or of another kind is one sentence."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from tasks import depth_dense, evaluate, export, predict
from tasks.common import column_importance, saved_network
from tasks.common import config as configs
from tasks.common.cyclegan.networks import load_companion
from tasks.common.errors import UserError
from tasks.common.run_folder import RunFolder
from tasks.common.runner import load_best
from tests.tasks.small_dense import brightest_channel, brightness
from tests.tasks.small_runs import colour_classifier, refused, write_run


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    colour_classifier().save(path)
    return path


def copied(sound: Path, folder: Path, content: bytes) -> Path:
    path = folder / "model.keras"
    path.write_bytes(content)
    return path


def one_sentence(path: Path) -> str:
    with pytest.raises(UserError) as raised:
        saved_network.load(path)
    sentence = str(raised.value)
    assert sentence.startswith(str(path))
    assert sentence.endswith("copy it again from where it is sound, or train anew.")
    assert "\n" not in sentence
    return sentence


def test_a_sound_file_is_loaded(sound):
    assert saved_network.load(sound).count_params() == colour_classifier().count_params()


def test_a_wrong_byte_anywhere_is_damage_or_harmless(sound, tmp_path):
    content = sound.read_bytes()
    places = np.random.default_rng(0).integers(0, len(content), 150)
    damaged = 0
    for place in [0, 4, 8, *places.tolist(), *range(len(content) - 22, len(content))]:
        changed = bytearray(content)
        changed[place] ^= 0xFF
        try:
            saved_network.load(copied(sound, tmp_path, bytes(changed)))
        except UserError as error:
            damaged += 1
            assert "model.keras is damaged (" in str(error)
    assert damaged > 100


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_damaged(sound, tmp_path, share):
    content = sound.read_bytes()
    path = copied(sound, tmp_path, content[: int(share * len(content))])
    assert "is damaged" in one_sentence(path)


def test_a_file_that_is_gone_is_missing(tmp_path):
    assert "is missing" in one_sentence(tmp_path / "model.keras")


def test_an_archive_of_something_else_holds_no_network(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a.txt").write_text("a")
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "inside")
    path = tmp_path / "model.keras"
    Path(archive).rename(path)
    assert "cannot be read as a Keras model" in one_sentence(path)


def dense_run(folder: Path, sound: Path) -> Path:
    """A run of a task whose answers are maps, around the model of another one."""
    folder.mkdir()
    config = depth_dense.TASK.presets["quick"]
    (folder / "config.json").write_text(configs.to_json(config))
    (folder / "environment.json").write_text(json.dumps({"task": "depth_dense"}))
    shutil.copy(sound, folder / "model.keras")
    return folder


def test_a_run_of_maps_does_not_open_with_another_model(sound, tmp_path, capsys):
    run = dense_run(tmp_path / "run", sound)
    sentence = refused(capsys, predict.main([str(run), "a.png"]))
    assert "model.keras holds a network of another kind" in sentence
    brightest_channel().save(run / "model.keras")
    assert "no maps of quantities" in refused(capsys, predict.main([str(run), "a.png"]))
    brightness().save(run / "model.keras")
    assert "could not be read" in refused(capsys, predict.main([str(run), "a.png"]))


def test_a_run_of_classes_does_not_open_with_another_model(tmp_path, capsys):
    run = write_run(tmp_path / "runs", "a", tmp_path)
    brightness().save(run / "model.keras")
    for verb, words in ((predict, ["a.png"]), (evaluate, []), (export, [])):
        sentence = refused(capsys, verb.main([str(run), *words]))
        assert "network of another kind, whose answers are not those of cars_finetune" in sentence


def test_the_best_weights_are_those_of_the_run_or_refused(sound, tmp_path):
    """A run that goes on takes them from the file."""
    folder = RunFolder(tmp_path)
    model = colour_classifier()
    expected = model.get_weights()
    copied(sound, tmp_path, sound.read_bytes())
    model.set_weights([2 * values for values in expected])
    load_best(model, folder)
    np.testing.assert_array_equal(model.get_weights()[0], expected[0])
    copied(sound, tmp_path, sound.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"model\.keras is damaged .* or train anew\.$"):
        load_best(model, folder)
    brightness().save(tmp_path / "model.keras")
    with pytest.raises(UserError, match=r"model\.keras holds a network of other weights"):
        load_best(model, folder)


def test_the_importance_of_columns_is_not_that_of_a_damaged_file(sound, tmp_path):
    path = copied(sound, tmp_path, sound.read_bytes()[:1000])
    with pytest.raises(UserError, match="is damaged"):
        column_importance.importance(path, None, 0)


def test_code_in_a_file_is_not_run(tmp_path):
    image = keras.Input((3,))
    model = keras.Model(image, keras.layers.Lambda(lambda values: 2 * values)(image))
    model.save(tmp_path / "model.keras")
    assert "Lambda" in one_sentence(tmp_path / "model.keras")


@pytest.mark.parametrize(
    "config", ["[]", "null", '{"class_name": 5}', "{", pytest.param("[" * 100_000, id="deep")]
)
def test_a_file_that_says_nothing_of_layers_is_one_sentence(sound, tmp_path, config):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, config if name == "config.json" else source.read(name))
    assert "cannot be read as a Keras model" in one_sentence(path)


def test_a_finished_run_that_lost_its_model_is_not_told_to_go_on(sound, tmp_path, capsys):
    run = dense_run(tmp_path / "run", sound)
    (run / "model.keras").unlink()
    assert "--resume" in refused(capsys, predict.main([str(run), "a.png"]))
    (run / "report").mkdir()
    (run / "report" / "metrics.json").write_text("{}")
    assert "model.keras is missing" in refused(capsys, predict.main([str(run), "a.png"]))


def test_companions_are_looked_at_in_the_same_way(sound, tmp_path):
    folder = RunFolder(tmp_path)
    folder.networks.mkdir()
    path = folder.networks / "depth_to_picture.keras"
    with pytest.raises(UserError, match=r"depth_to_picture\.keras is missing"):
        load_companion(folder, "depth_to_picture")
    shutil.copy(sound, path)
    with pytest.raises(UserError, match="a network of another kind"):
        load_companion(folder, "depth_to_picture")
    brightness().save(path)
    assert load_companion(folder, "depth_to_picture").count_params() == 3
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="is damaged"):
        load_companion(folder, "depth_to_picture")
