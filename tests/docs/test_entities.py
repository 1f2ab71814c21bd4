"""Every entity is listed, with its unit and whether it is enabled at first."""

from typing import Final

from .markdown import DOCS, tables_of
from .names import SETTING_PLATFORMS, TEXTS, descriptions, english_name, entity_texts, together

PAGE: Final = DOCS / "entities.md"
SHOWN: Final = tuple(platform for platform in TEXTS["en"]["entity"] if platform not in SETTING_PLATFORMS)
ROWS: Final = [
    (row[1].replace(" ", "_"), row[0], row[2], row[3])
    for table in tables_of(PAGE)
    if table.columns[0] == "entity"
    for row in table.rows
]
"""Platform, name, unit, and whether it is enabled."""


def test_every_named_entity_has_a_row() -> None:
    """What has a name is listed."""
    listed = {(platform, name) for platform, name, _, _ in ROWS}
    named = {(platform, together(texts["name"])) for platform, _, texts in entity_texts("en", SHOWN)}
    assert named - listed == set()


def test_every_description_has_its_row() -> None:
    """Unit and default are those of the code."""
    missing = []
    for platform, description in descriptions():
        if platform in SETTING_PLATFORMS:
            continue
        name = together(english_name(platform, description))
        units = {
            getattr(description, "suggested_unit_of_measurement", None),
            getattr(description, "native_unit_of_measurement", None),
        }
        enabled = "enabled" if description.entity_registry_enabled_default else "disabled"
        wanted = {(platform, name, unit or "", enabled) for unit in units if unit is not None} or {
            (platform, name, "", enabled)
        }
        if not wanted & set(ROWS):
            missing.append((platform, name, sorted(str(unit) for unit in units), enabled))
    assert missing == []


def test_no_row_is_made_up() -> None:
    """Every row is an entity of the integration."""
    known = {(platform, together(texts["name"])) for platform, _, texts in entity_texts("en", SHOWN)}
    known |= {(platform, together(english_name(platform, description))) for platform, description in descriptions()}
    assert [row for row in ROWS if (row[0], row[1]) not in known] == []


def test_each_device_lists_an_entity_once() -> None:
    """No device has two rows of the same kind and name."""
    for table in tables_of(PAGE):
        rows = [(row[1], row[0]) for row in table.rows]
        assert len(rows) == len(set(rows)), table.section
