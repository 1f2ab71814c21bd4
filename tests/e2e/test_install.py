"""The archive of a release, installed like users do: in an empty configuration, without the rest of this repository."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import sys
import zipfile

import pytest

from demo.client import HassClient
from demo.complaints import complaints
from demo.process import HassProcess, free_port, prepare, running_hass
from demo.stage import add_entries
from simulator import CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig, running_home

from .test_home_assistant import within

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
REST = ("simulator", "demo", "tests", "benchmarks")
"""What no user has."""
HOME = HomeConfig(
    pv=PvConfig(constant_w=9000.0),
    house=HouseConfig(constant_w=300.0),
    chargers=(ChargerConfig(serial="10000001", password=PASSWORD, name="Garage", car=CarConfig(start_delay_s=2.0)),),
)

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("socket_enabled"), pytest.mark.timeout(400)]


async def run(*command: object, cwd: Path) -> str:
    """Return the output of a command that has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


def install(archive: Path, folder: Path) -> Path:
    """Unpack an archive as the marketplace does, instead of the link that the demo uses."""
    target = folder / "custom_components" / "pv_load_manager"
    target.unlink()
    with zipfile.ZipFile(archive) as content:
        content.extractall(target)
    return target


@asynccontextmanager
async def user(folder: Path, port: int) -> AsyncIterator[tuple[HassProcess, HassClient]]:
    """Run Home Assistant on a folder with its first user logged in."""
    async with (
        running_hass(folder, port=port) as hass,
        HassClient.logged_in(hass.url, user="user", password=PASSWORD) as client,
    ):
        yield hass, client


async def test_archive_charges_a_car(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that was unpacked into an empty configuration folder finds its devices and charges a car."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    output = await run(PROJECT / "scripts" / "release", "--output", tmp_path, cwd=tmp_path)
    folder, port = tmp_path / "config", free_port()
    prepare(folder, port=port)
    installed = install(Path(output.strip()), folder)

    # What Home Assistant can import from there: what was unpacked, and nothing else of this repository.
    where = "list(find_spec('custom_components').submodule_search_locations)"
    look = f"from importlib.util import find_spec; print({where}, [name for name in {REST} if find_spec(name)])"
    found = await run(sys.executable, "-c", look, cwd=folder)
    assert found.strip() == f"{[str(installed.parent)]} []"

    async with running_home(HOME) as home, user(folder, port) as (hass, client):
        manager = await add_entries(client, home, HOME, 35)
        mode = (await client.entity_ids())[f"select.{manager['entry_id']}_charge_mode"]
        await client.call("select", "select_option", entity_id=mode, option="fast")
        assert await within(90, lambda: home.chargers[0].charger.power_w > 4000)
        assert {entry["state"] for entry in await client.entries()} == {"loaded"}
        assert await hass.stop() == 0
    assert complaints(hass.log.read_text(encoding="utf-8")) == []


async def test_same_files_make_the_same_archive(tmp_path: Path) -> None:
    """Two builds are equal byte for byte, and hold the files of the integration and nothing else."""
    script = PROJECT / "scripts" / "release"
    first, second = [
        Path((await run(script, "--output", tmp_path / name, cwd=tmp_path)).strip()) for name in ("first", "second")
    ]
    assert first.name == "pv_load_manager.zip"
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = set(archive.namelist())
    integration = PROJECT / "custom_components" / "pv_load_manager"
    files = {path.relative_to(integration).as_posix() for path in integration.rglob("*") if path.is_file()}
    assert names == {name for name in files if "__pycache__" not in name} | {"LICENSE"}
    assert {"manifest.json", "brand/icon.png", "translations/de.json", "texts/de.json"} <= names


@pytest.mark.parametrize("tag", ["v0.1.0", "9.9.9"])
async def test_tag_has_to_be_the_version(tmp_path: Path, tag: str) -> None:
    """A tag that is not the version builds nothing."""
    process = await asyncio.create_subprocess_exec(
        PROJECT / "scripts" / "release", tag, "--output", tmp_path, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert f"the tag is {tag}" in errors.decode()
    assert not (tmp_path / "pv_load_manager.zip").exists()
