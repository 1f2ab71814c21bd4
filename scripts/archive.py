#!/usr/bin/env python3
"""Builds the archive that users install, and takes the notes of a version out of the changelog.

Needs nothing but Python 3.11, so that a release is built without the test stack.
"""

import argparse
import json
from pathlib import Path
import re
import sys
import tomllib
import zipfile

PROJECT = Path(__file__).resolve().parent.parent
INTEGRATION = PROJECT / "custom_components" / "pv_load_manager"
LICENSE = PROJECT / "LICENSE"
DASHBOARD = "frontend/pv-load-manager.js"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: the same files make the same archive, byte for byte."""


def version() -> str:
    """Return the version of the integration; ends the program where its places disagree."""
    manifest: str = json.loads((INTEGRATION / "manifest.json").read_text(encoding="utf-8"))["version"]
    project: str = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if manifest != project:
        sys.exit(f"release: manifest.json says {manifest}, pyproject.toml says {project}")
    return manifest


def notes(wanted: str, *, released: bool) -> str:
    """Return what the changelog says of a version; ends the program where it says nothing, or that it is unreleased."""
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        if title.split()[0] == wanted and text.strip():
            if released and "unreleased" in title:
                sys.exit(f"release: CHANGELOG.md calls {wanted} unreleased; write the day there")
            return text.strip() + "\n"
    sys.exit(f"release: CHANGELOG.md says nothing of {wanted}")


def members() -> dict[str, bytes]:
    """Return the content of the archive by name: the integration at the root, as the marketplace unpacks it."""
    files = {
        path.relative_to(INTEGRATION).as_posix(): path.read_bytes()
        for path in INTEGRATION.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    if DASHBOARD not in files:
        sys.exit("release: the dashboard is not built; run scripts/frontend build")
    return files | {"LICENSE": LICENSE.read_bytes()}


def build(target: Path) -> None:
    """Write the archive."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in sorted(members().items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            archive.writestr(info, content)


def main() -> None:
    """Check the version, write the archive and its notes."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("tag", nargs="?", help="refuse to build where the version is another one or not released")
    parser.add_argument("--output", type=Path, default=PROJECT / "dist", help="folder (default dist)")
    options = parser.parse_args()
    found = version()
    if options.tag not in {None, found}:
        sys.exit(f"release: the tag is {options.tag}, the version is {found}")
    text = notes(found, released=options.tag is not None)
    filename = json.loads((PROJECT / "hacs.json").read_text(encoding="utf-8"))["filename"]
    build(options.output / filename)
    (options.output / "notes.md").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{options.output / filename}\n")


main()
