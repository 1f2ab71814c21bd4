"""Every action, each of its fields, and every event is documented."""

import re
from typing import Any, Final

import pytest
import yaml

from custom_components.pv_load_manager.services import ACTIONS

from .markdown import DOCS, README, README_DE, TextTable, blocks_of, headings_of, tables_of, text_of
from .names import FOLDER, TEXTS

PAGE: Final = DOCS / "actions.md"
SERVICES: Final[dict[str, Any]] = yaml.safe_load((FOLDER / "services.yaml").read_text(encoding="utf-8"))


def _words(table: TextTable) -> list[str]:
    """Return the words of the first column that are code."""
    return [word for cell in table.column(table.columns[0]) for word in re.findall(r"`([^`]+)`", cell)]


def test_every_action_has_a_heading() -> None:
    """Actions, and nothing else, are below the headings of the third level."""
    headings = [text for level, text in headings_of(PAGE) if level == 3]
    assert sorted(headings) == sorted(SERVICES)
    assert sorted(headings) == sorted(action.name for action in ACTIONS)


@pytest.mark.parametrize("action", SERVICES)
def test_every_field_has_a_row(action: str) -> None:
    """Fields are those of the form, and who is needed says so."""
    tables = [table for table in tables_of(PAGE) if table.section == action and table.columns[0] == "field"]
    fields = (SERVICES[action] or {}).get("fields", {})
    assert [word for table in tables for word in _words(table)] == list(fields)
    needed = [row[1] == "yes" for table in tables for row in table.rows]
    assert needed == [bool(field.get("required")) for field in fields.values()]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_answers_and_rights_are_told(action: Any) -> None:
    """What answers says so, and what is for administrators."""
    text = text_of(PAGE).split(f"\n### {action.name}\n", 1)[1].split("\n#", 1)[0]
    assert ("nswer" in text) is (action.response.value != "none")
    assert ("For administrators" in text) is action.admin


@pytest.mark.parametrize("action", SERVICES)
def test_every_action_has_an_example(action: str) -> None:
    """There is a block that calls it."""
    examples = [yaml.safe_load(block.code) for block in blocks_of(PAGE) if block.language == "yaml"]
    assert any(example["action"] == f"pv_load_manager.{action}" for example in examples)


@pytest.mark.parametrize("page", [README, README_DE], ids=["en", "de"])
def test_the_readme_lists_every_action(page: Any) -> None:
    """One row each."""
    tables = [table for table in tables_of(page) if table.columns[0] in {"action", "Aktion"}]
    assert [sorted(_words(table)) for table in tables] == [sorted(SERVICES)]


@pytest.mark.parametrize("entity", TEXTS["en"]["entity"]["event"])
def test_every_event_is_told(entity: str) -> None:
    """One row for each kind of event."""
    told = {word for table in tables_of(PAGE) if table.columns[0] == "event" for word in _words(table)}
    assert set(TEXTS["en"]["entity"]["event"][entity]["state_attributes"]["event_type"]["state"]) <= told


def test_every_cause_is_told() -> None:
    """The causes of events are named."""
    causes = TEXTS["en"]["entity"]["event"]["charging"]["state_attributes"]["cause"]["state"]
    assert [cause for cause in causes if f"`{cause}`" not in text_of(PAGE)] == []
