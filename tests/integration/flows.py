"""Walks through flows as a user does."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, EntryType


async def begin(hass: HomeAssistant, kind: EntryType) -> ConfigFlowResult:
    """Choose in the menu what to add and return the first form, or the end."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    return await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": kind.value})


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry, way: str) -> ConfigFlowResult:
    """Begin to reconfigure a charger, choose how it is reached and return the form."""
    result = await entry.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.MENU
    return await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": way})


async def answer(hass: HomeAssistant, result: ConfigFlowResult, user_input: Mapping[str, Any]) -> ConfigFlowResult:
    """Fill in the shown form and return what comes next."""
    assert result["type"] is FlowResultType.FORM
    return await hass.config_entries.flow.async_configure(result["flow_id"], dict(user_input))


async def protect(hass: HomeAssistant, result: ConfigFlowResult, **answers: Any) -> ConfigFlowResult:
    """Fill in the protection of the house connection and return what comes next."""
    shows(result, "protection")
    return await answer(hass, result, answers)


def defaults(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what counts in the form where nothing is typed."""
    schema = result["data_schema"]
    assert schema is not None
    return schema({key: value for key, value in suggested(result).items() if value is not None})


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the form shows before anything is typed."""
    schema = result["data_schema"]
    assert schema is not None
    return {
        str(key): key.description["suggested_value"]
        for key in schema.schema
        if key.description and "suggested_value" in key.description
    }


def shows(result: ConfigFlowResult, step_id: str, errors: Mapping[str, str] | None = None) -> None:
    """Expect a form."""
    assert result["type"] is FlowResultType.FORM, result
    assert result["step_id"] == step_id
    assert (result["errors"] or {}) == (errors or {})


def creates(result: ConfigFlowResult, title: str, data: Mapping[str, Any]) -> None:
    """Expect a new entry."""
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    assert result["title"] == title
    assert result["data"] == data


def aborts(result: ConfigFlowResult, reason: str) -> None:
    """Expect the end without an entry."""
    assert result["type"] is FlowResultType.ABORT, result
    assert result["reason"] == reason
