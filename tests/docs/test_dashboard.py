"""What is told about the dashboard is what its source says: its options, views, marks, and what it says of failures."""

import json
from pathlib import Path
import re
from typing import Any, Final

import pytest
import yaml

from .markdown import DOCS, PAGES, PROJECT, README, README_DE, TextTable, blocks_of, headings_of, tables_of
from .names import TEXTS

SOURCE: Final = PROJECT / "frontend" / "src"
PAGE: Final = DOCS / "dashboard.md"
READMES: Final = {"en": README, "de": README_DE}
LANGUAGES = pytest.mark.parametrize("language", ["en", "de"])
CONFIGURATIONS: Final = {
    "site": ("cards/site/card.ts", "SiteCardConfig"),
    "charger": ("cards/charger/find.ts", "Wanted"),
    "timeline": ("cards/timeline/card.ts", "TimelineCardConfig"),
    "dashboard": ("strategy/options.ts", "StrategyConfig"),
}
"""Where the options of each card are declared."""
FAULTS: Final = ("timeline.unreachable", "timeline.problem")
"""Marks that are no events."""


def _source(path: str) -> str:
    return (SOURCE / path).read_text(encoding="utf-8")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.DOTALL | re.MULTILINE)
    assert match, pattern
    return match[1]


def _words(text: str) -> list[str]:
    return re.findall(r'"(\w+)"', text)


def _texts(language: str) -> dict[str, str]:
    """Return what the dashboard says, by key; a placeholder is an ellipsis."""
    pairs = re.findall(r'^ +"?([\w.]+)"?:\s+("(?:[^"\\]|\\.)*")', _source(f"texts/{language}.ts"), re.MULTILINE)
    return {key: re.sub(r"\{\w+\}", "…", re.sub(r"(?<=[.!?])(?=\{)", " ", json.loads(text))) for key, text in pairs}


def _options() -> dict[str, list[str]]:
    """Return the options of each card, in the order of the source."""
    return {
        card: re.findall(r"^  (\w+)\?:", _found(rf"interface {name}[^{{]*\{{(.*?)^\}}", _source(path)), re.MULTILINE)
        for card, (path, name) in CONFIGURATIONS.items()
    }


def _table(page: Path, *first: str) -> TextTable:
    (table,) = [table for table in tables_of(page) if table.columns[: len(first)] == first]
    return table


def _option_rows(language: str) -> dict[tuple[str, str], tuple[str, ...]]:
    first = {"en": ("card", "option"), "de": ("Karte", "Option")}[language]
    return {(row[0], row[1].strip("`")): row for row in _table(READMES[language], *first).rows}


@LANGUAGES
def test_every_option_of_a_card_has_a_row(language: str) -> None:
    """Each once, and nothing else."""
    expected = [(card, option) for card, options in _options().items() for option in options]
    assert len(expected) > 10
    assert list(_option_rows(language)) == expected


@LANGUAGES
def test_defaults_and_ranges_of_options(language: str) -> None:
    """They are those of the editors."""
    rows = {option: row[2:4] for (_, option), row in _option_rows(language).items()}
    forms = _source("editors/forms.ts")
    numbers = re.findall(r'amount\("(\w+)", (\d+), (\d+), \d+, (\d+),', forms)
    switches = re.findall(r'toggle\("(\w+)", (true|false)\)', forms)
    assert len(numbers) > 1
    assert len(switches) > 1
    for option, low, high, normally in numbers:
        assert rows[option] == (normally, f"{low}–{high}"), option
    for option, normally in switches:
        assert rows[option] == (normally, "true, false"), option
    choices = _words(_found(r"choices = \[(.*?)\]", forms))
    assert rows["compact"] == ("auto", ", ".join(choices))
    views = _words(_found(r"VIEWS = \[(.*?)\]", _source("strategy/options.ts")))
    assert rows["hide_views"][1] == ", ".join(views)


def _examples() -> list[tuple[str, dict[str, Any]]]:
    """Return card and configuration of each example of our own."""
    found: list[tuple[str, dict[str, Any]]] = []
    for page in PAGES:
        for block in blocks_of(page):
            if block.language != "yaml" or "custom:pv-load-manager" not in block.code:
                continue
            content = yaml.safe_load(block.code)
            config = content.get("strategy", content)
            kind = config["type"].removeprefix("custom:pv-load-manager").removesuffix("-card").strip("-")
            found.append((kind or "dashboard", config))
    return found


def test_examples_have_options_that_there_are() -> None:
    """Of each card there is one, and Home Assistant would take it."""
    options = _options()
    assert {card for card, _ in _examples()} == set(options)
    for card, config in _examples():
        assert set(config) <= {"type", *options[card]}, config
        _, name = CONFIGURATIONS[card]
        assert config.get("compact", "auto") in ("auto", "always", "never"), name


@LANGUAGES
def test_every_view_is_told(language: str) -> None:
    """In its order, by the name that a user sees."""
    views = _words(_found(r"VIEWS = \[(.*?)\]", _source("strategy/options.ts")))
    names = [_texts(language)[f"view.{view}"] for view in views]
    first = {"en": ("view",), "de": ("Ansicht",)}[language]
    assert list(_table(READMES[language], *first).column(*first)) == names
    if language == "en":
        assert [text for level, text in headings_of(PAGE) if level == 2 and text in names] == names


@LANGUAGES
def test_everything_that_it_says_when_things_fail_has_a_row(language: str) -> None:
    """All that tells how it is mended, and all refusals; nothing that it never says."""
    texts = _texts(language)
    told = [text for key, text in texts.items() if f"{key}.mend" in texts or key.startswith("action.")]
    assert len(told) > 20
    first = {"en": ("it says",), "de": ("es steht da",)}[language]
    rows = _table(READMES[language], *first).rows
    assert set(told) <= {row[0] for row in rows}
    assert {row[0] for row in rows} <= set(texts.values())
    assert all(all(row) for row in rows)


def test_every_mark_has_its_row() -> None:
    """By its kind, with the names of all events that are shown by it."""
    names = {
        event: name
        for entity in TEXTS["en"]["entity"]["event"].values()
        for event, name in entity["state_attributes"]["event_type"]["state"].items()
    }
    events = _found(r"const EVENTS.*? = \{(.*?)\};", _source("cards/timeline/marks.ts"))
    kinds: dict[str, set[str]] = {"fault": {_texts("en")[key] for key in FAULTS}}
    for event, kind in re.findall(r'(\w+): \["(\w+)"', events):
        kinds.setdefault(kind.replace("_", " "), set()).add(names.pop(event))
    assert names == {}
    assert {row[1]: set(row[2].split(", ")) for row in _table(PAGE, "mark").rows} == kinds


def test_every_state_of_the_site_has_a_row() -> None:
    """By its name."""
    names = TEXTS["en"]["entity"]["sensor"]["site_state"]["state"].values()
    assert list(_table(PAGE, "state").column("state")) == list(names)


def test_notes_of_circuits_are_those_that_are_shown() -> None:
    """What stands beside the name of a circuit."""
    told = " ".join(_table(PAGE, "note").column("note"))
    texts = _texts("en")
    for key in ("stale", "fallback", "dead", "unmetered", "dimmed", "over"):
        assert texts[f"circuits.{key}"].partition(":")[0] in told, key


def test_what_the_lanes_say_is_told() -> None:
    """What a car does, and the marks of what is not usual, in the words that a user sees."""
    texts, prose = _texts("en"), PAGE.read_text(encoding="utf-8")
    cars = [key for key in texts if key.startswith("lane.car.") and key != "lane.car.unknown"]
    assert len(cars) > 4
    for key in (*cars, "lane.countdown", "lane.not_live", "mode.follow_site", "override.new", "timeline.list"):
        assert f"*{texts[key].partition('…')[0]}" in prose, key
    for key in ("circuits.feeds", "flow.import", "flow.export", "flow.charging", "flow.discharging"):
        assert texts[key].strip("… ") in prose, key
