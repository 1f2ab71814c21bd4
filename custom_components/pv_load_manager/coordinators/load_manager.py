"""Runs the control core: collects what the entries know, decides, and hands out the plans."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
import math
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import (
    LOGGER,
)
from ..control import (
    ChargerConfig,
    Configuration,
    ControlState,
    ExternalCause,
    ExternalPhases,
    Mode,
    Override,
    OverrideSource,
    Plan,
    Snapshot,
    Timings,
    begin_override,
    decide,
    end_override,
    end_overrides,
    stop_plan,
)
from .distribution import distribution_of
from .errors import refused
from .issues import ConfigIssues
from .settings import LAST_MODE
from .site import SiteCoordinator

TICK: Final = timedelta(seconds=1)
LONG_AWAY: Final = 3600.0  # s; what was saved without its time is old
CHARGER_PAUSE: Final = 0.25  # s; charger updates are coalesced to at most 4 decisions a second
TIMINGS: Final = Timings()


class LoadManagerCoordinator(SiteCoordinator):
    """Holds the state of the control core, and carries out what the user wants of it."""

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
    def change(self, **settings: Any) -> None:
        """Take over a setting of the user and act on it at once."""
        self._shared.memory.set_site(**settings)
        self.decide_now()

    @callback
    def change_charger(self, serial: str, **settings: Any) -> None:
        """Take over a user's setting of one charger and act on it at once."""
        self._shared.memory.set_charger(serial, **settings)
        self.decide_now()

    @callback
    def set_available_current(self, current_a: float) -> None:
        """Take over what all chargers together may draw per phase in A; the watchdog begins anew.

        Raises:
            ServiceValidationError: it is not used at all, or more than the maximum.
        """
        if not self.strategy.external_current:
            raise refused("external_current_off")
        if not 0 <= current_a <= self.maximum_total_current:
            raise refused("available_current_out_of_range", maximum=f"{self.maximum_total_current:g}")
        self._shared.available_a, self._shared.available_set_at = float(current_a), self.hass.loop.time()
        self.decide_now()

    @callback
    def request_phases(self, phases: int) -> None:
        """Take over the number of phases that all chargers shall use; 0 = nobody charges.

        Raises:
            ServiceValidationError: it cannot be requested now.
        """
        external, cause = self.data.external, self.data.external_cause
        if external is ExternalPhases.DISABLED:
            raise refused("phase_request_disabled")
        if external is ExternalPhases.SWITCHING:
            raise refused("phase_request_switching")
        if cause is ExternalCause.NO_CHARGER:
            raise refused("phase_request_no_charger")
        if cause is ExternalCause.UNREACHABLE:
            raise refused("phase_request_unreachable")
        if cause is ExternalCause.FIXED:
            raise refused("phase_request_fixed")
        self.change(phases_wanted=phases)

    @callback
    def set_circuit_limit(self, circuit_id: str, current_a: float | None) -> None:
        """Take over what a circuit may carry per phase for now, in A; None = its rating again.

        Raises:
            ServiceValidationError: there is no such circuit, or it is rated for less.
        """
        rated = self.circuit_ratings.get(circuit_id)
        if rated is None:
            raise refused("unknown_circuit", circuit=circuit_id)
        if current_a is not None and not 0 <= current_a <= rated:
            name = self.circuit_names[circuit_id]
            raise refused("circuit_limit_out_of_range", circuit=name, maximum=f"{rated:g}")
        limits = dict(self.circuit_limits)
        limits.pop(circuit_id, None)
        if current_a is not None and current_a < rated:
            limits[circuit_id] = float(current_a)
        self.change(circuit_limits=limits)

    def check_override(self, serials: Iterable[str], current_a: int) -> None:
        """Find out whether all of some chargers may be overridden with a current in A.

        Raises:
            ServiceValidationError: a charger is not known to the control core, or the site is off.
        """
        if any(serial not in self._state.chargers for serial in serials):
            raise refused("charger_not_managed")
        if current_a and self.strategy.mode is Mode.OFF:
            raise refused("override_while_off")

    @callback
    def begin_override(
        self,
        serial: str,
        current_a: int,
        *,
        source: OverrideSource,
        until: datetime | None = None,
        energy_wh: float | None = None,
    ) -> None:
        """Let a charger charge with a current in A, 0 = not at all, until its car leaves.

        Args:
            serial: of the charger.
            current_a: A per phase; ``HIGHEST_CURRENT`` = as fast as possible.
            source: who chose it.
            until: when it ends, aware.
            energy_wh: what it shall give from now on.

        Raises:
            ServiceValidationError: the charger is not known to the control core, or the site is off.
        """
        self.check_override((serial,), current_a if source is OverrideSource.USER else 0)
        given = None if energy_wh is None else self._state.energy(serial) + energy_wh
        self._state = begin_override(
            self._state, serial, Override(current_a=current_a, source=source, until=until, energy_wh=given)
        )
        self.decide_now()

    @callback
    def end_override(self, serial: str) -> None:
        """Let a charger charge by its mode again."""
        self._state = end_override(self._state, serial)
        self.decide_now()

    def override(self, serial: str) -> Override | None:
        """Return the current that somebody chose for a charger."""
        charger = self._state.chargers.get(serial)
        return None if charger is None else charger.override

    @callback
    def choose_mode(self, mode: str) -> None:
        """Take over the site's mode; off is the last word for everybody."""
        if mode == Mode.OFF:
            self._state = end_overrides(self._state)
        self.change(mode=mode)

    @callback
    def choose_charger_mode(self, serial: str, mode: str | None) -> None:
        """Take over the mode of one charger past whatever was chosen before; None = as the site."""
        self._state = end_override(self._state, serial)
        self.change_charger(serial, mode=mode)

    @callback
    def _restore_mode(self) -> None:
        """Begin with the mode that was chosen for the time after a restart; a reload is none."""
        restored, self._shared.mode_restored = self._shared.mode_restored, True
        default = self.settings.get("default_mode", LAST_MODE)
        if not restored and default in list(Mode):
            self._shared.memory.set_site(mode=default)
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
        self.distribution.follow(
            plan, self._good or Configuration(), now, complete=bool(self.settings.get("distribution_log", False))
        )
        while self._for_battery and self.has_battery:
            self._for_battery.pop()()

    def _decide(self, now: float) -> Plan:
        """Return the core's plan; should anything ever fail, one that stops every charger until it works again."""
        try:
            self._seen = snapshot = self._snapshot()
            self._follow_plugs(snapshot)
            config = self.configuration()
            self._state, plan = decide(config, self._state, snapshot, now, dt_util.now())
            self._issues.check(config, snapshot, plan.errors, self.circuit_names)
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
    def failed(self) -> bool:
        """Return whether the control core fails, so that every charger is stopped."""
        return self._broken

    def inside(self) -> tuple[Configuration, ControlState, Snapshot]:
        """Return what plans are made of, for the diagnostics; while the core fails, the last that could be read."""
        return self._good or Configuration(), self._state, self._seen if self._broken else self._snapshot()

    @callback
    def _follow_plugs(self, snapshot: Snapshot) -> None:
        """A charger's own mode lasts until its car leaves."""
        for serial, reading in snapshot.chargers.items():
            if not reading.online:
                continue
            plugged = reading.car != "no_car"
            if self._plugged.get(serial) and not plugged and "mode" in self._shared.memory.charger(serial):
                self._shared.memory.set_charger(serial, mode=None)
            self._plugged[serial] = plugged
