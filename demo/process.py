"""A real Home Assistant process with a configuration of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import json
from pathlib import Path
import signal
import socket
import sys

PROJECT = Path(__file__).resolve().parent.parent
START_TIME = 120.0  # s; a cold start on a small machine compiles everything first
STOP_TIME = 60.0  # s
CONFIGURATION = """
homeassistant:
  name: Demo home
  time_zone: {time_zone}
  unit_system: metric
  language: {language}
frontend:
config:
history:
logbook:
recorder:
energy:
logger:
  default: {level}
"""


class HassError(Exception):
    """Home Assistant did not start; the text holds the end of its log."""


@dataclass(frozen=True, kw_only=True)
class HassProcess:
    """A running Home Assistant."""

    url: str
    log: Path
    process: asyncio.subprocess.Process

    async def stop(self) -> int:
        """Ask it to stop like a service manager would (SIGTERM), and return its exit code."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIME):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
        return await self.process.wait()


def free_port() -> int:
    """Return a TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int) -> None:
    """Raise HassError where somebody else uses a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as err:
            raise HassError(f"port {port} is in use; choose another one with --port") from err


def prepare(folder: Path, *, port: int, language: str = "en", level: str = "warning", time_zone: str = "UTC") -> None:
    """Write a configuration whose onboarding needs nothing but a user."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(
        CONFIGURATION.format(level=level, language=language, time_zone=time_zone), encoding="utf-8"
    )
    components = folder / "custom_components"
    components.mkdir(exist_ok=True)
    (components / "pv_load_manager").symlink_to(PROJECT / "custom_components" / "pv_load_manager")
    # The steps after the user add cloud services that a demo has no use for.
    _store(storage, "onboarding", 4, {"done": ["core_config", "analytics", "integration"]})
    # Version 1 is migrated by every Home Assistant; YAML would open a dialog in the web interface.
    _store(storage, "http", 1, {"server_host": ["127.0.0.1"], "server_port": port})


def _store(storage: Path, key: str, version: int, data: object) -> None:
    content = {"version": version, "minor_version": 1, "key": key, "data": data}
    (storage / key).write_text(json.dumps(content), encoding="utf-8")


@asynccontextmanager
async def running_hass(folder: Path, *, port: int) -> AsyncIterator[HassProcess]:
    """Run Home Assistant on a prepared folder until the end of the context.

    Raises:
        HassError: it ended or did not answer in time.
    """
    log = folder / "console.log"
    with log.open("wb") as console:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "homeassistant",
            "--config",
            str(folder),
            "--skip-pip",
            "--log-no-color",
            # Where `python -m` looks first: not here, or the integration could import what its users do not have.
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            # Ctrl-C is for the demo; it stops Home Assistant in good order.
            start_new_session=True,
        )
    hass = HassProcess(url=f"http://127.0.0.1:{port}", log=log, process=process)
    try:
        await _wait_for_port(hass, port)
        yield hass
    finally:
        await hass.stop()


async def _wait_for_port(hass: HassProcess, port: int) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_TIME
    while loop.time() < deadline:
        if hass.process.returncode is not None:
            raise HassError(f"Home Assistant ended with code {hass.process.returncode}:\n{_tail(hass.log)}")
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise HassError(f"Home Assistant did not answer within {START_TIME:.0f} s:\n{_tail(hass.log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
