"""The table names everything in the documents, and its numbers are those of the code."""

import ast
from functools import cache
import hashlib
import os
from pathlib import Path
import re

import pytest

from custom_components.pv_load_manager.power_manager.documents import DOCUMENTS as JSON
from tests.conftest import DEFAULT_DATA

from . import json_api
from .documents import DOCUMENTS, Item, merged
from .model import Action, Behaviour, Json, Nowhere, Number, Option, Row, Table, Value
from .render import DOCUMENT, PROJECT, TABLES, rendered, texts_of_step

ALL = [(table, row) for table in TABLES for row in table.rows]
EACH_ROW = pytest.mark.parametrize(("table", "row"), ALL, ids=[f"{t.file}-{row.keys[0]}" for t, row in ALL])
EACH_TABLE = pytest.mark.parametrize("table", TABLES, ids=[table.file for table in TABLES])
COPIED = 7
"""So many words in a row that are the same are no accident."""


def text_of(table: Table) -> str:
    """Return a document; skip where it is missing or another one."""
    data = Path(os.environ.get("PVLM_DATA", DEFAULT_DATA))
    file = Path(os.environ.get("PVLM_SEEDS", data.parent / "reference" / "seeds")) / table.file
    if not file.is_file():
        pytest.skip(f"the document {table.file} is not here: set PVLM_SEEDS")
    return file.read_text(encoding="utf-8")


def items_of(table: Table) -> dict[str, Item]:
    """Return everything in a document that needs a row."""
    return merged(DOCUMENTS[table.file](text_of(table)))


@cache
def functions_in(file: Path) -> frozenset[str]:
    """Return the functions of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def words(text: str) -> list[str]:
    """Return the words of a text without its punctuation."""
    return re.findall(r"\w+", text.casefold())


def test_every_document_has_a_table() -> None:
    """Each way to take a document apart belongs to one table."""
    assert sorted(DOCUMENTS) == sorted(table.file for table in TABLES)


@EACH_TABLE
def test_the_document_is_the_one_that_was_read(table: Table) -> None:
    """A document that changed has to be read anew."""
    assert hashlib.sha256(text_of(table).encode()).hexdigest() == table.digest


@EACH_TABLE
def test_nothing_is_forgotten(table: Table) -> None:
    """Every field, every line of a list and every sentence with a number has a row, with all of its numbers."""
    rows = {key: row for row in table.rows for key in row.keys}
    items = items_of(table)
    assert {key: item.text for key, item in items.items() if key not in rows} == {}
    for key, item in items.items():
        assert item.numbers <= {number.text for number in rows[key].numbers}, item


@EACH_TABLE
def test_no_row_is_made_up(table: Table) -> None:
    """What a row is about is in the document: an item of it, or a line that says something; and no row comes twice."""
    items, there = items_of(table), text_of(table).splitlines()
    keys = [key for row in table.rows for key in row.keys]
    assert len(keys) == len(set(keys))
    for key in keys:
        line = re.fullmatch(r"line (\d+)", key)
        assert key in items or (line is not None and there[int(line[1]) - 1].strip()), key


@EACH_TABLE
def test_sentences_are_not_copied(table: Table) -> None:
    """Rows say it in other words."""
    there = words(text_of(table))
    copied = {tuple(there[index : index + COPIED]) for index in range(len(there) - COPIED + 1)}
    for row in table.rows:
        for text in (row.says, row.note, *(number.meaning for number in row.numbers)):
            ours = words(text)
            runs = {tuple(ours[index : index + COPIED]) for index in range(len(ours) - COPIED + 1)}
            assert not runs & copied, text


@EACH_ROW
def test_a_row_says_where_it_is(table: Table, row: Row) -> None:
    """A row is somewhere, and somewhere is more than a word: an existing test, a field of a form, a reason."""
    assert row.keys
    assert row.says
    assert row.places
    for place in row.places:
        match place:
            case Behaviour(tests=tests):
                assert tests, row.keys
                for test in tests:
                    file, name = test.split("::")
                    assert name in functions_in(PROJECT / "tests" / file), test
            case Option():
                assert place.field in texts_of_step(place)["data"], place
            case Json(path=path):
                document, _, field = path.partition(".")
                assert field in {known.name for known in JSON[document].fields}, path
            case Nowhere():
                assert len(place.because.split()) > 3
            case Value():
                assert f"={place.member.value}" in row.keys[0]
            case Action(name=name, field=field):
                actions = (PROJECT / "custom_components/pv_load_manager/services.yaml").read_text(encoding="utf-8")
                assert re.search(rf"^{name}:$", actions, flags=re.MULTILINE)
                assert field is None or re.search(rf"^    {field}:$", actions, flags=re.MULTILINE)
            case _:
                pass


@pytest.mark.parametrize("number", [number for _, row in ALL for number in row.numbers], ids=lambda number: number.text)
def test_a_number_is_that_of_the_code(number: Number) -> None:
    """Where a number is ours as well it is the same one, or lies within our range."""
    assert number.meaning
    if number.same is not None:
        assert number.value == number.same
    if number.within is not None:
        assert number.within[0] <= number.value <= number.within[1]


def test_the_document_is_what_the_table_says() -> None:
    """docs/seeds.md is up to date; ``python -m tests.seeds`` writes it."""
    assert DOCUMENT.read_text(encoding="utf-8") == rendered()


def test_the_documentation_of_the_json_is_what_its_fields_say() -> None:
    """docs/warp_api.md is up to date; ``python -m tests.seeds`` writes it."""
    assert json_api.DOCUMENT.read_text(encoding="utf-8") == json_api.rendered()
