"""The actions: what is registered, what services.yaml shows, and what their texts and icons speak of are the same."""

from collections.abc import Iterator
from typing import Any

from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.helpers.config_validation import TARGET_SERVICE_FIELDS
from homeassistant.helpers.selector import validate_selector
from homeassistant.setup import async_setup_component
import probatio
import pytest

from .files import INTEGRATION, load_json, load_yaml

DOMAIN = INTEGRATION.name
ACTIONS: dict[str, dict[str, Any]] = load_yaml(INTEGRATION / "services.yaml")
EN = load_json(INTEGRATION / "translations" / "en.json")
ICONS = load_json(INTEGRATION / "icons.json")
FIELD_KEYS = {"required", "example", "default", "selector", "advanced", "filter"}
TARGETS = {str(key) for key in TARGET_SERVICE_FIELDS}


def fields(action: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the fields of an action, those in sections too."""
    for name, field in action.get("fields", {}).items():
        if "fields" in field:
            yield from field["fields"].items()
        else:
            yield name, field


def keys_of(schema: Any) -> dict[str, bool]:
    """Return the fields that a schema takes, and whether they are required."""
    if isinstance(schema, probatio.All):
        return {name: required for part in schema.validators for name, required in keys_of(part).items()}
    inner = getattr(schema, "schema", schema)
    if not isinstance(inner, dict):
        return {}
    return {str(key): isinstance(key, probatio.Required) for key in inner if isinstance(key, probatio.Marker)}


@pytest.fixture(name="registered")
async def registered_fixture(hass: HomeAssistant, enable_custom_integrations: None) -> dict[str, Any]:
    """Return the actions that exist after Home Assistant loaded the integration, without any entry."""
    assert await async_setup_component(hass, DOMAIN, {})
    return dict(hass.services.async_services_for_domain(DOMAIN))


def test_every_action_is_described(registered: dict[str, Any]) -> None:
    """Every registered action is in services.yaml, has texts and an icon; nothing else is there."""
    assert set(registered) == set(ACTIONS) == set(EN["services"]) == set(ICONS["services"])
    assert all(set(icon) == {"service"} for icon in ICONS["services"].values())


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_texts(name: str) -> None:
    """Every field and section has a name and a description, and none is left over."""
    action, texts = ACTIONS[name], EN["services"][name]
    assert texts["name"]
    assert texts["description"]
    assert {field for field, _ in fields(action)} == set(texts.get("fields", {}))
    sections = {part for part, content in action.get("fields", {}).items() if "fields" in content}
    assert sections == set(texts.get("sections", {}))


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_fields(name: str) -> None:
    """Every field has a selector that Home Assistant knows, and its choices are translated."""
    assert set(ACTIONS[name] or ()) <= {"target", "fields"}
    for field, content in fields(ACTIONS[name]):
        assert set(content) <= FIELD_KEYS, field
        validate_selector(content["selector"])
        choice = content["selector"].get("select") or {}
        if choice:
            texts = EN["selector"][choice["translation_key"]]["options"]
            assert all(option in texts for option in choice["options"]), field


def test_fields_are_those_of_the_schemas(registered: dict[str, Any]) -> None:
    """The form shows exactly the fields that the action takes; what it requires is required there."""
    for name, action in registered.items():
        taken = keys_of(action.schema)
        shown = {field: bool(content.get("required")) for field, content in fields(ACTIONS[name])}
        assert {field: taken[field] for field in taken if field not in TARGETS} == shown, name
        assert bool(set(taken) & TARGETS) is ("target" in ACTIONS[name]), name


def test_answers(registered: dict[str, Any]) -> None:
    """An action that only answers says so, and one that changes something can be called without an answer."""
    only = {name for name, action in registered.items() if action.supports_response is SupportsResponse.ONLY}
    assert only == {name for name in ACTIONS if name.startswith(("explain", "export"))}
