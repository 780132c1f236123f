"""Fronts of houses: plaster or brick, windows with frames, doors, shops."""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.bands import mixed, repeated, step
from datasets.rendered.street.houses import COLUMNS, FrontStyles
from datasets.rendered.street.mesh import column
from datasets.rendered.street.noise import looked_up, noise, smoothly_looked_up
from datasets.rendered.street.weather import Weather

_CURTAIN = column((214, 208, 196))
_DARK_ROOM = column((44, 50, 58))
_WARM = np.array([[1.0], [0.66], [0.30]], dtype=np.float32)


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
    in_floor, in_bay = up - floor * storey, along - column * bay
    top_floor = np.floor((measure["height"] - 0.25) / storey) - 1
    surface = _walls(measure, wall, along, up, pixel)
    chance = looked_up(
        noise(11, falloff=0.6),
        measure["seed"] + 13.0 * column,
        29.0 * floor + 0.37 * measure["seed"],
    )
    ground, shop = floor == 0, measure["shop"] > 0
    width = np.where(ground & shop, bay - 0.5, measure["window_width"])
    low = np.where(ground & shop, 0.45, measure["sill"])
    high = np.where(ground & shop, storey - 0.75, measure["sill"] + measure["window_height"])
    door = (column == measure["door_bay"]) & ground
    width, low = np.where(door, 1.05, width), np.where(door, 0.0, low)
    high = np.where(door, 2.15, high)
    left, right = (bay - width) / 2, (bay + width) / 2
    present = ((floor <= top_floor) & (floor >= 0)).astype(np.float32)
    edge = 0.09
    frame_box = (left - edge, right + edge, low - edge, high + edge)
    framed = present * _inside(in_bay, in_floor, frame_box, pixel)
    opening = present * _inside(in_bay, in_floor, (left, right, low, high), pixel)
    frames, doors = styles.frames.take(rows, axis=1), styles.doors.take(rows, axis=1)
    surface = _shutters(surface, measure, (left, right, low, high), (in_bay, in_floor), pixel,
                        doors, present * ~door * ~(ground & shop))  # fmt: skip
    surface = mixed(surface, frames, framed)
    glass, glow = _panes(measure, chance, (in_bay - left) / width, (in_floor - low) / (high - low),
                         ground & shop, weather)  # fmt: skip
    bars = _bars(in_bay, in_floor, (left, right, low, high), pixel) * ~(ground & shop)
    glass = mixed(glass, frames, bars)
    glow = glow * (1.0 - bars)
    panel = doors * (0.85 + 0.15 * ((in_floor * 2.2) % 1.0 > 0.15))
    glass = mixed(glass, panel, door)
    surface = mixed(surface, glass, opening)
    sign = (ground & shop) * step(0.26 - np.abs(in_floor - (storey - 0.36)), pixel[1])
    surface = mixed(surface, doors, sign * step(along - 0.2, pixel[0]))
    light = (glow * opening * ~door) * _WARM
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
    box: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    place: tuple[np.ndarray, np.ndarray],
    pixel: tuple[np.ndarray, np.ndarray],
    colour: np.ndarray,
    present: np.ndarray,
) -> np.ndarray:
    left, right, low, high = box
    reach = 0.42 * (right - left)
    wide = (left - reach - 0.06, right + reach + 0.06, low - 0.04, high + 0.04)
    cover = _inside(*place, wide, pixel) * present * (measure["shutters"] > 0)
    return mixed(surface, colour, cover)


def _panes(
    measure: dict[str, np.ndarray],
    chance: np.ndarray,
    across: np.ndarray,
    up: np.ndarray,
    shop: np.ndarray,
    weather: Weather,
) -> tuple[np.ndarray, np.ndarray]:
    """Glass with rooms, curtains and the sky in it, and how much it shines."""
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
