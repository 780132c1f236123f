"""What a task for dense prediction says of its answers, and so gets its verbs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tasks.common.saved_run import SavedRun

Paint = Callable[["keras.Model", "np.ndarray"], "np.ndarray"]
Describe = Callable[["keras.Model", "np.ndarray"], "dict[str, float | int | str]"]
PointCloud = Callable[["keras.Model", "np.ndarray", "np.ndarray", "float | None"], bytes]


@dataclasses.dataclass(frozen=True)
class DenseKind:
    """One kind of answer that is a map: classes, metres, shares of attention, a painted picture.

    Its runs have a model from `image`, uint8 (batch, H, W, 3), to maps, float32 (batch, H', W', C),
    that ends in a `keras_models.map_output.MapOutput`.

    Attributes:
        measure: (saved, source, batch_size) -> the numbers that the run's report gives of a split,
            by the same names; see `tasks.common.verbs.Verbs`.
        outside_examples: (saved, place, split, skip_bad) -> the source that `measure` takes, made
            of what a user names with `--data-dir`; see `tasks.common.verbs.Verbs`.
        paint: (model, output) -> uint8 (h, w, 3), RGB: the map in colours, for people. `output` is
            float32 (h, w, C) of any h and w; of classes it is logarithms of probabilities, see
            `tasks.common.dense.mapped.Mapped.scores`.
        describe: (model, output) -> a few numbers or words about one picture, always under the
            same names, such as the share of each class. `output` is float32 (H', W', C), as the
            network gives it.
        metric: the most important number of `measure`, by its name.
        output: `probabilities`, of classes at each pixel, from a `Softmax` before the `MapOutput`;
            or `maps`, of quantities.
        networks: other networks of the run by name: saved -> a model from pictures of one size to
            maps, ending in a `MapOutput`, which `tasks.export --network NAME` writes. Where
            `output` is `probabilities` there is always one more, `classes`: the id of the likeliest
            class, the same that `tasks.predict` gives (`keras_models.any_size.class_ids`).
        point_cloud: (model, picture, output, focal) -> the bytes of a PLY file; `picture` is uint8
            (h, w, 3) and `output` float32 (h, w, C), of the same size; `focal` is the focal length
            in pixels of that picture, or None where the user named none. None where such a cloud
            makes no sense.
    """

    measure: Callable[[SavedRun, Any, int], dict[str, float]]
    outside_examples: Callable[[SavedRun, Path, str, bool], Any]
    paint: Paint
    describe: Describe
    metric: str
    output: Literal["probabilities", "maps"]
    networks: Mapping[str, Callable[[SavedRun], keras.Model]] = dataclasses.field(
        default_factory=dict
    )
    point_cloud: PointCloud | None = None
