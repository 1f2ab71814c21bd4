"""Runs the control core: collects what the entries know, decides, and hands out the plans."""

from collections.abc import Mapping
from datetime import timedelta
import math
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_BATTERY_INVERTED,
    CONF_CIRCUIT,
    CONF_CURRENT_WITHOUT_HA,
    CONF_DYNAMIC,
    CONF_EXPORT_LIMIT,
    CONF_INVERTER_AC,
    CONF_LIMIT_WITHOUT_HA,
    CONF_MAIN_FUSE,
    CONF_MANAGED,
    CONF_METER_ENTRY,
    CONF_METER_SOURCE,
    CONF_MIN_CURRENT,
    CONF_MIN_CURRENT_THREE,
    CONF_PHASE_POLICY,
    CONF_PHASES,
    CONF_PRIORITY,
    CONF_ROTATION,
    CONF_WIRED_PHASES,
    DEFAULT_PRIORITY,
    DEFAULT_ROTATION,
    LOGGER,
    PRIORITIES,
    ROTATIONS,
    MeterSource,
)
from ..control import (
    LOWEST_CURRENT,
    ROOT_CIRCUIT,
    ChargerConfig,
    ChargerMode,
    Configuration,
    ControlState,
    Mode,
    PhasePolicy,
    Plan,
    Snapshot,
    Strategy,
    Timings,
    decide,
    stop_plan,
)
from ..shared import SHARED, all_charger_entries
from .circuits import circuit_configs, circuit_meters, circuit_names
from .issues import ConfigIssues
from .meter import SensorMeter
from .settings import read_strategy, read_timings
from .solaredge import SolarEdgeCoordinator

TICK: Final = timedelta(seconds=1)
LONG_AWAY: Final = 3600.0  # s; what was saved without its time is old
CHARGER_PAUSE: Final = 0.25  # s; charger updates are coalesced to at most 4 decisions a second
TIMINGS: Final = Timings()
DEFAULT_CHARGER_CURRENT: Final = 16


class LoadManagerCoordinator(DataUpdateCoordinator[Plan]):
    """Holds the site's settings and the state of the control core."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, timings: Timings | None = None) -> None:
        """Restore settings and state; nothing runs before ``async_start``."""
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title)
        self._shared = hass.data[SHARED]
        self._timings = TIMINGS if timings is None else timings
        self._state = self._restored()
        self._decided_at = 0.0
        self._waiting: CALLBACK_TYPE | None = None
        self._for_battery: list[CALLBACK_TYPE] = []
        self._meters = {
            circuit_id: SensorMeter(hass, meter, self.decide_now) for circuit_id, meter in circuit_meters(entry).items()
        }
        self._issues = ConfigIssues(hass)
        self._unsubscribe: list[CALLBACK_TYPE] = []
        # A car may leave while nobody looks.
        self._plugged = {serial: charger.plugged for serial, charger in self._state.chargers.items()}
        self._remembered: object = None
        self._broken = False
        self._good: Configuration | None = None
        """The last configuration that could be read and decided on."""
        self.data = Plan()

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return the saved settings of the site."""
        return self._shared.memory.site

    @property
    def main_fuse(self) -> int:
        """Return the rating of the house connection per phase in A."""
        return int(self.config_entry.data[CONF_MAIN_FUSE])

    @property
    def has_power_meter(self) -> bool:
        """Return whether a grid meter is configured (and its inverter, where that is loaded, has one)."""
        inverter = self._inverter()
        if inverter is not None and not inverter.reader.has_grid_meter:
            return False
        return bool(self.config_entry.data[CONF_METER_SOURCE] != MeterSource.NONE)

    @property
    def has_battery(self) -> bool:
        """Return whether there is a house battery, as far as that is known: its inverter has to be loaded."""
        inverter = self._inverter()
        return inverter is not None and inverter.reader.has_battery

    @property
    def circuit_names(self) -> Mapping[str, str]:
        """Return the names of all circuits by their ids, the house connection among them."""
        return circuit_names(self.config_entry, self._shared.templates["root_circuit"])

    @property
    def maximum_total_current(self) -> float:
        """Return the most that all chargers may draw per phase in A.

        Without a meter that sees every phase nobody subtracts the house, so half the fuse is the default then.
        """
        default = self.main_fuse if self._protecting() else max(self.main_fuse // 2, LOWEST_CURRENT)
        return min(float(self.settings.get("maximum_total_current_a", default)), float(self.main_fuse))

    @property
    def strategy(self) -> Strategy:
        """Return what the user set, with defaults."""
        return read_strategy(
            self.settings,
            maximum_total_current=self.maximum_total_current,
            default_mode=Mode.PV if self.has_power_meter else Mode.OFF,
        )

    @property
    def timings(self) -> Timings:
        """Return the time constants, those that the user set among them."""
        return read_timings(self.settings, self._timings)

    @callback
    def once_with_battery(self, action: CALLBACK_TYPE) -> None:
        """Do something as soon as a house battery is known; its inverter may be loaded later than the load manager."""
        self._for_battery.append(action)

    @callback
    def async_start(self) -> None:
        """Begin to decide."""
        self._unsubscribe += [meter.async_start() for meter in self._meters.values()]
        self._unsubscribe.append(async_track_time_interval(self.hass, self._tick, TICK, name="PV Load Manager"))
        # Entries are not unloaded when Home Assistant stops.
        self._unsubscribe.append(self.hass.async_add_shutdown_job(HassJob(self._remember)))
        self.decide_now()

    @callback
    def async_stop(self) -> None:
        """Decide no more; the chargers stay as they are."""
        self._shared.load_manager = None
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        self._cancel_waiting()
        self._remember()
        self._issues.update({})
        for charger in self._shared.chargers.values():
            charger.set_plan(None)

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

    def charger_setting[T](self, serial: str, name: str, default: T) -> T:
        """Return a saved setting of one charger."""
        value: T = self._shared.memory.charger(serial).get(name, default)
        return value

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
        plan = self._decide(now)
        for serial, charger in list(self._shared.chargers.items()):
            charger.set_plan(plan.chargers.get(serial))
        self.async_set_updated_data(plan)
        while self._for_battery and self.has_battery:
            self._for_battery.pop()()

    def _decide(self, now: float) -> Plan:
        """Return the core's plan; should anything ever fail, one that stops every charger until it works again."""
        try:
            snapshot = self._snapshot()
            self._follow_plugs(snapshot)
            config = self.configuration()
            self._state, plan = decide(config, self._state, snapshot, now, dt_util.now().date())
            self._issues.check(config, plan.errors, self.circuit_names)
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

    def configuration(self) -> Configuration:
        """Return the whole configuration for the control core, all configured chargers in it, loaded or not."""
        data = self.config_entry.data
        chargers = tuple(
            self._charger_config(serial, entry)
            for serial, entry in all_charger_entries(self.hass)
            if entry.options.get(CONF_MANAGED, True) and not self.charger_setting(serial, "gone", default=False)
        )
        metered = self._protecting()
        solar = self.config_entry.options
        return Configuration(
            phases=data[CONF_PHASES],
            has_power_meter=self.has_power_meter,
            has_battery=self.has_battery,
            battery_inverted=bool(solar.get(CONF_BATTERY_INVERTED, False)),
            inverter_ac_w=float(solar[CONF_INVERTER_AC]) if solar.get(CONF_INVERTER_AC) else None,
            # 0 is a limit, too: nothing may be fed in.
            export_limit_w=None if solar.get(CONF_EXPORT_LIMIT) is None else float(solar[CONF_EXPORT_LIMIT]),
            dynamic=metered,
            phase_currents=self._sees_phases(),
            circuits=circuit_configs(self.config_entry, metered=metered),
            chargers=chargers,
            strategy=self.strategy,
            timings=self.timings,
        )

    def _charger_config(self, serial: str, entry: ConfigEntry) -> ChargerConfig:
        options = entry.options
        without_ha = options.get(CONF_CURRENT_WITHOUT_HA) if options.get(CONF_LIMIT_WITHOUT_HA) else None
        least_on_more = options.get(CONF_MIN_CURRENT_THREE)
        return ChargerConfig(
            charger_id=serial,
            circuit_id=options.get(CONF_CIRCUIT, ROOT_CIRCUIT),
            rotation=ROTATIONS.get(options.get(CONF_ROTATION, DEFAULT_ROTATION)),
            wired_phases=int(options.get(CONF_WIRED_PHASES, 3)),
            phase_policy=PhasePolicy(options.get(CONF_PHASE_POLICY, PhasePolicy.AUTO)),
            priority=PRIORITIES.get(options.get(CONF_PRIORITY, DEFAULT_PRIORITY), 0),
            min_current_a=int(options.get(CONF_MIN_CURRENT, LOWEST_CURRENT)),
            min_current_three_a=None if least_on_more is None else int(least_on_more),
            max_current_a=self.charger_setting(serial, "max_current_a", DEFAULT_CHARGER_CURRENT),
            current_without_ha_a=None if without_ha is None else int(without_ha),
            mode=ChargerMode(self.charger_setting(serial, "mode", ChargerMode.FOLLOW_SITE)),
        )

    def _inverter(self) -> SolarEdgeCoordinator | None:
        data = self.config_entry.data
        if data[CONF_METER_SOURCE] != MeterSource.SOLAREDGE:
            return None
        return self._shared.inverters.get(data[CONF_METER_ENTRY])

    def _protecting(self) -> bool:
        """Return whether the house connection is to be watched phase by phase.

        That does not depend on how the meter is today: one that lost its phases is a dead meter, never none.
        """
        wanted = self.config_entry.data.get(CONF_DYNAMIC)
        if wanted is not None:
            return bool(wanted)
        inverter = self._inverter()
        return self._sees_phases() or (inverter is not None and not inverter.reader.has_grid_meter)

    def _sees_phases(self) -> bool:
        data = self.config_entry.data
        if data[CONF_METER_SOURCE] == MeterSource.NONE:
            return False
        if data[CONF_METER_SOURCE] == MeterSource.SENSOR:
            meter = self._meters.get(ROOT_CIRCUIT)
            return meter is not None and meter.config.protects
        inverter = self._inverter()
        # An inverter that is not loaded counts as a dead meter, never as none.
        return inverter is None or inverter.protects(data[CONF_PHASES])

    def _snapshot(self) -> Snapshot:
        inverter = self._inverter()
        circuits = {circuit_id: meter.reading() for circuit_id, meter in self._meters.items()}
        grid = circuits.pop(ROOT_CIRCUIT, None)
        return Snapshot(
            grid=inverter.grid_reading() if inverter is not None else grid,
            circuits={circuit_id: reading for circuit_id, reading in circuits.items() if reading is not None},
            pv=inverter.pv_reading() if inverter is not None else None,
            battery=inverter.battery_reading() if inverter is not None else None,
            chargers={serial: charger.reading() for serial, charger in self._shared.chargers.items()},
        )

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
