"""The options of the load manager: the solar installation, and the input with which the grid operator dims."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .flows import defaults, shows, suggested
from .site import Site, configuration


async def begin(hass: HomeAssistant, entry: MockConfigEntry, form: str = "solar") -> ConfigFlowResult:
    """Open the options and choose a form."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    assert (result["step_id"], result["menu_options"]) == ("site", ["solar", "sources", "grid_operator", "check_meter"])
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": form})
    shows(result, form)
    return result


async def answer(hass: HomeAssistant, result: ConfigFlowResult, **answers: Any) -> ConfigFlowResult:
    """Fill in the form and return what comes next."""
    result = await hass.config_entries.options.async_configure(result["flow_id"], answers)
    await hass.async_block_till_done()
    return result


def solar(hass: HomeAssistant) -> tuple[float | None, float | None, bool]:
    """Return what the control core is told about inverter, export limit and sign of the battery."""
    config = configuration(hass)
    return config.inverter_ac_w, config.export_limit_w, config.battery_inverted


async def test_entry_without_options(site: Site) -> None:
    """A load manager that was never asked knows nothing, and its form is empty."""
    manager = site.manager_entry()
    await site.set_up(manager)
    assert solar(site.hass) == (None, None, False)
    result = await begin(site.hass, manager)
    assert suggested(result) == {}
    assert defaults(result) == {"battery_inverted": False}
    assert result["description_placeholders"] == {"max_solar": "200000", "battery": "–"}
    result = await answer(site.hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert solar(site.hass) == (None, None, False)


async def test_options_are_in_force_at_once(site: Site) -> None:
    """What is entered reaches the core, is shown again, and goes when it is left empty; 0 W of export is a limit."""
    manager = site.manager_entry()
    await site.set_up(manager)
    typed = {"inverter_ac_power": 10000, "export_limit": 7000, "battery_inverted": True}
    result = await answer(site.hass, await begin(site.hass, manager), **typed)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert manager.state is ConfigEntryState.LOADED
    assert solar(site.hass) == (10000, 7000, True)
    result = await begin(site.hass, manager)
    assert suggested(result) == typed
    await answer(site.hass, result, inverter_ac_power=0, export_limit=0)
    assert solar(site.hass) == (None, 0, False)
    result = await begin(site.hass, manager)
    assert suggested(result) == {"inverter_ac_power": 0, "export_limit": 0, "battery_inverted": False}
    await answer(site.hass, result)
    assert solar(site.hass) == (None, None, False)
    assert suggested(await begin(site.hass, manager)) == {"battery_inverted": False}


@pytest.mark.parametrize("field", ["inverter_ac_power", "export_limit"])
@pytest.mark.parametrize("value", [-1, 200001, 0.5])
async def test_power_out_of_range(site: Site, field: str, value: float) -> None:
    """A power that cannot be gets a message at its field, what was typed stays, and the flow goes on."""
    manager = site.manager_entry()
    await site.set_up(manager)
    result = await answer(site.hass, await begin(site.hass, manager), **{field: value})
    shows(result, "solar", {field: "solar_power_out_of_range"})
    assert suggested(result) == {field: value, "battery_inverted": False}
    result = await answer(site.hass, result, **{field: 5000})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert manager.options[field] == 5000


async def test_options_outlive_a_reconfiguration(site: Site) -> None:
    """A changed house connection leaves them as they are."""
    manager = site.manager_entry()
    await site.set_up(manager)
    await answer(site.hass, await begin(site.hass, manager), export_limit=0)
    site.hass.config_entries.async_update_entry(manager, data=manager.data | {"main_fuse": 25})
    await site.hass.async_block_till_done()
    assert configuration(site.hass).circuits[0].limit_a == 25
    assert solar(site.hass) == (None, 0, False)


def dimming(hass: HomeAssistant) -> tuple[float | None, bool]:
    """Return what the control core is told about dimming."""
    config = configuration(hass)
    return config.dimming_w, config.dimming_total


async def test_grid_operator(site: Site) -> None:
    """The input is in force at once and shown again, the other form's answers stay, and without it nobody dims."""
    hass = site.hass
    hass.states.async_set("binary_sensor.rundsteuerempfaenger", "off")
    manager = site.manager_entry()
    await site.set_up(manager)
    await answer(hass, await begin(hass, manager), export_limit=7000)
    assert dimming(hass) == (None, False)
    result = await begin(hass, manager, "grid_operator")
    assert defaults(result) == {"dimming_power": 4200, "dimming_total": False}
    assert result["description_placeholders"] == {"min_dimming": "1000", "max_dimming": "200000"}
    result = await answer(hass, result, dimming_entity="binary_sensor.rundsteuerempfaenger")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert dimming(hass) == (4200, False)
    assert solar(hass) == (None, 7000, False)
    typed = {"dimming_entity": "binary_sensor.rundsteuerempfaenger", "dimming_power": 5000, "dimming_total": True}
    await answer(hass, await begin(hass, manager, "grid_operator"), **typed)
    assert dimming(hass) == (5000, True)
    result = await begin(hass, manager, "grid_operator")
    assert suggested(result) == typed
    await answer(hass, result, dimming_power=5000, dimming_total=True)
    assert dimming(hass) == (None, True)
    assert solar(hass) == (None, 7000, False)


@pytest.mark.parametrize("value", [999, 200001, 4200.5])
async def test_dimming_power_out_of_range(site: Site, value: float) -> None:
    """A power that cannot be gets a message at its field, what was typed stays, and the flow goes on."""
    manager = site.manager_entry()
    await site.set_up(manager)
    result = await answer(site.hass, await begin(site.hass, manager, "grid_operator"), dimming_power=value)
    shows(result, "grid_operator", {"dimming_power": "dimming_power_out_of_range"})
    assert suggested(result) == {"dimming_power": value, "dimming_total": False}
    result = await answer(site.hass, result, dimming_power=1000)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert manager.options["dimming_power"] == 1000


async def test_input_that_does_not_exist(site: Site) -> None:
    """An input that Home Assistant does not know gets a message at its field; it can be left empty."""
    manager = site.manager_entry()
    await site.set_up(manager)
    result = await begin(site.hass, manager, "grid_operator")
    result = await answer(site.hass, result, dimming_entity="binary_sensor.nowhere")
    shows(result, "grid_operator", {"dimming_entity": "entity_not_found"})
    result = await answer(site.hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert dimming(site.hass) == (None, False)
