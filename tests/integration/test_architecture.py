"""What may know what."""

import ast
from collections.abc import Iterator

import pytest

from .code import load, nodes, sources

IMPURE = {"time", "asyncio", "logging", "os", "random", "secrets", "socket", "threading", "pathlib", "subprocess", "io"}
ALLOWED_REQUIREMENTS = {"solaredged", "websockets"}


def imports(*folders: str) -> Iterator[tuple[str, str]]:
    """Return file name and top module of every absolute import."""
    for path, tree in sources(*folders):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((path.name, alias.name.partition(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield path.name, (node.module or "").partition(".")[0]


def climbs(folder: str) -> Iterator[tuple[str, str]]:
    """Return file name and target of every relative import that leaves a folder."""
    for path, tree in sources(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level > 1:
                yield path.name, "." * node.level + (node.module or "")


@pytest.mark.parametrize("folder", ["control", "wattpilot", "solaredge"])
def test_libraries_do_not_know_home_assistant(folder: str) -> None:
    """Control core and device libraries import nothing of Home Assistant or of the rest of the integration."""
    assert not [found for found in imports(folder) if found[1] in {"homeassistant", "custom_components", "probatio"}]
    assert not list(climbs(folder))


def test_control_core_is_pure() -> None:
    """The control core has no clock, no input or output, no log and no chance: the same in, the same out."""
    assert not [found for found in imports("control") if found[1] in IMPURE]
    calls = {node.func.attr for node in nodes(ast.Call, "control") if isinstance(node.func, ast.Attribute)}
    assert not calls & {"now", "utcnow", "today", "monotonic"}
    names = {node.func.id for node in nodes(ast.Call, "control") if isinstance(node.func, ast.Name)}
    assert not names & {"open", "print", "input", "exec", "eval"}


def test_control_core_uses_the_standard_library_only() -> None:
    """The control core runs wherever Python runs."""
    allowed = {
        "collections",
        "dataclasses",
        "datetime",
        "enum",
        "itertools",
        "operator",
        "types",
        "functools",
        "bisect",
        "heapq",
        "math",
        "string",
        "typing",
    }
    assert {module for _, module in imports("control")} <= allowed


def test_manifest() -> None:
    """The manifest is sorted as Home Assistant asks for, and requires only what is needed, without exact versions."""
    manifest = load("manifest.json")
    keys = list(manifest)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])
    pins = [requirement.partition(">=") for requirement in manifest["requirements"]]
    assert {name for name, _, _ in pins} == ALLOWED_REQUIREMENTS
    assert all(sign and version for _, sign, version in pins)
    assert manifest["requirements"] == sorted(manifest["requirements"])
    assert manifest["loggers"] == sorted(manifest["loggers"])
