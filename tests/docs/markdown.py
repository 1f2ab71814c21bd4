"""Reads Markdown: as much of it as the documentation uses."""

from dataclasses import dataclass
from pathlib import Path
import re
from typing import Final

PROJECT: Final = Path(__file__).parents[2]
README: Final = PROJECT / "README.md"
README_DE: Final = PROJECT / "README.de.md"
DOCS: Final = PROJECT / "docs"
PAGES: Final = tuple(sorted([*PROJECT.glob("*.md"), *DOCS.glob("*.md"), PROJECT / "simulator" / "README.md"]))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table: what its columns are called, and the text of its cells."""

    section: str
    """The heading that it is below."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column."""
        index = self.columns.index(name)
        return tuple(row[index] for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of code."""

    language: str
    code: str


def text_of(page: Path) -> str:
    """Return a page."""
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", text_of(page))


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of code of a page."""
    return [Block(language=language, code=code) for language, code in _FENCE.findall(text_of(page))]


def headings_of(page: Path) -> list[tuple[int, str]]:
    """Return the level and the text of each heading."""
    return [(len(marks), text.strip()) for marks, text in _HEADING.findall(prose_of(page))]


def anchors_of(page: Path) -> set[str]:
    """Return what the headings of a page can be linked by, as GitHub makes it."""
    anchors: set[str] = set()
    for _, text in headings_of(page):
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = 0
        while (unique := f"{anchor}-{number}" if number else anchor) in anchors:
            number += 1
        anchors.add(unique)
    return anchors


def links_of(page: Path) -> list[str]:
    """Return where the links and pictures of a page lead."""
    return _LINK.findall(prose_of(page))


def tables_of(page: Path) -> list[TextTable]:
    """Return the tables of a page, in their order."""
    tables: list[TextTable] = []
    section = ""
    lines: list[str] = []
    for line in [*prose_of(page).splitlines(), ""]:
        if line.startswith("|"):
            lines.append(line)
        elif lines:
            header, _, *rows = (_cells(row) for row in lines)
            tables.append(TextTable(section=section, columns=header, rows=tuple(rows)))
            lines = []
        if line.startswith("#"):
            section = line.lstrip("#").strip()
    return tables


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|"))
