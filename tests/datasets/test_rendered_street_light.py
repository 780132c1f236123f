"""Sun, shadow, haze and exposure of the drawn street, checked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from datasets.rendered.street import bands, picture, weather
from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.ground import is_road
from datasets.rendered.street.layout import sample_layout
from datasets.rendered.street.noise import noise, smoothly_looked_up
from datasets.rendered.street.shadows import cast
from datasets.rendered.street.sky import sky_light


def sunny(direction: tuple[float, float, float]) -> weather.Weather:
    sampled = weather.sample_weather(np.random.default_rng(0))
    sun = np.array(direction, dtype=np.float32)
    white = np.ones((3, 1), dtype=np.float32)
    return dataclasses.replace(sampled, sun=sun / np.linalg.norm(sun), sunlight=white)


def test_a_post_throws_its_shadow_away_from_the_sun_as_long_as_it_is_high():
    """The sun stands at 45 degrees over +x: the shadow of 4 m lies from x = 0 to x = -4."""
    assembly = Assembly(np.zeros(3))
    assembly.shadow_posts.append((0.0, 0.0, 10.0, 4.0, 1.0))
    shadows = cast(assembly, sunny((1.0, 1.0, 0.0)))
    direct, _ = shadows.on_ground(np.array([-3.5, -0.5, -4.8, 1.0, -2.0]), np.full(5, 10.0))
    assert direct[:2].max() < 0.1
    assert direct[2:4].min() > 0.9
    beside, _ = shadows.on_ground(np.array([-2.0]), np.array([12.0]))
    assert beside[0] == 1


def test_a_house_shades_what_is_lower_than_its_shadow_and_not_itself():
    """A house 10 m high from x = 5 on, the sun at 45 degrees behind it: 3 m before the front
    the shadow reaches up to 7 m, on the front the house ends only at its top."""
    assembly = Assembly(np.zeros(3))
    assembly.shadow_boxes.append((5.0, 0.0, 12.0, 40.0, 10.0))
    shadows = cast(assembly, sunny((1.0, 1.0, 0.0)))
    before = np.array([[2.0, 2.0, 2.0], [0.5, 3.0, 12.5], [20.0, 20.0, 20.0]], dtype=np.float32)
    np.testing.assert_array_equal(shadows.above_ground(before), [0, 0, 1])
    lit_back = np.array([[12.05, 12.05], [1.0, 8.0], [20.0, 20.0]], dtype=np.float32)
    np.testing.assert_array_equal(shadows.above_ground(lit_back), [1, 1])


def test_footprints_take_skylight_and_no_sunlight():
    assembly = Assembly(np.zeros(3))
    assembly.footprints.append((0.0, 10.0, 1.0, 2.0, 0.0))
    shadows = cast(assembly, dataclasses.replace(sunny((0, 1, 0)), sunlight=np.zeros((3, 1))))
    direct, ambient = shadows.on_ground(np.array([0.0, 6.0]), np.array([10.0, 10.0]))
    np.testing.assert_array_equal(direct, [1, 1])
    assert ambient[0] < 0.5
    assert ambient[1] == 1


def test_the_sky_runs_from_the_horizon_to_the_zenith():
    sampled = weather.sample_weather(np.random.default_rng(3))
    light = sky_light(sampled, np.array([-0.2, 0.0, 1.0], dtype=np.float32))
    np.testing.assert_allclose(light[:, :2], np.repeat(sampled.horizon, 2, axis=1))
    share = 1 - np.exp(-3.2)
    expected = sampled.horizon + share * (sampled.zenith - sampled.horizon)
    np.testing.assert_allclose(light[:, 2:], expected, rtol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_weather_is_physical(seed):
    sampled = weather.sample_weather(np.random.default_rng(seed))
    assert np.linalg.norm(sampled.sun) == pytest.approx(1.0, abs=1e-6)
    assert sampled.sun[1] > 0
    for colour in (
        sampled.sunlight,
        sampled.skylight,
        sampled.groundlight,
        sampled.haze,
        sampled.zenith,
    ):
        assert colour.shape == (3, 1)
        assert colour.dtype == np.float32
        assert (colour >= 0).all()
    assert sampled.snow == 0 or sampled.season == "winter"


def test_stripes_fade_to_their_mean_where_they_are_too_fine():
    place = np.linspace(0, 10, 1001).astype(np.float32)
    sharp = bands.repeated(place, 1.0, 0.25, np.full(1001, 1e-3, np.float32))
    assert set(np.unique(sharp.round(2))) <= {0.0, 0.5, 1.0}
    assert sharp.mean() == pytest.approx(0.25, abs=0.01)
    fine = bands.repeated(place, 1.0, 0.25, np.full(1001, 2.0, np.float32))
    np.testing.assert_allclose(fine, 0.25, atol=1e-6)


def test_noise_is_standard_and_wraps_round():
    texture = noise(3)
    assert texture.mean() == pytest.approx(0.0, abs=1e-5)
    assert texture.std() == pytest.approx(1.0, abs=1e-3)
    x = np.array([0.0, 256.0, 3.5], dtype=np.float32)
    found = smoothly_looked_up(texture, x, np.zeros(3, np.float32))
    assert found[0] == found[1] == texture[0, 0]
    assert found[2] == pytest.approx((texture[0, 3] + texture[0, 4]) / 2, abs=1e-5)


def test_exposure_keeps_order_and_range():
    ramp = np.tile(np.linspace(0, 3, 64, dtype=np.float32), (3, 64, 1))
    shown = picture.exposed(ramp, np.random.default_rng(0)).astype(int)
    assert shown.shape == (64, 64, 3)
    assert shown[:, :2].max() < 60
    assert shown[:, -2:].min() > 180
    assert (np.diff(shown.mean(axis=(0, 2))[::8]) > 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_road_lies_between_its_edges_and_in_the_crossing(seed):
    layout = sample_layout(np.random.default_rng(seed))
    right, left = layout.road_edge(1), -layout.road_edge(-1)
    x = np.array([right - 0.1, right + 0.1, left + 0.1, left - 0.1])
    np.testing.assert_array_equal(is_road(layout, x, np.full(4, 2.0)), [1, 0, 1, 0])
    for side in (-1, 1):
        gap = layout.gap(side)
        if gap is not None:
            assert is_road(layout, np.array([side * 30.0]), np.array([np.mean(gap)]))[0]
