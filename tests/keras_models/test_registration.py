"""A saved model loads in a process that has done nothing but register the layers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from keras_models import lenet

ROOT = Path(__file__).resolve().parents[2]


def test_a_saved_model_loads_in_a_fresh_process(tmp_path: Path) -> None:
    model = lenet.build_lenet5([str(digit) for digit in range(10)])
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, keras\n"
        "from keras_models.registration import register_layers\n"
        "register_layers()\n"
        "print(keras.saving.load_model(sys.argv[1], compile=False).count_params())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.keras")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(result.stdout) == model.count_params()
