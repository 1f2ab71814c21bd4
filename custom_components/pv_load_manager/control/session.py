"""One car at a charger: what it was given, from where, how and by what.

Energies in Wh, power in W, times in s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
import math
from typing import Any, Final, Self

from .counters import HOUR, Parts

MOSTLY: Final = 0.9  # of the energy; a few seconds before a switch of phases make no mixture
MIXED: Final = "mixed"
GLIMPSE: Final = 1.0  # s; a mean over less says nothing
FIGURES: Final = ("energy_wh", "solar_wh", "battery_wh", "grid_wh", "peak_w", "charging_s", "charging_wh")


class End(StrEnum):
    """How a session ended. The values are part of the stable interface."""

    FULL = "full"
    """The car had taken all that it wanted."""
    UNPLUGGED = "unplugged"
    UNSEEN = "unseen"
    """It left, or made way for another one, while nobody watched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One car at a charger."""

    began: datetime
    """Aware, UTC."""
    ended: datetime | None = None
    """None = the car is still there."""
    energy_wh: float = 0.0
    solar_wh: float = 0.0
    battery_wh: float = 0.0
    grid_wh: float = 0.0
    """The three may be less than the energy: what nobody watched came from somewhere."""
    peak_w: float = 0.0
    charging_s: float = 0.0
    charging_wh: float = 0.0
    """What it was given in that time; the rest nobody watched."""
    phases_wh: Parts = (0.0, 0.0, 0.0)
    """What it was given over one, two and three phases, as far as somebody watched."""
    modes_wh: Mapping[str, float] = field(default_factory=dict)
    """What it was given by each charge mode, or by ``override``."""
    limits: tuple[str, ...] = ()
    """The names of the causes that held it below what it would have got, in alphabetical order."""
    watched: bool = True
    """False where its begin, its end or its car is a conclusion and was not seen."""
    end: End | None = None
    """How it ended; None = it did not, or nobody knows any more."""

    @property
    def unknown_wh(self) -> float:
        """Return the energy of unknown origin."""
        return max(0.0, self.energy_wh - self.solar_wh - self.battery_wh - self.grid_wh)

    @property
    def solar_share(self) -> float | None:
        """Return which part of the energy came from the roof, 0..1; None where more than half is of unknown origin."""
        known = self.solar_wh + self.battery_wh + self.grid_wh
        return self.solar_wh / known if known > 0 and known >= self.energy_wh / 2 else None

    @property
    def mean_w(self) -> float | None:
        """Return the mean power while it charged, None where nobody watched that for long enough."""
        return self.charging_wh * HOUR / self.charging_s if self.charging_s >= GLIMPSE else None

    @property
    def phases(self) -> str | None:
        """Return over how many phases it charged: ``1``, ``2``, ``3`` or ``mixed``; None where nobody watched."""
        total, most = sum(self.phases_wh), max(self.phases_wh)
        if total <= 0:
            return None
        return str(self.phases_wh.index(most) + 1) if most >= MOSTLY * total else MIXED

    @property
    def mode(self) -> str | None:
        """Return the mode that gave most of the energy, None where no mode did."""
        return max(self.modes_wh, key=lambda mode: self.modes_wh[mode], default=None)

    def as_dict(self) -> dict[str, Any]:
        """Return the session in a form that can be stored as JSON."""
        return asdict(self) | {"began": self.began.isoformat(), "ended": self.ended and self.ended.isoformat()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Return a stored session, also one of an earlier version, which knew less.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is none.
        """
        began, ended = datetime.fromisoformat(saved["began"]), saved.get("ended")
        ended = None if ended is None else datetime.fromisoformat(ended)
        if began.tzinfo is None or (ended is not None and ended.tzinfo is None):
            raise ValueError("a time without an offset")
        read = figures(saved, FIGURES)
        if "charging_wh" not in saved:
            # At most what the highest power gave in that time.
            watched_wh = read.get("peak_w", 0.0) * read.get("charging_s", 0.0) / HOUR
            read["charging_wh"] = min(read.get("energy_wh", 0.0), watched_wh)
        one, two, three = (_figure(energy) for energy in saved.get("phases_wh", (0.0, 0.0, 0.0)))
        end = saved.get("end")
        return cls(
            began=began,
            ended=ended,
            **read,
            phases_wh=(one, two, three),
            modes_wh={str(mode): _figure(energy) for mode, energy in saved.get("modes_wh", {}).items()},
            limits=tuple(sorted(str(limit) for limit in saved.get("limits", ()))),
            watched=saved.get("watched") is not False,
            end=None if end is None else End(end),
        )


def figures(saved: Mapping[str, Any], names: Iterable[str]) -> dict[str, float]:
    """Return those of some figures that are stored, by name.

    Raises:
        TypeError, ValueError: one is no number, or cannot be.
    """
    return {name: _figure(saved[name]) for name in names if name in saved}


def _figure(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    if not 0 <= value < math.inf:
        raise ValueError(f"{value!r} cannot be")
    return float(value)
