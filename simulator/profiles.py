"""Where the sun's and the household's power come from."""

from collections.abc import Callable
from datetime import time
import math
import random

from .config import HouseConfig, PvConfig
from .traces import DAY_S, load_trace

type Profile = Callable[[float], float]
"""Power in W as a function of seconds since the home was started."""

_CLOUD_KNOT_S = 30
_APPLIANCE_S = 900


def second_of_day(clock: time) -> float:
    """Return the seconds since midnight of a time of day."""
    return clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6


def pv_profile(config: PvConfig, start_at: time, seed: int) -> Profile:
    """Return the power of the roof in W (DC, before any curtailment)."""
    start = second_of_day(start_at)
    if config.constant_w is not None:
        constant = config.constant_w
        return lambda _elapsed: constant
    if config.csv is not None:
        trace = load_trace(config.csv)
        first, scale = trace.start_for(start), config.scale
        return lambda elapsed: trace.watts(first + elapsed) * scale

    rng = random.Random(f"clouds {seed}")
    cover = [rng.random() ** 2 for _ in range(DAY_S // _CLOUD_KNOT_S)]

    def sunny_day(elapsed: float) -> float:
        second = (start + elapsed) % DAY_S
        part = (second / 3600 - config.sunrise_h) / (config.sunset_h - config.sunrise_h)
        if not 0 < part < 1:
            return 0.0
        return config.peak_w * math.sin(math.pi * part) ** 2 * (1 - config.clouds * _knots(cover, second))

    return sunny_day


def house_profile(config: HouseConfig, start_at: time, seed: int) -> Profile:
    """Return the total load of the household in W, without its cars."""
    start = second_of_day(start_at)
    if config.constant_w is not None:
        constant = config.constant_w
        return lambda _elapsed: constant
    if config.csv is not None:
        trace = load_trace(config.csv)
        first, scale = trace.start_for(start), config.scale
        return lambda elapsed: trace.watts(first + elapsed) * scale

    rng = random.Random(f"appliances {seed}")
    appliances = [rng.choice((0.0, 0.0, 0.0, 80.0, 150.0, 400.0)) for _ in range(DAY_S // _APPLIANCE_S)]

    def usual_day(elapsed: float) -> float:
        second = (start + elapsed) % DAY_S
        hour = second / 3600
        morning = 700 * math.exp(-(((hour - 7.5) / 1.0) ** 2))
        noon = 500 * math.exp(-(((hour - 12.5) / 0.8) ** 2))
        evening = 1100 * math.exp(-(((hour - 19.5) / 1.8) ** 2))
        return config.base_w + morning + noon + evening + appliances[int(second) // _APPLIANCE_S]

    return usual_day


def _knots(values: list[float], second: float) -> float:
    """Interpolate between values that stand every `_CLOUD_KNOT_S` seconds around the day."""
    position = second / _CLOUD_KNOT_S
    index = int(position) % len(values)
    part = position - int(position)
    return values[index] * (1 - part) + values[(index + 1) % len(values)] * part
