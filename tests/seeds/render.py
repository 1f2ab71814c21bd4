"""Writes the document from the table."""

from collections.abc import Iterable
from itertools import groupby
import json
from pathlib import Path
import re
from typing import Any, Final

from .model import Action, Behaviour, Diagnostics, Entity, Json, Nowhere, Option, Owner, Place, Row, Table, Value
from .others import CLC3, PLUGCHOICE, WALLBOX
from .warp_api import WARP_API
from .warp_load import WARP_LOAD

TABLES: Final = (WARP_LOAD, WARP_API, WALLBOX, PLUGCHOICE, CLC3)
PROJECT: Final = Path(__file__).parents[2]
DOCUMENT: Final = PROJECT / "docs" / "seeds.md"
TEXTS: Final[dict[str, Any]] = json.loads(
    (PROJECT / "custom_components/pv_load_manager/translations/en.json").read_text(encoding="utf-8")
)
INTRODUCTION: Final = """\
# Where everything of the other load managers is

What five documents say about load management, field by field and number by number, and where it is here. What they say
is told in other words; only names and numbers are theirs.

An entity belongs to the device of the load manager unless another one is named; options are fields of the forms of the
integration. A *reason* is what the sensor *Reason* of a charger says. Tests are below `tests`.

This file is written by `python -m tests.seeds` from the table in `tests/seeds`; the tests compare that table with the
integration and with the documents.
"""


def texts_of_step(option: Option) -> dict[str, Any]:
    """Return the texts of the form in which an option is."""
    root = TEXTS["config_subentries"]["circuit"] if option.flow == "circuit" else TEXTS[option.flow]
    texts: dict[str, Any] = root["step"][option.step]
    return texts


def name_of(entity: Entity) -> str:
    """Return what an entity is called."""
    name: str = TEXTS["entity"][entity.platform][entity.text or entity.key]["name"]
    return name


def here(place: Place) -> str:
    """Return where something is."""
    match place:
        case Entity():
            owner = "" if place.owner is Owner.MANAGER else f" of the {place.owner}"
            return f"{place.platform.replace('_', ' ')} *{name_of(place)}*{owner} (`{place.key}`)"
        case Option():
            texts = texts_of_step(place)
            return f"option *{texts['data'][place.field]}* in *{texts['title']}* (`{place.field}`)"
        case Action():
            return f"action `{place.name}`" + (f" (`{place.field}`)" if place.field else "")
        case Diagnostics():
            return f"diagnostics `{place.path}`"
        case Json():
            return f"JSON `{place.path}`"
        case Value():
            return f"`{place.member.name}` = {place.member.value}" if place.member.name else ""
        case Nowhere():
            return place.because
        case Behaviour():
            return _behaviour(place)


def _behaviour(place: Behaviour) -> str:
    shown = [f"`{test}`" for test in place.tests]
    parts = [f"reason {' or '.join(f'`{reason.value}`' for reason in place.reasons)}"] if place.reasons else []
    return "; ".join([*parts, *([f"test {', '.join(shown)}"] if shown else [])])


def seed(keys: Iterable[str]) -> str:
    """Return the names of fields as they are, and lines as short as possible."""
    numbers, names = [], []
    for key in keys:
        line = re.fullmatch(r"line (\d+)", key)
        if line is None:
            names.append(f"`{key}`")
        else:
            numbers.append(int(line[1]))
    for _, group in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        names.append(f"line {run[0]}" if len(run) == 1 else f"lines {run[0]}–{run[-1]}")
    return ", ".join(names)


def rendered_row(row: Row) -> str:
    """Return one row of the document."""
    places = [here(place) for place in row.places]
    numbers = "<br>".join(f"**{number.text}**: {number.meaning}" for number in row.numbers)
    cells = (seed(row.keys), row.says, "<br>".join([*places, *([row.note] if row.note else [])]), numbers)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def rendered_table(table: Table) -> str:
    """Return the part of one document."""
    head = "| there | what it says | here | numbers |\n|---|---|---|---|"
    return "\n".join([f"## {table.title}", "", head, *(rendered_row(row) for row in table.rows)])


def rendered() -> str:
    """Return the whole document."""
    return "\n\n".join([INTRODUCTION.strip(), *(rendered_table(table) for table in TABLES)]) + "\n"
