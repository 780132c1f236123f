"""The trained networks that come along: complete runs, and as good as the README says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.rendered.street.classes import CLASS_NAMES, VOID
from keras_models.map_output import map_layer
from tasks.common import saved_run

TRAINED = Path(__file__).resolve().parents[1] / "trained"
CAMVID = TRAINED / "segment_fast_scnn" / "camvid"


def test_a_run_that_comes_along_names_no_place_of_the_machine_that_trained_it() -> None:
    for name in ("config.json", "environment.json"):
        text = (CAMVID / name).read_text(encoding="utf-8")
        assert '"/' not in text
        assert " /" not in text


def test_the_network_of_camvid_knows_its_classes() -> None:
    saved = saved_run.open_run(str(CAMVID), Path("runs"))
    assert tuple(map_layer(saved.model).names) == tuple(CLASS_NAMES[:VOID])
    assert saved.model.input_shape == (None, 540, 720, 3)
    grey = saved.model.predict_on_batch(np.full((1, 540, 720, 3), 128, np.uint8))
    np.testing.assert_allclose(grey.sum(axis=-1), 1.0, atol=1e-4)


@pytest.mark.slow
def test_the_network_of_camvid_is_as_good_as_the_readme_says(shared_data: Path) -> None:
    saved = saved_run.open_run(str(CAMVID), Path("runs"))
    verbs = saved.task.verbs()
    source = verbs.outside_examples(saved, shared_data / "camvid", "validation", False)
    assert verbs.measure(saved, source, 8)["mean_iou"] == pytest.approx(0.658, abs=0.002)
