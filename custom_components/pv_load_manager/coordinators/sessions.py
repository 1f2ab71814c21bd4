"""Follows the charging sessions of one charger, and keeps them over a restart."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.util import dt as dt_util

from ..control import Snapshot
from ..control.sessions import Parts, Session, Sessions, sources_of
from ..shared import SHARED
from ..wattpilot import WattpilotStatus
from .translate import session_counters

KEEP_EVERY: Final = 250.0  # Wh; the charger's own counters tell what came since
MOST_MISSED: Final = 10
"""So many sessions wait for somebody to be told of them; nobody may ever come."""
METER_AGE: Final = 60.0  # s; an older meter says nothing about where the power comes from now


class ChargerSessions:
    """The sessions of one charger."""

    def __init__(self, hass: HomeAssistant, serial: str) -> None:
        """Go on with what was there before the restart."""
        self._hass = hass
        self._serial = serial
        self._sessions = Sessions.from_dict(hass.data[SHARED].memory.charger(serial).get("sessions"))
        self._kept_wh = self._energy
        self._missed: deque[Session] = deque(maxlen=MOST_MISSED)
        """Those that ended before anybody listened: a car may have left while Home Assistant was away."""
        self._listeners: list[Callable[[Session], None]] = []

    def on_end(self, listener: Callable[[Session], None]) -> CALLBACK_TYPE:
        """Call back with every session that ends, those that nobody was told of among them; return what ends it."""
        self._listeners.append(listener)
        while self._missed:
            listener(self._missed.popleft())
        return partial(self._listeners.remove, listener)

    @property
    def session(self) -> Session | None:
        """Return the running session, or the last one."""
        return self._sessions.session

    def heard(self, status: WattpilotStatus, *, away: bool = False) -> bool:
        """Take in a status; return whether another car came while nobody watched.

        Args:
            status: everything that the charger says.
            away: whether it was not connected before.
        """
        plugged = self._sessions.seen is not None and self._sessions.seen.plugged
        step = self._sessions.after(session_counters(status), dt_util.utcnow(), sources=self._sources(), away=away)
        self._sessions = step.sessions
        begun = not plugged and step.sessions.seen is not None and step.sessions.seen.plugged
        if away or begun or step.finished or abs(self._energy - self._kept_wh) >= KEEP_EVERY:
            self.keep()
        if not self._listeners:
            self._missed += step.finished
        for listener in self._listeners:
            for session in step.finished:
                listener(session)
        return step.another_car

    def keep(self) -> None:
        """Keep the present state; it is saved with a delay, or at the stop of Home Assistant."""
        self._kept_wh = self._energy
        self._hass.data[SHARED].memory.set_charger(self._serial, sessions=self._sessions.as_dict())

    @property
    def _energy(self) -> float:
        session = self._sessions.session
        return 0.0 if session is None else session.energy_wh

    def _sources(self) -> Parts | None:
        """Return where the power of the chargers comes from, None where no meter tells."""
        manager = self._hass.data[SHARED].load_manager
        return None if manager is None else present_sources(manager.seen, self._hass.loop.time())


def present_sources(seen: Snapshot, now: float) -> Parts | None:
    """Return the shares of the chargers' power by where it comes from, None where no meter tells.

    Args:
        seen: the house.
        now: monotonic seconds.
    """
    grid = seen.grid
    if grid is None or grid.power_w is None or now - grid.at > METER_AGE:
        return None
    chargers = sum(reading.power_w or 0.0 for reading in seen.chargers.values() if reading.online)
    return sources_of(
        chargers_w=chargers, grid_w=grid.power_w, battery_w=None if seen.battery is None else seen.battery.power_w
    )
