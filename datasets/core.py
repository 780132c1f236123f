"""The records every data set is described by, and the one error it may raise at a user.

Tensor contract: an example is a dictionary of NumPy arrays. `image` is uint8, shape
(height, width, 3), RGB, range [0, 255], upright; `label` is an int64 scalar, the class id.
Sizes differ between examples: the pipeline resizes.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

# Enough that no two of the pictures ever taken share one by chance.
DIGEST_BYTES = 16


class DataError(ValueError):
    """A fault of the user's data: one sentence with the file, the reason and what to do."""


class Source(Protocol):
    """Examples by index; the same index always gives the same example."""

    def __len__(self) -> int:
        """Number of examples."""

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The example at `index` in [0, len), decoded.

        Raises:
            DataError: the example cannot be read; the message names it.
        """

    def identifier(self, index: int) -> str:
        """Where the example comes from, for messages and reports: a path, a row, a drawing."""


class LabelledSource(Source, Protocol):
    """A source for classification: the labels are known without decoding a picture."""

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (len,)."""


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """What a data set is, for reports and for the saved model.

    Attributes:
        name: short name, as the user gave it to `--data`.
        class_names: one name per class id, in order of the ids.
        description: one sentence: what is seen, how it was split.
        origin: where it comes from: a path, an address, or "drawn by this project".
        licence: licence or terms of use.
    """

    name: str
    class_names: tuple[str, ...]
    description: str
    origin: str
    licence: str


@dataclasses.dataclass(frozen=True)
class Splits:
    """The three parts of a data set. Validation selects; test is looked at once."""

    train: LabelledSource
    validation: LabelledSource
    test: LabelledSource
    info: DatasetInfo


@dataclasses.dataclass(frozen=True)
class Subset:
    """The examples of `source` at `indices`, in that order."""

    source: LabelledSource
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.indices)

    def example(self, index: int) -> dict[str, np.ndarray]:
        return self.source.example(int(self.indices[index]))

    def identifier(self, index: int) -> str:
        return self.source.identifier(int(self.indices[index]))

    def digest(self, index: int) -> bytes:
        """The digest of an example, as the source keeps it or from the example itself."""
        return _digest(self.source, int(self.indices[index]))

    @property
    def labels(self) -> np.ndarray:
        return self.source.labels[self.indices]


@dataclasses.dataclass(frozen=True)
class Viewed:
    """The examples of `source` as `change` makes them; their names and labels stay."""

    source: LabelledSource
    change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]

    def __len__(self) -> int:
        return len(self.source)

    def example(self, index: int) -> dict[str, np.ndarray]:
        return self.change(self.source.example(index))

    def identifier(self, index: int) -> str:
        return self.source.identifier(index)

    @property
    def labels(self) -> np.ndarray:
        return self.source.labels


def view_splits(splits: Splits, view: Callable[[LabelledSource], LabelledSource]) -> Splits:
    """The same data set with each of its three parts seen through `view`."""
    parts = (view(part) for part in (splits.train, splits.validation, splits.test))
    return Splits(*parts, info=splits.info)


def stratified_split(
    labels: Sequence[int] | np.ndarray, fractions: Sequence[float], seed: int
) -> list[np.ndarray]:
    """Splits indices into parts with each class in nearly the same share in every part.

    Of a class with n examples, part k gets the examples between the rounded cumulative shares,
    so that no example is lost, and a class with at least as many examples as there are parts
    has one in every part.

    Args:
        labels: class ids, shape (n,).
        fractions: shares of the parts, positive, summing to 1.
        seed: decides which examples go where.

    Returns:
        One sorted int64 array of indices per fraction.

    Raises:
        ValueError: the fractions are not positive or do not sum to 1.
    """
    if min(fractions) <= 0 or not np.isclose(sum(fractions), 1.0):
        raise ValueError(f"fractions must be positive and sum to 1. Received: {fractions=}")
    labels = np.asarray(labels)
    parts: list[list[int]] = [[] for _ in fractions]
    for class_id in np.unique(labels):
        members = np.flatnonzero(labels == class_id)
        np.random.default_rng([seed, int(class_id)]).shuffle(members)
        for part, count in zip(parts, _share_out(len(members), fractions), strict=True):
            part.extend(members[:count])
            members = members[count:]
    return [np.array(sorted(part), dtype=np.int64) for part in parts]


def _share_out(total: int, fractions: Sequence[float]) -> list[int]:
    """Whole counts that sum to `total`, near the fractions, at least one each if that can be."""
    edges = np.rint(np.cumsum(fractions) * total).astype(int)
    edges[-1] = total
    counts = np.diff(edges, prepend=0)
    if total >= len(counts):
        while counts.min() == 0:
            counts[counts.argmin()] += 1
            counts[counts.argmax()] -= 1
    return counts.tolist()


def per_class(labels: Sequence[int] | np.ndarray, count: int, seed: int) -> np.ndarray:
    """Indices of `count` examples of each class, or of all of a class that has fewer.

    Args:
        labels: class ids, shape (n,).
        count: at least 1.
        seed: decides which examples are chosen.

    Returns:
        int64, sorted.
    """
    labels = np.asarray(labels)
    chosen = [
        np.random.default_rng([seed, int(class_id)]).permutation(np.flatnonzero(labels == class_id))
        for class_id in np.unique(labels)
    ]
    return np.sort(np.concatenate([members[:count] for members in chosen])).astype(np.int64)


def limit(source: LabelledSource, count: int, seed: int) -> LabelledSource:
    """At most `count` examples of `source`, each class in nearly its own share."""
    if count >= len(source):
        return source
    share = count / len(source)
    kept, rest = stratified_split(source.labels, [share, 1 - share], seed)
    # Rounding within the classes may keep a few too many or too few.
    random = np.random.default_rng(seed)
    order = np.concatenate([random.permutation(kept), random.permutation(rest)])
    return Subset(source, np.sort(order[:count]))


def fingerprint(sources: Iterable[LabelledSource]) -> str:
    """SHA-256 over identifiers and labels: equal when the same examples come in the same order.

    The pixels are not read, so a picture replaced under the same name goes unnoticed.
    """
    digest = hashlib.sha256()
    for source in sources:
        digest.update(len(source).to_bytes(8, "little"))
        for index, label in enumerate(source.labels):
            # A file name on Linux need not be UTF-8; Python holds such bytes as surrogates.
            line = f"{source.identifier(index)}\0{label}\n".encode("utf-8", "surrogateescape")
            digest.update(line)
    return digest.hexdigest()


def example_digest(example: dict[str, np.ndarray]) -> bytes:
    """16 bytes of BLAKE2b over the shape, the pixels and the label of a decoded example."""
    image = np.ascontiguousarray(example["image"])
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    digest.update(f"{image.shape} {image.dtype} {example['label']}\n".encode())
    digest.update(image)
    return digest.digest()


def content_fingerprint(source: LabelledSource) -> str:
    """SHA-256 over the content of all examples, in their order; names and places do not count.

    Takes the digests that `source` keeps (its method `digest`, as of `memory.Remembered`), and
    decodes the examples that have none.

    Raises:
        DataError: an example cannot be read.
    """
    digest = hashlib.sha256()
    for index in range(len(source)):
        digest.update(_digest(source, index))
    return digest.hexdigest()


def _digest(source: LabelledSource, index: int) -> bytes:
    kept = getattr(source, "digest", None)
    return example_digest(source.example(index)) if kept is None else kept(index)
