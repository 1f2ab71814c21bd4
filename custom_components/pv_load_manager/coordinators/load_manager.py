"""Runs the control core: collects what the entries know, decides, and hands out the plans."""

from collections.abc import Mapping
from datetime import timedelta
import math
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..control import (
    ChargerConfig,
    Configuration,
    ControlState,
    Mode,
    Plan,
    Snapshot,
    Timings,
    decide,
    end_overrides,
    stop_plan,
)
from .distribution import distribution_of
from .issues import ConfigIssues
from .settings import LAST_MODE, read_default_mode
from .wishes import WishesCoordinator

TICK: Final = timedelta(seconds=1)
LONG_AWAY: Final = 3600.0  # s; what was saved without its time is old
CHARGER_PAUSE: Final = 0.25  # s; charger updates are coalesced to at most 4 decisions a second
TIMINGS: Final = Timings()


class LoadManagerCoordinator(WishesCoordinator):
    """Holds the state of the control core, and decides as often as something may have changed."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, timings: Timings | None = None) -> None:
        """Restore settings and state; nothing runs before ``async_start``."""
        super().__init__(hass, entry, timings=TIMINGS if timings is None else timings)
        self._state = self._restored()
        self._decided_at = 0.0
        self._waiting: CALLBACK_TYPE | None = None
        self._for_battery: list[CALLBACK_TYPE] = []
        self._issues = ConfigIssues(hass, entry)
        self.distribution = distribution_of(hass, self._shared.templates)
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self.before_stop: set[CALLBACK_TYPE] = set()
        """What has to be done while decisions are still made."""
        # A car may leave while nobody looks.
        self._plugged = {serial: charger.plugged for serial, charger in self._state.chargers.items()}
        self._remembered: object = None
        self._broken = False
        self._mute = False
        """Whether what was decided could not be told the last time."""
        self._restore_mode()
        self._forget_gone_circuits()
        self._good: Configuration | None = None
        """The last configuration that could be read and decided on."""
        self._seen = Snapshot()
        self.data = Plan()

    @callback
    def once_with_battery(self, action: CALLBACK_TYPE) -> None:
        """Do something as soon as a house battery is known; its inverter may be loaded later than the load manager."""
        self._for_battery.append(action)

    @callback
    def async_start(self) -> None:
        """Begin to decide."""
        self._unsubscribe += self.follow_inputs()
        self._unsubscribe.append(async_track_time_interval(self.hass, self._tick, TICK, name="PV Load Manager"))
        # Entries are not unloaded when Home Assistant stops.
        self._unsubscribe.append(self.hass.async_add_shutdown_job(HassJob(self._remember)))
        # How far an override's energy is, for one.
        self._unsubscribe.append(self._shared.memory.before_saving(self._remember))
        self.decide_now()

    @callback
    def async_stop(self) -> None:
        """Decide no more; the chargers stay as they are."""
        for action in tuple(self.before_stop):
            action()
        self._shared.load_manager = None
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        self._cancel_waiting()
        self._remember()
        if self.config_entry.disabled_by is not None:
            self._issues.clear()
        for charger in self._shared.chargers.values():
            charger.set_plan(None)
        self.distribution.end(self.hass.loop.time())

    @callback
    def _restore_mode(self) -> None:
        """Begin with the mode that was chosen for the time after a restart; a reload is none."""
        restored, self._shared.mode_restored = self._shared.mode_restored, True
        default = read_default_mode(self.settings)
        if not restored and default != LAST_MODE:
            self.modes.choose(default, present=default, until=None)
            if default == Mode.OFF:
                self._state = end_overrides(self._state)

    @callback
    def _forget_gone_circuits(self) -> None:
        """Forget the limits of circuits that are removed; the entry is reloaded when one is."""
        known = {key: limit for key, limit in self.circuit_limits.items() if key in self.circuit_names}
        if known != self.circuit_limits:
            self._shared.memory.set_site(circuit_limits=known)

    @callback
    def charger_changed(self) -> None:
        """Decide soon: several chargers often speak within the same quarter second."""
        if self._waiting is not None:
            return
        pause = self._decided_at + CHARGER_PAUSE - self.hass.loop.time()
        if pause <= 0:
            self.decide_now()
        else:
            self._waiting = async_call_later(self.hass, pause, self._after_pause)

    @callback
    def _after_pause(self, _now: object) -> None:
        self._waiting = None
        self.decide_now()

    @callback
    def _tick(self, _now: object) -> None:
        self.decide_now()

    @callback
    def _cancel_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting()
            self._waiting = None

    @callback
    def decide_now(self) -> None:
        """Take one step of the control core and hand out its plan."""
        self._cancel_waiting()
        now = self.hass.loop.time()
        self._decided_at = now
        self._strategy = None
        plan = self._decide(now)
        for serial, charger in list(self._shared.chargers.items()):
            charger.set_plan(plan.chargers.get(serial))
        self.async_set_updated_data(plan)
        self._tell(plan, now)
        while self._for_battery and self.has_battery:
            self._for_battery.pop()()

    def _decide(self, now: float) -> Plan:
        """Return the core's plan; should anything ever fail, one that stops every charger until it works again."""
        try:
            self._seen = snapshot = self._snapshot()
            self._follow_plugs(snapshot)
            self._end_modes()
            config = self.configuration()
            self._state, plan = decide(config, self._state, snapshot, now, dt_util.now())
            self._good = config
        except Exception:  # noqa: BLE001 - whatever it is, nobody watches the fuse then
            if not self._broken:
                LOGGER.exception("The control core failed; all chargers are stopped until it works again")
            self._broken = True
            return stop_plan(self._good or self._unknown_chargers())
        if self._broken:
            LOGGER.info("The control core works again")
            self._broken = False
        kept = tuple(
            (
                serial,
                charger.plugged,
                charger.full,
                charger.car_phases,
                charger.first_line,
                charger.fuse_stops,
                charger.served_at is None,
                charger.starts_today,
                charger.switches_today,
                charger.override,
                math.ceil(charger.reserved_a or 0),
            )
            for serial, charger in self._state.chargers.items()
        )
        if kept != self._remembered:
            self._remembered = kept
            self._remember()
        return plan

    @callback
    def _tell(self, plan: Plan, now: float) -> None:
        """Tell people what was decided; should that fail, the cars are charged all the same."""
        config = self._good or Configuration()
        try:
            if not self._broken:
                self._issues.check(config, self._seen, plan, self.circuit_names)
            self.distribution.follow(plan, config, now, complete=bool(self.settings.get("distribution_log", False)))
        except Exception:  # noqa: BLE001 - whatever it is, the next step has to be taken
            if not self._mute:
                LOGGER.exception("What was decided cannot be told: repairs, events and the log may be missing")
            self._mute = True
        else:
            self._mute = False

    def _unknown_chargers(self) -> Configuration:
        """Return a configuration of the managed chargers, for a time when theirs cannot be read."""
        managed = (serial for serial, charger in self._shared.chargers.items() if charger.managed)
        return Configuration(chargers=tuple(ChargerConfig(charger_id=serial) for serial in managed))

    @callback
    def _remember(self) -> None:
        """Keep what has to outlive a restart; saved with a delay, or at the stop of Home Assistant."""
        saved = self._state.as_dict(self.hass.loop.time()) | {"saved_at": dt_util.utcnow().timestamp()}
        self._shared.memory.set_control(saved)

    def _restored(self) -> ControlState:
        """Return the state of before the restart; who knows how long that is ago counts in real time."""
        saved = self._shared.memory.control
        at = saved.get("saved_at") if isinstance(saved, Mapping) else None
        away = max(0.0, dt_util.utcnow().timestamp() - at) if isinstance(at, int | float) else LONG_AWAY
        return ControlState.from_dict(saved, self.hass.loop.time(), away=away)

    @property
    def seen(self) -> Snapshot:
        """Return what the last decision was made of."""
        return self._seen

    @property
    def decided_at(self) -> float:
        """Return when it was made, in monotonic seconds."""
        return self._decided_at

    @property
    def running(self) -> bool:
        """Return whether it is the load manager that decides."""
        return self._shared.load_manager is self

    @property
    def failed(self) -> bool:
        """Return whether the control core fails, so that every charger is stopped."""
        return self._broken

    def basis(self) -> tuple[Configuration, ControlState, Snapshot]:
        """Return what the last plan was made of; while the core fails, the last that could be read."""
        return self._good or Configuration(), self._state, self._seen

    def inside(self) -> tuple[Configuration, ControlState, Snapshot]:
        """Return what plans are made of, for the diagnostics; while the core fails, the last that could be read."""
        return self._good or Configuration(), self._state, self._seen if self._broken else self._snapshot()

    @callback
    def _follow_plugs(self, snapshot: Snapshot) -> None:
        """A charger's own mode lasts until its car leaves, unless it is kept."""
        for serial, reading in snapshot.chargers.items():
            if not reading.online:
                continue
            plugged = reading.car != "no_car"
            if self._plugged.get(serial) and not plugged:
                self.modes.car_left(serial)
            self._plugged[serial] = plugged
