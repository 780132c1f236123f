"""Fronts of houses: plaster or brick, windows with frames, doors, shops."""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets.rendered.street.bands import mixed, repeated, step
from datasets.rendered.street.houses import COLUMNS, FrontStyles
from datasets.rendered.street.mesh import column
from datasets.rendered.street.noise import looked_up, noise, smoothly_looked_up
from datasets.rendered.street.weather import Weather

_CURTAIN = column((214, 208, 196))
_DARK_ROOM = column((44, 50, 58))
_WARM = np.array([[1.0], [0.66], [0.30]], dtype=np.float32)
_FRAME = 0.09


@dataclasses.dataclass(frozen=True)
class _Openings:
    """The window or door in the storey and bay of each place.

    Attributes:
        box: left, right, low, high within storey and bay, metres, (k,) each.
        door, shop: whether it is a door, and whether it lies in a shop, bool (k,).
        present: 1 where the storey has openings, 0 below the roof and under the ground.
    """

    box: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    door: np.ndarray
    shop: np.ndarray
    present: np.ndarray


def _openings(measure: dict[str, np.ndarray], floor: np.ndarray, column: np.ndarray) -> _Openings:
    """Windows by their measures; on the ground floor one door, and shops with large panes."""
    ground = floor == 0
    shop = ground & (measure["shop"] > 0)
    door = ground & (column == measure["door_bay"])
    width = np.where(shop, measure["bay"] - 0.5, measure["window_width"])
    low = np.where(shop, 0.45, measure["sill"])
    high = np.where(shop, measure["storey"] - 0.75, measure["sill"] + measure["window_height"])
    width, low = np.where(door, 1.05, width), np.where(door, 0.0, low)
    high = np.where(door, 2.15, high)
    top_floor = np.floor((measure["height"] - 0.25) / measure["storey"]) - 1
    present = ((floor <= top_floor) & (floor >= 0)).astype(np.float32)
    box = (measure["bay"] - width) / 2, (measure["bay"] + width) / 2, low, high
    return _Openings(box, door, shop, present)


def _inside(
    x: np.ndarray,
    y: np.ndarray,
    box: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    pixel: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """1 within (left, right, low, high), with soft edges."""
    left, right, low, high = box
    across = step(np.minimum(x - left, right - x), pixel[0])
    return across * step(np.minimum(y - low, high - y), pixel[1])


def front_colours(
    styles: FrontStyles,
    rows: np.ndarray,
    wall: np.ndarray,
    along: np.ndarray,
    up: np.ndarray,
    pixel: tuple[np.ndarray, np.ndarray],
    weather: Weather,
) -> tuple[np.ndarray, np.ndarray]:
    """Colours of fronts and the light that windows send out.

    Args:
        styles: of all fronts.
        rows: the style of each place, (k,).
        wall: colour of the wall, linear, (3, k).
        along: distance from the front's left end, metres, (k,).
        up: height over the ground, metres, (k,).
        pixel: size of a pixel along the front and upwards, metres, (k,) each.
        weather: for lit windows and reflections.

    Returns:
        Reflectance (3, k), and light added to it whatever shines on the wall, (3, k).
    """
    measure = dict(zip(COLUMNS, styles.measures.take(rows, axis=1), strict=True))
    storey, bay = measure["storey"], measure["bay"]
    floor, column = np.floor(up / storey), np.floor(along / bay)
    place = along - column * bay, up - floor * storey
    surface = _walls(measure, wall, along, up, pixel)
    openings = _openings(measure, floor, column)
    frames, doors = styles.frames.take(rows, axis=1), styles.doors.take(rows, axis=1)
    surface = _shutters(surface, measure, openings, place, pixel, doors)
    left, right, low, high = openings.box
    frame_box = (left - _FRAME, right + _FRAME, low - _FRAME, high + _FRAME)
    surface = mixed(surface, frames, openings.present * _inside(*place, frame_box, pixel))
    chance = looked_up(
        noise(11, falloff=0.6),
        measure["seed"] + 13.0 * column,
        29.0 * floor + 0.37 * measure["seed"],
    )
    glass, glow = _panes(chance, openings, place, weather)
    bars = _bars(*place, openings.box, pixel) * ~openings.shop
    glass = mixed(glass, frames, bars)
    panel = doors * (0.85 + 0.15 * ((place[1] * 2.2) % 1.0 > 0.15))
    glass = mixed(glass, panel, openings.door)
    opening = openings.present * _inside(*place, openings.box, pixel)
    surface = mixed(surface, glass, opening)
    sign = openings.shop * step(0.26 - np.abs(place[1] - (storey - 0.36)), pixel[1])
    surface = mixed(surface, doors, sign * step(along - 0.2, pixel[0]))
    light = (glow * (1.0 - bars) * opening * ~openings.door) * _WARM
    return surface, light


def _walls(
    measure: dict[str, np.ndarray],
    wall: np.ndarray,
    along: np.ndarray,
    up: np.ndarray,
    pixel: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    seed = measure["seed"]
    dirt = smoothly_looked_up(noise(12), along * 4.0 + seed, up * 2.5 + 0.7 * seed)
    grain = looked_up(noise(13, falloff=0.6), along * 16.0 + seed, up * 16.0)
    bright = 1.0 + 0.06 * dirt + 0.05 * grain * np.clip(0.3 / pixel[1], 0.0, 1.0)
    bright -= 0.14 * np.exp(-1.6 * up)
    bricks = measure["brick"] > 0
    course = np.floor(up / 0.2)
    shifted = along + 0.15 * (course % 2)
    joints = np.maximum(
        repeated(up, 0.2, 0.035, pixel[1]), repeated(shifted, 0.42, 0.035, pixel[0])
    )
    bright -= 0.22 * joints * bricks
    tone = looked_up(noise(14, falloff=0.6), np.floor(shifted / 0.42) * 5.0, course * 3.0)
    bright += 0.05 * tone * bricks * np.clip(0.3 / pixel[1] - 0.4, 0.0, 1.0)
    floor_height = up / measure["storey"]
    bright *= np.where(floor_height < 1.0, measure["ground"], 1.0)
    band = repeated(up, measure["storey"], 0.16, pixel[1]) * measure["bands"] * (up > 0.5)
    bright += 0.16 * band
    under_eave = np.clip((up - measure["height"] + 0.7) / 0.7, 0.0, 1.0)
    bright *= 1.0 - 0.30 * under_eave
    return wall * bright


def _shutters(
    surface: np.ndarray,
    measure: dict[str, np.ndarray],
    openings: _Openings,
    place: tuple[np.ndarray, np.ndarray],
    pixel: tuple[np.ndarray, np.ndarray],
    colour: np.ndarray,
) -> np.ndarray:
    left, right, low, high = openings.box
    reach = 0.42 * (right - left)
    wide = (left - reach - 0.06, right + reach + 0.06, low - 0.04, high + 0.04)
    present = openings.present * ~openings.door * ~openings.shop
    cover = _inside(*place, wide, pixel) * present * (measure["shutters"] > 0)
    return mixed(surface, colour, cover)


def _panes(
    chance: np.ndarray,
    openings: _Openings,
    place: tuple[np.ndarray, np.ndarray],
    weather: Weather,
) -> tuple[np.ndarray, np.ndarray]:
    """Glass with rooms, curtains and the sky in it, and how much it shines."""
    left, right, low, high = openings.box
    across, up = (place[0] - left) / (right - left), (place[1] - low) / (high - low)
    shop = openings.shop
    sky = 0.55 * weather.horizon + 0.45 * weather.zenith
    mirrored = np.clip(0.10 + 0.28 * up + 0.07 * chance, 0.04, 0.6)
    glass = mixed(_DARK_ROOM, sky, mirrored)
    drawn = (chance > 0.25) & ~shop
    reach = 0.16 + 0.10 * (chance % 1.0)
    curtain = drawn & ((across < reach) | (across > 1.0 - reach) | (chance > 1.7))
    glass = mixed(glass, 0.75 * _CURTAIN, 0.8 * curtain)
    blind = (chance < -1.0) & (up > 0.55 + 0.3 * (chance % 1.0)) & ~shop
    glass = mixed(glass, 0.8 * _CURTAIN, 0.85 * blind)
    threshold = 2.4 - 3.0 * weather.lamps
    shining = (np.abs(chance * 1.7) % 2.4 > threshold) | (shop & (weather.lamps > 0.2))
    glow = shining * weather.lamps * (0.42 + 0.25 * up) * np.where(curtain, 0.7, 1.0)
    return glass, glow.astype(np.float32)


def _bars(
    x: np.ndarray,
    y: np.ndarray,
    box: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    pixel: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The cross of a window frame."""
    left, right, low, high = box
    upright = step(0.035 - np.abs(x - (left + right) / 2), np.maximum(pixel[0], 0.035))
    level = step(0.035 - np.abs(y - (low + 0.62 * (high - low))), np.maximum(pixel[1], 0.035))
    return np.maximum(upright, level) * np.clip(0.12 / pixel[0], 0.0, 1.0)
