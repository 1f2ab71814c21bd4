"""Takes the seed documents apart: every field, every line of a list and every sentence with a number is an item."""

from collections.abc import Callable, Iterator, Mapping
import html
import re
from typing import Final, NamedTuple

NUMBER: Final = re.compile(r"0x[0-9A-Fa-f]+|\d+(?:[.,]\d+)?")
SENTENCE_END: Final = re.compile(r"(?<!z\.B\.)(?<=[.!?])\s+(?=[A-ZÄÖÜ0-9])")
HEADING_NUMBER: Final = re.compile(r"^(?:#+ )?(?:(?:Step|Schritt) \d+: |\d+(?:\.\d+)*\.? )")
"""The numbering of headings is no statement."""
TYPE: Final = re.compile(r"^(?:bool|int)(?: \(\w+\))?$")
CHOICE: Final = re.compile(r"^• (0x[0-9A-Fa-f]+|\d+) - (.*)$")
JSON_KEY: Final = re.compile(r'"(\w+)":')
SHORT_WRITE: Final = re.compile(r"-d '(\d+)'")


class Item(NamedTuple):
    """Something that needs a row."""

    key: str
    numbers: frozenset[str]
    text: str


def numbers_in(text: str) -> frozenset[str]:
    """Return the numbers of a text as they are written there, those in names of products too."""
    return frozenset(NUMBER.findall(text))


def merged(items: Iterator[Item]) -> dict[str, Item]:
    """Return the items by their keys; the numbers of all with the same key belong together."""
    found: dict[str, Item] = {}
    for item in items:
        known = found.get(item.key, Item(item.key, frozenset(), ""))
        found[item.key] = Item(item.key, known.numbers | item.numbers, f"{known.text} {item.text}".strip())
    return found


def api(text: str) -> Iterator[Item]:
    """Return the fields of an API's reference, their values, the keys of its examples, and sentences with a number."""
    section, field = "", ""
    lines = [line.strip() for line in text.splitlines()]
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if header := re.fullmatch(r"power_manager/(\w+)", line):
            section, field = header[1], ""
        elif TYPE.match(following) and re.fullmatch(r"\w+", line):
            field = f"{section}.{line}"
            yield Item(field, frozenset(), line)
        elif choice := CHOICE.match(line):
            yield Item(f"{field}={int(choice[1], 0)}", numbers_in(choice[2]) | hexadecimal(choice[1]), line)
        elif keys := JSON_KEY.findall(line):
            for key in keys:
                yield Item(f"{section}.{key}", frozenset(), line)
        elif short := SHORT_WRITE.search(line):
            yield Item(f"{section} abbreviated", numbers_in(short[1]), line)
        elif numbers_in(line):
            for sentence in SENTENCE_END.split(line):
                if numbers := numbers_in(sentence):
                    yield Item(field or f"line {index + 1}", numbers, sentence)


def hexadecimal(number: str) -> frozenset[str]:
    """Return the number of a choice where it is a bit of a mask; others are what the choice is called."""
    return frozenset({number} if number.startswith("0x") else ())


def manual(text: str) -> Iterator[Item]:
    """Return the settings of a manual in Markdown, and its sentences with a number by the line they begin in.

    Settings are headings of the third level, and what is bold or quoted.
    """
    quiet = re.sub(r"\A---\n.*?\n---\n", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    for name in re.findall(r"^### (.+)$|\*\*(.+?)\*\*|\"([^\"]+)\"", quiet, flags=re.MULTILINE):
        setting = " ".join("".join(name).split())
        yield Item(setting, frozenset(), setting)
    for line, paragraph in paragraphs(quiet):
        begin = line
        for sentence in SENTENCE_END.split(HEADING_NUMBER.sub("", paragraph)):
            if numbers := numbers_in(sentence):
                yield Item(f"line {begin}", numbers, sentence)
            begin = line + paragraph[: paragraph.find(sentence) + len(sentence) + 1].count("\n")


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Return the paragraphs of a text with the number of their first line."""
    for found in re.finditer(r"(?:^[^\n]+\n?)+", text, flags=re.MULTILINE):
        yield text.count("\n", 0, found.start()) + 1, found[0].rstrip("\n")


def guide(text: str) -> Iterator[Item]:
    """Return the lines of lists and the paragraphs of a guide; headings and what only leads to a list are none."""
    for index, line in enumerate(html.unescape(text).splitlines(), start=1):
        said = HEADING_NUMBER.sub("", line.strip())
        if said.startswith("- ") or said.endswith(".") or numbers_in(said):
            yield Item(f"line {index}", numbers_in(said), said)


def every_line(text: str) -> Iterator[Item]:
    """Return every line that says anything."""
    for index, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield Item(f"line {index}", numbers_in(line), line)


DOCUMENTS: Final[Mapping[str, Callable[[str], Iterator[Item]]]] = {
    "warp_load_management.de.txt": manual,
    "warp_power_manager_api.txt": api,
    "plugchoice_power_management.txt": every_line,
    "wallbox_dynamic_load_management.txt": guide,
    "clc3_pv_smart_charging.de.md": every_line,
}
"""How each document is taken apart."""
