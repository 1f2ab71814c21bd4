"""Every reason and every repair is explained once, by the name that a user sees."""

from collections import Counter

from custom_components.pv_load_manager.control import ConfigError, Reason

from .markdown import DOCS, tables_of
from .names import TEXTS

PAGE = DOCS / "troubleshooting.md"


def _cells(column: str) -> Counter[str]:
    return Counter(cell for table in tables_of(PAGE) if table.columns[0] == column for cell in table.column(column))


def test_every_reason_has_one_row() -> None:
    """By its name and its value."""
    names = TEXTS["en"]["entity"]["sensor"]["reason"]["state"]
    assert _cells("reason") == Counter(f"{names[reason.value]} (`{reason.value}`)" for reason in Reason)


def test_every_repair_has_one_row() -> None:
    """By its title and its key."""
    expected = Counter(
        f"{issue['title'].replace('{name}', '…')} (`{key}`)" for key, issue in TEXTS["en"]["issues"].items()
    )
    assert _cells("repair") == expected


def test_every_row_says_what_it_means_and_what_to_do() -> None:
    """No cell is empty."""
    for table in tables_of(PAGE):
        assert all(len(row) == len(table.columns) and all(row) for row in table.rows), table.section


def test_every_error_flag_has_one_row() -> None:
    """By its value."""
    assert _cells("value") == Counter(str(error.value) for error in ConfigError)
