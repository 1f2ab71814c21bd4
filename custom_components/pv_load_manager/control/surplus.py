"""The surplus: what the pv chargers may use, and how much that figure can be trusted."""

from dataclasses import dataclass
from enum import IntEnum

from .model import Configuration
from .state import ControlState


class Trust(IntEnum):
    """What the age of the surplus allows."""

    FRESH = 0
    STALE = 1
    """No increase."""
    DEAD = 2
    """pv stops, min+pv falls to its guaranteed power."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surplus:
    """The surplus for all managed chargers together."""

    watts: float | None
    """Mean over the window; positive = the roof gives that much to cars. None = never measured."""
    trust: Trust
    age_s: float


def estimate(config: Configuration, state: ControlState, now: float) -> Surplus:
    """Return the mean surplus of the last window.

    Every sample already contains what the cars drew at its own time, so a car that starts in the middle of the window
    does not bend the mean.
    """
    timings = config.timings
    samples = state.surplus
    latest = samples[-1].at if samples else state.started_at
    age = now - latest
    if age > timings.surplus_dead:
        trust = Trust.DEAD
    elif age > timings.surplus_stale or not samples:
        trust = Trust.STALE
    else:
        trust = Trust.FRESH
    recent = [sample.value for sample in samples if latest - sample.at <= timings.surplus_window]
    mean = sum(recent) / len(recent) + config.strategy.target_grid_power_w if recent else None
    return Surplus(watts=mean, trust=trust, age_s=age)
