"""The files of the repository."""

import json
from pathlib import Path
import subprocess
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
INTEGRATION = PROJECT / "custom_components" / "pv_load_manager"


def tracked() -> list[Path]:
    """Return every file that is or will be in the repository; skips where this is no checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]  # fixed words only
    try:
        listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)  # noqa: S603
    except OSError, subprocess.CalledProcessError:
        pytest.skip("this is no git checkout")
    return [path for name in listed.stdout.splitlines() if (path := PROJECT / name).is_file()]


def load_json(path: Path) -> Any:
    """Return the content of a JSON file; a key that stands there twice is an error."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"{path.name}: twice in one object: {keys}"
        return dict(pairs)

    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)


def load_yaml(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
