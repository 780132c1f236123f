"""Features kept on disk: each view and example in its place, in the precision that was asked."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from datasets import array_store, feature_cache
from datasets.core import DataError
from datasets.feature_cache import FeatureCache

KEY = feature_cache.key(test="features")
COUNT = 11
SHAPE = (2, 3)


class Trunk:
    """Gives features that no two views or examples share; notes what it was asked for.

    Attributes:
        calls: view and first example of each call.
        computed: number of features given.
    """

    def __init__(self, views: int = 4, batch: int = 4) -> None:
        random = np.random.default_rng(8)
        self.features = random.normal(0, 50, (views, COUNT, *SHAPE)).astype(np.float32)
        self.batch = batch
        self.calls: list[tuple[int, int]] = []
        self.computed = 0

    def __call__(self, view: int, first: int) -> Iterator[np.ndarray]:
        self.calls.append((view, first))
        for start in range(first, COUNT, self.batch):
            batch = self.features[view, start : start + self.batch]
            self.computed += len(batch)
            yield batch


def never(view: int, first: int) -> Iterator[np.ndarray]:
    raise AssertionError(f"asked for view {view} from example {first} on")


def computed(folder: Path, features, views: int = 3, dtype: str = "float16", **options):
    return feature_cache.compute(folder, KEY, COUNT, views, SHAPE, dtype, features, **options)


# Taking


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("views", [1, 3])
def test_random_examples_in_random_views(views: int, dtype: str) -> None:
    random = np.random.default_rng(1)
    maps = random.normal(size=(views, 40, 3, 5)).astype(dtype)
    cache = FeatureCache(list(maps))
    assert (cache.views, cache.count, cache.shape, cache.dtype) == (views, 40, (3, 5), dtype)
    for size in (1, 7, 100):
        chosen, indices = random.integers(views, size=size), random.integers(40, size=size)
        taken = cache.take(chosen, indices)
        assert taken.dtype == dtype
        np.testing.assert_array_equal(taken, maps[chosen, indices])
        taken[:] = 0  # it is the caller's own
    assert (maps != 0).all()


def test_taking_nothing() -> None:
    taken = FeatureCache([np.zeros((4, 2), np.float16)]).take(np.array([], int), np.array([], int))
    assert taken.shape == (0, 2)
    assert taken.dtype == np.float16


@pytest.mark.parametrize(
    ("views", "indices", "message"),
    [
        ([2, 0], [0, 0], r"views must be in \[0, 2\).*0 to 2"),
        ([-1, 0], [0, 0], "views must be in .*-1 to 0"),
        ([0, 0], [0, 5], r"indices must be in \[0, 5\).*0 to 5"),
        ([0, 1], [-1, 0], "indices must be in .*-1 to 0"),
    ],
)
def test_what_is_out_of_range(views: list[int], indices: list[int], message: str) -> None:
    cache = FeatureCache([np.zeros((5, 2))] * 2)
    with pytest.raises(IndexError, match=message):
        cache.take(np.array(views), np.array(indices))


def test_views_and_indices_go_in_pairs() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        FeatureCache([np.zeros((5, 2))] * 2).take(np.array([0, 1]), np.array([0, 1, 2]))


@pytest.mark.parametrize(
    "maps",
    [
        [],
        [np.zeros((3, 2)), np.zeros((4, 2))],
        [np.zeros((3, 2)), np.zeros((3, 2), np.float32)],
    ],
)
def test_views_of_different_kinds(maps: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="maps must be of one shape and type"):
        FeatureCache(maps)


# Keys and sizes


def test_a_key_is_the_hash_of_its_sorted_parts() -> None:
    expected = hashlib.sha256(b'{"a": 1, "b": "x"}').hexdigest()
    assert feature_cache.key(a=1, b="x") == expected
    assert feature_cache.key(b="x", a=1) == expected


def test_any_other_part_makes_another_key() -> None:
    keys = [
        feature_cache.key(**parts)
        for parts in (
            {},
            {"a": 1, "b": "x"},
            {"a": "1", "b": "x"},
            {"a": 1, "b": "y"},
            {"a": 1, "c": "x"},
            {"a": 1},
            {"a": 1, "b": 'x", "c": "'},
            {"ab": "x"},
            {"a": "bx"},
        )
    ]
    assert len(set(keys)) == len(keys)


def test_the_disk_that_is_needed(tmp_path: Path) -> None:
    assert feature_cache.bytes_needed(1000, 3, (2048,), "float16") == 1000 * 3 * 2048 * 2
    computed(tmp_path, Trunk(), dtype="float32")
    files = sum(path.stat().st_size for path in tmp_path.rglob(array_store.ROWS))
    assert feature_cache.bytes_needed(COUNT, 3, SHAPE, "float32") == files


# Computing


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("batch", [1, 4, 11])
def test_every_view_and_example_in_its_place(tmp_path: Path, batch: int, dtype: str) -> None:
    trunk = Trunk(batch=batch)
    for features in (trunk, never):
        cache = computed(tmp_path, features, dtype=dtype)
        assert (cache.views, cache.count, cache.shape, cache.dtype) == (3, COUNT, SHAPE, dtype)
        every = np.arange(COUNT)
        for view in range(3):
            taken = cache.take(np.full(COUNT, view), every)
            np.testing.assert_array_equal(taken, trunk.features[view].astype(dtype))
    assert trunk.calls == [(0, 0), (1, 0), (2, 0)]


def test_float16_keeps_three_digits(tmp_path: Path) -> None:
    """Half precision has 11 bits: the relative error is at most 2 ** -11."""
    trunk = Trunk()
    cache = computed(tmp_path, trunk)
    received = np.stack(cache.maps).astype(np.float32)
    np.testing.assert_allclose(received, trunk.features[:3], rtol=2**-11)


def test_more_views_reuse_those_that_are_there(tmp_path: Path) -> None:
    computed(tmp_path, Trunk(), views=2)
    trunk = Trunk()
    cache = computed(tmp_path, trunk, views=4)
    assert trunk.calls == [(2, 0), (3, 0)]
    np.testing.assert_array_equal(np.stack(cache.maps), trunk.features.astype(np.float16))
    assert computed(tmp_path, never, views=1).views == 1


def test_both_precisions_live_side_by_side(tmp_path: Path) -> None:
    for dtype in ("float16", "float32"):
        computed(tmp_path, Trunk(), dtype=dtype)
    for dtype in ("float16", "float32"):
        assert computed(tmp_path, never, dtype=dtype).dtype == dtype


@pytest.mark.parametrize("stop", [1, 4, 11, 12, 20, 32])
def test_an_interrupted_pass_goes_on_where_it_stopped(tmp_path: Path, stop: int) -> None:
    first, rest = Trunk(batch=1), Trunk(batch=1)

    def stopping(view: int, start: int) -> Iterator[np.ndarray]:
        for batch in first(view, start):
            yield batch
            if first.computed == stop:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        computed(tmp_path, stopping)
    cache = computed(tmp_path, rest)
    np.testing.assert_array_equal(np.stack(cache.maps), rest.features[:3].astype(np.float16))
    assert first.computed + rest.computed == 3 * COUNT


def test_show_counts_all_views(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    computed(tmp_path, Trunk(batch=6), views=2, show=lambda *numbers: told.append(numbers))
    assert told == [(0, 22), (6, 22), (11, 22), (11, 22), (17, 22), (22, 22)]


def test_a_damaged_view_is_computed_again_and_no_other(
    tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    cache = computed(tmp_path, Trunk())
    path = Path(cache.maps[1].base.filename)
    data = bytearray(path.read_bytes())
    data[5] ^= 64
    path.write_bytes(data)
    trunk = Trunk()
    cache = computed(tmp_path, trunk)
    assert trunk.calls == [(1, 0)]
    assert capfd.readouterr().out.count("computed again") == 1
    np.testing.assert_array_equal(np.stack(cache.maps), trunk.features[:3].astype(np.float16))


def test_room_for_all_views_is_wanted_before_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = feature_cache.bytes_needed(COUNT, 3, SHAPE, "float16")
    free = need + array_store.RESERVE_BYTES
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, free - 1))
    with pytest.raises(DataError, match=f"{need} bytes"):
        computed(tmp_path, never)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, free))
    computed(tmp_path, Trunk())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, 0))
    computed(tmp_path, never)


# Numbers that cannot be kept


def test_the_largest_halves_are_kept(tmp_path: Path) -> None:
    trunk = Trunk()
    trunk.features[0, 3] = 65504
    trunk.features[1, 5] = -65504
    cache = computed(tmp_path, trunk)
    assert cache.maps[0][3].min() == 65504
    assert cache.maps[1][5].max() == -65504


@pytest.mark.parametrize("value", [65520.0, -65520.0, 1e6, 3e38])
@pytest.mark.parametrize("example", [0, 7, 10])
def test_too_large_for_float16(tmp_path: Path, value: float, example: int) -> None:
    trunk = Trunk()
    trunk.features[1, example, 1, 2] = value
    with pytest.raises(OverflowError) as refused:
        computed(tmp_path, trunk)
    message = str(refused.value)
    assert f"within +-65504, received {value:.6g} for example {example}:" in message
    assert message.endswith("choose --cache-precision float32.")
    cache = computed(tmp_path, trunk, dtype="float32")
    np.testing.assert_array_equal(np.stack(cache.maps), trunk.features[:3])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite(tmp_path: Path, value: float, dtype: str) -> None:
    trunk = Trunk()
    trunk.features[2, 9, 0, 1] = value
    with pytest.raises(FloatingPointError, match=f"received {value} for example 9:"):
        computed(tmp_path, trunk, dtype=dtype)
    trunk.features[2, 9, 0, 1] = 1
    trunk.calls.clear()
    cache = computed(tmp_path, trunk, dtype=dtype)
    assert trunk.calls == [(2, 8)]
    np.testing.assert_array_equal(np.stack(cache.maps), trunk.features[:3].astype(dtype))


@pytest.mark.parametrize("dtype", ["float64", "int8", "bfloat16"])
def test_another_precision(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(ValueError, match=f"dtype={dtype}"):
        computed(tmp_path, never, dtype=dtype)


def test_batches_of_another_shape(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"shape=\(2, 3\)"):
        feature_cache.compute(
            tmp_path, KEY, 4, 1, (5,), "float32", lambda view, first: [np.zeros((2, 3), np.float32)]
        )
