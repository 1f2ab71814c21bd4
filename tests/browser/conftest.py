"""Skips these tests with a reason where there is no browser; the fixtures are next door."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from .chromium import MISSING, find_chromium

PACKAGES = {
    "playwright": "scripts/setup --frontend installs it",
    "hass_frontend": "see requirements_test.txt",
    "pymicro_vad": "see requirements_web.txt; without it every page stays at 'Loading'",
}
BUNDLE = Path(__file__).parents[2] / "custom_components" / "pv_load_manager" / "frontend" / "pv-load-manager.js"


@cache
def missing() -> str | None:
    """Return what these tests lack here, None where they can run."""
    for package, remedy in PACKAGES.items():
        if find_spec(package) is None:
            return f"the package {package} is missing: {remedy}"
    if not BUNDLE.is_file():
        return "the dashboard is not built: scripts/frontend build"
    return None if find_chromium() is not None else MISSING


class Skipped(pytest.Module):
    """A module that is not even imported."""

    def collect(self) -> list[pytest.Item]:
        """Say what is missing."""
        pytest.skip(str(missing()), allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Let nothing be imported that needs what is missing."""
    return None if missing() is None else Skipped.from_parent(parent, path=module_path)


if missing() is None:
    from .fixtures import browser_fixture, stage_fixture, theatre_fixture  # noqa: F401 - found where they are imported


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Let the home, Home Assistant and the browser talk to each other."""


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Take the place of the test stack's own check: here the home and the browser outlive a test."""
