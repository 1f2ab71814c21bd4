"""A Home Assistant in this process, next to a virtual home."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import logging
import tempfile

from homeassistant import loader
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.helpers import frame, translation
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from simulator import HomeConfig, running_home
from tests.integration.site import Site

NOTHING = (STATE_UNAVAILABLE, STATE_UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Stage(Site):
    """The home, Home Assistant, and the entries between them: inverter, chargers, load manager."""

    entries: tuple[MockConfigEntry, ...]

    @property
    def inverter(self) -> MockConfigEntry:
        """The entry of the inverter."""
        return self.entries[0]

    @property
    def manager(self) -> MockConfigEntry:
        """The entry of the load manager."""
        return self.entries[-1]

    def charger(self, index: int) -> MockConfigEntry:
        """The entry of a charger."""
        return self.entries[1 + index]

    async def unload_all(self) -> None:
        """Unload all entries, the load manager first."""
        for entry in reversed(self.entries):
            if entry.state is ConfigEntryState.LOADED:
                await self.hass.config_entries.async_unload(entry.entry_id)
        await self.hass.async_block_till_done()

    def alive(self, entry: ConfigEntry, key: str) -> bool:
        """Whether an entry is loaded and one of its sensors has a value."""
        return entry.state is ConfigEntryState.LOADED and self.value(entry, key) not in NOTHING

    def energy_wh(self, entry: MockConfigEntry, key: str) -> float | None:
        """Return an energy in Wh, whatever its unit; None where it has no value."""
        state = self.state("sensor", entry, key)
        if state.state in NOTHING:
            return None
        return float(state.state) * {"Wh": 1.0, "kWh": 1000.0}[state.attributes["unit_of_measurement"]]


@asynccontextmanager
async def staged(config: HomeConfig, handler: logging.Handler) -> AsyncIterator[Stage]:
    """Run both; the entries are known to Home Assistant and not set up."""
    with tempfile.TemporaryDirectory(prefix="pv-load-manager-soak-") as folder:
        async with (
            running_home(config) as home,
            async_test_home_assistant(config_dir=folder) as hass,
        ):
            root = logging.getLogger()
            root.addHandler(handler)
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            frame.async_setup(hass)
            await translation.async_load_integrations(hass, {"homeassistant"})
            await hass.config.async_set_time_zone("UTC")
            site = Site(hass=hass, home=home, config=config)
            chargers = tuple(site.charger_entry(index) for index in range(len(home.chargers)))
            entries = (site.inverter_entry(), *chargers, site.manager_entry())
            stage = Stage(hass=hass, home=home, config=config, entries=entries)
            try:
                yield stage
            finally:
                await hass.async_stop(force=True)
                root.removeHandler(handler)
