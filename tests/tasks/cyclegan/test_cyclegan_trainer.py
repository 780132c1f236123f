"""One step of four networks: what it minimises, whom it changes, and what of it is saved."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks.common.cyclegan.trainer import (
    DISCRIMINATOR_TERMS,
    GENERATOR_TERMS,
    IDENTITY_TERMS,
    CycleGan,
)
from tasks.common.resume import (
    Position,
    network_variables,
    restore_state,
    save_state,
    training_variables,
)
from tasks.common.run_folder import RunFolder
from tests.tasks.cyclegan.tiny_cyclegan import STEPS, batch, new_trainer


def values(results: dict) -> dict[str, float]:
    return {name: float(value) for name, value in results.items()}


def copies(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


def moved(before: list[np.ndarray], after: list[np.ndarray]) -> list[bool]:
    return [not np.array_equal(one, other) for one, other in zip(before, after, strict=True)]


def signed(pictures: tf.Tensor, metres: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, np.ndarray]:
    """Both in [-1, 1], by NumPy, and where depth is known: log scale from 1 to 50 m; what is
    unknown has the mean of its map.
    """
    known = metres.numpy() > 0
    shares = np.log(np.clip(metres.numpy(), 1.0, 50.0)) / np.log(50.0)
    for one, mask in zip(shares, known, strict=True):
        one[~mask] = one[mask].mean()
    depth = tf.constant(2 * shares - 1, tf.float32)
    return tf.cast(pictures, tf.float32) / 127.5 - 1, depth, known


def test_the_losses_are_those_of_the_paper() -> None:
    """Each term by hand, from what the networks themselves say before the step."""
    trainer, data = new_trainer(identity_share=0.5), batch(0, size=2)
    x, y, known = signed(*data)
    g, f = trainer.depth_generator, trainer.picture_generator
    d_y, d_x = trainer.depth_discriminator, trainer.picture_discriminator

    def difference(one, other, where=...) -> float:
        return float(np.abs(np.asarray(one) - np.asarray(other))[where].mean())

    def squared(scores, wanted: float) -> float:
        return float(np.square(np.asarray(scores) - wanted).mean())

    grey = np.asarray(x).mean(axis=-1, keepdims=True)
    expected = {
        "adversarial_depth_loss": squared(d_y(g(x)), 1),
        "adversarial_picture_loss": squared(d_x(f(y)), 1),
        "cycle_picture_loss": 10 * difference(f(g(x)), x),
        "cycle_depth_loss": 10 * difference(g(f(y)), y, known),
        "identity_depth_loss": 5 * difference(g(np.repeat(y, 3, axis=-1)), y, known),
        "identity_picture_loss": 5 * difference(f(grey), x),
        "discriminator_depth_loss": (squared(d_y(y), 1) + squared(d_y(g(x)), 0)) / 2,
        "discriminator_picture_loss": (squared(d_x(x), 1) + squared(d_x(f(y)), 0)) / 2,
    }
    expected["loss"] = sum(expected[name] for name in (*GENERATOR_TERMS, *IDENTITY_TERMS))
    tested = values(trainer.test_step(data))
    error = (np.asarray(g(x)) - np.asarray(y))[known] / 2
    assert tested.pop("depth_rms") == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-4)
    assert tested == pytest.approx(expected, rel=1e-4)
    trainer.reset_metrics()
    # In the first steps the pool gives back what comes, so that training begins with the same.
    assert values(trainer.train_step(data)) == pytest.approx(expected, rel=1e-4)


def test_generators_and_discriminators_learn_each_from_its_own_losses() -> None:
    """With the gradients that two separate passes give, as the authors' program has them."""
    trainer, data = new_trainer(), batch(1)
    x, y, known = signed(*data)
    networks = trainer.networks
    g, f = networks.depth_generator, networks.picture_generator
    with tf.GradientTape() as tape:
        loss = (
            tf.reduce_mean((networks.depth_discriminator(g(x)) - 1) ** 2)
            + tf.reduce_mean((networks.picture_discriminator(f(y)) - 1) ** 2)
            + 10 * tf.reduce_mean(tf.abs(f(g(x)) - x))
            + 10 * tf.reduce_mean(tf.boolean_mask(tf.abs(g(f(y)) - y), known))
        )
    wanted = tape.gradient(loss, networks.generator_variables)
    generated_y, generated_x = g(x), f(y)
    with tf.GradientTape() as tape:
        loss = sum(
            (tf.reduce_mean((judge(real) - 1) ** 2) + tf.reduce_mean(judge(generated) ** 2)) / 2
            for judge, real, generated in (
                (networks.depth_discriminator, y, generated_y),
                (networks.picture_discriminator, x, generated_x),
            )
        )
    wanted += tape.gradient(loss, networks.discriminator_variables)
    received = {}
    optimizer = trainer.optimizer
    apply = optimizer.apply

    def noted(gradients, variables):
        received.update({id(v): g for g, v in zip(gradients, variables, strict=True)})
        apply(gradients, variables)

    optimizer.apply = noted
    trainer.train_step(data)
    learning = [*networks.generator_variables, *networks.discriminator_variables]
    assert {id(v) for v in trainer.trainable_variables} == {id(v) for v in learning}
    for variable, gradient in zip(learning, wanted, strict=True):
        # Sums of thousands of float32 numbers in another order.
        close = 1e-3 * np.abs(gradient).max() + 1e-6
        np.testing.assert_allclose(received[id(variable)], gradient, rtol=0, atol=close)


def test_a_step_moves_all_weights_by_two_optimizers() -> None:
    trainer = new_trainer()
    before = copies(trainer.trainable_variables)
    trainer.train_step(batch(2))
    assert all(moved(before, copies(trainer.trainable_variables)))
    assert [inner.name for inner in trainer.optimizer.optimizers] == [
        "generators",
        "discriminators",
    ]
    for inner in trainer.optimizer.optimizers:
        assert int(inner.iterations) == 1
        assert inner.beta_1 == 0.5
    assert trainer.depth_pool.content.numpy().any()
    assert int(trainer.picture_pool.count) == 1


def test_validation_changes_nothing() -> None:
    trainer = new_trainer()
    before = copies(network_variables(trainer))
    trainer.test_step(batch(3, size=2))
    assert not any(moved(before, copies(network_variables(trainer))))


def test_a_map_in_which_nothing_was_measured_counts_nowhere() -> None:
    pictures, metres = batch(4, size=2)
    half = tf.concat([metres[:1], tf.zeros_like(metres[1:])], axis=0)
    trainer = new_trainer()
    both = values(trainer.test_step((pictures, half)))
    trainer.reset_metrics()
    alone = values(trainer.test_step((pictures[:1], metres[:1])))
    for name in ("depth_rms", "cycle_depth_loss"):
        assert both[name] == pytest.approx(alone[name], rel=1e-4)
    trainer.reset_metrics()
    empty = values(trainer.train_step((pictures, tf.zeros_like(metres))))
    assert empty["cycle_depth_loss"] == 0.0
    assert all(np.isfinite(value) for value in empty.values())


def test_a_smaller_batch_counts_by_its_examples() -> None:
    trainer = new_trainer()
    pictures, metres = batch(5, size=3)
    trainer.test_step((pictures[:2], metres[:2]))
    uneven = values(trainer.test_step((pictures[2:], metres[2:])))
    trainer.reset_metrics()
    for number in range(3):
        one = slice(number, number + 1)
        single = values(trainer.test_step((pictures[one], metres[one])))
    # The cycle of depth is a mean over known pixels, of which each of these maps has as many.
    assert uneven == pytest.approx(single, rel=1e-4)


def test_the_learning_rate_is_constant_then_falls_to_nothing() -> None:
    """Four epochs of five steps: ten at the full rate, ten down to 0."""
    trainer = new_trainer(learning_rate=1e-3)
    for inner in trainer.optimizer.optimizers:
        rates = []
        for step in (0, 9, 10, 15, 4 * STEPS):
            inner.iterations.assign(step)
            rates.append(float(inner.learning_rate))
        assert rates == pytest.approx([1e-3, 1e-3, 1e-3, 5e-4, 0.0])


def everything(trainer: CycleGan) -> list[keras.Variable]:
    return training_variables(trainer.picture_to_depth, trainer)


def test_what_is_saved_is_all_that_training_changes(tmp_path: Path) -> None:
    """Four networks, two optimizers, two pools and the running means; put into a fresh trainer,
    whose weights began elsewhere, it goes on to the very same values.
    """
    folder = RunFolder(tmp_path)
    folder.state.parent.mkdir()
    whole = new_trainer()
    for number in range(3):
        whole.train_step(batch(number))
    position = Position(0, 0, 3, 1, "data", {})
    save_state(folder, position, everything(whole), {})
    paused = new_trainer(seed=1)
    paused.train_step(batch(9))
    # As the runner does: the model first, then all the rest of what learns with it.
    restore_state(folder, network_variables(paused.picture_to_depth), first_part=True)
    restore_state(folder, everything(paused))
    for number in range(3, 6):
        logs = [trainer.train_step(batch(number)) for trainer in (whole, paused)]
        assert values(logs[0]) == values(logs[1])
    names = {variable.path for variable in everything(whole)}
    assert sum("pool/content" in name for name in names) == 2
    pairs = list(zip(everything(whole), everything(paused), strict=True))
    # Weights, pools, moments of each weight twice, counters and rates, nine running means or more.
    weights = len(whole.trainable_variables)
    assert len(pairs) > 3 * weights + 4
    for expected, received in pairs:
        np.testing.assert_array_equal(expected.numpy(), received.numpy(), err_msg=expected.path)


def test_it_is_not_saved_as_a_whole() -> None:
    trainer = new_trainer()
    with pytest.raises(NotImplementedError, match="are saved, not what trains them"):
        trainer.get_config()
    assert trainer.output_shape == trainer.picture_to_depth.output_shape
    pictures = batch(0)[0]
    np.testing.assert_array_equal(trainer(pictures), trainer.picture_to_depth(pictures))
    assert set(DISCRIMINATOR_TERMS) <= set(trainer.trackers)
