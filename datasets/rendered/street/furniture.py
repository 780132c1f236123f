"""What stands on the pavement: lamps, signs, traffic lights, fences, bins, bollards."""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.classes import BUILDING, FENCE, POLE, SIGN, VOID
from datasets.rendered.street.cutouts import cutout
from datasets.rendered.street.layout import KERB, Layout
from datasets.rendered.street.mesh import CYLINDER, LIT, PLAIN, box_corners, faces, facing
from datasets.rendered.street.sign_plates import LIGHTS, SIGNS

_METAL = (118, 120, 122)
SIGN_SIDE = 0.68
"""Width of a traffic sign, metres; 0.6 m is usual in towns, 0.75 m and 0.9 m outside."""


def add_pole(
    assembly: Assembly,
    position: tuple[float, float],
    height: float,
    width: float,
    colour: tuple[float, float, float] = _METAL,
    foot: float = KERB,
) -> None:
    """A round pole on the ground."""
    x, z = position
    quad = facing([(x, foot + height / 2, z)], width, height, assembly.eye)
    assembly.add(faces(quad, colour, POLE, rounding=CYLINDER))
    assembly.shadow_posts.append((x, foot, z, height, max(width, 0.12)))
    assembly.footprints.append((x, z, 0.12, 0.12, 0.0))


def add_lamp(
    assembly: Assembly, position: tuple[float, float], side: int, tall: float, lit: bool
) -> None:
    """A street lamp whose arm reaches over the road."""
    x, z = position
    add_pole(assembly, position, tall, 0.15)
    reach = x - side * 1.5
    low, high = sorted((x, reach))
    arm = box_corners((low, tall + KERB - 0.08, z - 0.05), (high, tall + KERB, z + 0.05))
    left, right = sorted((reach, reach + side * 0.7))
    head = box_corners((left, tall + KERB - 0.16, z - 0.14), (right, tall + KERB + 0.02, z + 0.14))
    under = head[4][::-1] - np.array([0.0, 0.19, 0.0])
    shine = (255, 236, 190) if lit else (170, 172, 170)
    assembly.add(
        faces(arm, _METAL, POLE),
        faces(head, (96, 98, 100), POLE),
        faces(under, shine, POLE, LIT if lit else PLAIN),
    )


def add_sign(
    assembly: Assembly,
    position: tuple[float, float],
    rng: np.random.Generator,
    towards_us: bool = True,
) -> None:
    """A traffic sign on its pole; from behind it is grey."""
    x, z = position
    top = rng.uniform(2.1, 2.6)
    add_pole(assembly, position, top + 0.35, 0.08)
    name = str(rng.choice(list(SIGNS)))
    half, y = SIGN_SIDE / 2, KERB + top
    turn = rng.uniform(-0.12, 0.12)
    near = -0.06
    plate = faces(
        [[(-half, -half, near), (half, -half, near), (half, half, near), (-half, half, near)]],
        (255, 255, 255) if towards_us else (120, 122, 124),
        SIGN,
        cutout=cutout(name if towards_us else "disc"),
    ).moved((x, y, z), turn)
    assembly.add_instance([plate], SIGN)


def add_traffic_light(
    assembly: Assembly, position: tuple[float, float], rng: np.random.Generator
) -> None:
    """A traffic light for those who come along the street from the camera."""
    x, z = position
    add_pole(assembly, position, 2.6, 0.12, (60, 66, 62))
    half, low, high = 0.16, 2.35 + KERB, 3.30 + KERB
    front = [[(-half, low, -0.12), (half, low, -0.12), (half, high, -0.12), (-half, high, -0.12)]]
    lamp = faces(front, (255, 255, 255), SIGN, cutout=cutout(str(rng.choice(list(LIGHTS)))))
    case = faces(box_corners((-half, low, -0.11), (half, high, 0.1)), (24, 28, 26), SIGN)
    turn = rng.uniform(-0.1, 0.1)
    assembly.add_instance([part.moved((x, 0.0, z), turn) for part in (lamp, case)], SIGN)


def add_fence(
    assembly: Assembly, x: float, stretch: tuple[float, float], rng: np.random.Generator
) -> None:
    """A fence along the street at x, seen from both sides, with posts."""
    wooden = rng.random() < 0.55
    height = rng.uniform(0.85, 1.25)
    colour = (232, 230, 224) if rng.random() < 0.5 else (126, 92, 62)
    if not wooden:
        colour = (44, 50, 48)
    length = stretch[1] - stretch[0]
    low, high = 0.02, height
    front = [(x, low, stretch[1]), (x, low, stretch[0]), (x, high, stretch[0]),
             (x, high, stretch[1])]  # fmt: skip
    back = [front[1], front[0], front[3], front[2]]
    shape = cutout("pickets" if wooden else "railing")
    assembly.add(
        faces([front, back], colour, FENCE, cutout=shape, repeat=max(1.0, round(length / 0.55)))
    )
    assembly.shadow_walls.append(np.array([front]))


def add_wall(
    assembly: Assembly, x: float, stretch: tuple[float, float], rng: np.random.Generator
) -> None:
    """A low garden wall along the street; CamVid's grouping counts walls as buildings."""
    colour = np.array((150, 120, 100)) * rng.uniform(0.8, 1.2)
    corners = box_corners(
        (x - 0.12, 0.0, stretch[0]), (x + 0.12, rng.uniform(0.5, 1.0), stretch[1])
    )
    assembly.add(faces(corners, colour, BUILDING))
    assembly.shadow_walls.append(corners[3:4])


def add_bin(assembly: Assembly, position: tuple[float, float], rng: np.random.Generator) -> None:
    """A wheeled bin or a grey cabinet."""
    x, z = position
    choices = ((38, 70, 48), (52, 54, 58), (40, 56, 96), (150, 152, 148), (180, 150, 40))
    colour = choices[int(rng.integers(len(choices)))]
    wide, high = rng.uniform(0.25, 0.36), rng.uniform(0.95, 1.3)
    body = box_corners((-wide, 0.0, -wide), (wide, high, wide))
    lid = box_corners((-wide - 0.03, high, -wide - 0.05), (wide + 0.03, high + 0.07, wide + 0.03))
    turn, place = rng.uniform(-0.3, 0.3), (x, KERB, z)
    assembly.add(faces(body, colour, VOID).moved(place, turn))
    assembly.add(faces(lid, np.array(colour) * 0.7, VOID).moved(place, turn))
    assembly.shadow_balls.append((x, KERB + high / 2, z, wide))
    assembly.footprints.append((x, z, wide, wide, 0.0))


def add_bollards(
    assembly: Assembly, layout: Layout, side: int, start: float, rng: np.random.Generator
) -> None:
    """A few bollards along the kerb."""
    x = side * (layout.road_edge(side) + 0.35)
    for number in range(int(rng.integers(3, 7))):
        z = start + 1.6 * number
        add_pole(assembly, (x, z), 0.95, 0.14, (66, 70, 72))
