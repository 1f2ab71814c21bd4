"""The manifest and what installs the integration: as hassfest and the marketplace want them."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import tomllib
from urllib.parse import urlparse

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
import homeassistant.components
from homeassistant.const import Platform
from homeassistant.requirements import DISCOVERY_INTEGRATIONS
import pytest

from ..integration.code import sources
from .files import INTEGRATION, PROJECT, load_json, tracked

MANIFEST = load_json(INTEGRATION / "manifest.json")
CORE = Path(homeassistant.components.__path__[0])
KEYS = {
    *("domain", "name", "codeowners", "config_flow", "documentation", "integration_type", "iot_class", "issue_tracker"),
    *("after_dependencies", "dependencies", "import_executor", "loggers", "requirements", "version", "zeroconf"),
    *("dhcp", "ssdp", "single_config_entry"),
}
IOT_CLASSES = {"assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"}
TYPES = {"device", "hub", "service"}
PART_OF_CORE = {"frontend", "homeassistant", "persistent_notification", "repairs", "system_health", "websocket_api"}
"""May be imported without a word in the manifest: they are always there, or the module is their platform."""
PINNED_BY_CORE = {"aiohttp", "modbus-connection", "probatio", "pymodbus", "tmodbus", "voluptuous", "zeroconf"}
"""A requirement on one of these could take away what Home Assistant itself needs."""
IMAGES = {f"{dark}{kind}{size}.png" for dark in ("", "dark_") for kind in ("icon", "logo") for size in ("", "@2x")}


def test_keys() -> None:
    """The manifest has the keys that are demanded, none that is unknown, in the order that is demanded."""
    assert set(MANIFEST) <= KEYS
    assert {"domain", "name", "codeowners", "documentation", "issue_tracker", "iot_class", "version"} <= set(MANIFEST)
    assert list(MANIFEST) == ["domain", "name", *sorted(set(MANIFEST) - {"domain", "name"})]


def test_values() -> None:
    """Every value is one that hassfest takes."""
    assert MANIFEST["domain"] == INTEGRATION.name
    assert not (CORE / MANIFEST["domain"]).exists()
    assert MANIFEST["iot_class"] in IOT_CLASSES
    assert MANIFEST["integration_type"] in TYPES
    assert all(re.fullmatch(r"@[A-Za-z0-9-]+", owner) for owner in MANIFEST["codeowners"])
    assert MANIFEST["codeowners"]
    for key in ("documentation", "issue_tracker"):
        address = urlparse(MANIFEST[key])
        assert address.scheme == "https"
        assert address.netloc
        assert not address.netloc.endswith("home-assistant.io")
    assert MANIFEST["config_flow"] is (INTEGRATION / "config_flow.py").is_file() is True


def test_discovery() -> None:
    """A match of a type that many devices share is narrowed, and in lower case, as Home Assistant compares."""
    for match in MANIFEST["zeroconf"]:
        kind = match if isinstance(match, str) else match["type"]
        assert kind.endswith("._tcp.local.")
        if kind == "_http._tcp.local.":
            assert match.get("properties") or match.get("name")
        if not isinstance(match, str):
            assert set(match) <= {"type", "name", "properties"}
            narrow = [match.get("name", ""), *match.get("properties", {}).values()]
            assert all(value == value.lower() for value in narrow)


def test_version_is_the_same_everywhere() -> None:
    """Manifest, project and changelog speak of the same version, and Home Assistant can compare it."""
    version = MANIFEST["version"]
    assert AwesomeVersion(version).strategy is AwesomeVersionStrategy.SEMVER
    assert tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == version
    first = re.search(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] == version


def test_requirements() -> None:
    """Requirements have the form that pip and hassfest read, and none that Home Assistant pins itself."""
    for requirement in MANIFEST["requirements"]:
        match = re.fullmatch(r"([a-z0-9][a-z0-9_.-]*)(>=\d[\d.]*)", requirement)
        assert match is not None, requirement
        assert match[1] not in PINNED_BY_CORE


def imported_components() -> Iterator[tuple[str, str]]:
    """Return file name and component of every import of one of Home Assistant's components."""
    for path, tree in sources():
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                if name.startswith("homeassistant.components."):
                    yield path.name, name.split(".")[2]


def test_dependencies_are_declared() -> None:
    """What is imported from Home Assistant's components is declared, exists, and is declared once."""
    declared = {*MANIFEST.get("dependencies", ()), *MANIFEST.get("after_dependencies", ())}
    assert all((CORE / name).is_dir() for name in declared)
    assert not set(MANIFEST.get("dependencies", ())) & set(MANIFEST.get("after_dependencies", ()))
    discovered = {name for name, keys in DISCOVERY_INTEGRATIONS.items() if any(key in MANIFEST for key in keys)}
    allowed = declared | discovered | PART_OF_CORE | {platform.value for platform in Platform}
    found = set(imported_components())
    assert ("figures.py", "sensor") in found
    # A file that is the platform of a component (diagnostics.py) is only loaded where that one is.
    platforms = {(f"{name}.py", name) for _, name in found}
    assert not {pair for pair in found - platforms if pair[1] not in allowed}


def test_set_up_takes_no_yaml() -> None:
    """Whoever has `async_setup` has to say what it makes of configuration.yaml."""
    tree = ast.parse((INTEGRATION / "__init__.py").read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    assigned = {target.id for target in targets if isinstance(target, ast.Name)}
    assert {"async_setup", "async_setup_entry", "async_unload_entry"} <= functions
    assert "CONFIG_SCHEMA" in assigned


def test_json_is_unambiguous() -> None:
    """Every JSON file parses, and no key stands twice in one object."""
    files = [path for path in tracked() if path.suffix == ".json"]
    assert INTEGRATION / "translations" / "en.json" in files
    for path in files:
        load_json(path)


def test_marketplace() -> None:
    """hacs.json has only keys that the marketplace knows, and names the archive that a release builds."""
    content = load_json(PROJECT / "hacs.json")
    known = {"name", "homeassistant", "zip_release", "filename", "hide_default_branch", "content_in_root", "country"}
    assert set(content) <= known
    assert content["name"] == MANIFEST["name"]
    assert content["zip_release"] is True
    assert content["filename"] == f"{MANIFEST['domain']}.zip"
    assert AwesomeVersion(content["homeassistant"]) >= AwesomeVersion("2026.10.0")


def test_floor_is_tested() -> None:
    """The oldest Home Assistant that the marketplace lets in is the month that the tests run on."""
    floor = load_json(PROJECT / "hacs.json")["homeassistant"]
    tested = re.search(
        r"decides the Home Assistant version \((\d+\.\d+)", (PROJECT / "requirements_test.txt").read_text()
    )
    assert tested is not None
    assert floor.startswith(f"{tested[1]}.")


def test_one_integration() -> None:
    """The marketplace installs the first folder of custom_components."""
    folders = [path for path in INTEGRATION.parent.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert folders == [INTEGRATION]


@pytest.mark.parametrize("name", ["icon.png", "icon@2x.png"])
def test_brand_images_are_there(name: str) -> None:
    """The marketplace shows the icon in both sizes."""
    assert (INTEGRATION / "brand" / name).is_file()


def test_brand_images_have_the_form() -> None:
    """Each image is a PNG with transparency; icons are square with 256 pixels, or twice that."""
    for path in (INTEGRATION / "brand").iterdir():
        assert path.name in IMAGES
        content = path.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
        side = 512 if "@2x" in path.name else 256
        if "icon" in path.name:
            assert (width, height) == (side, side)
        else:
            assert side // 2 <= min(width, height) <= side
        with_alpha = {4, 6}
        assert content[25] in with_alpha


def test_licence_is_mit() -> None:
    """GitHub recognises the licence by its words, and the archive carries it."""
    text = " ".join((PROJECT / "LICENSE").read_text(encoding="utf-8").split())
    assert text.startswith("MIT License Copyright (c)")
    assert "to deal in the Software without restriction" in text
    assert "above copyright notice and this permission notice shall be included in all copies" in text
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in text


def test_smoke_and_tests_use_what_users_get() -> None:
    """Both environments hold every requirement of the manifest, in a version that it allows."""
    for name in ("requirements_test.txt", "requirements_smoke.txt"):
        pins = dict(
            re.findall(r"^([\w-]+)(?:\[.*\])?==(\S+)$", (PROJECT / name).read_text(encoding="utf-8"), re.MULTILINE)
        )
        for requirement in MANIFEST["requirements"]:
            package, _, least = requirement.partition(">=")
            assert AwesomeVersion(pins[package]) >= AwesomeVersion(least), (name, package)
