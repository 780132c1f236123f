"""Every command that the documentation shows is one that its program understands.

The commands of the `sh` blocks are given to the parsers of their own programs, and nothing is run:
an option or a value that is gone, or was never there, fails the test of its line, and so do options
that do not fit together.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tyro

from datasets.core import DataError
from tasks.__main__ import VERBS
from tasks.common import command_line
from tasks.common import config as configs
from tasks.common.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/*.md")
PROGRAMS = ("tasks.", "benchmarks.")


@dataclasses.dataclass(frozen=True)
class Command:
    """One command of the documentation.

    Attributes:
        place: `FILE:LINE` where it begins.
        module: what `python -m` runs.
        words: that follow it.
    """

    place: str
    module: str
    words: tuple[str, ...]


class Parsed(Exception):
    """Carries the options out of a program that has just parsed them."""

    def __init__(self, options: Any):
        """Keep the options."""
        super().__init__()
        self.options = options


def commands(text: str, name: str) -> Iterator[Command]:
    """The commands for this suite in the `sh` blocks of a document called `name`."""
    for block in re.finditer(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        first = text.count("\n", 0, block.start(1)) + 1
        for number, line in joined_lines(block[1]):
            # In a shell `~` and `*` mean more, which no parser ever sees.
            words = shlex.split(line, comments=True)
            if words[:2] == ["python", "-m"] and words[2].startswith(PROGRAMS):
                yield Command(f"{name}:{first + number}", words[2], tuple(words[3:]))


def joined_lines(block: str) -> Iterator[tuple[int, str]]:
    """Lines with those that continue them, each with the number, from 0, of its first one."""
    number = 0
    for line in re.split(r"(?<!\\)\n", block):
        yield number, line.replace("\\\n", " ")
        number += 1 + line.count("\n")


def documented() -> list[Command]:
    paths = [path for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern))]
    return [
        command
        for path in paths
        for command in commands(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]


def understand(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parses a command as its program does, and goes no further.

    Raises:
        SystemExit: status 2, an unknown option or value; the sentence is on standard error.
        UserError: options that do not fit together, or no such preset.
        ModuleNotFoundError: there is no such program.
    """
    module = importlib.import_module(command.module)
    if hasattr(module, "TASK"):
        parse_for_task(module.TASK, command)
        return
    options = parsed_by_main(module, command, monkeypatch)
    if command.module.removeprefix("tasks.") in VERBS and hasattr(module, "check"):
        module.check(options)


def parse_for_task(task: Any, command: Command) -> None:
    program = f"python -m {command.module}"
    kind = type(task.presets["quick"])
    if tyro.cli(kind, args=list(command.words), prog=program).resume is not None:
        # The other options of a resumed run come from its folder, and there is none.
        return
    config = configs.parse(task.presets, command.words, program)
    # Whether options fit together is seen without the data, which is not here; weights could be
    # looked for on the network.
    with contextlib.suppress(DataError):
        task.check(without_weights(config))


def without_weights(config: configs.RunConfig) -> configs.RunConfig:
    """The options without those that say where weights come from."""
    unset = {"weights": "none", "weights_dir": None}
    return dataclasses.replace(config, **{k: v for k, v in unset.items() if hasattr(config, k)})


def parsed_by_main(module: Any, command: Command, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The options that a program's `main` gets from its parser, at which point it is ended."""
    # Without one it would run in earnest.
    if not (uses(module, "tyro", tyro) or uses(module, "run_command", command_line.run_command)):
        raise LookupError(f"{command.module} has no parser that this test knows.")
    parse = tyro.cli

    def parse_and_end(*arguments: Any, **named: Any) -> None:
        raise Parsed(parse(*arguments, **named))

    with monkeypatch.context() as changed:
        changed.setattr(tyro, "cli", parse_and_end)
        try:
            module.main(list(command.words))
        except Parsed as end:
            return end.options
    raise LookupError(f"{command.module} did not parse its command line.")


def uses(module: Any, name: str, thing: Any) -> bool:
    """Whether a program has imported `thing` under its own name."""
    return getattr(module, name, None) is thing


def fault(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str | None:
    """What is wrong with a command; None if it is right."""
    try:
        understand(command, monkeypatch)
    except SystemExit as end:
        # `--help` ends with status 0.
        return capsys.readouterr().err if end.code else None
    except (UserError, ModuleNotFoundError) as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "command",
    documented(),
    ids=lambda command: f"{command.place} {command.module} {' '.join(command.words)}",
)
def test_a_command_is_understood(
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Nothing lies here that a path in the documentation could mean.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = fault(command, monkeypatch, capsys)
    assert found is None, f"{command.place}: {found}"


@pytest.mark.parametrize("name", ["README.md", "docs/speed.md", "docs/maps.md"])
def test_commands_are_found_in(name: str) -> None:
    assert len([c for c in documented() if c.place.startswith(f"{name}:")]) >= 5


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("tasks.cars_finetune --no-such-option 3", "--no-such-option"),
        ("tasks.cars_finetune --schedule sometimes", "sometimes"),
        ("tasks.cars_finetune --head-epochs many", "many"),
        ("tasks.cars_finetune --data-dir pictures", "--data-dir needs --data"),
        ("tasks.cars_finetune --backbone NoSuchNet", "NoSuchNet"),
        ("tasks.cars_finetune --preset none_such", "--preset must be one of"),
        ("tasks.cars_finetune --preset paper --image-size 224", "--image-size"),
        ("tasks.cars_finetune --resume latest --no-such-option", "--no-such-option"),
        ("tasks.transfer_study --no-such-option", "--no-such-option"),
        ("tasks.none_such", "tasks.none_such"),
        ("tasks.evaluate RUN --split everything", "everything"),
        ("tasks.evaluate", "RUN"),
        ("tasks.predict RUN", "Name at least one picture"),
        ("tasks.predict RUN photo.jpg --csv answers.txt", "must name a file that ends in .csv"),
        ("tasks.export RUN --format jpeg", "jpeg"),
        ("tasks.export RUN --format onnx --quantize float16", "--quantize float16 is possible"),
        ("tasks.compare RUN RUN --no-such-option", "--no-such-option"),
        ("benchmarks.growth --no-such-option", "--no-such-option"),
        ("benchmarks.none_such", "benchmarks.none_such"),
    ],
)
def test_a_wrong_command_would_be_found(
    line: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (command,) = commands(f"```sh\npython -m {line}\n```\n", "made_up.md")
    assert sentence in (fault(command, monkeypatch, capsys) or "nothing is wrong")


def test_a_program_without_a_parser_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match=r"tasks\.common\.tables has no parser"):
        understand(Command("made_up.md:1", "tasks.common.tables", ()), monkeypatch)


def test_commands_are_read_as_a_shell_reads_them() -> None:
    text = """\
`python -m tasks.evaluate` between the lines is no command, nor is one in another language:

```python
python -m tasks.evaluate RUN
```

```sh
# python -m tasks.evaluate RUN
make cars     # python -m tasks.cars_finetune
python -m tasks.predict RUN \\
    "two words.jpg" --top 1    # in two lines
python -m tasks                # another program
python -m benchmarks.growth
```
"""
    assert list(commands(text, "made_up.md")) == [
        Command("made_up.md:10", "tasks.predict", ("RUN", "two words.jpg", "--top", "1")),
        Command("made_up.md:13", "benchmarks.growth", ()),
    ]
