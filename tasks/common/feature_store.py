"""Features of a frozen trunk, computed when they are first asked for and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from datasets import augment, core, feature_cache, pipeline
from keras_models import folding, transfer
from tasks.common import console
from tasks.common.errors import UserError
from tasks.common.image_classifier import batching_of
from tasks.common.image_classifier_config import ImageClassifierConfig
from tasks.common.task import Stage

# Pictures that pass the trunk at once: enough to keep every core busy.
_BATCH = 32
# Pictures on which a folded trunk is compared with the trunk itself.
_COMPARED = 2


class StoreOptions(Protocol):
    """The options that decide what is stored, and where; an `ImageClassifierConfig` has them."""

    image_size: tuple[int, int]
    resizing: str
    augment: tuple[str, ...]
    seed: int
    workers: int
    cache_dir: Path
    cache_precision: str


def freezes(network: keras.Model, stage: Stage) -> bool:
    """Whether a part of the backbone does not train in this stage."""
    count = transfer.stage_count(network)
    return stage.trainable_stages is not None and stage.trainable_stages < count


def cut_features(
    config: ImageClassifierConfig,
    info: core.DatasetInfo,
    network: keras.Model,
    stages: Sequence[Stage],
    trainable_stages: int,
    working: Callable[[], None] = lambda: None,
) -> Store:
    """The store of what leaves the last frozen stage; of pooled features where all are frozen."""
    if trainable_stages == 0:
        return pooled_features(config, info, network, stages, working)
    return Store(config, info, transfer.split(network, trainable_stages)[0], working)


def pooled_features(
    config: ImageClassifierConfig,
    info: core.DatasetInfo,
    network: keras.Model,
    stages: Sequence[Stage],
    working: Callable[[], None] = lambda: None,
) -> Store:
    """The store of what the head classifies.

    Where a later stage of the recipe learns from the feature maps at a cut, these are stored first
    and the pooled features computed from them, so that the layers before it run once for both.
    """
    cuts = [stage.trainable_stages for stage in stages if freezes(network, stage)]
    cut = max(cuts, default=0)
    if cut == 0:
        return Store(config, info, transfer.feature_extractor(network), working)
    trunk, tail = transfer.split(network, cut)
    maps = Store(config, info, trunk, working)
    return Store(config, info, transfer.feature_extractor(tail), working, before=maps)


def plain(cache: feature_cache.FeatureCache) -> np.ndarray:
    """The features of the pictures as they are, float32 (n, ...)."""
    return cache.maps[0].astype(np.float32)


class Store:
    """The features that one frozen trunk gives, from disk as far as they are there."""

    def __init__(
        self,
        config: StoreOptions,
        info: core.DatasetInfo,
        trunk: keras.Model,
        working: Callable[[], None] = lambda: None,
        before: Store | None = None,
    ) -> None:
        """Takes the trunk and where its input comes from.

        Args:
            config: the options.
            info: the data set.
            trunk: from pictures, uint8 (batch, height, width, 3), or from what `before` stores, to
                features (batch, ...).
            working: called after every batch; may raise to stop the work.
            before: stores the features that the trunk takes; None where it takes pictures.
        """
        self._config = config
        self._before = before
        self._batching = batching_of(config, info, _BATCH)
        self._change = augment.picture_changes(config.augment, config.image_size)
        self._trunk = trunk
        self._fingerprint = transfer.fingerprint(trunk)
        self._compute: Callable[[np.ndarray], np.ndarray] | None = None
        self._working = working

    def features(
        self, name: str, source: core.LabelledSource, views: int
    ) -> feature_cache.FeatureCache:
        """Features of every picture of `source`: view 0 plain, the others augmented.

        Args:
            name: the split, for the log.
            source: the pictures.
            views: at least 1.

        Raises:
            DataError: the disk has no room for them.
            UserError: a feature is too large for the precision, or not a number.
        """
        inputs = None if self._before is None else self._before.features(name, source, views)
        plain_parts = self._parts(source)
        maps = list(self._stored(f"{name} features", source, range(1), plain_parts, inputs).maps)
        if views > 1:
            # Kept apart from the plain view, which other augmentations and seeds share.
            config = self._config
            parts = plain_parts | {"augment": " ".join(config.augment), "seed": config.seed}
            title = f"{name} features of augmented pictures"
            maps += self._stored(title, source, range(1, views), parts, inputs).maps
        return feature_cache.FeatureCache(maps)

    def _parts(self, source: core.LabelledSource) -> dict[str, str | int]:
        """All that decides the features of plain pictures."""
        parts: dict[str, str | int] = {"trunk": self._fingerprint}
        if self._before is not None:
            stored = {"precision": self._config.cache_precision, **self._before._parts(source)}
            return parts | {f"before {name}": value for name, value in stored.items()}
        return parts | {
            "pictures": core.content_fingerprint(source),
            "image_size": str(self._config.image_size),
            "resizing": self._config.resizing,
        }

    def _stored(
        self,
        title: str,
        source: core.LabelledSource,
        views: range,
        parts: dict[str, str | int],
        inputs: feature_cache.FeatureCache | None,
    ) -> feature_cache.FeatureCache:
        """Some of the views, computed where they are not on disk."""
        config, shape = self._config, self._trunk.output_shape[1:]
        size = feature_cache.bytes_needed(len(source), len(views), shape, config.cache_precision)
        begun = []

        def features(number: int, first: int) -> Iterator[np.ndarray]:
            if not begun:
                print(
                    f"{title}: {len(source)} x {len(views)} of shape {shape}, "
                    f"{size / 1e6:,.1f} MB in {config.cache_dir}",
                    flush=True,
                )
                begun.append(True)
            return self._computed(self._inputs(source, views[number], first, inputs))

        try:
            return feature_cache.compute(
                config.cache_dir,
                feature_cache.key(**parts),
                len(source),
                len(views),
                shape,
                config.cache_precision,
                features,
                console.progress(f"{title}: {{done}} of {{total}}"),
            )
        except (OverflowError, FloatingPointError) as error:
            raise UserError(str(error)) from error

    def _inputs(
        self,
        source: core.LabelledSource,
        view: int,
        first: int,
        stored: feature_cache.FeatureCache | None,
    ) -> Iterator[tf.Tensor]:
        """Batches of what the trunk takes, from example `first` on."""
        if stored is None:
            change = self._change if view else None
            seed = self._config.seed
            yield from pipeline.view_batches(source, self._batching, seed, view, first, change)
            return
        for begin in range(first, stored.count, _BATCH):
            indices = np.arange(begin, min(begin + _BATCH, stored.count))
            features = stored.take(np.full_like(indices, view), indices)
            yield tf.constant(features.astype(np.float32))

    def _computed(self, inputs: Iterator[tf.Tensor]) -> Iterator[np.ndarray]:
        """Batches of features, float32."""
        for batch in inputs:
            if self._compute is None:
                self._compute = _inference(self._trunk, batch[:_COMPARED])
            yield self._compute(batch)
            self._working()


def _inference(trunk: keras.Model, example: tf.Tensor) -> Callable[[tf.Tensor], np.ndarray]:
    """The trunk as a compiled function, with BatchNormalization folded where that is exact."""
    folded = folding.fold_batch_normalization(trunk)
    expected, received = (model(example, training=False).numpy() for model in (trunk, folded))
    difference = folding.relative_difference(expected, received)
    used = folded if difference <= folding.FOLDING_TOLERANCE else trunk
    function = tf.function(
        lambda batch: tf.cast(used(batch, training=False), tf.float32), reduce_retracing=True
    )
    return lambda batch: function(batch).numpy()
