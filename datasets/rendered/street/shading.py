"""From what is seen at points of the picture to its light: colour, sun, shadow, haze.

Light is Lambert's, with a sky above and a ground below that light by halves (hemisphere
lighting); glass and paint mirror the sky as Schlick's approximation has it (Schlick, An
Inexpensive BRDF Model, 1994); haze follows Koschmieder's law. All linear.
"""

from __future__ import annotations

import numpy as np

from datasets.rendered.street import fronts, ground, sky
from datasets.rendered.street.bands import mixed
from datasets.rendered.street.mesh import (
    FACADE,
    FLAT,
    FOLIAGE,
    GLASS,
    LIT,
    PAINT,
    PAVED,
    ROOF,
    SPHERE,
    WHOLE,
)
from datasets.rendered.street.noise import looked_up, noise
from datasets.rendered.street.raster import FIRST_FACE_ID, GROUND_ID, SKY_ID
from datasets.rendered.street.view import View

_SNOW_COLOUR = np.array([[0.88], [0.90], [0.95]], dtype=np.float32)


def light_at(view: View) -> np.ndarray:
    """Linear light at all points of a view, float32, (3, points)."""
    light = np.empty((3, view.ids.size), dtype=np.float32)
    far = np.flatnonzero(view.ids == SKY_ID)
    rays = view.rays(far)
    light[:, far] = sky.colours(view.scene.weather, rays, view.scene.texture_shift)
    low = np.flatnonzero(view.ids == GROUND_ID)
    light[:, low] = _hazy(view, low, _ground(view, low))
    solid = np.flatnonzero(view.ids >= FIRST_FACE_ID)
    light[:, solid] = _hazy(view, solid, _solids(view, solid))
    return light


def _hazy(view: View, points: np.ndarray, light: np.ndarray) -> np.ndarray:
    weather = view.scene.weather
    clear = np.exp(-1.0 / (view.inverse[points] * np.float32(weather.visibility)))
    return mixed(weather.haze, light, clear)


def _ground_pixels(view: View, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Size of a pixel on level ground below the eye, across and along the street, metres."""
    across = view.footprints(points)
    drop = np.float32(view.scene.camera.eye[1])
    along = across / (view.inverse[points] * drop + 1e-6)
    # Seen from straight above, a pixel is as long as wide.
    return across, np.maximum(along, across)


def _ground(view: View, points: np.ndarray) -> np.ndarray:
    scene = view.scene
    x, _, z = view.places(points)
    pixel = _ground_pixels(view, points)
    shift = scene.texture_shift
    lit = ground.reflectances(scene.layout, scene.weather, x, z, pixel, shift)
    lit *= _level_light(view, x, z)
    if scene.weather.wetness:
        rays = view.rays(points)
        slant = -rays[1] / sky.lengths(rays)
        mirror = (0.04 + 0.6 * (1.0 - slant) ** 5) * scene.weather.wetness
        mirror *= np.clip(0.8 + 0.25 * looked_up(noise(3), x * 7.0, z * 2.2), 0.2, 1.0)
        lit = mixed(lit, sky.sky_light(scene.weather, slant), mirror)
    return lit


def _level_light(view: View, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Light that reaches level ground, (3, k)."""
    weather = view.scene.weather
    direct, ambient = view.scene.shadows.on_ground(x, z)
    light = weather.sunlight * (direct * max(np.float32(0.0), weather.sun[1]))
    light += weather.skylight * ambient
    return light


def _solids(view: View, points: np.ndarray) -> np.ndarray:
    scene, faces = view.scene, view.faces
    owners = view.owners(points)
    rows = faces.rows.take(owners)
    colours = scene.mesh.colours.take(rows, axis=1)
    materials = scene.mesh.materials.take(rows)
    roundings = scene.mesh.roundings.take(rows)
    normals = faces.normals.take(owners, axis=1)
    places = view.places(points)
    _cut_colours(view, points, colours, rows, owners)
    _round(view, points, normals, roundings)
    glow = _patterns(view, points, rows, materials, normals, places, colours)
    _snow(view, colours, normals, materials, places)
    light = _light_on(view, normals, places, roundings)
    level = np.flatnonzero(materials == PAVED)
    light[:, level] = _level_light(view, places[0, level], places[2, level])
    light *= colours
    for at, shine in glow:
        light[:, at] += shine
    for material, least in ((GLASS, 0.14), (PAINT, 0.05)):
        at = np.flatnonzero(materials == material)
        light[:, at] = _mirrored(view, light[:, at], normals[:, at], places[:, at], least)
    lamps = np.flatnonzero(materials == LIT)
    light[:, lamps] = np.maximum(light[:, lamps], 1.1 * scene.mesh.colours[:, rows[lamps]])
    return light


def _cut_colours(
    view: View, points: np.ndarray, colours: np.ndarray, rows: np.ndarray, owners: np.ndarray
) -> None:
    """Multiplies colours by the picture on the cut-out, in place."""
    mesh = view.scene.mesh
    cutouts = mesh.cutouts.take(rows)
    cut = np.flatnonzero(cutouts != WHOLE)
    u, v = view.coordinates(points[cut])
    across = np.clip(u, 0.0, 0.9999) * mesh.repeats[rows[cut]]
    texels = view.cutouts.texels(cutouts[cut], across, v, view.faces.levels[owners[cut]])
    colours[:, cut] *= view.cutouts.colours.take(texels, axis=1)


def _round(view: View, points: np.ndarray, normals: np.ndarray, roundings: np.ndarray) -> None:
    """Bends the normals of round things, in place."""
    bent = np.flatnonzero(roundings != FLAT)
    u, v = view.coordinates(points[bent])
    across = 1.7 * np.clip(u, 0.0, 1.0) - 0.85
    up = (1.7 * np.clip(v, 0.0, 1.0) - 0.85) * (roundings[bent] == SPHERE)
    towards = np.sqrt(np.maximum(1.0 - across**2 - up**2, 0.05))
    x, y, z = normals[:, bent]
    normals[0, bent] = towards * x - across * z
    normals[1, bent] = towards * y + up
    normals[2, bent] = towards * z + across * x


def _patterns(
    view: View,
    points: np.ndarray,
    rows: np.ndarray,
    materials: np.ndarray,
    normals: np.ndarray,
    places: np.ndarray,
    colours: np.ndarray,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Gives walls, roofs, leaves and paving their patterns, in place.

    Returns:
        Light that lit windows send out: places among the points, (k,), and colours, (3, k).
    """
    scene = view.scene
    at = np.flatnonzero(materials == FACADE)
    styles = scene.mesh.styles[rows[at]]
    rays = view.rays(points[at])
    square = np.abs((rays * normals[:, at]).sum(axis=0))
    size = view.footprints(points[at])
    pixel = (size / np.maximum(square, 0.04), size)
    length = scene.fronts.measures[fronts.COLUMNS.index("length")].take(styles)
    along = np.clip(view.coordinates(points[at])[0], 0.0, 1.0) * length
    colours[:, at], glow = fronts.front_colours(
        scene.fronts, styles, colours[:, at], along, places[1, at], pixel, scene.weather
    )
    shining = [(at, glow)] if scene.weather.lamps else []
    at = np.flatnonzero(materials == ROOF)
    x, y, z = places[:, at]
    tiles = looked_up(noise(15, falloff=0.6), (x + z) * 9.0, y * 9.0)
    courses = (y / 0.28) % 1.0 - 0.5
    fine = np.clip(0.14 / view.footprints(points[at]), 0.0, 1.0)
    colours[:, at] *= 1.0 + 0.10 * tiles + 0.22 * courses * fine
    at = np.flatnonzero(materials == FOLIAGE)
    x, y, z = places[:, at]
    leaves = looked_up(noise(16, falloff=0.6), (x + z) * 11.0, (y + 0.3 * x) * 11.0)
    clumps = looked_up(noise(17), (x - z) * 9.0, y * 9.0)
    colours[:, at] *= np.clip(0.92 + 0.20 * leaves + 0.12 * clumps, 0.25, 1.8)
    at = np.flatnonzero(materials == PAVED)
    pixel = _ground_pixels(view, points[at])
    x, _, z = places[:, at]
    colours[:, at] = ground.paved(colours[:, at], scene.weather, x, z, pixel, scene.texture_shift)
    return shining


def _snow(
    view: View,
    colours: np.ndarray,
    normals: np.ndarray,
    materials: np.ndarray,
    places: np.ndarray,
) -> None:
    """Lays snow on what faces upwards, in place."""
    snow = view.scene.weather.snow
    if not snow:
        return
    covered = (materials == ROOF) | (materials == FOLIAGE)
    at = np.flatnonzero(covered & (normals[1] > 0.25))
    x, y, z = places[:, at]
    drift = looked_up(noise(6), (x + z) * 8.0, y * 8.0)
    cover = np.clip((normals[1, at] - 0.25) * 3.0 * snow + 0.25 * drift, 0.0, snow)
    colours[:, at] = mixed(colours[:, at], _SNOW_COLOUR, cover)


def _light_on(
    view: View, normals: np.ndarray, places: np.ndarray, roundings: np.ndarray
) -> np.ndarray:
    """Light that reaches surfaces, (3, k)."""
    weather = view.scene.weather
    light = mixed(weather.groundlight, weather.skylight, 0.5 + 0.5 * normals[1])
    # Close to the ground and between things less of the sky is seen.
    light *= 0.72 + 0.28 * np.clip(places[1] / 1.2, 0.0, 1.0)
    facing = weather.sun @ normals
    # Leaves and clothes let some light through and are never quite flat.
    soft = np.float32(0.18) * (roundings != FLAT)
    facing = np.maximum((facing + soft) / (1.0 + soft), 0.0)
    lit = np.flatnonzero(facing > 0.0)
    facing[lit] *= view.scene.shadows.above_ground(places[:, lit])
    light += weather.sunlight * facing
    return light


def _mirrored(
    view: View, light: np.ndarray, normals: np.ndarray, places: np.ndarray, least: float
) -> np.ndarray:
    """Adds the mirrored sky, or dark houses below it, to glass and paint.

    `least` is the share that is mirrored where one looks straight at the surface.
    """
    weather = view.scene.weather
    sight = places - view.scene.camera.eye.astype(np.float32)[:, None]
    sight /= sky.lengths(sight)
    square = np.clip(-(sight * normals).sum(axis=0), 0.0, 1.0)
    rise = sight[1] + 2.0 * square * normals[1]
    share = least + (0.75 - least) * (1.0 - square) ** 5
    houses = 0.25 * weather.skylight + 0.1 * weather.sunlight
    seen = mixed(houses, sky.sky_light(weather, rise), np.clip(rise * 4.0 - 0.2, 0.0, 1.0))
    return mixed(light, seen, share)
