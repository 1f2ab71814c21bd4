"""Reads the integration's own source, for tests of what no run can show."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

import custom_components.pv_load_manager

ROOT = Path(custom_components.pv_load_manager.__file__).parent


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Return the syntax trees of all modules, or of those in folders or files of the integration."""
    for folder in folders or (".",):
        path = ROOT / folder
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        assert files, folder
        for file in files:
            yield file, ast.parse(file.read_text(encoding="utf-8"))


def nodes[T: ast.AST](kind: type[T], *folders: str) -> Iterator[T]:
    """Return all nodes of a kind."""
    for _, tree in sources(*folders):
        yield from (node for node in ast.walk(tree) if isinstance(node, kind))


def keyword_texts(name: str, *folders: str, calls: str | None = None) -> set[str]:
    """Return the constant texts that are passed by keyword, to calls of a name that ends like ``calls``."""
    return {
        keyword.value.value
        for call in nodes(ast.Call, *folders)
        if calls is None or called(call).endswith(calls)
        for keyword in call.keywords
        if keyword.arg == name and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }


def called(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    function = call.func
    if isinstance(function, ast.Subscript):
        function = function.value
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def load(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration, keys in their order."""
    content: dict[str, Any] = json.loads((ROOT / name).read_text(encoding="utf-8"))
    return content


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the leaves of a tree by their dotted path."""
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        leaves |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return leaves
