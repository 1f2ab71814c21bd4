"""Examples are what Home Assistant takes."""

from pathlib import Path
import re
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.setup import async_setup_component
from homeassistant.util import slugify
import pytest
import yaml

from custom_components.pv_load_manager.services import ACTIONS

from .markdown import DOCS, PAGES, PROJECT, blocks_of, tables_of
from .names import descriptions, english_name, entity_texts

BLUEPRINTS: Final = PROJECT / "blueprints" / "automation" / "pv_load_manager"
DEVICES: Final = ("garage", "pv_load_manager")
BLOCKS: Final[list[tuple[Path, Any]]] = [
    (page, yaml.safe_load(block.code)) for page in PAGES for block in blocks_of(page) if block.language == "yaml"
]
AUTOMATIONS: Final = [content for _, content in BLOCKS if "triggers" in content]
SCHEMAS: Final = {action.name: action.schema for action in ACTIONS}


def _calls(content: Any) -> list[dict[str, Any]]:
    """Return what calls an action of the integration, wherever it is."""
    found: list[dict[str, Any]] = []
    if isinstance(content, dict):
        if str(content.get("action", "")).startswith("pv_load_manager."):
            found.append(content)
        for value in content.values():
            found += _calls(value)
    elif isinstance(content, list):
        for value in content:
            found += _calls(value)
    return found


CALLS: Final = [call for _, content in BLOCKS for call in _calls(content)]


def _entities(text: str) -> list[str]:
    """Return the entities of the house of the examples."""
    return re.findall(rf"\b\w+\.(?:{'|'.join(DEVICES)})_\w+", text)


def test_there_are_examples() -> None:
    """The tests below have something to look at."""
    assert len(AUTOMATIONS) > 5
    assert {call["action"].partition(".")[2] for call in CALLS} == set(SCHEMAS)


@pytest.mark.parametrize("automation", AUTOMATIONS, ids=lambda automation: str(automation["alias"]))
async def test_automations_are_valid(hass: HomeAssistant, automation: dict[str, Any]) -> None:
    """Triggers, conditions and actions have the shape that Home Assistant wants."""
    assert set(automation) <= {"alias", "triggers", "conditions", "actions", "mode"}
    assert await async_setup_component(hass, "homeassistant", {})
    cv.TRIGGER_SCHEMA(automation["triggers"])
    cv.CONDITIONS_SCHEMA(automation.get("conditions", []))
    cv.SCRIPT_SCHEMA(automation["actions"])


@pytest.mark.parametrize("call", CALLS, ids=lambda call: str(call["action"]))
def test_calls_have_the_fields_of_their_action(call: dict[str, Any]) -> None:
    """Fields that are no templates have values that the action takes, and no field is unknown."""
    schema, data = SCHEMAS[call["action"].partition(".")[2]], call.get("data", {})
    known = {str(key) for key in schema.schema}
    assert set(data) <= known
    if not any("{{" in str(value) for value in data.values()):
        schema({**data, **call.get("target", {})})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_entities_of_the_integration_exist(page: Path) -> None:
    """What belongs to the devices of the examples is called as the integration calls it."""
    languages = ["de"] if page.name.endswith(".de.md") else ["en"]
    names = {
        f"{platform}.{slugify(texts['name'])}"
        for language in languages
        for platform, _, texts in entity_texts(language)
    } | {f"{platform}.{slugify(english_name(platform, description))}" for platform, description in descriptions()}
    wrong = []
    for block in blocks_of(page):
        for entity in _entities(block.code):
            platform, _, key = entity.partition(".")
            device = next(device for device in DEVICES if key.startswith(f"{device}_"))
            if f"{platform}.{key.removeprefix(f'{device}_')}" not in names:
                wrong.append(entity)
    assert wrong == []


def test_every_blueprint_has_a_row() -> None:
    """Each file is in the table."""
    tables = [table for table in tables_of(DOCS / "examples.md") if table.section == "Blueprints"]
    files = [cell.strip("`") for table in tables for cell in table.column("file")]
    assert sorted(files) == sorted(file.name for file in BLUEPRINTS.glob("*.yaml"))
