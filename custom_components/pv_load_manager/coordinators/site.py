"""The site: what its entries, options and settings say, put together for the control core."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import (
    CONF_CIRCUIT,
    CONF_CURRENT_WITHOUT_HA,
    CONF_DIMMING_ENTITY,
    CONF_DYNAMIC,
    CONF_EXPECTED_CHARGERS,
    CONF_EXPORT_LIMIT,
    CONF_INVERTER_AC,
    CONF_LIMIT_WITHOUT_HA,
    CONF_MAIN_FUSE,
    CONF_MANAGED,
    CONF_METER_ENTRY,
    CONF_METER_SOURCE,
    CONF_MIN_CURRENT,
    CONF_MIN_CURRENT_THREE,
    CONF_PHASES,
    CONF_ROTATION,
    CONF_WIRED_PHASES,
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
    Configuration,
    Mode,
    PhasePolicy,
    Plan,
    Snapshot,
    Strategy,
    Timings,
)
from ..shared import SHARED, all_charger_entries, inverter_protects
from .circuits import circuit_configs, circuit_meters, circuit_names
from .dimming import DimmingInput
from .inverter import InverterCoordinator
from .meter import SensorMeter
from .meter_entities import ChosenEntities
from .settings import (
    read_charger_mode,
    read_circuit_limits,
    read_max_current,
    read_phase_policy,
    read_priority,
    read_strategy,
    read_timings,
)
from .sources import Sources


class SiteCoordinator(DataUpdateCoordinator[Plan]):
    """Reads configuration, settings and devices of the site; it decides nothing."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, timings: Timings) -> None:
        """Prepare meters and inputs; nothing is followed before the load manager starts."""
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title)
        self._shared = hass.data[SHARED]
        self._timings = timings
        self._strategy: Strategy | None = None
        self._meters = {
            circuit_id: SensorMeter(hass, meter, self.decide_now) for circuit_id, meter in circuit_meters(entry).items()
        }
        self._sources = Sources(hass, entry.options, entry.data.get(CONF_METER_ENTRY))
        self._dimming = DimmingInput(hass, entry.options, self._shared.memory, self.decide_now)
        self.fixed_phases: dict[str, PhasePolicy] = {}
        """What counts for a charger for now instead of the user's choice; gone with the load manager."""

    @callback
    def follow_inputs(self) -> list[CALLBACK_TYPE]:
        """Begin to follow meters and inputs; return what ends that."""
        meters = self._meters.values()
        chosen = {*self._sources.config.entities, *(entity for meter in meters for entity in meter.config.entities)}
        # The input that dims has a repair of its own.
        dimming = self.config_entry.options.get(CONF_DIMMING_ENTITY)
        entities = ChosenEntities(self.hass, self.config_entry, chosen, {dimming} if dimming else ())
        starts = [meter.async_start for meter in meters]
        starts += [self._sources.async_start, self._dimming.async_start, entities.async_start]
        return [start() for start in starts]

    @callback
    def decide_now(self) -> None:
        """Take one step of the control core."""
        raise NotImplementedError

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
        if inverter is not None and not inverter.has_grid_meter:
            return False
        return bool(self.config_entry.data[CONF_METER_SOURCE] != MeterSource.NONE)

    @property
    def has_battery(self) -> bool:
        """Return whether there is a house battery, as far as that is known: its inverter was loaded once."""
        return self._sources.has_battery

    @property
    def dynamic_configured(self) -> bool:
        """Return whether dynamic load management was set up; its switch may turn it off meanwhile."""
        wanted = self.config_entry.data.get(CONF_DYNAMIC)
        if wanted is not None:
            return bool(wanted)
        inverter = self._inverter()
        return self._sees_phases() or (inverter is not None and not inverter.has_grid_meter)

    @property
    def dynamic_switched_off(self) -> bool:
        """Return whether its switch keeps dynamic load management off."""
        return self.dynamic_configured and not self._protecting()

    @property
    def circuit_names(self) -> Mapping[str, str]:
        """Return the names of all circuits by their ids, the house connection among them."""
        return circuit_names(self.config_entry, self._shared.templates["root_circuit"])

    @property
    def maximum_total_current(self) -> float:
        """Return the most that all chargers may draw per phase in A.

        Without a meter that sees every phase nobody subtracts the house, so half the fuse is the default then.
        """
        half = max(self.main_fuse // 2, LOWEST_CURRENT)
        chosen = float(self.settings.get("maximum_total_current_a", self.main_fuse if self._protecting() else half))
        # What was chosen beside a meter is no current that fits without one.
        return min(chosen, float(half if self.dynamic_switched_off else self.main_fuse))

    @property
    def strategy(self) -> Strategy:
        """Return what the user set, with defaults; read once for each step."""
        if self._strategy is not None:
            return self._strategy
        self._strategy = read_strategy(
            self.settings,
            maximum_total_current=self.maximum_total_current,
            available_current=self._shared.available_a,
            default_mode=Mode.PV if self.has_power_meter else Mode.OFF,
        )
        return self._strategy

    @property
    def timings(self) -> Timings:
        """Return the time constants, those that the user set among them."""
        return read_timings(self.settings, self._timings)

    @property
    def circuit_limits(self) -> Mapping[str, float]:
        """Return what somebody allows for now per phase in A, by circuit id."""
        return read_circuit_limits(self.settings)

    @property
    def circuit_ratings(self) -> Mapping[str, float]:
        """Return what every circuit is rated for per phase in A, by its id."""
        circuits = circuit_configs(self.config_entry, metered=False, on_demand={})
        return {circuit.circuit_id: circuit.limit_a for circuit in circuits}

    def configuration(self) -> Configuration:
        """Return the whole configuration for the control core, all configured chargers in it, loaded or not."""
        data = self.config_entry.data
        chargers = tuple(
            self._charger_config(serial, entry)
            for serial, entry in all_charger_entries(self.hass)
            if entry.options.get(CONF_MANAGED, True) and not self._shared.memory.charger(serial).get("gone", False)
        )
        metered = self._protecting()
        solar = self.config_entry.options
        return Configuration(
            phases=data[CONF_PHASES],
            has_power_meter=self.has_power_meter,
            has_battery=self.has_battery,
            battery_inverted=self._sources.battery_inverted,
            inverter_ac_w=float(solar[CONF_INVERTER_AC]) if solar.get(CONF_INVERTER_AC) else None,
            # 0 is a limit, too: nothing may be fed in.
            export_limit_w=None if solar.get(CONF_EXPORT_LIMIT) is None else float(solar[CONF_EXPORT_LIMIT]),
            expected_chargers=data.get(CONF_EXPECTED_CHARGERS),
            dimming_w=self._dimming.power_w,
            dimming_total=self._dimming.total,
            dynamic=metered,
            phase_currents=self._sees_phases(),
            circuits=circuit_configs(self.config_entry, metered=metered, on_demand=read_circuit_limits(self.settings)),
            chargers=chargers,
            strategy=self.strategy,
            timings=self.timings,
        )

    def _charger_config(self, serial: str, entry: ConfigEntry) -> ChargerConfig:
        options, saved = entry.options, self._shared.memory.charger(serial)
        without_ha = options.get(CONF_CURRENT_WITHOUT_HA) if options.get(CONF_LIMIT_WITHOUT_HA) else None
        least_on_more = options.get(CONF_MIN_CURRENT_THREE)
        return ChargerConfig(
            charger_id=serial,
            circuit_id=options.get(CONF_CIRCUIT, ROOT_CIRCUIT),
            rotation=ROTATIONS.get(options.get(CONF_ROTATION, DEFAULT_ROTATION)),
            wired_phases=int(options.get(CONF_WIRED_PHASES, 3)),
            phase_policy=self.fixed_phases.get(serial) or read_phase_policy(saved),
            priority=PRIORITIES[read_priority(saved)],
            min_current_a=int(options.get(CONF_MIN_CURRENT, LOWEST_CURRENT)),
            min_current_three_a=None if least_on_more is None else int(least_on_more),
            max_current_a=read_max_current(saved),
            current_without_ha_a=None if without_ha is None else int(without_ha),
            mode=read_charger_mode(saved),
        )

    def _inverter(self) -> InverterCoordinator | None:
        data = self.config_entry.data
        if data[CONF_METER_SOURCE] != MeterSource.SOLAREDGE:
            return None
        return self._shared.inverters.get(data[CONF_METER_ENTRY])

    def _protecting(self) -> bool:
        """Return whether the house connection is to be watched phase by phase.

        That does not depend on how the meter is today: one that lost its phases is a dead meter, never none.
        """
        return self.dynamic_configured and bool(self.settings.get("dynamic_load_management", True))

    def _sees_phases(self) -> bool:
        data = self.config_entry.data
        if data[CONF_METER_SOURCE] == MeterSource.NONE:
            return False
        if data[CONF_METER_SOURCE] == MeterSource.SENSOR:
            meter = self._meters.get(ROOT_CIRCUIT)
            return meter is not None and meter.config.protects
        return inverter_protects(self.hass, data[CONF_METER_ENTRY], data[CONF_PHASES])

    def _snapshot(self) -> Snapshot:
        inverter = self._inverter()
        circuits = {circuit_id: meter.reading() for circuit_id, meter in self._meters.items()}
        grid = circuits.pop(ROOT_CIRCUIT, None)
        return Snapshot(
            grid=inverter.grid_reading() if inverter is not None else grid,
            circuits={circuit_id: reading for circuit_id, reading in circuits.items() if reading is not None},
            pv=self._sources.pv(),
            battery=self._sources.battery(),
            chargers={serial: charger.reading() for serial, charger in self._shared.chargers.items()},
            available_set_at=self._shared.available_set_at,
            dimmed=self._dimming.active,
        )
