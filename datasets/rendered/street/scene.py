"""A whole street: plan, weather, camera, and everything that stands in it."""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets.rendered.street import furniture, houses, pavements, people, trees, vehicles
from datasets.rendered.street.assembly import Assembly, Instance
from datasets.rendered.street.camera import StreetCamera, rotation
from datasets.rendered.street.layout import END, KERB, LANE, PARKING, Layout, sample_layout
from datasets.rendered.street.mesh import Mesh, joined
from datasets.rendered.street.shadows import Shadows, cast
from datasets.rendered.street.weather import Weather, sample_weather


@dataclasses.dataclass(frozen=True)
class Scene:
    """All that a picture of a street needs.

    Attributes:
        camera: in pixels of the picture.
        layout: plan of the street.
        weather: light and season.
        mesh: all faces but the ground.
        instances: number k of the mesh's instances is the (k - 1)-th of these.
        fronts: styles of the houses' fronts.
        shadows: on the ground.
        texture_shift: where the noise textures begin, texels, float32, (2,).
    """

    camera: StreetCamera
    layout: Layout
    weather: Weather
    mesh: Mesh
    instances: tuple[Instance, ...]
    fronts: houses.FrontStyles
    shadows: Shadows
    texture_shift: np.ndarray


def build_scene(seed: list[int], image_size: tuple[int, int]) -> Scene:
    """Draws a scene; the picture's size changes its camera and nothing else.

    Args:
        seed: numbers that decide everything.
        image_size: (height, width), pixels.
    """
    streams = np.random.default_rng(seed).spawn(9)
    layout, weather = sample_layout(streams[0]), sample_weather(streams[1])
    camera = sample_camera(layout, image_size, streams[2])
    assembly, fronts = Assembly(camera.eye), houses.FrontTable()
    pavements.add_pavements(assembly, layout)
    houses.add_houses(assembly, layout, fronts, streams[3])
    _add_gardens(assembly, layout, weather, streams[4])
    _add_furniture(assembly, layout, weather, streams[5])
    _add_traffic(assembly, layout, weather, streams[6])
    _add_people(assembly, layout, weather, streams[7])
    return Scene(
        camera=camera,
        layout=layout,
        weather=weather,
        mesh=joined(assembly.patches),
        instances=tuple(assembly.instances),
        fronts=fronts.finished(),
        shadows=cast(assembly, weather),
        texture_shift=streams[8].integers(0, 256, 2).astype(np.float32),
    )


def sample_camera(
    layout: Layout, image_size: tuple[int, int], rng: np.random.Generator
) -> StreetCamera:
    """A camera behind a windscreen or, now and then, in the hand of someone on the pavement.

    The focal length is 0.72 to 1.0 times the root of width times height: 53 to 70 degrees from
    side to side in a square picture.
    """
    height, width = image_size
    on_foot = rng.random() < 0.25
    focal = rng.uniform(0.72, 1.0) * np.sqrt(height * width)
    if on_foot:
        side = int(rng.choice([-1, 1]))
        x, y = side * (layout.road_edge(side) + rng.uniform(0.3, 0.9)), KERB + rng.uniform(1.5, 1.8)
        yaw = -side * rng.uniform(0.02, 0.22)
    else:
        x, y = layout.drives_on * LANE / 2 + rng.uniform(-0.3, 0.3), rng.uniform(1.25, 2.1)
        yaw = rng.normal(0.0, 0.06)
    pitch, roll = rng.normal(0.03, 0.035), rng.normal(0.0, 0.012)
    shift = rng.uniform(-0.02, 0.02, 2)
    return StreetCamera(
        focal=float(focal),
        centre=(width * (0.5 + shift[0]), height * (0.5 + shift[1])),
        eye=np.array([x, y, 0.0]),
        rotation=rotation(yaw, pitch, roll),
    )


def _side_positions(
    layout: Layout,
    side: int,
    bounds: tuple[float, float],
    spacing: tuple[float, float],
    rng: np.random.Generator,
) -> list[float]:
    """Places along the street, clear of the crossing by 2 m."""
    found, z = [], bounds[0] + rng.uniform(0, spacing[1])
    gap = layout.gap(side)
    while z < bounds[1]:
        if gap is None or not gap[0] - 2.0 < z < gap[1] + 2.0:
            found.append(z)
        z += rng.uniform(*spacing)
    return found


def _add_gardens(
    assembly: Assembly, layout: Layout, weather: Weather, rng: np.random.Generator
) -> None:
    """Fences, hedges, walls, bushes and trees before the houses, if there is room."""
    for side in (-1, 1):
        edge = layout.road_edge(side) + layout.pavement
        room = layout.front[(side + 1) // 2]
        if room < 1.2 or layout.paved_front:
            continue
        for start, stop in layout.stretches(side, margin=1.8):
            z = start
            while z < min(stop, 90.0):
                end = min(z + rng.uniform(6.0, 14.0), stop)
                _add_border(assembly, side * (edge + 0.2), (z, end - 1.0), rng)
                z = end
        for z in _side_positions(layout, side, (2.0, 80.0), (3.0, 9.0), rng):
            x = side * (edge + rng.uniform(0.8, room))
            if rng.random() < 0.35 and room > 2.5:
                middle = side * (edge + 0.45 * room)
                trees.add_tree(assembly, (middle, 0.0, z), weather.season, rng, size=0.75)
            else:
                trees.add_bush(assembly, (x, 0.0, z), weather.season, rng)


def _add_border(
    assembly: Assembly, x: float, stretch: tuple[float, float], rng: np.random.Generator
) -> None:
    kind = rng.random()
    if kind < 0.55:
        furniture.add_fence(assembly, x, stretch, rng)
    elif kind < 0.8:
        colour = trees.leaf_colour("summer", rng) * 0.85
        high = rng.uniform(0.7, 1.5)
        trees.add_hedge(assembly, (x - 0.3, 0, stretch[0]), (x + 0.3, high, stretch[1]), colour)
    elif kind < 0.93:
        furniture.add_wall(assembly, x, stretch, rng)


def _add_furniture(
    assembly: Assembly, layout: Layout, weather: Weather, rng: np.random.Generator
) -> None:
    """Lamps, street trees, signs, traffic lights, bins and bollards near the kerb."""
    lamp_height, alley = rng.uniform(5.0, 7.5), rng.random() < 0.7
    for side in (-1, 1):
        kerb = side * (layout.road_edge(side) + 0.35)
        for z in _side_positions(layout, side, (4.0, 90.0), (18.0, 24.0), rng):
            furniture.add_lamp(assembly, (kerb, z), side, lamp_height, weather.lamps > 0.5)
        if alley and layout.pavement > 2.3:
            for z in _side_positions(layout, side, (7.0, 90.0), (7.0, 13.0), rng):
                trees.add_tree(assembly, (kerb + side * 0.25, KERB, z), weather.season, rng)
        for z in _side_positions(layout, side, (6.0, 60.0), (9.0, 20.0), rng):
            ours = side == layout.drives_on or rng.random() < 0.4
            furniture.add_sign(assembly, (kerb - side * 0.05, z), rng, towards_us=ours)
        inner = side * (layout.road_edge(side) + layout.pavement - 0.5)
        for z in _side_positions(layout, side, (7.0, 50.0), (8.0, 30.0), rng):
            if rng.random() < 0.5:
                furniture.add_bin(assembly, (inner, z), rng)
        if rng.random() < 0.25:
            furniture.add_bollards(assembly, layout, side, rng.uniform(6.0, 20.0), rng)
    if layout.crossing is not None and rng.random() < 0.6:
        for side in (-1, 1):
            kerb = side * (layout.road_edge(side) + 0.4)
            furniture.add_traffic_light(assembly, (kerb, layout.crossing[0] - 1.0), rng)


def _add_traffic(
    assembly: Assembly, layout: Layout, weather: Weather, rng: np.random.Generator
) -> None:
    """Cars parked at the kerbs, driving both ways and crossing, and cyclists at their side."""
    lit = weather.lamps > 0.2 or rng.random() < 0.2
    ours, jam = layout.drives_on, bool(rng.random() < 0.2)
    first = (rng.uniform(7.0, 22.0), rng.uniform(5.0, 20.0))
    _drive_cars(assembly, ours * LANE / 2, 0.0, first[0], jam, lit, rng)
    _drive_cars(assembly, -ours * LANE / 2, np.pi, first[1], jam, lit, rng)
    for side in (-1, 1):
        if layout.parking[(side + 1) // 2]:
            _park_cars(assembly, layout, side, rng)
    if layout.crossing is not None and rng.random() < 0.6:
        middle = float(np.mean(layout.crossing))
        for way in (-1, 1):
            place = (rng.uniform(-16.0, 16.0), middle + 1.6 * way)
            if abs(place[0]) < 2.0 or layout.opens[int(place[0] > 0)]:
                _place_car(assembly, place, way * np.pi / 2, rng, lit)
    for side, heading in ((ours, 0.0), (-ours, np.pi)):
        for z in _side_positions(layout, side, (4.0, 36.0), (5.0, 40.0), rng):
            x = side * (LANE - 0.25) + rng.normal(0, 0.1)
            if _is_free(assembly, (x, z), (0.4, 1.0)):
                people.add_cyclist(assembly, (x, z), heading + rng.normal(0, 0.08), rng)


def _place_car(
    assembly: Assembly,
    place: tuple[float, float],
    heading: float,
    rng: np.random.Generator,
    lit: bool = False,
    braking: bool = False,
) -> float:
    """Puts a car at (x, z) if there is room for it, and returns its length."""
    number = vehicles.sample_car_class(rng)
    width, _, length = vehicles.car_size(number)
    across = abs(np.sin(heading)) > 0.5
    half = (length / 2 + 0.5, width / 2) if across else (width / 2, length / 2 + 0.5)
    if _is_free(assembly, place, half):
        vehicles.add_car(assembly, number, place, heading, rng, lit, braking)
    return length


def _is_free(assembly: Assembly, place: tuple[float, float], half: tuple[float, float]) -> bool:
    """Whether nothing stands in the rectangle about (x, z), nor the camera near it."""
    x, _, z = assembly.eye
    if abs(x - place[0]) < half[0] + 0.8 and abs(z - place[1]) < half[1] + 2.5:
        return False
    for thing in assembly.instances:
        apart = (
            thing.lower[1] > 2.0
            or thing.lower[0] > place[0] + half[0]
            or thing.upper[0] < place[0] - half[0]
            or thing.lower[2] > place[1] + half[1]
            or thing.upper[2] < place[1] - half[1]
        )
        if not apart:
            return False
    return True


def _park_cars(assembly: Assembly, layout: Layout, side: int, rng: np.random.Generator) -> None:
    density, gap = rng.uniform(0.35, 0.95), layout.gap(side)
    heading = 0.0 if side == layout.drives_on else np.pi
    z = rng.uniform(2.0, 7.0)
    while z < 62.0:
        blocked = gap is not None and gap[0] - 6.0 < z < gap[1] + 6.0
        zebra = layout.zebra is not None and abs(z - layout.zebra) < 5.0
        length = 4.5
        if rng.random() < density and not blocked and not zebra:
            turn = rng.normal(0.0, 0.015) + (np.pi if rng.random() < 0.12 else 0.0)
            x = side * (LANE + PARKING / 2 + 0.08) + rng.normal(0, 0.05)
            length = _place_car(assembly, (x, z), heading + turn, rng)
        z += max(length, 4.5) + rng.uniform(0.8, 2.5)


def _drive_cars(
    assembly: Assembly,
    x: float,
    heading: float,
    start: float,
    jam: bool,
    lit: bool,
    rng: np.random.Generator,
) -> None:
    z = start
    while z < 80.0:
        braking = bool(rng.random() < (0.7 if jam else 0.25))
        place = (x + rng.normal(0, 0.12), z)
        length = _place_car(assembly, place, heading + rng.normal(0, 0.012), rng, lit, braking)
        z += length + (rng.uniform(2.0, 5.0) if jam else rng.uniform(5.0, 40.0))


def _add_people(
    assembly: Assembly, layout: Layout, weather: Weather, rng: np.random.Generator
) -> None:
    """People on both pavements, alone and in pairs, and on the zebra crossing."""
    cold = weather.season == "winter" or (weather.season == "autumn" and rng.random() < 0.5)
    busy = rng.uniform(1.6, 9.0)
    for side in (-1, 1):
        near, wide = layout.road_edge(side), layout.pavement
        for z in _side_positions(layout, side, (3.0, 50.0), (0.5 * busy, 2.0 * busy), rng):
            heading = float(rng.choice([0.0, np.pi])) + rng.normal(0, 0.25)
            x = side * (near + 0.75 + rng.uniform(0.0, max(wide - 1.6, 0.1)))
            for number in range(1 + int(rng.random() < 0.3)):
                spot = (x + 0.55 * number * side, KERB, z + 0.1 * number)
                if np.hypot(x - assembly.eye[0], z) > 2.5:
                    people.add_person(assembly, spot, heading, rng, cold)
    middle = layout.zebra if layout.zebra is not None else rng.uniform(9.0, END / 5)
    walkers = int(rng.integers(0, 4)) if layout.zebra is not None else int(rng.random() < 0.3)
    for _ in range(walkers):
        x, z = rng.uniform(-LANE, LANE), middle + rng.uniform(-1.2, 1.2)
        if _is_free(assembly, (x, z), (0.4, 0.4)):
            heading = float(rng.choice([-1, 1])) * np.pi / 2 + rng.normal(0, 0.15)
            people.add_person(assembly, (x, 0.0, z), heading, rng, cold)
