"""Days that never were: a roof under a seeded cloud field, by type of day.

Sun and shade alternate; how long each lasts is log-normal: many small clouds, few large ones. Every cloud has its own
transmission, its edge takes seconds to pass the roof, and gaps between clouds can be brighter than a clear sky.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, pi, sin
from random import Random

from .house import household
from .model import Day

SUNRISE, SUNSET = 6 * 3600, 20 * 3600
AROUND = 3600
"""s that are simulated before the first and after the last sun."""
YIELD = 0.88
"""Of the modules' rated power, what arrives on a clear noon: temperature, angle, inverter."""
BELL = 1.5
"""How steeply a fixed roof's power rises over the day: a power of the sine of the day's part."""
EDGE_S = (2.0, 15.0)
HAZE_S = 1200.0
"""How slowly the clear sky itself changes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sky:
    """How clouds pass on a type of day; durations are (median in s, sigma of the logarithm)."""

    sun_s: tuple[float, float]
    shade_s: tuple[float, float]
    cloud: tuple[float, float]
    """The least and the most that a cloud lets through."""
    gap: tuple[float, float] = (1.0, 1.0)
    """The same of the sky between clouds; above 1 where their edges light the roof as well."""
    haze: float = 0.01
    """Standard deviation of the slow drift."""
    noise: float = 0.003
    """Standard deviation of what changes within seconds."""


SKIES: Mapping[str, Sky] = {
    "clear": Sky(sun_s=(7200.0, 0.6), shade_s=(60.0, 0.5), cloud=(0.7, 0.95)),
    "broken": Sky(sun_s=(600.0, 0.9), shade_s=(240.0, 0.9), cloud=(0.25, 0.65), gap=(0.97, 1.1), haze=0.02),
    "variable": Sky(sun_s=(70.0, 0.8), shade_s=(80.0, 0.8), cloud=(0.18, 0.6), gap=(0.9, 1.18), haze=0.03, noise=0.006),
    "mostly_overcast": Sky(
        sun_s=(150.0, 0.8), shade_s=(700.0, 0.8), cloud=(0.15, 0.42), gap=(0.6, 1.05), haze=0.06, noise=0.006
    ),
    "overcast": Sky(sun_s=(600.0, 0.6), shade_s=(900.0, 0.6), cloud=(0.07, 0.22), gap=(0.2, 0.36), haze=0.1),
}


def clear_sky(second: int, peak_w: float) -> float:
    """Return the power under a clear sky in W at a second of the day, of a roof with that peak in W."""
    if not SUNRISE < second < SUNSET:
        return 0.0
    return float(peak_w * sin(pi * (second - SUNRISE) / (SUNSET - SUNRISE)) ** BELL)


def transmission(sky: Sky, seconds: int, random: Random) -> array[float]:
    """Return what the clouds let through, a factor per second."""
    factors = array("d")
    shaded = random.random() < sky.shade_s[0] / (sky.shade_s[0] + sky.sun_s[0])
    level = random.uniform(*(sky.cloud if shaded else sky.gap))
    while len(factors) < seconds:
        median, sigma = sky.shade_s if shaded else sky.sun_s
        factors.extend([level] * max(1, round(random.lognormvariate(log(median), sigma))))
        shaded = not shaded
        before, level = level, random.uniform(*(sky.cloud if shaded else sky.gap))
        edge = round(random.uniform(*EDGE_S))
        factors.extend(before + (level - before) * (step + 1) / edge for step in range(edge))
    return factors[:seconds]


def drift(seconds: int, deviation: float, memory_s: float, random: Random) -> array[float]:
    """Return a factor around 1 that forgets with a time constant (Ornstein-Uhlenbeck), per second."""
    keep = exp(-1.0 / memory_s)
    step = deviation * (1.0 - keep * keep) ** 0.5
    value = random.gauss(0.0, deviation)
    factors = array("d")
    for _ in range(seconds):
        value = keep * value + random.gauss(0.0, step)
        factors.append(1.0 + value)
    return factors


@lru_cache(maxsize=4)
def generate(kind: str, seed: int) -> Day:
    """Return the day of a type and a seed; the same every time."""
    random = Random(f"sky {kind} {seed}")  # noqa: S311 (no secret)
    household_random = Random(f"house {kind} {seed}")  # noqa: S311 (no secret)
    sky = SKIES[kind]
    begin = SUNRISE - AROUND
    seconds = SUNSET + AROUND - begin
    peak_w = random.uniform(9_000.0, 10_000.0) * YIELD
    clouds = transmission(sky, seconds, random)
    haze = drift(seconds, sky.haze, HAZE_S, random)
    noise = drift(seconds, sky.noise, 2.0, random)
    pv_w = array("d")
    for second in range(seconds):
        bell = clear_sky(begin + second, peak_w)
        pv_w.append(max(0.0, bell * clouds[second] * haze[second] * noise[second]))
    return Day(
        name=f"{kind}-{seed}",
        kind=kind,
        start_s=begin,
        pv_w=pv_w,
        house_w=household(begin, seconds, household_random),
    )
