"""Four networks that learn together from pictures and depth maps that are no pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_models.depth_scale import ScaleKind, metres_to_shares
from keras_models.losses import adversarial
from tasks.common.cyclegan.image_pool import ImagePool

METRIC = "depth_rms"
# The parts of the generators' loss, as they enter its sum.
GENERATOR_TERMS = (
    "adversarial_depth_loss",
    "adversarial_picture_loss",
    "cycle_picture_loss",
    "cycle_depth_loss",
)
IDENTITY_TERMS = ("identity_depth_loss", "identity_picture_loss")
DISCRIMINATOR_TERMS = ("discriminator_depth_loss", "discriminator_picture_loss")


@dataclasses.dataclass(frozen=True)
class Networks:
    """The four networks; inside, pictures and depth maps are in [-1, 1].

    Attributes:
        depth_generator: from pictures to depth maps.
        picture_generator: from depth maps to pictures.
        depth_discriminator: judges depth maps.
        picture_discriminator: judges pictures.
    """

    depth_generator: keras.Model
    picture_generator: keras.Model
    depth_discriminator: keras.Model
    picture_discriminator: keras.Model

    @property
    def generator_variables(self) -> list[keras.Variable]:
        """What the optimizer of the generators changes."""
        return [
            *self.depth_generator.trainable_variables,
            *self.picture_generator.trainable_variables,
        ]

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """What the optimizer of the discriminators changes."""
        return [
            *self.depth_discriminator.trainable_variables,
            *self.picture_discriminator.trainable_variables,
        ]


@dataclasses.dataclass(frozen=True)
class Objective:
    """What the networks are trained for.

    Attributes:
        cycle_weight: of the cycle losses (lambda of the paper).
        identity_share: of the identity losses, in parts of `cycle_weight`; 0 leaves them out.
        pool_size: pictures in each of the two pools.
        seed: of what is sampled from the pools.
        kind: of the scale of depth; likewise `nearest` and `largest`, in metres.
    """

    cycle_weight: float
    identity_share: float
    pool_size: int
    seed: int
    kind: ScaleKind
    nearest: float
    largest: float


class CycleGan(keras.Model):
    """Trains the four networks of Zhu et al. 2017 (arXiv 1703.10593) in one step.

    Generators and discriminators have an optimizer each, the two of a
    `keras.optimizers.MultiOptimizer`. Both take their gradients from the same forward pass: the
    authors' program changes the generators first, but judges what they generated before, so that it
    comes to the same.

    A training batch is (pictures uint8 or float32 [0, 255], depth float32 in metres); what lies at
    one position belongs to two scenes. A validation batch has true pairs, for the metric alone.

    Args:
        picture_to_depth: the model that is selected and saved, around the generator of depth.
        depth_to_picture: the model around the other generator.
        networks: the four networks.
        objective: weights and sizes.
    """

    def __init__(
        self,
        picture_to_depth: keras.Model,
        depth_to_picture: keras.Model,
        networks: Networks,
        objective: Objective,
    ) -> None:
        super().__init__(name="cyclegan")
        self.picture_to_depth = picture_to_depth
        self.depth_to_picture = depth_to_picture
        self.depth_generator = networks.depth_generator
        self.picture_generator = networks.picture_generator
        self.depth_discriminator = networks.depth_discriminator
        self.picture_discriminator = networks.picture_discriminator
        self.networks, self.objective = networks, objective
        self.depth_pool, self.picture_pool = (
            ImagePool(objective.pool_size, network.input_shape[1:], seed, name)
            for network, seed, name in (
                (networks.depth_discriminator, objective.seed, "depth_pool"),
                (networks.picture_discriminator, objective.seed + 1, "picture_pool"),
            )
        )
        names = (*generator_terms(objective), *DISCRIMINATOR_TERMS)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in ("loss", *names)}
        self.depth_error = keras.metrics.RootMeanSquaredError(name=METRIC)
        self.built = True

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """That of the model picture -> depth."""
        return self.picture_to_depth.output_shape

    def call(self, pictures: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Depth in metres of uint8 pictures."""
        return self.picture_to_depth(pictures, training=training)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of all four networks."""
        pictures, depth, known = self._signed(*data)
        with tf.GradientTape() as tape:
            terms, generated_depth, generated_pictures = self._generator_terms(
                pictures, depth, known
            )
            loss = tf.add_n(list(terms.values()))
        generators = self.networks.generator_variables
        gradients = tape.gradient(loss, generators)
        step = self.optimizer.iterations.value
        with tf.GradientTape() as tape:
            judged = self._discriminator_terms(
                pictures,
                depth,
                self.depth_pool.exchange(generated_depth, step),
                self.picture_pool.exchange(generated_pictures, step),
            )
            total = tf.add_n(list(judged.values()))
        discriminators = self.networks.discriminator_variables
        gradients += tape.gradient(total, discriminators)
        self.optimizer.apply(gradients, [*generators, *discriminators])
        return self._followed({"loss": loss, **terms, **judged}, pictures)

    def test_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """All losses on true pairs, in which nothing learns, and the error of the depth."""
        pictures, depth, known = self._signed(*data)
        terms, generated_depth, generated_pictures = self._generator_terms(pictures, depth, known)
        judged = self._discriminator_terms(pictures, depth, generated_depth, generated_pictures)
        loss = tf.add_n(list(terms.values()))
        # Half of the range [-1, 1] is that of shares.
        self.depth_error.update_state(depth / 2, generated_depth / 2, known)
        values = self._followed({"loss": loss, **terms, **judged}, pictures)
        return {**values, METRIC: self.depth_error.result()}

    def _signed(
        self, pictures: tf.Tensor, metres: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Pictures and depth in [-1, 1], and 1 where depth is known.

        A hole looks like nothing that a discriminator should learn: it gets the mean of what is
        known of its map.
        """
        scale = self.objective
        known = tf.cast(metres > 0, tf.float32)
        shares = known * metres_to_shares(metres, scale.kind, scale.nearest, scale.largest)
        totals, counts = (
            tf.reduce_sum(values, axis=(1, 2, 3), keepdims=True) for values in (shares, known)
        )
        shares += (1.0 - known) * totals / tf.maximum(counts, 1.0)
        return tf.cast(pictures, tf.float32) / 127.5 - 1.0, 2.0 * shares - 1.0, known

    def _generator_terms(
        self, pictures: tf.Tensor, depth: tf.Tensor, known: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        """The parts of the generators' loss, and what they generated."""
        weight = self.objective.cycle_weight
        generated_depth = self.depth_generator(pictures, training=True)
        generated_pictures = self.picture_generator(depth, training=True)
        judge_depth, judge_pictures = self.depth_discriminator, self.picture_discriminator
        terms = {
            "adversarial_depth_loss": adversarial.least_squares_generator_loss(
                judge_depth(generated_depth, training=True)
            ),
            "adversarial_picture_loss": adversarial.least_squares_generator_loss(
                judge_pictures(generated_pictures, training=True)
            ),
            "cycle_picture_loss": adversarial.cycle_loss(
                pictures, self.picture_generator(generated_depth, training=True), weight
            ),
            "cycle_depth_loss": adversarial.cycle_loss(
                depth, self.depth_generator(generated_pictures, training=True), weight, known
            ),
        }
        if self.objective.identity_share:
            terms |= self._identity_terms(pictures, depth, known)
        return terms, generated_depth, generated_pictures

    def _identity_terms(
        self, pictures: tf.Tensor, depth: tf.Tensor, known: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """A depth map shown as a grey picture is its own depth; a grey picture gets its colours.

        A generator here takes other channels than it gives, so that nothing can be left alone in
        the strict sense: depth is repeated over three channels, pictures are averaged to one.
        """
        weight = self.objective.cycle_weight * self.objective.identity_share
        grey = tf.reduce_mean(pictures, axis=-1, keepdims=True)
        kept_depth = self.depth_generator(tf.repeat(depth, 3, axis=-1), training=True)
        kept_pictures = self.picture_generator(grey, training=True)
        return {
            "identity_depth_loss": adversarial.identity_loss(depth, kept_depth, weight, known),
            "identity_picture_loss": adversarial.identity_loss(pictures, kept_pictures, weight),
        }

    def _discriminator_terms(
        self,
        pictures: tf.Tensor,
        depth: tf.Tensor,
        shown_depth: tf.Tensor,
        shown_pictures: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """The loss of each discriminator on what is real and what was generated."""
        judges = {
            "discriminator_depth_loss": (self.depth_discriminator, depth, shown_depth),
            "discriminator_picture_loss": (self.picture_discriminator, pictures, shown_pictures),
        }
        return {
            name: adversarial.least_squares_discriminator_loss(
                judge(real, training=True), judge(shown, training=True)
            )
            for name, (judge, real, shown) in judges.items()
        }

    def _followed(
        self, values: Mapping[str, tf.Tensor], pictures: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Means so far, in which the examples of a smaller batch count as much as others."""
        count = tf.cast(tf.shape(pictures)[0], tf.float32)
        for name, value in values.items():
            self.trackers[name].update_state(value, sample_weight=count)
        return {name: self.trackers[name].result() for name in values}

    def get_config(self) -> dict[str, Any]:
        """Not to be saved: its networks are, each for itself.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("The networks of a CycleGan are saved, not what trains them.")


def generator_terms(objective: Objective) -> tuple[str, ...]:
    """Names of the parts of the generators' loss."""
    return (*GENERATOR_TERMS, *(IDENTITY_TERMS if objective.identity_share else ()))
