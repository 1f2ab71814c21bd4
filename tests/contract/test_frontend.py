"""The dashboard's module as it is installed, and what it is built from.

Whether it fits its source is checked by `scripts/frontend check`, which needs Node; this needs nothing.
"""

import gzip
from pathlib import Path
import re
import subprocess
import sys
from typing import Any
import zipfile

import pytest

from .files import INTEGRATION, PROJECT, load_json, tracked

MODULE = INTEGRATION / "frontend" / "pv-load-manager.js"
SOURCE = PROJECT / "frontend"
PARTS = SOURCE / "package.json"
LOCK = SOURCE / "package-lock.json"
MOST, MOST_GZIP = 150_000, 50_000
"""Bytes: what may be sent to a phone before anything is seen."""
ELEMENTS = (
    "ll-strategy-dashboard-pv-load-manager",
    "pv-load-manager-site-card",
    "pv-load-manager-charger-card",
    "pv-load-manager-timeline-card",
)
"""Names that users' dashboards hold: none may ever be missing."""
EXACT = re.compile(r"\d+\.\d+\.\d+")
LOADS = re.compile(
    r"(?:^|[;}])(?:import[\s\"'`{*]|export[\s{*])|\bimport\([\"'`\w]|\brequire\(|sourceMappingURL|node_modules",
    re.MULTILINE,
)
"""What a module says that needs another file."""
ADDRESSES = re.compile(r"(?:https?|wss?)://(?!www\.w3\.org/)|\b(?:unpkg|jsdelivr|esm\.sh|skypack)\b")
"""An address in a network; the names of the markup languages only look like one."""
GUARDED = re.compile(r"customElements\.get\((\w+)\)===void 0&&customElements\.define\(\1,")


@pytest.fixture(name="module", scope="module")
def module_fixture() -> str:
    """Return the module that is installed."""
    return MODULE.read_text(encoding="utf-8")


def lock() -> dict[str, dict[str, Any]]:
    """Return what is locked, by place; the project itself has the empty one."""
    content = load_json(LOCK)
    assert content["lockfileVersion"] == 3
    packages: dict[str, dict[str, Any]] = content["packages"]
    return packages


def test_one_file() -> None:
    """The module is the only file of its folder, so nothing else has to be served."""
    assert [path.name for path in MODULE.parent.iterdir()] == [MODULE.name]


def test_module_stands_alone(module: str) -> None:
    """It loads nothing else: no other module, no host, no map; it only names the page that explains it."""
    assert not LOADS.findall(module)
    page = load_json(INTEGRATION / "manifest.json")["documentation"]
    assert not ADDRESSES.findall(module.replace(f"documentationURL:`{page}", ""))


def test_patterns_find() -> None:
    """The patterns find what they are for, and not what a text may say."""
    for line in (
        'var a;import"./a.js"',
        'import{x}from"./a.js"',
        "a();export{x as y}",
        "import(`./a.js`)",
        'require("a")',
    ):
        assert LOADS.search(line), line
    assert ADDRESSES.search('fetch("https://' + 'example.com")')
    assert ADDRESSES.search('fetch("//cdn.jsdelivr.' + 'net/x")')
    assert not LOADS.search('x={"grid.import":`Grid import {power} (kWh)`}')
    assert not ADDRESSES.search('"http://www.w3.org/2000/svg"')


@pytest.mark.parametrize("name", ELEMENTS)
def test_elements(module: str, name: str) -> None:
    """Every element is defined under its name."""
    assert re.search(rf"[\"'`]{name}[\"'`]", module)


def test_elements_are_defined_once(module: str) -> None:
    """Nothing is defined anew where the module is loaded twice, which would be an error."""
    assert len(GUARDED.findall(module)) == module.count("customElements.define(") == 1


def test_module_is_small() -> None:
    """A phone has it soon."""
    content = MODULE.read_bytes()
    assert 10_000 < len(content) <= MOST
    assert len(gzip.compress(content, compresslevel=9, mtime=0)) <= MOST_GZIP


def test_archive_holds_the_module_and_not_its_source(tmp_path: Path) -> None:
    """Users get the module; what it is built from stays here."""
    command = [sys.executable, PROJECT / "scripts" / "archive.py", "--output", tmp_path]
    made = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    with zipfile.ZipFile(made.stdout.strip()) as archive:
        assert archive.read("frontend/pv-load-manager.js") == MODULE.read_bytes()
        assert not [name for name in archive.namelist() if name.endswith((".ts", ".map")) or "package" in name]


def test_versions_are_exact() -> None:
    """Everybody builds with the same tools."""
    content = load_json(PARTS)
    wanted = content["dependencies"] | content["devDependencies"]
    assert not {name: version for name, version in wanted.items() if not EXACT.fullmatch(version)}
    assert content["private"] is True
    pins = re.findall(r"^(\w+)(.*)$", (PROJECT / "requirements_browser.txt").read_text(), re.MULTILINE)
    assert [(name, bool(EXACT.fullmatch(version.removeprefix("==")))) for name, version in pins] == [
        ("playwright", True)
    ]


def test_lock_fits() -> None:
    """The lock is for these versions, complete for every system, and says no host."""
    packages = lock()
    project = packages.pop("")
    content = load_json(PARTS)
    assert {key: project[key] for key in ("dependencies", "devDependencies")} == {
        key: content[key] for key in ("dependencies", "devDependencies")
    }
    assert "resolved" not in LOCK.read_text(encoding="utf-8")
    for place, package in packages.items():
        assert package["integrity"].startswith("sha512-"), place
        # npm ci refuses a lock without a system's part, and npm leaves one out that its registry lacks.
        for name in package.get("optionalDependencies", {}):
            assert f"node_modules/{name}" in packages or f"{place}/node_modules/{name}" in packages, (place, name)


def test_tools_stay_out_of_the_repository() -> None:
    """What npm installs is nobody's source."""
    assert "node_modules/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert not [path for path in tracked() if "node_modules" in path.parts]


def test_node_is_what_vite_needs() -> None:
    """The version that scripts look for is the one that the locked Vite names."""
    packages = lock()
    assert packages["node_modules/vite"]["engines"]["node"] == load_json(PARTS)["engines"]["node"]
    assert load_json(PARTS)["engines"]["node"] == "^20.19.0 || >=22.12.0"
    node = (PROJECT / "scripts" / "lib" / "node.sh").read_text(encoding="utf-8")
    assert "a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19)" in node
