"""Every setting is in the README with its unit, default and range, in both languages."""

from collections import Counter
import re
from types import SimpleNamespace
from typing import Any, Final

import pytest

from custom_components.pv_load_manager import const
from custom_components.pv_load_manager.control import HIGHEST_CURRENT, LOWEST_CURRENT, Strategy, Timings
from custom_components.pv_load_manager.coordinators.settings import DEFAULT_CHARGER_CURRENT
from custom_components.pv_load_manager.tables.numbers import MAXIMUM_CURRENT, SiteNumberDescription

from .markdown import README, README_DE, TextTable, prose_of, tables_of
from .names import SETTING_PLATFORMS, TEXTS, descriptions, entity_texts, option_names

PAGES: Final = {"en": README, "de": README_DE}
ENTITY: Final = {"en": "entity", "de": "Entität"}
OPTION: Final = {"en": ("field", "option"), "de": ("Feld", "Option")}
LANGUAGES = pytest.mark.parametrize("language", ["en", "de"])

OPTIONS: Final[dict[tuple[str, str], tuple[Any, Any, Any]]] = {
    ("config.solaredge", "port"): (const.DEFAULT_MODBUS_PORT, 1, 65535),
    ("config.solaredge", "unit_id"): (const.DEFAULT_UNIT_ID, 1, 247),
    ("config.wattpilot", "port"): (const.DEFAULT_WATTPILOT_PORT, 1, 65535),
    ("config.connection", "main_fuse"): (const.DEFAULT_MAIN_FUSE, const.MIN_FUSE, const.MAX_FUSE),
    ("config.connection", "expected_chargers"): (1, 1, const.MAX_CHARGERS),
    ("config.protection", "safety_margin"): (0, 0, const.MAX_MARGIN),
    ("config.protection", "imbalance"): (const.DEFAULT_IMBALANCE, 0, const.MAX_FUSE),
    ("options.inverter", "grid_interval"): (
        const.DEFAULT_GRID_INTERVAL,
        const.MIN_GRID_INTERVAL,
        const.MAX_GRID_INTERVAL,
    ),
    ("options.solar", "inverter_ac_power"): (None, 0, const.MAX_SOLAR_POWER),
    ("options.solar", "export_limit"): (None, 0, const.MAX_SOLAR_POWER),
    ("options.source_sensors", "sources_max_age"): (None, 1, const.MAX_METER_AGE),
    ("options.grid_operator", "dimming_power"): (
        const.DEFAULT_DIMMING_POWER,
        const.MIN_DIMMING_POWER,
        const.MAX_CIRCUIT_POWER,
    ),
    ("options.own_currents", "min_current"): (LOWEST_CURRENT, LOWEST_CURRENT, HIGHEST_CURRENT),
    ("options.own_currents", "min_current_three"): (LOWEST_CURRENT, LOWEST_CURRENT, HIGHEST_CURRENT),
    ("config_subentries.circuit", "limit"): (None, const.MIN_FUSE, const.MAX_FUSE),
    ("config_subentries.circuit", "limit_power"): (None, const.MIN_CIRCUIT_POWER, const.MAX_CIRCUIT_POWER),
    ("config_subentries.circuit", "safety_margin"): (0, 0, const.MAX_MARGIN),
}
"""Default (None = none that is a number) and range of options, by the form and the field."""


def _tables(language: str, *first: str) -> list[TextTable]:
    return [table for table in tables_of(PAGES[language]) if table.columns[0] in first]


def _name(cell: str) -> str:
    """Return the name in a cell, without what is said about it in brackets."""
    return re.sub(r" \([^)]*\)$", "", cell)


def _row(language: str, name: str) -> tuple[str, ...]:
    rows = [row for table in _tables(language, ENTITY[language]) for row in table.rows if _name(row[0]) == name]
    assert rows, f"{name} is not in the README"
    return rows[0]


def _range(low: float, high: float) -> re.Pattern[str]:
    return re.compile(rf"{low:g}\s?–\s?{high:g}".replace("-", "−"))


@LANGUAGES
def test_every_setting_is_an_entity_of_the_readme(language: str) -> None:
    """Each once, and nothing else."""
    found = Counter(
        _name(cell) for table in _tables(language, ENTITY[language]) for cell in table.column(ENTITY[language])
    )
    expected = Counter(texts["name"] for _, _, texts in entity_texts(language, SETTING_PLATFORMS))
    assert found == expected


NUMBERS: Final = [
    description
    for platform, description in descriptions()
    if platform == "number" and isinstance(description, SiteNumberDescription)
]


@LANGUAGES
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.key)
def test_unit_range_and_default_of_numbers(number: SiteNumberDescription, language: str) -> None:
    """They are those of the code."""
    row = _row(language, TEXTS[language]["entity"]["number"][number.key]["name"])
    assert row[1] == (number.native_unit_of_measurement or "")
    low, high = number.native_min_value, number.native_max_value
    assert low is not None
    if number.max_fn is None and high is not None:
        assert _range(low, high).fullmatch(row[3].replace(",", ".")), row[3]
        manager: Any = SimpleNamespace(strategy=Strategy(), timings=Timings())
        assert float(row[2].replace(",", ".")) == number.value_fn(manager) / number.scale
    else:
        assert row[3].startswith(f"{low:g} – ")


@LANGUAGES
def test_maximum_current_of_a_charger(language: str) -> None:
    """Its upper end in the code is that of the largest charger."""
    row = _row(language, TEXTS[language]["entity"]["number"]["maximum_current"]["name"])
    low, high = MAXIMUM_CURRENT.native_min_value, MAXIMUM_CURRENT.native_max_value
    assert low is not None
    assert high is not None
    assert row[1:3] == (MAXIMUM_CURRENT.native_unit_of_measurement, str(DEFAULT_CHARGER_CURRENT))
    assert _range(low, high).fullmatch(row[3])


@LANGUAGES
def test_every_choice_of_a_select_is_in_its_range(language: str) -> None:
    """By its name or its value."""
    for _, key, texts in entity_texts(language, ["select"]):
        rows = [
            row for table in _tables(language, ENTITY[language]) for row in table.rows if _name(row[0]) == texts["name"]
        ]
        choices = [(value, name.casefold().replace(",", "")) for value, name in texts["state"].items()]
        assert any(
            all(
                name in row[3].casefold().replace(" und", "").replace(" and", "") or value in row[3]
                for value, name in choices
            )
            for row in rows
        ), key


@LANGUAGES
def test_switches_are_on_or_off(language: str) -> None:
    """Their range says so."""
    words = {"en": "on, off", "de": "ein, aus"}[language]
    for _, key, texts in entity_texts(language, ["switch"]):
        row = _row(language, texts["name"])
        assert row[3] == words, key
        assert row[2] in words.split(", "), key


def test_what_is_disabled_at_first_says_so() -> None:
    """It is below what is for experts, or says it."""
    sections = {row[0]: table for table in _tables("en", "entity") for row in table.rows}
    experts = _experts(prose_of(README))
    for platform, description in descriptions():
        if platform not in SETTING_PLATFORMS or description.translation_key is None:
            continue
        name = TEXTS["en"]["entity"][platform][description.translation_key]["name"]
        cells = [cell for cell in sections if _name(cell) == name]
        hidden = any(cell in experts or "disabled at first" in cell for cell in cells)
        assert hidden is not description.entity_registry_enabled_default, name


def _experts(text: str) -> set[str]:
    """Return the first cells of the table of what is for experts."""
    table = text.split("For experts, disabled until", 1)[1].split("\n\n")[1]
    return {line.split("|")[1].strip() for line in table.splitlines()}


@LANGUAGES
def test_every_option_is_in_the_readme(language: str) -> None:
    """In a table, or where it is told about."""
    prose = prose_of(PAGES[language])
    cells = {_name(row[0]) for table in _tables(language, *OPTION[language]) for row in table.rows}
    named = set(re.findall(r"\*([^*\n]+)\*", prose))
    missing = {
        name
        for name in option_names(language)
        if name not in cells and name.rstrip("?") not in {n.rstrip("?") for n in named}
    }
    assert missing == set()


@LANGUAGES
@pytest.mark.parametrize(("form", "field"), OPTIONS)
def test_default_and_range_of_options(form: str, field: str, language: str) -> None:
    """They are those of the code."""
    default, low, high = OPTIONS[form, field]
    kind, step = form.split(".")
    texts = TEXTS[language][kind]
    steps = texts["circuit"]["step"] if kind == "config_subentries" else texts["step"]
    name = _name(steps[step]["data"][field])
    rows = [
        dict(zip(table.columns, row, strict=True))
        for table in _tables(language, *OPTION[language])
        for row in table.rows
        if row[0] == name
    ]
    column = {"en": ("default", "range"), "de": ("Standard", "Bereich")}[language]
    assert any(
        _range(low, high).fullmatch(row[column[1]]) and (default is None or row[column[0]] == f"{default}")
        for row in rows
    ), rows
