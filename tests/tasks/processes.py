"""Runs tasks as a user does: in processes of their own, from a folder of their own.

A process that a test starts here has ended when the test has, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]

# Seconds until a process is taken for one that hangs, on a machine however busy.
PATIENCE = 900

# A network and data so small that a run is mostly the start of TensorFlow.
TINY = (
    *("--backbone", "MobileNet", "--image-size", "32", "32", "--weights", "none"),
    *("--rendered-count", "40", "16", "16", "--batch-size", "8", "--scratch-epochs", "4"),
)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Starts `python -m WORDS` in `folder`; what it prints is piped."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextlib.contextmanager
def ended(process: subprocess.Popen) -> Iterator[None]:
    """Kills the process where it has not ended by itself, and closes its pipes."""
    with process:
        try:
            yield
        finally:
            process.kill()


def run(folder: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs `python -m WORDS` to its end and demands its exit status."""
    process = start(folder, *words)
    with ended(process):
        output, errors = process.communicate(timeout=PATIENCE)
    if process.returncode != status:
        raise AssertionError(f"status {process.returncode}, not {status}:\n{output}\n{errors}")
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def signal_when(
    process: subprocess.Popen[str], condition: Callable[[], bool], number: signal.Signals
) -> tuple[int, str, str]:
    """Sends a signal while `condition` holds; gives status, output and errors.

    The process stands still from before the condition is seen to hold until the signal is there.
    Were it to go on meanwhile, it could be anywhere else by then on a busy machine.
    """
    deadline = time.monotonic() + PATIENCE
    with ended(process):
        while not _holds_standing_still(process, condition):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError(f"never came to it:\n{process.communicate()}")
            time.sleep(0.01)
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, output, errors


def _holds_standing_still(process: subprocess.Popen[str], condition: Callable[[], bool]) -> bool:
    """Whether the condition holds; where it does, the process has been stopped."""
    if not condition():
        return False
    process.send_signal(signal.SIGSTOP)
    while process.poll() is None and psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.001)
    if process.poll() is None and condition():
        return True
    process.send_signal(signal.SIGCONT)
    return False
