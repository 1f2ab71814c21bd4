"""What the seed documents know is here: every entity and action exists, and what is written reaches the core."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control import ExternalPhases, Timings
from custom_components.pv_load_manager.diagnostics import async_get_config_entry_diagnostics
from custom_components.pv_load_manager.shared import SHARED
from simulator import BatteryConfig
from tests.seeds.model import Action, Diagnostics, Entity, Option, Owner, Row, Table, Write
from tests.seeds.render import TABLES

from .conftest import OURS, BuildSite, sunny
from .flows import defaults
from .site import CONTROL_TIMINGS, Site, configuration, eventually
from .test_circuits import add_circuit

ROWS = [row for table in TABLES for row in table.rows]
EACH_TABLE = pytest.mark.parametrize("table", TABLES, ids=[table.file for table in TABLES])
AFTER_RESTART = "after a restart: "
WITH_OPTIONS = [row for row in ROWS if any(isinstance(write.through, Option) for write in row.writes)]


class House:
    """A house with everything that the table knows."""

    def __init__(self, site: Site) -> None:
        """Add all entries, and a circuit."""
        self.site, self.hass = site, site.hass
        self.inverter, self.charger, self.manager = site.inverter_entry(), site.charger_entry(), site.manager_entry()
        self.circuit = add_circuit(site.hass, self.manager, "Garage")

    async def set_up(self) -> None:
        """Set everything up."""
        await self.site.set_up(self.inverter, self.charger, self.manager)

    def owner_and_key(self, entity: Entity) -> tuple[MockConfigEntry, str]:
        """Return of which entry an entity is, and what follows in its unique id."""
        match entity.owner:
            case Owner.INVERTER:
                return self.inverter, entity.key
            case Owner.CHARGER:
                return self.charger, entity.key
            case Owner.CIRCUIT:
                return self.manager, f"{entity.key}_{self.circuit}"
            case _:
                return self.manager, entity.key

    def told(self, path: str) -> object:
        """Return what the control core is told."""
        value: Any = configuration(self.hass)
        for name in path.split("."):
            value = value[int(name)] if name.isdigit() else getattr(value, name)
        return value

    async def set(self, entity: Entity, value: Any) -> None:
        """Write through an entity, as a user does."""
        owner, key = self.owner_and_key(entity)
        match entity.platform:
            case "switch":
                await self.site.turn(owner, key, on=value)
            case "number":
                await self.site.set_number(owner, key, value)
            case _:
                await self.site.select(owner, value, key=key)


@pytest.fixture(name="house")
async def house_fixture(build_site: BuildSite, all_enabled: None, monkeypatch: pytest.MonkeyPatch) -> House:
    """Return a house with an inverter, its meter, a battery and a charger, and all entities enabled."""
    timings = replace(Timings(), hear_all=CONTROL_TIMINGS.hear_all, phase_pause=CONTROL_TIMINGS.phase_pause)
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    return await built(build_site)


async def built(build_site: BuildSite) -> House:
    """Return a house that is set up."""
    house = House(await build_site(replace(sunny(), battery=BatteryConfig(soc=0.5))))
    await house.set_up()
    return house


async def test_every_entity_exists(build_site: BuildSite, entity_registry: er.EntityRegistry) -> None:
    """Every entity of the table is there, enabled or not, with the texts of its name."""
    house = await built(build_site)
    for row in ROWS:
        for place in (place for place in row.places if isinstance(place, Entity)):
            owner, key = house.owner_and_key(place)
            entity_id = house.site.entity_id(place.platform, owner, key)
            entry = entity_registry.async_get(entity_id)
            assert entry is not None
            assert entry.translation_key == (place.text or place.key)


async def test_every_action_exists(hass: HomeAssistant) -> None:
    """Every action of the table is registered."""
    assert await async_setup_component(hass, DOMAIN, {})
    for row in ROWS:
        for place in (place for place in row.places if isinstance(place, Action)):
            assert hass.services.has_service(DOMAIN, place.name), place


async def test_every_figure_of_the_diagnostics_exists(house: House) -> None:
    """Every figure that the table finds in the diagnostics is there."""
    found = await async_get_config_entry_diagnostics(house.hass, house.manager)
    for row in ROWS:
        for place in (place for place in row.places if isinstance(place, Diagnostics)):
            value: Mapping[str, Any] = found
            for key in place.path.split("."):
                assert key in value, place
                value = value[key]


@EACH_TABLE
async def test_entities_can_be_written(house: House, table: Table) -> None:
    """What a document says can be written is in force at once when it is written through its entity."""
    for row in table.rows:
        for write in row.writes:
            if isinstance(write.through, Entity) and not write.told.startswith(AFTER_RESTART):
                await prepare(house, write)
                assert house.told(write.told) != write.expected, row.keys
                await house.set(write.through, write.value)
                assert house.told(write.told) == write.expected, row.keys


async def prepare(house: House, write: Write) -> None:
    """Let phases be requested where that is what is written."""
    assert isinstance(write.through, Entity)
    if write.through.key == "phase_request":
        await house.site.turn(house.manager, "external_phases", on=True)
        manager = house.hass.data[SHARED].load_manager
        assert manager is not None
        await eventually(lambda: manager.data.external is ExternalPhases.READY)


@pytest.mark.parametrize("row", WITH_OPTIONS, ids=lambda row: row.keys[0])
async def test_options_can_be_written(house: House, row: Row) -> None:
    """What a document says can be written is in force when it was entered into its form."""
    for write in row.writes:
        if isinstance(write.through, Option):
            assert house.told(write.told) != write.expected
            await fill_in(house, write.through, write.value)
            assert house.told(write.told) == write.expected


async def fill_in(house: House, option: Option, value: Any) -> None:
    """Walk through the forms to the end, with one answer of our own."""
    steps_of_chargers = {"init", "own_currents"}
    entry: ConfigEntry = house.charger if option.step in steps_of_chargers else house.manager
    if option.flow == "config":
        flows: Any = house.hass.config_entries.flow
        result: Any = await house.manager.start_reconfigure_flow(house.hass)
    else:
        flows = house.hass.config_entries.options
        result = await flows.async_init(entry.entry_id)
    asked = False
    while result["type"] in {FlowResultType.MENU, FlowResultType.FORM}:
        if result["type"] is FlowResultType.MENU:
            answers = {"next_step_id": option.step}
        else:
            assert not result["errors"], result
            here = result["step_id"] == option.step
            answers = defaults(result) | ({option.field: value} if here else {})
            asked = asked or here
        result = await flows.async_configure(result["flow_id"], answers)
    await house.hass.async_block_till_done()
    assert asked


@pytest.mark.parametrize(
    ("row", "write"),
    [(row, write) for row in ROWS for write in row.writes if write.told.startswith(AFTER_RESTART)],
    ids=lambda item: item.keys[0] if isinstance(item, Row) else item.value,
)
async def test_mode_after_a_restart(house: House, row: Row, write: Write) -> None:
    """The default mode does nothing now, and is in force after a restart, whatever was chosen last."""
    path = write.told.removeprefix(AFTER_RESTART)
    last = "off" if write.value != "off" else "fast"
    await house.site.select(house.manager, last)
    assert isinstance(write.through, Entity)
    await house.set(write.through, write.value)
    assert house.told(path) == last
    house.hass.data[SHARED].mode_restored = False
    assert await house.hass.config_entries.async_reload(house.manager.entry_id)
    assert house.told(path) == write.expected, row.keys
