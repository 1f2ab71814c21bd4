"""Meters that other integrations read: found in the registries by their keys, and filled into the forms."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from homeassistant import components
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.coordinators.meter_config import MeterConfig
from custom_components.pv_load_manager.flows.known_meters import METERS
from custom_components.pv_load_manager.flows.meter_forms import present_reading
from custom_components.pv_load_manager.flows.presets import Preset, meter_presets, site_presets
from custom_components.pv_load_manager.flows.source_forms import present
from simulator import BatteryConfig

from .conftest import BuildSite, sunny
from .flows import answer, protect, shows, suggested
from .site import Site, eventually
from .test_circuits import add_circuit
from .test_flow_load_manager import to_meter
from .test_shared_modbus import core_entry, set_up_core


class Foreign:
    """An entry of another integration with its devices and sensors."""

    def __init__(self, hass: HomeAssistant, platform: str, title: str) -> None:
        """Add the entry; it is never set up."""
        self.hass = hass
        self.platform = platform
        self.entry: ConfigEntry = MockConfigEntry(domain=platform, title=title)
        assert isinstance(self.entry, MockConfigEntry)
        self.entry.add_to_hass(hass)

    def add(
        self,
        prefix: str,
        *keys: str,
        device: str = "Meter",
        disabled: bool = False,
        model_id: str | None = None,
        domain: str = "sensor",
    ) -> list[str]:
        """Add sensors whose entity ids tell nothing; return these."""
        owner = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(self.platform, device)},
            name=device,
            model_id=model_id,
        )
        registry = er.async_get(self.hass)
        return [
            registry.async_get_or_create(
                domain,
                self.platform,
                f"{prefix}{key}",
                suggested_object_id=f"x{len(registry.entities)}",
                config_entry=self.entry,
                device_id=owner.id,
                original_name=f"Name of {key}",
                disabled_by=er.RegistryEntryDisabler.INTEGRATION if disabled else None,
            ).entity_id
            for key in keys
        ]


def by_phase(*entities: str, key: str = "meter") -> dict[str, str]:
    """Return the fields of three phases."""
    return {f"{key}_l{line}": entity for line, entity in enumerate(entities, start=1)}


def only(presets: list[Preset]) -> Preset:
    """Return the only preset."""
    (preset,) = presets
    return preset


def test_keys_exist() -> None:
    """Every key is one that the integration in this Home Assistant uses."""
    folder = Path(components.__path__[0])
    for platform, families in METERS.items():
        source = (folder / platform / "sensor.py").read_text(encoding="utf-8")
        for family in families:
            for pattern in family.patterns:
                for key in (*pattern.imports, *pattern.exports, *pattern.voltages):
                    block, _, name = key.rpartition("-")
                    assert f'"{name}"' in source, (platform, key)
                    assert not block or f'"{block.rstrip("012:_")}"' in source, (platform, key)


async def test_solaredge_modbus(hass: HomeAssistant) -> None:
    """Its meters are export +; what they know per phase counts, a voltage only where it is enabled."""
    foreign = Foreign(hass, "solaredge_modbus", "SolarEdge SE10K")
    foreign.add("7E0001_", "ac_power", "dc_power", device="SolarEdge SE10K")
    powers = foreign.add("7E0001_meter_4711_", *(f"ac_power_phase_{letter}" for letter in "abc"), device="Meter 1")
    (total,) = foreign.add("7E0001_meter_4711_", "ac_power", device="Meter 1")
    foreign.add("7E0001_meter_4711_", "ac_voltage_phase_bn", device="Meter 1", disabled=True)
    (voltage,) = foreign.add("7E0001_meter_4711_", "ac_voltage_phase_an", device="Meter 1")
    preset = only(meter_presets(hass, 3))
    assert preset.label == "SolarEdge SE10K, Meter 1 (SolarEdge Modbus)"
    assert preset.kind == "phase_power"
    expected = {"meter_direction": "export_positive", "meter_voltage_l1": voltage} | by_phase(*powers)
    assert preset.values == expected
    one = only(meter_presets(hass, 1))
    assert one.values == {"meter_direction": "export_positive", "meter_l1": powers[0], "meter_voltage_l1": voltage}
    er.async_get(hass).async_update_entity(powers[2], disabled_by=er.RegistryEntryDisabler.USER)
    preset = only(meter_presets(hass, 3))
    assert (preset.kind, preset.disabled) == ("total_power", ())
    assert preset.values == {"meter_direction": "export_positive", "meter_entity": total}
    only_by_phase = only(meter_presets(hass, 3, by_phase=True))
    assert only_by_phase.disabled == ("Name of ac_power_phase_c",)


async def test_real_solaredge_modbus(build_site: BuildSite) -> None:
    """What Home Assistant's own integration makes of an inverter is found, and says what flows in the house."""
    config = replace(sunny(pv_w=6000.0, house_w=900.0), battery=BatteryConfig(soc=0.5, max_charge_w=1000), chargers=())
    site = await build_site(config)
    site.hass.config.components.add("usb")
    await eventually(lambda: site.home.home.flow.battery_w < -900)
    core = core_entry(site, "127.0.0.1")
    await set_up_core(site.hass, core)
    preset = only(meter_presets(site.hass, 3))
    assert preset.disabled == ()
    config_of_meter = MeterConfig.from_data({"meter_kind": preset.kind, **preset.values}, 3)
    assert config_of_meter is not None
    reading = present_reading(site.hass, config_of_meter)
    assert reading is not None
    assert reading.power_w == pytest.approx(site.home.home.flow.grid_w, abs=200)
    assert reading.power_w == pytest.approx(sum((amps or 0.0) * 230 for amps in reading.currents_a), rel=0.01)
    source = only(site_presets(site.hass))
    assert source.label == "Core (SolarEdge Modbus)"
    assert source.disabled == ()
    await site.set_up(site.manager_entry())
    pv, battery = present(site.hass, source.values, None)
    assert pv is not None
    assert pv.power_w == pytest.approx(site.home.home.flow.pv_w, rel=0.1)
    assert battery is not None
    assert battery.power_w == pytest.approx(site.home.home.flow.battery_w, abs=100)
    assert battery.power_w < -800, "it charges"
    assert battery.state_of_charge == pytest.approx(50, abs=5)


async def test_fronius(hass: HomeAssistant) -> None:
    """Its power flow is import + where it is enabled, else two sensors; its meters come after that."""
    foreign = Foreign(hass, "fronius", "SolarNet")
    flow = "solar_net_123-power_flow-"
    (grid,) = foreign.add(flow, "power_grid", device="SolarNet", disabled=True)
    taken, given = foreign.add(flow, "power_grid_import", "power_grid_export", device="SolarNet")
    foreign.add("55-", *(f"power_real_phase_{line}" for line in (1, 2, 3)), device="Smart Meter", disabled=True)
    foreign.add("99-modbus-", *(f"power_real_phase_{line}" for line in (1, 2, 3)), device="Inverter")
    first, second = meter_presets(hass, 3)
    assert first.label == "SolarNet (Fronius)"
    assert first.values == {
        "meter_direction": "separate",
        "meter_entity": taken,
        "meter_export_entity": given,
    }
    assert second.label == "SolarNet, Smart Meter (Fronius)"
    assert len(second.disabled) == 3
    er.async_get(hass).async_update_entity(grid, disabled_by=None)
    assert meter_presets(hass, 3)[0].values == {"meter_direction": "import_positive", "meter_entity": grid}


@pytest.mark.parametrize(
    ("keys", "voltages"),
    [
        ([f"em:0-{letter}_act_power" for letter in "abc"], [f"em:0-{letter}_voltage" for letter in "abc"]),
        ([f"emeter_{index}-power" for index in range(3)], [f"emeter_{index}-voltage" for index in range(3)]),
        ([f"em1:{index}-power_em1" for index in range(3)], [f"em1:{index}-voltage_em1" for index in range(3)]),
    ],
)
async def test_shelly(hass: HomeAssistant, keys: list[str], voltages: list[str]) -> None:
    """Every kind of three-phase meter is import +; its phases may be devices of their own."""
    foreign = Foreign(hass, "shelly", "Cellar")
    powers = [foreign.add("AABBCC-", key, device=f"Phase {key}")[0] for key in keys]
    volts = [foreign.add("AABBCC-", key, device=f"Phase {key}")[0] for key in voltages]
    foreign.add("AABBCC-", "switch:0-power", "em:0-total_act_power", device="Cellar")
    preset = only([found for found in meter_presets(hass, 3) if found.kind == "phase_power"])
    assert preset.label == "Cellar (Shelly)"
    expected = {"meter_direction": "import_positive"} | by_phase(*powers) | by_phase(*volts, key="meter_voltage")
    assert preset.values == expected


async def test_homewizard(hass: HomeAssistant) -> None:
    """Its P1 meter is import +; a socket of the same integration is no meter of the house."""
    foreign = Foreign(hass, "homewizard", "P1 meter")
    powers = foreign.add("HWE-P1_5c_", *(f"active_power_l{line}_w" for line in (1, 2, 3)), model_id="HWE-P1")
    foreign.add("HWE-P1_5c_", "active_power_w", "active_power_average_w", model_id="HWE-P1")
    Foreign(hass, "homewizard", "Lamp").add("HWE-SKT_1_", "active_power_w", device="Lamp", model_id="HWE-SKT")
    assert only(meter_presets(hass, 3)).values == {"meter_direction": "import_positive"} | by_phase(*powers)


@pytest.mark.parametrize(
    ("platform", "prefix", "imports", "exports"),
    [
        ("dsmr", "E004_", "instantaneous_active_power_l{}_positive", "instantaneous_active_power_l{}_negative"),
        ("p1_monitor", "01JX_phases_", "power_consumed_phase_l{}", "power_produced_phase_l{}"),
    ],
)
async def test_separate_phases(hass: HomeAssistant, platform: str, prefix: str, imports: str, exports: str) -> None:
    """Import and export of every phase have sensors of their own."""
    foreign = Foreign(hass, platform, "Meter")
    taken = foreign.add(prefix, *(imports.format(line) for line in (1, 2, 3)))
    given = foreign.add(prefix, *(exports.format(line) for line in (1, 2, 3)))
    expected = {"meter_direction": "separate"} | by_phase(*taken) | by_phase(*given, key="meter_export")
    preset = only(meter_presets(hass, 3))
    assert preset.values == expected
    assert preset.label.startswith("Meter (")


@pytest.mark.parametrize(
    ("platform", "prefix", "imports", "exports"),
    [
        ("dsmr", "E004_", "current_electricity_usage", "current_electricity_delivery"),
        ("p1_monitor", "01JX_smartmeter_", "power_consumption", "power_production"),
        ("tibber", "96a1_rt_", "power", "powerProduction"),
    ],
)
async def test_separate_total(hass: HomeAssistant, platform: str, prefix: str, imports: str, exports: str) -> None:
    """Import and export of the house have a sensor each."""
    taken, given = Foreign(hass, platform, "Meter").add(prefix, imports, exports)
    expected = {"meter_direction": "separate", "meter_entity": taken, "meter_export_entity": given}
    assert only(meter_presets(hass, 3)).values == expected
    assert meter_presets(hass, 3, by_phase=True) == []


async def test_other_entities(hass: HomeAssistant) -> None:
    """Neither another domain nor another integration nor half a meter is proposed."""
    Foreign(hass, "shelly", "A").add("AABBCC-", "em:0-total_act_power", domain="number")
    Foreign(hass, "mqtt", "B").add("AABBCC-", "em:0-total_act_power")
    Foreign(hass, "dsmr", "C").add("E004_", "current_electricity_usage")
    assert meter_presets(hass, 3) == []


async def test_preset_in_the_flow(hass: HomeAssistant) -> None:
    """A meter that is found is the first choice; its sensors are filled in, can be changed, and make the meter."""
    foreign = Foreign(hass, "dsmr", "P1")
    taken = foreign.add("E004_", *(f"instantaneous_active_power_l{line}_positive" for line in (1, 2, 3)))
    given = foreign.add("E004_", *(f"instantaneous_active_power_l{line}_negative" for line in (1, 2, 3)))
    for power, entity_id in enumerate((*taken, *given), start=1):
        hass.states.async_set(entity_id, str(power / 10), {"unit_of_measurement": "kW"})
    result = await to_meter(hass)
    assert suggested(result) == {"meter": "dsmr/E004_"}
    result = await answer(hass, result, suggested(result))
    shows(result, "grid_phase_power")
    assert suggested(result) == {"meter_direction": "separate"} | by_phase(*taken)
    result = await answer(hass, result, suggested(result))
    shows(result, "grid_export")
    assert suggested(result) == by_phase(*given, key="meter_export")
    result = await protect(hass, await answer(hass, result, suggested(result)))
    shows(result, "confirm_sensor")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["power"] == "-900 W (L1 -1.3 A, L2 -1.3 A, L3 -1.3 A)"
    result = await answer(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    stored: dict[str, Any] = by_phase(*taken) | by_phase(*given, key="meter_export")
    assert result["data"].items() >= stored.items()


@pytest.mark.parametrize(("connection", "first"), [("cloud", "shelly/AA-em:0-"), ("modbus", "12345")])
async def test_a_meter_that_protects_comes_first(hass: HomeAssistant, connection: str, first: str) -> None:
    """The cloud of an inverter, which can protect nothing, is no proposal beside a meter that knows every phase."""
    data = {"entry_type": "solaredge", "serial": "12345", "connection": connection, "host": "192.0.2.1", "port": 1502}
    MockConfigEntry(domain=DOMAIN, data=data, unique_id="12345").add_to_hass(hass)
    Foreign(hass, "shelly", "Cellar").add("AA-em:0-", *(f"{letter}_act_power" for letter in "abc"))
    assert suggested(await to_meter(hass)) == {"meter": first}


async def test_disabled_preset_in_the_flow(hass: HomeAssistant) -> None:
    """A meter whose entities are disabled is no proposal; who chooses it is told what to enable, and can go on."""
    foreign = Foreign(hass, "fronius", "SolarNet")
    (grid,) = foreign.add("solar_net_1-power_flow-", "power_grid", disabled=True)
    result = await to_meter(hass)
    assert suggested(result) == {}
    key = "fronius/solar_net_1-power_flow-"
    result = await answer(hass, result, {"meter": key})
    shows(result, "grid_meter", {"meter": "preset_disabled"})
    assert result["description_placeholders"] == {"disabled": "Name of power_grid"}
    er.async_get(hass).async_update_entity(grid, disabled_by=None)
    result = await answer(hass, result, {"meter": key})
    shows(result, "grid_sensor")
    assert suggested(result) == {"meter_direction": "import_positive", "meter_entity": grid}


async def test_preset_that_vanishes(hass: HomeAssistant) -> None:
    """A meter that is removed while the form is open is no inverter; another choice goes on."""
    foreign = Foreign(hass, "tibber", "Home")
    (taken, _) = foreign.add("1_rt_", "power", "powerProduction")
    result = await to_meter(hass)
    er.async_get(hass).async_remove(taken)
    result = await answer(hass, result, {"meter": "tibber/1_rt_"})
    shows(result, "grid_meter", {"meter": "preset_gone"})
    shows(await answer(hass, result, {"meter": "none"}), "protection")


async def test_preset_of_a_circuit(site: Site) -> None:
    """A circuit takes a meter that knows every phase; one that has to be enabled or that vanished is refused."""
    hass = site.hass
    manager = site.manager_entry()
    add_circuit(hass, manager, "House")
    foreign = Foreign(hass, "shelly", "Garage")
    powers = foreign.add("AA-em:0-", *(f"{letter}_act_power" for letter in "abc"))
    Foreign(hass, "tibber", "Home").add("1_rt_", "power", "powerProduction")
    for entity_id in powers:
        hass.states.async_set(entity_id, "230", {"unit_of_measurement": "W"})
    registry = er.async_get(hass)
    registry.async_update_entity(powers[0], disabled_by=er.RegistryEntryDisabler.USER)
    flows = hass.config_entries.subentries
    result = await flows.async_init((manager.entry_id, "circuit"), context={"source": "user"})
    typed = {"name": "Garage", "limit": 20, "meter": "shelly/AA-em:0-"}
    result = await flows.async_configure(result["flow_id"], typed)
    assert result["errors"] == {"meter": "preset_disabled"}
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["disabled"] == "Name of a_act_power"
    registry.async_update_entity(powers[0], disabled_by=None)
    result = await flows.async_configure(result["flow_id"], typed)
    assert result["step_id"] == "phase_power"
    schema = result["data_schema"]
    assert schema is not None
    result = await flows.async_configure(result["flow_id"], by_phase(*powers))
    result = await flows.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    circuit = next(item for item in manager.subentries.values() if item.title == "Garage")
    assert circuit.data.items() >= by_phase(*powers).items()
    result = await flows.async_init((manager.entry_id, "circuit"), context={"source": "user"})
    registry.async_remove(powers[0])
    result = await flows.async_configure(result["flow_id"], typed | {"name": "Attic"})
    assert result["errors"] == {"meter": "preset_gone"}
