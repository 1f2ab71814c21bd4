"""A virtual home and the entries for it in a test Home Assistant."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID, CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import (
    CONF_ENTRY_TYPE,
    CONF_EXPECTED_CHARGERS,
    CONF_MAIN_FUSE,
    CONF_METER_ENTITY,
    CONF_METER_ENTRY,
    CONF_METER_SOURCE,
    CONF_PHASES,
    CONF_SERIAL,
    CONF_UNIT_ID,
    DOMAIN,
    LOAD_MANAGER_ID,
    EntryType,
    MeterSource,
)
from custom_components.pv_load_manager.control import CircuitConfig, Configuration, Timings
from custom_components.pv_load_manager.coordinators.app import AppTimings
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import Timings as ClientTimings
from simulator import HomeConfig, Simulation, Write

PATIENCE = 20.0
"""How long a test waits for what should happen, s; a machine may be busy."""

CONTROL_TIMINGS = Timings(
    cloud_windows=(0.0, 0.5, 1.0, 2.0),
    surplus_window=0.5,
    surplus_pause=0.3,
    settle=1.0,
    recover=0.3,
    phase_dwell=1.0,
    phase_delay=0.5,
    phase_pause=2.0,
    hear_all=2.0,
)
CLIENT_TIMINGS = ClientTimings(
    connect=2.0,
    snapshot=1.0,
    flex=1.0,
    command=2.0,
    silence=1.0,
    close=0.2,
    steady=0.5,
    backoff_start=0.1,
    backoff_max=0.2,
)
APP_TIMINGS = AppTimings(echo=0.3, late=6.0, boot=3.0)


async def eventually(what: Callable[[], object], *, within: float = PATIENCE) -> None:
    """Wait until something is true, fail when it takes too long."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not what():
        assert loop.time() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The virtual home next to Home Assistant."""

    hass: HomeAssistant
    home: Simulation
    config: HomeConfig

    def inverter_entry(self, **data: Any) -> MockConfigEntry:
        """Return the entry of the inverter, known to Home Assistant and not set up."""
        inverter = self.home.inverter
        config = self.config.inverter
        assert config is not None
        serial = data.pop(CONF_SERIAL, config.serial)
        address = {CONF_HOST: "127.0.0.1", CONF_PORT: inverter.port, CONF_UNIT_ID: inverter.unit_id}
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="SolarEdge SE10K",
            unique_id=f"{EntryType.SOLAREDGE}_{serial}",
            data={CONF_ENTRY_TYPE: EntryType.SOLAREDGE.value, CONF_SERIAL: serial, **address, **data},
        )
        entry.add_to_hass(self.hass)
        return entry

    def charger_entry(self, index: int = 0, *, options: dict[str, Any] | None = None, **data: Any) -> MockConfigEntry:
        """Return the entry of a charger, known to Home Assistant and not set up."""
        charger, config = self.home.chargers[index], self.config.chargers[index]
        serial = data.pop(CONF_SERIAL, config.serial)
        address = {CONF_HOST: "127.0.0.1", CONF_PORT: charger.port, CONF_PASSWORD: config.password}
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=config.name,
            unique_id=f"{EntryType.WATTPILOT}_{serial}",
            data={CONF_ENTRY_TYPE: EntryType.WATTPILOT.value, CONF_SERIAL: serial, **address, **data},
            options=options or {},
        )
        entry.add_to_hass(self.hass)
        return entry

    def manager_entry(self, source: MeterSource | None = None, **data: Any) -> MockConfigEntry:
        """Return the entry of the load manager, known to Home Assistant and not set up."""
        config = self.config.inverter
        if source is None:
            source = MeterSource.SOLAREDGE if config is not None else MeterSource.NONE
        settings = {
            CONF_ENTRY_TYPE: EntryType.LOAD_MANAGER.value,
            CONF_PHASES: self.config.phases,
            CONF_MAIN_FUSE: 35,
            CONF_EXPECTED_CHARGERS: len(self.config.chargers),
            CONF_METER_SOURCE: source.value,
            CONF_METER_ENTRY: config.serial if config is not None and source is MeterSource.SOLAREDGE else None,
            CONF_METER_ENTITY: None,
        }
        entry = MockConfigEntry(
            domain=DOMAIN, title="PV Load Manager", unique_id=LOAD_MANAGER_ID, data={**settings, **data}
        )
        entry.add_to_hass(self.hass)
        return entry

    async def set_up(self, *entries: MockConfigEntry) -> None:
        """Set up entries and expect that it works."""
        for entry in entries:
            if entry.state is ConfigEntryState.NOT_LOADED:
                await self.hass.config_entries.async_setup(entry.entry_id)
                await self.hass.async_block_till_done()
            assert entry.state is ConfigEntryState.LOADED, (entry.state, entry.reason)

    async def fail_to_set_up(self, entry: MockConfigEntry) -> str:
        """Set up an entry, expect that Home Assistant will try again, and return the message for the user."""
        await self.hass.config_entries.async_setup(entry.entry_id)
        await self.hass.async_block_till_done()
        assert entry.state is ConfigEntryState.SETUP_RETRY, (entry.state, entry.reason)
        key: str | None = entry.error_reason_translation_key
        assert key is not None
        return key

    async def set_up_all(self) -> tuple[MockConfigEntry, ...]:
        """Set up the inverter, all chargers and then the load manager; return their entries in this order."""
        inverters = (self.inverter_entry(),) if self.config.inverter is not None else ()
        chargers = tuple(self.charger_entry(index) for index in range(len(self.home.chargers)))
        entries = (*inverters, *chargers, self.manager_entry())
        await self.set_up(*entries)
        return entries

    def entity_id(self, platform: str, owner: MockConfigEntry, key: str) -> str:
        """Return the id of an entity from the entry it belongs to and its key."""
        name = owner.data.get(CONF_SERIAL, owner.entry_id)
        entity_id = er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, f"{name}_{key}")
        assert entity_id is not None, f"no {platform} {key}"
        return entity_id

    def state(self, platform: str, owner: MockConfigEntry, key: str) -> State:
        """Return the state of an entity."""
        state = self.hass.states.get(self.entity_id(platform, owner, key))
        assert state is not None
        return state

    def value(self, owner: MockConfigEntry, key: str, platform: str = "sensor") -> str:
        """Return the value of an entity."""
        return self.state(platform, owner, key).state

    def number(self, owner: MockConfigEntry, key: str, platform: str = "sensor") -> float | None:
        """Return the value of an entity as a number, None where it has none."""
        try:
            return float(self.value(owner, key, platform))
        except ValueError:
            return None

    async def select(self, owner: MockConfigEntry, option: str, *, key: str = "charge_mode") -> None:
        """Choose a charge mode or another of a few choices, as a user does."""
        await self.hass.services.async_call(
            "select",
            "select_option",
            {ATTR_ENTITY_ID: self.entity_id("select", owner, key), "option": option},
            blocking=True,
        )

    async def turn(self, owner: MockConfigEntry, key: str, *, on: bool) -> None:
        """Turn a switch on or off, as a user does."""
        await self.hass.services.async_call(
            "switch",
            "turn_on" if on else "turn_off",
            {ATTR_ENTITY_ID: self.entity_id("switch", owner, key)},
            blocking=True,
        )

    async def set_number(self, owner: MockConfigEntry, key: str, value: float) -> None:
        """Change a number, as a user does."""
        await self.hass.services.async_call(
            "number",
            "set_value",
            {ATTR_ENTITY_ID: self.entity_id("number", owner, key), "value": value},
            blocking=True,
        )

    def written(self, index: int = 0) -> list[tuple[str, Any]]:
        """Return every write that a charger took, oldest first."""
        return [(write.key, write.value) for write in self.writes(index)]

    def writes(self, index: int = 0) -> list[Write]:
        """Return every write that a charger took, with its time."""
        return self.home.chargers[index].writes

    def settings(self, index: int = 0) -> dict[str, Any]:
        """Return the present settings inside a charger."""
        return self.home.chargers[index].charger.settings


def configuration(hass: HomeAssistant) -> Configuration:
    """Return what the control core is told."""
    manager = hass.data[SHARED].load_manager
    assert manager is not None
    return manager.configuration()


def circuits(hass: HomeAssistant) -> tuple[CircuitConfig, ...]:
    """Return the circuits below the house connection as the control core is told them."""
    return configuration(hass).circuits[1:]
