"""Counts what happens at every charger and in the whole house on each local day, and keeps it over a restart."""

from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..control import ChargerPlan
from ..control.sessions import Given
from ..control.tally import LIMITS, NOTHING, Day, Limit, Tally, plus, rise
from ..shared import SHARED, has_load_manager
from ..wattpilot import CarState, WattpilotStatus
from .sessions import KEEP_EVERY, ChargerSessions
from .translate import PLUGGED

KEEP_TIMES: Final = 300.0  # s; what is only counted in seconds may be a little less after a power failure

HOUSE: HassKey[HouseTally] = HassKey(f"{DOMAIN}_tally")


def local_day() -> date:
    """Return the date where the house is."""
    return dt_util.now().date()


class _OfDay:
    """What has a figure of the day to show."""

    def __init__(self) -> None:
        """Begin with nobody who listens."""
        self._listeners: list[CALLBACK_TYPE] = []

    @callback
    def on_turn(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back with the last figures of a day, and again with the first ones of the next; return what ends it."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


class HouseTally(_OfDay):
    """What all chargers together have given; one that is removed takes nothing of that with it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Go on with what was there before the restart."""
        super().__init__()
        self._hass = hass
        saved = hass.data[SHARED].memory.site.get("tally", {})
        self.total = Given.from_dict(saved.get("total"))
        self._day = Day.from_dict(saved.get("day")) or Day(on=local_day(), begin=self.total)
        self._kept_wh = self.total.energy_wh

    @property
    def today(self) -> Given:
        """Return what all chargers have given today."""
        return self._day.given(self.total)

    @property
    def day(self) -> date:
        """Return the local date."""
        return self._day.on

    @callback
    def look(self, more: Given = NOTHING) -> None:
        """Add what a charger gave, and begin a new day where it is time for one."""
        before, today = self.total, local_day()
        turns = not self._day.goes_on(today)
        if turns:
            self._tell()
        self.total = plus(self.total, more)
        self._day = self._day.after(today, before, self.total)
        if turns:
            self._tell()
            self.keep()

    @callback
    def keep(self, *, least_wh: float = 0.0) -> None:
        """Keep the present state for as long as there is a load manager to show it.

        Args:
            least_wh: unless less than this was given since it was kept last.
        """
        if self.total.energy_wh - self._kept_wh < least_wh or not has_load_manager(self._hass):
            return
        self._kept_wh = self.total.energy_wh
        saved = {"total": asdict(self.total), "day": self._day.as_dict()}
        self._hass.data[SHARED].memory.count_site(tally=saved)


class ChargerTally(_OfDay):
    """What one charger has given and done today."""

    def __init__(self, hass: HomeAssistant, serial: str, sessions: ChargerSessions) -> None:
        """Go on with what was there before the restart."""
        super().__init__()
        self._hass = hass
        self._serial = serial
        self._sessions = sessions
        self.given = sessions.given
        """What the charger had given at the last look, since it was first seen."""
        saved = hass.data[SHARED].memory.charger(serial).get("tally")
        self._tally = Tally.from_dict(saved) or Tally(day=Day(on=local_day(), begin=self.given))
        self._kept = self._tally
        self._looked_at: float | None = None
        self._charging = False
        self._limit: Limit | None = None

    @property
    def today(self) -> Given:
        """Return what the charger has given today."""
        return self._tally.day.given(self.given)

    @property
    def day(self) -> date:
        """Return the local date."""
        return self._tally.day.on

    @property
    def commands(self) -> int:
        """Return how many writes went out to the charger today."""
        return self._tally.commands

    @property
    def charging_s(self) -> float:
        """Return for how long the car charged today, in s."""
        return self._tally.charging_s

    def limited_s(self, limit: Limit) -> float:
        """Return for how long something limited the car today, in s."""
        return self._tally.limited_s.get(limit, 0.0)

    @callback
    def start(self) -> CALLBACK_TYPE:
        """Turn the days also where the charger says nothing, and let what is saved be of one moment; return its end."""
        ends = (
            async_track_time_change(self._hass, self._minute, second=0),
            self._hass.data[SHARED].memory.before_saving(self.keep),
        )

        @callback
        def end() -> None:
            for one in ends:
                one()

        return end

    @callback
    def look(self, status: WattpilotStatus | None, plan: ChargerPlan | None) -> None:
        """Take in what the charger gave since the last look, and what it does from now on.

        Args:
            status: what it says, None while it is not connected.
            plan: what is wanted of it; None = there is no load manager.
        """
        self._count()
        self._charging = status is not None and status.car_state is CarState.CHARGING
        self._limit = None
        if status is not None and PLUGGED.get(status.car_state) and plan is not None and plan.command is not None:
            self._limit = LIMITS.get(plan.explanation.reason)

    @callback
    def commanded(self) -> None:
        """Count a write to the charger."""
        self._tally = self._tally.commanded()

    @callback
    def keep(self) -> None:
        """Keep the present state; it is saved within a minute, or at the stop of Home Assistant."""
        self._count()
        self._sessions.keep()
        self._keep()
        house_tally(self._hass).keep()

    def _count(self) -> None:
        """Count what there is since the last look; a new day begins with what had been given then."""
        now, today, given = self._hass.loop.time(), local_day(), self._sessions.given
        elapsed = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        turns = not self._tally.day.goes_on(today)
        if turns:
            self._tell()
        house_tally(self._hass).look(rise(self.given, given))
        tally = self._tally.after(today, self.given, given)
        self._tally = tally.passed(elapsed, charging=self._charging, limit=self._limit)
        self.given = given
        if turns:
            # What the new day begins with must not be more than what is remembered as given.
            self._sessions.keep()
            self._keep()
            self._tell()

    @callback
    def _minute(self, _now: datetime) -> None:
        self._count()
        tally, kept = self._tally, self._kept
        if tally.commands != kept.commands or _seconds(tally) - _seconds(kept) >= KEEP_TIMES:
            self._keep()
        house_tally(self._hass).keep(least_wh=KEEP_EVERY)

    def _keep(self) -> None:
        self._kept = self._tally
        self._hass.data[SHARED].memory.count_charger(self._serial, tally=self._tally.as_dict())


def _seconds(tally: Tally) -> float:
    return tally.charging_s + sum(tally.limited_s.values())


def house_tally(hass: HomeAssistant) -> HouseTally:
    """Return the tally of all chargers; it goes on while entries are reloaded."""
    if HOUSE not in hass.data:
        hass.data[HOUSE] = HouseTally(hass)
    return hass.data[HOUSE]


@callback
def forget_house(hass: HomeAssistant) -> None:
    """Forget what all chargers together have given, with the load manager that showed it."""
    hass.data.pop(HOUSE, None)
