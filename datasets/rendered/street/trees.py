"""Trees, bushes and hedges; their looks follow the season."""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.classes import TREE
from datasets.rendered.street.cutouts import LEAF_VARIANTS, cutout
from datasets.rendered.street.mesh import (
    CYLINDER,
    FOLIAGE,
    PLAIN,
    SPHERE,
    box_corners,
    faces,
    facing,
)

_LEAVES = {
    "spring": ((128, 160, 66), (150, 176, 84), (236, 196, 206), (238, 230, 226), (112, 150, 62)),
    "summer": ((74, 112, 48), (92, 128, 56), (62, 98, 46), (106, 134, 62), (84, 118, 40)),
    "autumn": ((206, 128, 40), (180, 74, 36), (212, 168, 58), (132, 122, 52), (160, 96, 40)),
    "winter": ((96, 86, 76), (110, 98, 88), (90, 80, 74), (104, 96, 86), (98, 90, 84)),
}
_FIR = (58, 84, 58)


def leaf_colour(season: str, rng: np.random.Generator) -> np.ndarray:
    """A display colour of leaves, or of twigs in winter, (3,)."""
    choices = _LEAVES[season]
    return np.array(choices[int(rng.integers(len(choices)))]) * rng.uniform(0.88, 1.1, 3)


def add_tree(
    assembly: Assembly,
    position: tuple[float, float, float],
    season: str,
    rng: np.random.Generator,
    size: float = 1.0,
) -> None:
    """Puts a tree on the ground: a trunk and a crown of overlapping balls, or a fir."""
    if rng.random() < 0.14:
        _add_fir(assembly, position, rng, size)
        return
    x, y, z = position
    tall = rng.uniform(4.8, 8.5) * size
    trunk = rng.uniform(0.28, 0.40) * tall
    wide = rng.uniform(0.42, 0.62) * tall
    bark = np.array((92, 76, 62)) * rng.uniform(0.8, 1.2)
    thick = 0.045 * tall
    _add_trunk(assembly, position, trunk + 0.25 * (tall - trunk), thick, bark)
    if season == "winter":
        _add_twigs(assembly, position, tall, trunk, wide, rng)
    else:
        _add_crown(assembly, (x, y, z), (tall, trunk, wide), leaf_colour(season, rng), rng)
    assembly.footprints.append((x, z, 0.25, 0.25, 0.0))


def _add_trunk(
    assembly: Assembly,
    position: tuple[float, float, float],
    height: float,
    thick: float,
    bark: np.ndarray,
) -> None:
    x, y, z = position
    quad = facing([(x, y + height / 2, z)], thick, height, assembly.eye)
    middle = quad[:, [3, 2]].mean(axis=1, keepdims=True)
    quad[:, 2:] = middle + 0.6 * (quad[:, 2:] - middle)
    assembly.add(faces(quad, bark, TREE, rounding=CYLINDER))
    assembly.shadow_posts.append((x, y, z, height, thick))


def _add_crown(
    assembly: Assembly,
    foot: tuple[float, float, float],
    measures: tuple[float, float, float],
    colour: np.ndarray,
    rng: np.random.Generator,
) -> None:
    tall, trunk, wide = measures
    count = int(rng.integers(6, 10))
    middle = np.array([foot[0], foot[1] + (tall + trunk) / 2, foot[2]])
    half = np.array([wide / 2, (tall - trunk) / 2, wide / 2])
    offsets = rng.normal(0, 1, (count, 3))
    offsets /= np.maximum(np.linalg.norm(offsets, axis=1, keepdims=True), 1e-6)
    offsets *= rng.uniform(0.35, 0.62, (count, 1))
    offsets[0] = 0.0
    radii = half.min() * rng.uniform(0.50, 0.72, count)
    radii[0] = half.min() * 0.85
    centres = middle + offsets * half
    # Seen against the sky a crown is lighter above and darker inside.
    shades = 0.92 + 0.22 * offsets[:, 1:2] + rng.uniform(-0.06, 0.06, (count, 1))
    leaves = np.array([cutout(f"leaves {int(n)}") for n in rng.integers(0, LEAF_VARIANTS, count)])
    quads = facing(centres, 2.3 * radii, 2.3 * radii, assembly.eye)
    assembly.add(faces(quads, colour * shades, TREE, FOLIAGE, cutout=leaves, rounding=SPHERE))
    for centre, radius in zip(centres, radii, strict=True):
        assembly.shadow_balls.append((*(float(part) for part in centre), float(0.95 * radius)))


def _add_twigs(
    assembly: Assembly,
    position: tuple[float, float, float],
    tall: float,
    trunk: float,
    wide: float,
    rng: np.random.Generator,
) -> None:
    x, y, z = position
    names = [cutout(f"twigs {int(number)}") for number in rng.integers(0, LEAF_VARIANTS, 3)]
    low = y + 0.75 * trunk
    middle = low + (y + tall - low) / 2
    shift = np.array([[0.0, 0.0, 0.3], [-0.12 * wide, 0.0, 0.0], [0.12 * wide, 0.0, -0.3]])
    centres = np.array([x, middle, z]) + shift
    quads = facing(centres, 1.2 * wide, y + tall - low, assembly.eye)
    bark = np.array((86, 74, 66)) * rng.uniform(0.85, 1.15)
    assembly.add(faces(quads, bark, TREE, PLAIN, cutout=np.array(names)))


def _add_fir(
    assembly: Assembly,
    position: tuple[float, float, float],
    rng: np.random.Generator,
    size: float,
) -> None:
    x, y, z = position
    tall = rng.uniform(5.0, 9.0) * size
    wide = 0.46 * tall
    _add_trunk(assembly, position, 0.2 * tall, 0.04 * tall, np.array((82, 66, 54)))
    quad = facing([(x, y + 0.55 * tall, z)], wide, 0.9 * tall, assembly.eye)
    shape = cutout(f"conifer {int(rng.integers(2))}")
    colour = np.array(_FIR) * rng.uniform(0.85, 1.2)
    assembly.add(faces(quad, colour, TREE, FOLIAGE, cutout=shape, rounding=CYLINDER))
    for share in (0.2, 0.35, 0.5, 0.65, 0.8):
        radius = 0.42 * wide * (1.05 - share)
        assembly.shadow_balls.append((x, y + share * tall, z, radius))


def add_bush(
    assembly: Assembly, position: tuple[float, float, float], season: str, rng: np.random.Generator
) -> None:
    """Puts a bush of two or three balls on the ground."""
    count = int(rng.integers(2, 4))
    colour = leaf_colour("summer" if season == "winter" else season, rng)
    radii = rng.uniform(0.35, 0.7, count)
    centres = np.array(position) + np.stack(
        [rng.uniform(-0.5, 0.5, count), 0.7 * radii, rng.uniform(-0.5, 0.5, count)], axis=1
    )
    quads = facing(centres, 2.3 * radii, 2.1 * radii, assembly.eye)
    leaves = cutout(f"leaves {int(rng.integers(LEAF_VARIANTS))}")
    assembly.add(faces(quads, colour, TREE, FOLIAGE, cutout=leaves, rounding=SPHERE))


def add_hedge(
    assembly: Assembly,
    lower: tuple[float, float, float],
    upper: tuple[float, float, float],
    colour: np.ndarray,
) -> None:
    """Puts a clipped hedge between two opposite corners of a box."""
    assembly.add(faces(box_corners(lower, upper), colour, TREE, FOLIAGE))
