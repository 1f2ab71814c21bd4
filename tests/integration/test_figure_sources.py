"""Which sensors show the flows of the house: the load manager's, the inverters', or those that a user chose."""

from dataclasses import replace
from typing import Any

from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.pv_load_manager.const import MeterSource
from simulator import BatteryConfig, InverterConfig

from .conftest import BuildSite, sunny
from .site import Site, eventually
from .test_directory import home_of
from .test_meters import PHASE_CURRENT, PHASE_POWER, TOTAL, WITH_EXPORT


def value(site: Site, home: dict[str, Any], name: str) -> float | None:
    """Return what the sensors of a figure say together, None while one does not."""
    plus, minus = home["figures"][name], home["minus"].get(name, [])
    states = [site.hass.states.get(entity) for entity in (*plus, *minus)]
    try:
        values = [float(state.state) for state in states if state is not None]
    except ValueError:
        return None
    return float(home["signs"].get(name, 1) * (sum(values[: len(plus)]) - sum(values[len(plus) :])))


@pytest.mark.parametrize("inverted", [False, True], ids=["usual", "inverted"])
async def test_figures_of_the_inverter(build_site: BuildSite, inverted: bool) -> None:
    """Roof, grid and battery are shown by the inverter until the load manager's own sensors are enabled."""
    site = await build_site(replace(sunny(), battery=BatteryConfig(soc=0.5)))
    inverter, charger, manager = site.inverter_entry(), site.charger_entry(), site.manager_entry()
    site.hass.config_entries.async_update_entry(manager, options={"battery_inverted": inverted})
    await site.set_up(inverter, charger, manager)
    home = await home_of(site.hass)
    for key, own in (("surplus", manager), ("charging_power", manager), ("house_power", manager)):
        assert home["figures"][key] == site.entity_id("sensor", own, key)
    for key in ("grid_power", "pv_power", "battery_power"):
        assert home["figures"][key] == [site.entity_id("sensor", inverter, key)]
    assert home["figures"]["battery_soc"] == site.entity_id("sensor", inverter, "battery_state_of_charge")
    assert home["signs"] == {"grid_power": 1, "battery_power": -1 if inverted else 1}

    def same() -> bool:
        told, shown = manager.runtime_data.data.battery_w, value(site, home, "battery_power")
        return None not in (told, shown) and abs(told) > 100 and shown == pytest.approx(told, rel=0.05)

    await eventually(same)
    entities = er.async_get(site.hass)
    for key in ("grid_power", "pv_power", "battery_power", "battery_state_of_charge"):
        entities.async_update_entity(site.entity_id("sensor", manager, key), disabled_by=None)
    home = await home_of(site.hass)
    for key in ("grid_power", "pv_power", "battery_power"):
        assert home["figures"][key] == [site.entity_id("sensor", manager, key)]
    assert home["figures"]["battery_soc"] == site.entity_id("sensor", manager, "battery_state_of_charge")
    assert home["signs"] == {"grid_power": 1, "battery_power": 1}
    assert await site.hass.config_entries.async_reload(manager.entry_id)
    await eventually(same)


METERS: dict[str, tuple[dict[str, Any], dict[str, float], float | None]] = {
    "total": (TOTAL, {"sensor.grid": 700}, 700),
    "turned": (TOTAL | {"meter_direction": "export_positive"}, {"sensor.grid": 700}, -700),
    "separate": (TOTAL | WITH_EXPORT, {"sensor.grid": 0, "sensor.export": 900}, -900),
    "phases": (
        PHASE_POWER | WITH_EXPORT,
        {f"sensor.power_l{line}": 100.0 * line for line in (1, 2, 3)}
        | {f"sensor.export_l{line}": 50.0 for line in (1, 2, 3)},
        450,
    ),
    "currents": (PHASE_CURRENT, {}, None),
    "currents and total": (PHASE_CURRENT | {"meter_entity": "sensor.grid"}, {"sensor.grid": 700}, 700),
}


@pytest.mark.parametrize(("meter", "states", "told"), METERS.values(), ids=METERS)
async def test_figures_of_a_chosen_meter(
    site: Site, meter: dict[str, Any], states: dict[str, float], told: float | None
) -> None:
    """The user's own sensors add up to the power at the house connection, import +."""
    for entity, watts in states.items():
        site.hass.states.async_set(entity, str(watts), {"unit_of_measurement": "W"})
    site.manager_entry(MeterSource.SENSOR, **meter)
    home = await home_of(site.hass)
    assert {*home["figures"]["grid_power"], *home["minus"]["grid_power"]} == set(states)
    assert value(site, home, "grid_power") == (0 if told is None else told)


async def test_figures_of_no_meter(site: Site) -> None:
    """Without a grid meter no sensor shows its power, whatever else there is."""
    inverter = site.inverter_entry()
    await site.set_up(inverter, site.manager_entry(MeterSource.NONE))
    home = await home_of(site.hass)
    assert home["figures"]["grid_power"] == []
    assert home["figures"]["house_power"] is None
    assert home["figures"]["pv_power"] == [site.entity_id("sensor", inverter, "pv_power")]


BATTERIES: dict[str, tuple[dict[str, Any], float, str | None]] = {
    "discharging": ({}, 800, "sensor.soc"),
    "charging": ({"battery_direction": "charge_positive"}, -800, "sensor.soc"),
    "separate": (
        {"battery_direction": "separate", "battery_charge_sensors": ["sensor.charging"]},
        500,
        "sensor.soc",
    ),
    "two": ({"battery_soc_sensors": ["sensor.soc", "sensor.soc_2"]}, 800, None),
    "none": ({"battery_source": "none"}, 0, None),
}


@pytest.mark.parametrize(("options", "told", "level"), BATTERIES.values(), ids=BATTERIES)
async def test_figures_of_chosen_sensors(site: Site, options: dict[str, Any], told: float, level: str | None) -> None:
    """Chosen sensors show production and battery instead of the inverter."""
    chosen = {"pv_sensors": ["sensor.roof", "sensor.shed"], "battery_sensors": ["sensor.battery"]}
    for name, watts in (("roof", 3000), ("shed", 500), ("battery", 800), ("charging", 300)):
        site.hass.states.async_set(f"sensor.{name}", str(watts), {"unit_of_measurement": "W"})
    manager = site.manager_entry()
    site.hass.config_entries.async_update_entry(
        manager, options={**chosen, "battery_soc_sensors": ["sensor.soc"], **options}
    )
    await site.set_up(site.inverter_entry())
    home = await home_of(site.hass)
    assert value(site, home, "pv_power") == 3500
    assert value(site, home, "battery_power") == told
    assert home["figures"]["battery_soc"] == level


async def test_production_that_only_a_meter_sees(build_site: BuildSite) -> None:
    """Another roof behind a meter of the inverter counts, as the control core counts it."""
    site = await build_site(replace(sunny(), inverter=InverterConfig(meters=("Export+Import", "Production"))))
    inverter, manager = site.inverter_entry(), site.manager_entry()
    site.hass.config_entries.async_update_entry(inverter, options={"meter_2_role": "external_production"})
    await site.set_up(inverter, manager)
    home = await home_of(site.hass)
    assert len(home["figures"]["pv_power"]) == 2
    assert home["figures"]["pv_power"][0] == site.entity_id("sensor", inverter, "pv_power")
    await eventually(
        lambda: (value(site, home, "pv_power") or 0) == pytest.approx(manager.runtime_data.seen.pv.power_w, rel=0.05)
    )
