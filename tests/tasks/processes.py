"""Runs tasks as a user does: in processes of their own, from a folder of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

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


def run(folder: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs `python -m WORDS` to its end and demands its exit status."""
    process = start(folder, *words)
    output, errors = process.communicate(timeout=400)
    if process.returncode != status:
        raise AssertionError(f"status {process.returncode}, not {status}:\n{output}\n{errors}")
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def signal_when(
    process: subprocess.Popen[str], condition: Callable[[], bool], number: signal.Signals
) -> tuple[int, str, str]:
    """Sends a signal as soon as `condition` holds; gives status, output and errors."""
    deadline = time.monotonic() + 300
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"never came to it:\n{process.communicate()}")
        time.sleep(0.01)
    process.send_signal(number)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors
