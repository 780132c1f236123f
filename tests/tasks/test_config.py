"""Options: from the command line, through JSON, and back when a run is resumed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal

import pytest

from tasks.__main__ import find_tasks
from tasks.common import run_folder
from tasks.common.config import (
    OPERATIONAL,
    StudyConfig,
    TrainConfig,
    differences,
    from_json,
    parse,
    to_json,
)
from tasks.common.errors import UserError
from tasks.common.image_classifier_config import ImageClassifierConfig

PLACE = Path("runs/thing/one/config.json")


@dataclasses.dataclass(frozen=True)
class ThingConfig(TrainConfig):
    """Options with every kind of type."""

    pair: tuple[int, int] = (1, 2)
    """Two numbers."""
    several: tuple[Literal["a", "b"], ...] = ("a",)
    """Any number of letters."""
    factor: float = 0.5
    """A number."""
    place: Path | None = None
    """A file."""
    word: str = "plain"
    """Any text."""


PRESETS = {
    "quick": ThingConfig(),
    "long": ThingConfig(preset="long", factor=0.25, pair=(3, 4), batch_size="auto"),
}
COMMAND = "python -m tasks.thing"


def parsed(*words: str) -> ThingConfig:
    return parse(PRESETS, words, COMMAND)


def stored(runs_dir: Path, config: ThingConfig, name: str = "one") -> run_folder.RunFolder:
    return run_folder.create(runs_dir / "thing" / name, "thing", to_json(config), config.seed)


PRESETS_OF_ALL_TASKS = [
    pytest.param(config, id=f"{task.name}-{name}")
    for task in find_tasks()
    for name, config in task.presets.items()
]


@pytest.mark.parametrize("config", PRESETS_OF_ALL_TASKS)
def test_every_preset_comes_back_equal_from_json(config: TrainConfig) -> None:
    assert from_json(type(config), to_json(config), PLACE) == config


@pytest.mark.parametrize(
    "config",
    [
        ThingConfig(),
        ThingConfig(batch_size="auto", limit=3, clip_norm=1.0, several=(), resume="latest"),
        ThingConfig(several=("b", "a", "b"), place=Path("/a b/ç.h5"), run_name='"quoted"\n'),
        ThingConfig(factor=1e-300, ema_momentum=0.999, word="ünïcode \\ \x00"),
        ThingConfig(factor=float("inf"), seed=2**62, word=""),
        # A whole number where a fraction is asked for, as a user may write it in code.
        ThingConfig(factor=2),
    ],
)
def test_odd_values_come_back_equal_from_json(config: ThingConfig) -> None:
    back = from_json(ThingConfig, to_json(config), PLACE)
    assert back == config
    assert type(back.factor) is float
    assert back.place is None or isinstance(back.place, Path)
    assert isinstance(back.several, tuple)


def changed_json(**changes: object) -> str:
    values = json.loads(to_json(ThingConfig())) | changes
    return json.dumps({key: value for key, value in values.items() if value is not ...})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed_json(colour="red"), ["unknown options ['colour']", "newer version"]),
        (changed_json(factor="much"), ["wrong type", "expected float", "'much'"]),
        (changed_json(seed=True), ["wrong type", "expected int", "True"]),
        (changed_json(seed=1.5), ["wrong type", "expected int", "1.5"]),
        (changed_json(dry_run=1), ["wrong type", "expected bool", "1"]),
        (changed_json(schedule="zigzag"), ["wrong type", "'zigzag'"]),
        (changed_json(pair=[1, 2, 3]), ["wrong type"]),
        (changed_json(pair=5), ["wrong type", "expected a list"]),
        (changed_json(several=["a", "c"]), ["wrong type", "'c'"]),
        (changed_json(batch_size="large"), ["wrong type", "'large'"]),
        (changed_json(word=None), ["wrong type", "expected str", "None"]),
        ("[]", ["JSON object", "Received: list"]),
        ("null", ["JSON object", "Received: NoneType"]),
        ('{"seed": 0', ["not valid JSON"]),
        ("", ["not valid JSON"]),
        pytest.param("[" * 100_000, ["not valid JSON"], id="deep"),
    ],
)
def test_a_damaged_configuration_is_one_sentence(text: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        from_json(ThingConfig, text, PLACE)
    message = str(caught.value)
    assert str(PLACE) in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_option_that_a_run_was_made_without_takes_its_default() -> None:
    text = changed_json(factor=..., seed=7)
    assert from_json(ThingConfig, text, PLACE) == ThingConfig(seed=7)


def test_no_option_gives_the_quick_preset() -> None:
    assert parsed() == PRESETS["quick"]


def test_a_preset_gives_its_values_and_options_overrule_them() -> None:
    assert parsed("--preset", "long") == PRESETS["long"]
    config = parsed("--factor", "3", "--preset", "long")
    assert config == dataclasses.replace(PRESETS["long"], factor=3.0)


def test_every_type_is_read_from_the_command_line() -> None:
    config = parsed(
        *("--batch-size", "auto", "--pair", "5", "6", "--several", "b", "a", "--dry-run"),
        *("--no-deterministic", "--place", "x/y", "--limit", "7", "--runs-dir", "elsewhere"),
    )
    assert config == ThingConfig(
        batch_size="auto",
        pair=(5, 6),
        several=("b", "a"),
        dry_run=True,
        deterministic=False,
        place=Path("x/y"),
        limit=7,
        runs_dir=Path("elsewhere"),
    )
    assert parsed("--several").several == ()
    assert parsed("--batch-size", "16").batch_size == 16


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"quick, long\. Received: 'short'"):
        parsed("--preset", "short")


@pytest.mark.parametrize(
    "words",
    [("--colour", "red"), ("--factor", "much"), ("--schedule", "zigzag"), ("--pair", "1"), ("x",)],
)
def test_an_unknown_option_or_value_ends_with_status_2(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed(*words)
    assert caught.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_resuming_takes_the_options_of_the_run(tmp_path: Path) -> None:
    config = dataclasses.replace(PRESETS["long"], seed=7, runs_dir=tmp_path, run_name="one")
    folder = stored(tmp_path, config)
    for name in ("one", "latest", str(folder.path)):
        resumed = parsed("--resume", name, "--runs-dir", str(tmp_path))
        assert Path(resumed.resume) == folder.path.resolve()
        assert dataclasses.replace(resumed, resume=None) == config


def test_resuming_with_the_same_options_given_again_is_fine(tmp_path: Path) -> None:
    stored(tmp_path, ThingConfig(seed=7, runs_dir=tmp_path))
    words = ("--resume", "one", "--runs-dir", str(tmp_path), "--seed", "7")
    assert parsed(*words).seed == 7


def test_resuming_with_other_options_is_refused_naming_each(tmp_path: Path) -> None:
    stored(tmp_path, ThingConfig(runs_dir=tmp_path))
    words = ("--resume", "one", "--runs-dir", str(tmp_path), "--seed", "9", "--pair", "8", "8")
    with pytest.raises(UserError) as caught:
        parsed(*words)
    message = str(caught.value)
    assert "--seed: was 0, received 9" in message
    assert "--pair: was (1, 2), received (8, 8)" in message
    assert "factor" not in message


def test_resuming_with_another_preset_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, ThingConfig(runs_dir=tmp_path))
    with pytest.raises(UserError, match="--preset: was quick, received long"):
        parsed("--resume", "one", "--runs-dir", str(tmp_path), "--preset", "long")


def test_resuming_allows_options_that_do_not_change_the_result(tmp_path: Path) -> None:
    config = ThingConfig(runs_dir=tmp_path, run_name="one")
    stored(tmp_path, config)
    resumed = parsed(
        *("--resume", "one", "--runs-dir", str(tmp_path)),
        *("--workers", "1", "--checkpoint-seconds", "5"),
    )
    assert (resumed.workers, resumed.checkpoint_seconds) == (1, 5.0)
    assert (resumed.run_name, resumed.runs_dir) == ("one", tmp_path)


def test_resuming_a_run_whose_configuration_is_no_text(tmp_path: Path) -> None:
    folder = stored(tmp_path, ThingConfig(runs_dir=tmp_path))
    folder.config.write_bytes(b"\xff\xfe\x80 not text")
    with pytest.raises(UserError, match=r"config\.json"):
        parsed("--resume", "one", "--runs-dir", str(tmp_path))


def test_differences_are_those_of_all_options_but_the_operational_ones() -> None:
    kinds = (ImageClassifierConfig, StudyConfig)
    options = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert options >= OPERATIONAL
    one = ThingConfig()
    for name, value in (("runs_dir", Path("x")), ("workers", 9), ("run_name", "n")):
        assert differences(one, dataclasses.replace(one, **{name: value})) == []
    assert differences(one, dataclasses.replace(one, word="new")) == [
        "--word: was plain, received new"
    ]
