"""The German README says what the English one says, in the same order."""

import re

from .markdown import README, README_DE, blocks_of, headings_of, links_of, tables_of
from .names import entity_texts

NUMERIC = re.compile(r"[\d–− ,.]+")


def test_same_headings() -> None:
    """The same levels, one after the other."""
    assert [level for level, _ in headings_of(README)] == [level for level, _ in headings_of(README_DE)]


def test_same_tables() -> None:
    """The same size, one after the other."""
    english, german = tables_of(README), tables_of(README_DE)
    assert [(len(table.columns), len(table.rows)) for table in english] == [
        (len(table.columns), len(table.rows)) for table in german
    ]


def test_same_numbers_in_tables() -> None:
    """Defaults and ranges do not differ."""
    for english, german in zip(tables_of(README), tables_of(README_DE), strict=True):
        for row, other in zip(english.rows, german.rows, strict=True):
            numbers = [cell.replace(".", ",") for cell in row if NUMERIC.fullmatch(cell)]
            assert numbers == [cell for cell in other if NUMERIC.fullmatch(cell)], (row[0], other[0])


def test_same_pages_are_linked() -> None:
    """The same links, one after the other."""

    def pages(links: list[str]) -> list[str]:
        return [link for link in links if not link.startswith("#") and not link.startswith("README")]

    assert pages(links_of(README)) == pages(links_of(README_DE))


def test_same_code() -> None:
    """The same blocks of code."""
    assert [block.language for block in blocks_of(README)] == [block.language for block in blocks_of(README_DE)]


def test_each_leads_to_the_other() -> None:
    """Who reads one finds the other."""
    assert "README.de.md" in links_of(README)
    assert "README.md" in links_of(README_DE)


def test_no_english_names_in_the_german_tables() -> None:
    """Entities have their German names."""
    english = {texts["name"] for _, _, texts in entity_texts("en")} - {
        texts["name"] for _, _, texts in entity_texts("de")
    }
    assert english
    assert not [row for table in tables_of(README_DE) for row in table.rows if row[0] in english]
