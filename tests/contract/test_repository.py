"""What is nobody's business stays out of the repository."""

import re

from .files import PROJECT, tracked

TEXTS = {"", ".py", ".md", ".json", ".yaml", ".yml", ".toml", ".txt", ".csv", ".js", ".ts", ".sh", ".cfg"}
PLACES = re.compile("(?<![\\w.$}*])/" + "(?:work|home|root|Users|mnt)/\\w")
"""Where something lies on somebody's machine; a variable or a longer path before it makes it another one."""
INDEXES = re.compile("(?:--|_)(?:extra-)?index-" + "url|/" + "simple/?$", re.IGNORECASE | re.MULTILINE)
"""Where packages come from is a matter of the machine."""
SECRETS = re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY|\\bgh[pousr]_[A-Za-z0-9]{36}")
LEFT_OVER = re.compile("\\b(?:TO" + "DO|FIX" + "ME|XX" + "X)\\b|^(?:<{7}|>{7}) ", re.MULTILINE)


def found(pattern: re.Pattern[str]) -> list[str]:
    """Return where a pattern stands in a text of the repository."""
    return [
        f"{path.relative_to(PROJECT)}: {match[0]}"
        for path in tracked()
        if path.suffix in TEXTS
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]


def test_no_place_on_a_machine() -> None:
    """No path of somebody's machine is in any file."""
    assert not found(PLACES)


def test_no_package_index() -> None:
    """No file names where packages have to come from."""
    assert not found(INDEXES)


def test_no_secret() -> None:
    """No key and no token of GitHub is in any file."""
    assert not found(SECRETS)


def test_nothing_left_over() -> None:
    """Nothing is marked as unfinished, and no merge is half done."""
    assert not found(LEFT_OVER)


def test_size() -> None:
    """No file is so large that it were a recording or a package."""
    assert not [path for path in tracked() if path.stat().st_size > 1_500_000]


def test_patterns_find() -> None:
    """The patterns find what they are for."""
    assert PLACES.search("see " + "/home" + "/me/x")
    assert PLACES.search('"' + "/work" + '/main"')
    assert INDEXES.search("pip install --index-" + "url https://example.com")
    assert SECRETS.search("-----BEGIN RSA PRIVATE " + "KEY-----")
    assert LEFT_OVER.search("# TO" + "DO: later")
    assert not PLACES.search("$base/home/x")
