"""What all sources of drawn pictures ask of their arguments."""

from __future__ import annotations


def check_count(count: int, seed: int) -> None:
    """Sees that there are pictures, and a seed for them.

    Raises:
        ValueError: `count` is below 1 or `seed` below 0.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1. Received: {count=}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0. Received: {seed=}")


def check_size(image_size: tuple[int, int], smallest: int, largest: int) -> None:
    """Sees that a picture can be drawn at a size.

    Raises:
        ValueError: it is no height and width, each in [smallest, largest].
    """
    if len(image_size) != 2 or not all(smallest <= side <= largest for side in image_size):
        raise ValueError(
            f"image_size must be (height, width), each in [{smallest}, {largest}]. "
            f"Received: {image_size=}"
        )


def check_index(index: int, count: int) -> None:
    """Sees that there is such a picture.

    Raises:
        IndexError: `index` is not in [0, count).
    """
    if not 0 <= index < count:
        raise IndexError(f"index must be in [0, {count}). Received: {index=}")
