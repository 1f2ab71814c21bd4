"""Follows the charging sessions of one charger, and keeps them over a restart."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.util import dt as dt_util

from ..control import ChargerMode, ChargerPlan, Snapshot
from ..control.counters import Parts
from ..control.session import Session
from ..control.sessions import UNCOMMANDED, Circumstances, Given, Sessions, sources_of
from ..memory import Memory
from ..shared import SHARED
from ..wattpilot import WattpilotStatus
from .ledger import Ledger
from .settings import read_charger_mode
from .translate import session_counters

KEEP_EVERY: Final = 250.0  # Wh; the charger's own counters tell what came since
MOST_MISSED: Final = 10
"""So many sessions wait for somebody to be told of them; nobody may ever come."""
OVERRIDE: Final = "override"
"""By what a car charges while somebody has chosen its current."""
METER_AGE: Final = 60.0  # s; an older meter says nothing about where the power comes from now


class ChargerSessions:
    """The sessions of one charger."""

    def __init__(self, hass: HomeAssistant, serial: str) -> None:
        """Go on with what was there before the restart."""
        self._hass = hass
        self._serial = serial
        self._sessions = Sessions.from_dict(hass.data[SHARED].memory.charger(serial).get("sessions"))
        self._kept_wh = self._energy
        if self.session is not None and self.session.ended is not None:
            # After a power failure the ledger may lack what is remembered here, or it never was there.
            self._ledger.add(serial, self.session)
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

    @property
    def given(self) -> Given:
        """Return what all cars at this charger were given since it was first looked at."""
        return self._sessions.given

    def heard(self, status: WattpilotStatus, *, plan: ChargerPlan | None = None, away: bool = False) -> bool:
        """Take in a status; return whether another car came while nobody watched.

        Args:
            status: everything that the charger says.
            plan: what was wanted of it until now.
            away: whether it was not connected before.
        """
        plugged = self._sessions.seen is not None and self._sessions.seen.plugged
        step = self._sessions.after(
            session_counters(status),
            dt_util.utcnow(),
            sources=self._sources(),
            circumstances=self._circumstances(plan),
            away=away,
        )
        self._sessions = step.sessions
        begun = not plugged and step.sessions.seen is not None and step.sessions.seen.plugged
        if begun or step.finished:
            # Soon: the ledger must not know of a session that is not remembered here.
            self._memory.set_charger(self._serial, sessions=self._sessions.as_dict())
        if away or abs(self._energy - self._kept_wh) >= KEEP_EVERY:
            self.keep()
        # After a power failure a car may be seen to leave that had left before.
        finished = [session for session in step.finished if self._ledger.add(self._serial, session)]
        if not self._listeners:
            self._missed += finished
        for listener in self._listeners:
            for session in finished:
                listener(session)
        return step.another_car

    def keep(self) -> None:
        """Keep the present state; it is saved within a minute, or at the stop of Home Assistant."""
        self._kept_wh = self._energy
        self._memory.count_charger(self._serial, sessions=self._sessions.as_dict())

    @property
    def last(self) -> Session | None:
        """Return the last session that ended."""
        return self._ledger.last(self._serial)

    @property
    def _memory(self) -> Memory:
        return self._hass.data[SHARED].memory

    @property
    def _ledger(self) -> Ledger:
        return self._hass.data[SHARED].ledger

    @property
    def _energy(self) -> float:
        session = self._sessions.session
        return 0.0 if session is None else session.energy_wh

    def _circumstances(self, plan: ChargerPlan | None) -> Circumstances:
        """Return by what the car charges, and why it gets what it gets."""
        manager = self._hass.data[SHARED].load_manager
        if plan is None or manager is None:
            return UNCOMMANDED
        reason = plan.explanation.reason
        if plan.command is None:
            return Circumstances(None, reason)
        if manager.override(self._serial) is not None:
            return Circumstances(OVERRIDE, reason)
        own = read_charger_mode(self._memory.charger(self._serial))
        mode = manager.strategy.mode if own == ChargerMode.FOLLOW_SITE else own
        # In the seconds before it obeys, off gives nobody energy.
        return Circumstances(None if mode == ChargerMode.OFF else str(mode), reason)

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
