"""The integration quality scale: every rule is answered, and what a machine can see of the answers is true."""

import ast
from collections.abc import Iterator
import importlib
from pathlib import Path
import re
import tomllib

import homeassistant.components
from homeassistant.helpers.entity import Entity
import pytest

from custom_components.pv_load_manager.const import PLATFORMS
from custom_components.pv_load_manager.entity import PvLoadManagerEntity

from ..integration.code import called, nodes, sources
from .files import INTEGRATION, PROJECT, load_json, load_yaml

RULES = load_yaml(INTEGRATION / "quality_scale.yaml")["rules"]
OF_CORE = Path(homeassistant.components.__path__[0]) / "solaredge_modbus" / "quality_scale.yaml"
MANIFEST = load_json(INTEGRATION / "manifest.json")
README = (PROJECT / "README.md").read_text(encoding="utf-8")
SPOKEN = {
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
    "UpdateFailed",
}
"""Errors whose text people see."""


def exempt(rule: str) -> bool:
    """Return whether a rule is claimed not to concern this integration."""
    return isinstance(RULES[rule], dict) and RULES[rule]["status"] == "exempt"


def test_every_rule_is_answered() -> None:
    """The rules are those of Home Assistant in its order; each is held, or exempt for a reason that is told."""
    of_core = load_yaml(OF_CORE)["rules"]
    assert len(of_core) == 54
    assert list(RULES) == list(of_core)
    for rule, answer in RULES.items():
        if answer == "done":
            continue
        assert set(answer) == {"status", "comment"}, rule
        assert answer["status"] == "exempt", rule
        assert len(answer["comment"].split()) >= 8, rule


def test_exempt_is_what_does_not_exist() -> None:
    """The integration is exempt only from rules about triggers and conditions, because it has none."""
    assert {rule for rule in RULES if exempt(rule)} == {"docs-conditions", "docs-triggers"}
    for name in ("trigger.py", "triggers.yaml", "condition.py", "conditions.yaml", "device_trigger.py"):
        assert not (INTEGRATION / name).exists()


def test_actions_are_set_up_once() -> None:
    """action-setup: only the set-up of the integration registers actions."""
    callers = {
        function.name
        for function in nodes(ast.AsyncFunctionDef, "__init__.py")
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and called(call) == "async_setup_actions"
    }
    assert callers == {"async_setup"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_parallel_updates(platform: str) -> None:
    """parallel-updates: every platform says how many writes it allows; one that only shows allows any number."""
    tree = ast.parse((INTEGRATION / f"{platform}.py").read_text(encoding="utf-8"))
    values = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and any(isinstance(target, ast.Name) and target.id == "PARALLEL_UPDATES" for target in node.targets)
    ]
    assert values == [0 if platform in {"binary_sensor", "event", "sensor"} else 1]


def ours(kind: type[Entity]) -> Iterator[type[Entity]]:
    """Return the entity classes of this integration."""
    for child in kind.__subclasses__():
        if child.__module__.startswith(PvLoadManagerEntity.__module__.rpartition(".")[0]):
            yield child
        yield from ours(child)


def test_entities_have_one_root() -> None:
    """common-modules, has-entity-name: every entity is one of the common kind, which is named after its device."""
    for platform in PLATFORMS:
        importlib.import_module(f"custom_components.pv_load_manager.{platform}")
    classes = set(ours(Entity))
    assert len(classes) > 10
    assert all(issubclass(kind, PvLoadManagerEntity) for kind in classes)
    named = [
        node.value.value
        for node in nodes(ast.Assign, "entity.py")
        if isinstance(node.value, ast.Constant)
        and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["_attr_has_entity_name"]
    ]
    assert named == [True]


def test_names_and_icons_are_translated() -> None:
    """has-entity-name, entity-translations, icon-translations: no name, icon or entity id is made in the code."""
    forbidden = {"_attr_name", "_attr_icon", "entity_id"}
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                made = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
                assert not made & forbidden, path
            elif isinstance(node, ast.Call) and called(node).endswith("EntityDescription"):
                assert not {keyword.arg for keyword in node.keywords} & {"name", "icon"}, path


def test_runtime_data() -> None:
    """runtime-data: what an entry needs is with the entry; only what all share has a typed key of its own."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "data":
                owner = node.value.value
                if isinstance(owner, ast.Name) and owner.id == "hass":
                    assert isinstance(node.slice, ast.Name), path
                    assert node.slice.id != "DOMAIN", path


def test_flows() -> None:
    """config-flow, discovery, reauthentication and reconfiguration: the flow has all of these ways."""
    steps = {function.name for function in nodes(ast.AsyncFunctionDef, "config_flow.py", "flows")}
    assert {"async_step_user", "async_step_zeroconf", "async_step_reauth", "async_step_reconfigure"} <= steps
    assert any(call for call in nodes(ast.Call, "flows") if called(call) == "_abort_if_unique_id_configured")


def test_spoken_errors_are_translated() -> None:
    """action-exceptions, exception-translations: no error that people see has its words in the code."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in SPOKEN:
                passed = {keyword.arg for keyword in node.keywords}
                assert None in passed or {"translation_domain", "translation_key"} <= passed, (path, node.lineno)
                assert not node.args, (path, node.lineno)


def test_files() -> None:
    """brands, diagnostics, repair-issues, common-modules: what Home Assistant looks for is where it looks."""
    for name in ("brand/icon.png", "diagnostics.py", "entity.py", "repairs.py", "system_health.py"):
        assert (INTEGRATION / name).is_file(), name
    assert MANIFEST["codeowners"]
    assert MANIFEST["zeroconf"]


def test_nothing_blocks() -> None:
    """async-dependency, inject-websession: no blocking library, and no session or connector of its own."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
                assert not names & {"requests", "urllib.request", "http.client", "httpx", "pymodbus"}, path
            elif isinstance(node, ast.Call):
                assert called(node) not in {"ClientSession", "TCPConnector", "ModbusTcpClient"}, path


def test_types() -> None:
    """strict-typing: the strictest checks run over all of it, and the libraries are typed."""
    mypy = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert mypy["strict"] is True
    assert "custom_components" in mypy["files"]
    packages = Path(homeassistant.components.__path__[0]).parents[1]
    for requirement in MANIFEST["requirements"]:
        assert (packages / requirement.partition(">=")[0] / "py.typed").is_file(), requirement


def test_coverage() -> None:
    """test-coverage: the tests fail where less than 97 % of the integration is run by them."""
    gate = re.search(r"coverage report --fail-under=(\d+)", (PROJECT / "scripts" / "test").read_text(encoding="utf-8"))
    assert gate is not None
    assert int(gate[1]) >= 97
    assert load_toml_coverage() == (["custom_components"], True)


def load_toml_coverage() -> tuple[list[str], bool]:
    """Return what coverage is measured of, and whether branches count."""
    run = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]["run"]
    return run["source"], run["branch"]


@pytest.mark.parametrize(
    ("rule", "heading"),
    [
        ("docs-high-level-description", "What it is for"),
        ("docs-use-cases", "What it is for"),
        ("docs-installation-instructions", "Install"),
        ("docs-installation-parameters", "Set up"),
        ("docs-configuration-parameters", "Settings of the house"),
        ("docs-supported-devices", "Supported devices and limits"),
        ("docs-known-limitations", "Supported devices and limits"),
        ("docs-removal-instructions", "Remove"),
    ],
)
def test_readme(rule: str, heading: str) -> None:
    """docs-*: the README has a chapter with more than a line for each rule about it."""
    assert RULES[rule] == "done"
    match = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", README, re.MULTILINE | re.DOTALL)
    assert match is not None, heading
    assert len(match[2].split()) > 20


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("docs-actions", "actions.md"),
        ("docs-data-update", "data-update.md"),
        ("docs-examples", "examples.md"),
        ("docs-supported-functions", "entities.md"),
        ("docs-troubleshooting", "troubleshooting.md"),
    ],
)
def test_docs(rule: str, name: str) -> None:
    """docs-*: what is too long for the README has a page of its own that the README leads to."""
    assert RULES[rule] == "done"
    assert (PROJECT / "docs" / name).is_file()
    assert f"docs/{name}" in README


def test_every_action_is_documented() -> None:
    """docs-actions: each action has its own part, with each of its fields."""
    page = (PROJECT / "docs" / "actions.md").read_text(encoding="utf-8")
    for action, content in load_yaml(INTEGRATION / "services.yaml").items():
        match = re.search(rf"^### {action}\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
        assert match is not None, action
        for field, part in (content.get("fields") or {}).items():
            assert all(f"`{name}`" in match[1] for name in part.get("fields", {field: part})), (action, field)
