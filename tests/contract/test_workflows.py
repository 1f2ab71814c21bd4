"""The workflows: least rights, fixed versions, bounded times, and nothing that the repository does not have."""

from pathlib import Path
import re
import subprocess
from typing import Any

import pytest

from .files import PROJECT, load_yaml

FOLDER = PROJECT / ".github" / "workflows"
WORKFLOWS = {path.stem: load_yaml(path) for path in sorted(FOLDER.glob("*.yml"))}
MINE = {path.name for path in (PROJECT / "scripts").iterdir() if path.is_file()}


def triggers(workflow: dict[Any, Any]) -> dict[str, Any]:
    """Return what starts a workflow; YAML 1.1 reads the bare word `on` as true."""
    content = workflow[True]
    assert isinstance(content, dict)
    return content


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    """Return the steps of all jobs."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_all_are_there() -> None:
    """There is a workflow for style, tests, Home Assistant's and the marketplace's checks, and releases."""
    assert set(WORKFLOWS) == {"lint", "release", "tests", "validate"}
    used = " ".join(step.get("uses", "") for step in steps(WORKFLOWS["validate"]))
    assert "home-assistant/actions/hassfest@" in used
    assert "hacs/action@" in used
    assert "schedule" in triggers(WORKFLOWS["validate"])
    assert not any("ignore" in step.get("with", {}) for step in steps(WORKFLOWS["validate"]))


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_least_rights(name: str) -> None:
    """Nothing is allowed by default; only the release may write, and only content."""
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "write" if name == "release" else "read"}
        assert 0 < job["timeout-minutes"] <= 60
    assert "cancel-in-progress" in workflow["concurrency"]
    assert "pull_request_target" not in triggers(workflow)
    assert "pull_request" in triggers(workflow) or name == "release"


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_actions_are_pinned(name: str) -> None:
    """Every action is pinned to a commit, with a comment that says which version that is."""
    lines = [line.split("uses: ")[1] for line in (FOLDER / f"{name}.yml").read_text().splitlines() if "uses: " in line]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|main|master).*", line), line
    for step in steps(WORKFLOWS[name]):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_scripts_exist(name: str) -> None:
    """What a workflow runs is a script of this repository; no text of others is pasted into a command."""
    for step in steps(WORKFLOWS[name]):
        command = step.get("run", "")
        assert "${{" not in command
        for script in re.findall(r"\./scripts/(\w+)", command):
            assert script in MINE


def executables() -> list[Path]:
    """Return every script that people and workflows call."""
    return [PROJECT / ".ci" / "run", *(path for path in (PROJECT / "scripts").iterdir() if path.is_file())]


@pytest.mark.parametrize("path", executables(), ids=lambda path: path.name)
def test_scripts_can_be_run(path: Path) -> None:
    """Every script is executable, names its interpreter and says what it does; a shell stops at the first error."""
    first, second, *rest = path.read_text(encoding="utf-8").splitlines()
    assert path.stat().st_mode & 0o111 == 0o111
    assert first in {"#!/usr/bin/env bash", "#!/usr/bin/env python3"}
    assert second.startswith(("# ", '"""'))
    assert first.endswith("python3") or "set -euo pipefail" in rest


def test_everything_is_run_before_anything_lands() -> None:
    """The one command runs style, the dashboard's own checks, tests and the newest Home Assistant."""
    run = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in run if line.startswith("./")] == [
        "./scripts/lint",
        "./scripts/frontend check --if-possible",
        "./scripts/test",
        "./scripts/smoke",
    ]


def test_the_dashboard_is_checked_and_tried_in_a_browser() -> None:
    """GitHub has Node and a browser: there is no excuse for leaving anything out."""
    commands = {name: [step.get("run", "") for step in steps(workflow)] for name, workflow in WORKFLOWS.items()}
    assert "./scripts/frontend check" in commands["lint"]
    assert commands["tests"].index("./scripts/setup --frontend") < commands["tests"].index("./scripts/test")


@pytest.mark.parametrize("path", sorted((PROJECT / "scripts" / "lib").iterdir()), ids=lambda path: path.name)
def test_parts_of_scripts(path: Path) -> None:
    """What scripts share says what it is, is a shell's, and cannot be run by itself."""
    assert path.suffix == ".sh"
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert path.stat().st_mode & 0o111 == 0
    subprocess.run(["bash", "-n", path], check=True)  # noqa: S603, S607


def test_release_builds_what_the_marketplace_downloads() -> None:
    """A tag that is a version builds the archive and publishes it with the notes of the changelog."""
    assert list(triggers(WORKFLOWS["release"])) == ["push"]
    commands = " ".join(step.get("run", "") for step in steps(WORKFLOWS["release"]))
    assert './scripts/release "$GITHUB_REF_NAME"' in commands
    assert "dist/pv_load_manager.zip" in commands
    assert "--notes-file dist/notes.md" in commands


def test_forms_for_reports() -> None:
    """Who reports a fault is asked for version and diagnostics."""
    form = load_yaml(PROJECT / ".github" / "ISSUE_TEMPLATE" / "bug.yml")
    required = {part["id"] for part in form["body"] if part.get("validations", {}).get("required")}
    assert {"version", "home_assistant", "diagnostics"} <= required
    assert {part["type"] for part in form["body"]} <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}
    update = load_yaml(PROJECT / ".github" / "dependabot.yml")
    assert [entry["package-ecosystem"] for entry in update["updates"]] == ["github-actions"]
    assert (PROJECT / ".github" / "CODEOWNERS").read_text().split() == ["*", "@pv-load-manager"]
