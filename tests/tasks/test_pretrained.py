"""What `--weights` means, with and without a network and a cache."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from keras_models import backbones
from tasks.common import pretrained
from tasks.common.errors import UserError
from tasks.common.pretrained import choose_existing_weights, choose_weights

Situation = Callable[[bool, bool], None]
SIZE = (64, 96)


@pytest.fixture
def situation(monkeypatch: pytest.MonkeyPatch) -> Situation:
    """Sets whether the weights are cached and whether the network answers."""

    def set_situation(cached: bool, online: bool) -> None:
        def connect(address: tuple[str, int], timeout: float) -> socket.socket:
            if not online:
                raise OSError("no route to host")
            return socket.socket()

        monkeypatch.setattr(backbones, "imagenet_weights_cached", lambda name, size: cached)
        monkeypatch.setattr(pretrained.socket, "create_connection", connect)

    return set_situation


@pytest.mark.parametrize(("cached", "online"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("requested", ["auto", "imagenet"])
def test_imagenet_where_it_can_be_had(
    requested: str,
    cached: bool,
    online: bool,
    situation: Situation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    situation(cached, online)
    assert choose_weights(requested, "ResNet50", SIZE) == "imagenet"
    assert capsys.readouterr() == ("", "")


def test_auto_goes_without_and_warns(
    situation: Situation, capsys: pytest.CaptureFixture[str]
) -> None:
    situation(False, False)
    assert choose_weights("auto", "ResNet50", SIZE) == "none"
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("warning: ")
    assert "ResNet50" in errors
    assert "from scratch" in errors
    assert errors.count("\n") == 1


def test_the_warning_tells_what_the_task_does_instead(
    situation: Situation, capsys: pytest.CaptureFixture[str]
) -> None:
    situation(False, False)
    choose_weights("auto", "ResNet50", SIZE, instead="the features are random")
    assert capsys.readouterr().err.endswith(": the features are random.\n")


def test_imagenet_that_cannot_be_had_is_one_sentence(situation: Situation) -> None:
    situation(False, False)
    with pytest.raises(UserError, match=r"ResNet50.*--weights PATH.*--weights none") as caught:
        choose_weights("imagenet", "ResNet50", SIZE)
    assert "\n" not in str(caught.value)


def test_weights_that_nobody_published_are_not_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("asked for a network")

    monkeypatch.setattr(pretrained.socket, "create_connection", never)
    assert choose_weights("auto", "SmallResNet", SIZE) == "none"
    assert "no ImageNet weights for SmallResNet exist" in capsys.readouterr().err
    with pytest.raises(UserError, match="There are no ImageNet weights of SmallResNet"):
        choose_weights("imagenet", "SmallResNet", SIZE)


def test_none_and_a_file_ask_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("asked for a network or a cache")

    monkeypatch.setattr(backbones, "imagenet_weights_cached", never)
    monkeypatch.setattr(pretrained.socket, "create_connection", never)
    weights = tmp_path / "weights.h5"
    weights.write_bytes(b"some")
    assert choose_weights("none", "ResNet50", SIZE) == "none"
    assert choose_weights(str(weights), "ResNet50", SIZE) == str(weights)


@pytest.mark.parametrize("requested", ["missing.h5", "ImageNet", "."])
def test_a_path_that_is_no_file_is_refused(requested: str) -> None:
    with pytest.raises(UserError, match="--weights must be") as caught:
        choose_weights(requested, "ResNet50", SIZE)
    assert repr(requested) in str(caught.value)


def test_a_host_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []

    def slow(address: tuple[str, int], timeout: float) -> socket.socket:
        waited.append(timeout)
        raise TimeoutError

    monkeypatch.setattr(pretrained.socket, "create_connection", slow)
    monkeypatch.setattr(backbones, "imagenet_weights_cached", lambda name, size: False)
    assert choose_weights("auto", "ResNet50", SIZE) == "none"
    assert 0 < waited[0] <= 5


def test_where_none_exist_automatic_weights_are_none_without_a_word(
    capsys: pytest.CaptureFixture,
) -> None:
    assert choose_existing_weights("auto", "SmallResNet", SIZE) == "none"
    assert not capsys.readouterr().err
    with pytest.raises(UserError, match="There are no ImageNet weights of SmallResNet"):
        choose_existing_weights("imagenet", "SmallResNet", SIZE)


def test_where_some_exist_automatic_weights_are_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backbones, "imagenet_weights_cached", lambda name, size: True)
    assert choose_existing_weights("auto", "ResNet50", SIZE) == "imagenet"
