"""Pictures that a generator made a while ago, shown to its discriminator among the new ones."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class ImagePool(keras.layers.Layer):
    """Keeps what was generated, and gives now and then an older picture in place of a new one.

    After Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through
    Adversarial Training" (arXiv 1612.07828), section 2.3, as Zhu et al. 2017, section 7.1, use it
    with 50 pictures: until the pool is full, what comes in is kept and given back; from then on
    each picture is, with probability 1/2, exchanged for one sampled from it.

    The content is variables of the layer, and with that part of a run's saved state. What is
    sampled is a function of (seed, step).

    Args:
        capacity: pictures in the pool; with 0 everything comes back as it came.
        shape: (height, width, channels) of a picture.
        seed: decides, with the step, what is sampled.
        name: of the layer.

    Raises:
        ValueError: `capacity` is negative.
    """

    def __init__(
        self, capacity: int, shape: tuple[int, int, int], seed: int, name: str, **options: Any
    ) -> None:
        super().__init__(name=name, trainable=False, dtype="float32", **options)
        if capacity < 0:
            raise ValueError(f"capacity must be at least 0. Received: {capacity=}")
        self.capacity = capacity
        self.shape = tuple(shape)
        self.seed = seed
        self.content = self.add_weight(
            shape=(capacity, *self.shape), initializer="zeros", trainable=False, name="content"
        )
        self.count = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", trainable=False, name="count"
        )
        self.built = True

    def exchange(self, pictures: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Takes new pictures in and gives as many back; no gradient passes.

        Args:
            pictures: float32 (batch, height, width, channels), at most `capacity` of them.
            step: number of the training step, an integer scalar.
        """
        pictures = tf.stop_gradient(pictures)
        if self.capacity == 0:
            return pictures
        size = tf.shape(pictures, out_type=tf.int64)[0]
        filling = self.count.value < self.capacity
        slots, stays = self._sampled(size, filling, step)
        content = self.content.value
        given = tf.where(stays[:, None, None, None], pictures, tf.gather(content, slots))
        # While the pool fills, what is given back is kept as well.
        kept = tf.logical_or(filling, tf.logical_not(stays))
        self.content.assign(_with(content, slots, kept, pictures))
        self.count.assign(tf.minimum(self.count.value + size, self.capacity))
        return given

    def _sampled(
        self, size: tf.Tensor, filling: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A place of the pool for each new picture, no two alike, and which come straight back."""
        seed = tf.random.experimental.stateless_fold_in([self.seed, 0], tf.cast(step, tf.int32))
        samples = tf.random.stateless_uniform((2, self.capacity), seed)
        in_turn = (self.count.value + tf.range(self.capacity, dtype=tf.int64)) % self.capacity
        at_random = tf.argsort(samples[0])
        slots = tf.where(filling, in_turn, tf.cast(at_random, tf.int64))[:size]
        return slots, tf.logical_or(filling, samples[1, :size] < 0.5)


def _with(content: tf.Tensor, slots: tf.Tensor, kept: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
    """The content with those pictures that are kept at their slots.

    By looking up, not by scattering, which is not repeatable on a GPU.
    """
    places = tf.range(tf.shape(content, out_type=tf.int64)[0])
    taken = tf.logical_and(places[:, None] == slots, kept)
    newcomers = tf.gather(pictures, tf.argmax(taken, axis=1))
    return tf.where(tf.reduce_any(taken, axis=1)[:, None, None, None], newcomers, content)
