"""From the command line to a run, and from a fault to one sentence and an exit status."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import TypeVar

import tyro

from datasets.core import DataError
from tasks.common.config import parse
from tasks.common.errors import Interrupted, UserError, storage_fault
from tasks.common.study import Study
from tasks.common.task import Task

USER_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells count

Options = TypeVar("Options")


def run_task(task: Task, arguments: Sequence[str] | None = None) -> int:
    """Runs a task as the command line asks; gives the exit status."""

    def train() -> None:
        words = sys.argv[1:] if arguments is None else arguments
        config = parse(task.presets, words, f"python -m tasks.{task.name}")
        # TensorFlow takes seconds to load, so it does after the options have been understood.
        import_tensorflow_quietly()
        config = task.check(config)
        from tasks.common.runner import run

        run(task, config)

    return guarded(train)


def run_study(study: Study, arguments: Sequence[str] | None = None) -> int:
    """Runs a study as the command line asks; gives the exit status."""

    def compare() -> None:
        words = sys.argv[1:] if arguments is None else arguments
        config = parse(study.presets, words, f"python -m tasks.{study.name}")
        import_tensorflow_quietly()
        config = study.check(config)
        from tasks.common.study_runner import run

        run(study, config)

    return guarded(compare)


def run_command(
    options: type[Options],
    module: str,
    act: Callable[[Options], None],
    arguments: Sequence[str] | None = None,
) -> int:
    """Does `act` with the options that the command line gives; gives the exit status.

    Args:
        options: a dataclass, whose fields and their documentation are the command line.
        module: what is run with `python -m`, such as `tasks.evaluate`.
        act: what the command does.
        arguments: the words of the command line; None for those of this process.
    """
    return guarded(
        lambda: act(tyro.cli(options, args=arguments, prog=f"python -m {module}")), trains=False
    )


def guarded(action: Callable[[], None], trains: bool = True) -> int:
    """Does `action`; a user's mistake becomes one sentence on standard error and status 2.

    Any other fault is ours and keeps its traceback.

    Args:
        action: what to do.
        trains: whether it is a training, which --resume takes up again.
    """
    try:
        action()
    except (UserError, DataError) as error:
        return _say(str(error))
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return INTERRUPTED
    except KeyboardInterrupt:
        goes_on = " A run that had begun goes on with --resume." if trains else ""
        print(f"\nStopped.{goes_on}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has gone, as `head` does; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        sentence = storage_fault(error, trains)
        if sentence is None:
            raise
        return _say(sentence)
    return 0


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow without the greetings that its C++ side writes to standard error.

    They come before TensorFlow reads TF_CPP_MIN_LOG_LEVEL, so they are held back in a file and
    shown only when the import fails. Later lines stay off too, among them the complaint about a
    missing GPU on every machine without one; what fails is raised as an exception all the same.

    Raises:
        UserError: Keras is told to run on another back end, of which the tasks know nothing.
    """
    back_end = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if back_end != "tensorflow":
        raise UserError(
            f"The tasks run on Keras's TensorFlow back end. Received: KERAS_BACKEND={back_end}. "
            "Unset KERAS_BACKEND, or set it to tensorflow."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            file.seek(0)
            os.write(kept, file.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _say(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return USER_ERROR
