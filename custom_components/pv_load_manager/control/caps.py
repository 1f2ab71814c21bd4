"""Limits on the power of all chargers together that come and go while the house runs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from .model import Configuration, Snapshot


class CapKind(StrEnum):
    """Who limits the power."""

    PEAK = "peak"
    """The mean of the quarter hour."""
    DIMMING = "dimming"
    """The grid operator."""


class Cap(NamedTuple):
    """What all chargers together may draw."""

    kind: CapKind
    power_w: float
    numbers: Mapping[str, float]
    """What a text needs."""


def may_be_capped(config: Configuration) -> bool:
    """Return whether the power of all chargers together may ever be limited."""
    return config.strategy.peak_limit_w > 0.0 or (config.dimming_w is not None and config.dimming_total)


def lowest(config: Configuration, snapshot: Snapshot, *, peak_w: float | None, peak_limit_w: float) -> Cap | None:
    """Return the lowest limit in force.

    Args:
        config: the configuration.
        snapshot: with whether the chargers are dimmed.
        peak_w: what the quarter hour leaves for all chargers, in W; None = as much as they want.
        peak_limit_w: the limit of its mean.
    """
    caps = []
    if peak_w is not None and config.strategy.peak_limit_w > 0.0:
        caps.append(Cap(CapKind.PEAK, peak_w, {"peak_limit_w": round(peak_limit_w)}))
    if snapshot.dimmed and config.dimming_total and config.dimming_w is not None:
        caps.append(Cap(CapKind.DIMMING, config.dimming_w, {"dimming_w": round(config.dimming_w)}))
    return min(caps, key=lambda cap: cap.power_w, default=None)
