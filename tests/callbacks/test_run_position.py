from __future__ import annotations

import pytest

from callbacks.run_position import RunPosition


def test_a_fresh_run_counts_from_its_beginning():
    position = RunPosition(steps_per_epoch=10, batch_size=4, examples_per_epoch=37)
    assert position.batches_done(epoch=0, batch=0) == 1
    assert position.step(epoch=0, batch=0) == 1
    assert position.step(epoch=2, batch=9) == 30


def test_a_fit_that_resumes_in_the_middle_of_an_epoch_counts_on():
    position = RunPosition(10, 4, 37, first_epoch=3, first_batch=6, first_step=36)
    # Keras counts the batches of the rest of the epoch from 0 again.
    assert position.batches_done(epoch=3, batch=0) == 7
    assert position.step(epoch=3, batch=0) == 37
    assert position.step(epoch=3, batch=3) == 40
    assert position.step(epoch=4, batch=0) == 41


def test_a_last_batch_that_is_not_full_is_counted_as_it_is():
    position = RunPosition(10, 4, 37)
    assert position.examples(9) == 36
    assert position.examples(10) == 37


@pytest.mark.parametrize(
    "values", [(0, 4, 37), (10, 0, 37), (10, 4, 0), (10, 4, 37, 0, 10), (10, 4, 37, 0, -1)]
)
def test_impossible_positions_are_refused(values):
    with pytest.raises(ValueError, match="Received"):
        RunPosition(*values)
