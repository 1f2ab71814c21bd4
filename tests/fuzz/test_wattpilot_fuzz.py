"""Damaged frames through the Wattpilot client, over real sockets; `scripts/fuzz frames` is the long form."""

import asyncio
import json
from pathlib import Path
import subprocess
import sys

import pytest

from custom_components.pv_load_manager.wattpilot import WattpilotStatus
from custom_components.pv_load_manager.wattpilot.session import Session
from fuzz.frames import measure
from fuzz.mutate import Mutator

_FRAME = {"type": "deltaStatus", "status": {"amp": 16, "nrg": [230.0] * 16, "cll": {"currentLimitMax": 16}}}
_COUNT = 5000


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Allow connections to 127.0.0.1."""


async def _measured(count: int, seed: int = 1) -> dict[str, object]:
    """Return the figures of a run, which brings its own event loop."""
    return await asyncio.to_thread(measure, count, seed)


async def test_only_our_own_errors_come_out() -> None:
    """Thousands of damaged frames, in every stage of a connection: nothing else gets out, nothing stays behind."""
    found = await _measured(_COUNT)
    assert found["failures"] == {}
    assert _COUNT <= int(str(found["frames"])) < _COUNT * 1.3
    # What was read as a status: the damage is not such that nothing gets through to where it could hurt.
    assert int(str(found["updates"])) > _COUNT / 10
    errors = found["errors"]
    assert isinstance(errors, dict)
    assert {"WattpilotConnectionError", "WattpilotProtocolError", "WattpilotSnapshotError"} <= errors.keys()


async def test_other_errors_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run fails where a frame ends the handling of frames, or a property cannot be read."""
    handle = Session._handle

    def fragile(self: Session, frame: dict[str, object]) -> frozenset[str] | None:
        if not isinstance(frame.get("status", {}), dict):
            raise KeyError("status")
        return handle(self, frame)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "_handle", fragile)
    monkeypatch.setattr(WattpilotStatus, "amp", property(lambda self: int(self.raw.get("amp", 0))))
    failures = str((await _measured(3000))["failures"])
    assert "the connection ended without a reason" in failures
    assert "a listener met" in failures


def test_damage_is_the_same_for_the_same_seed() -> None:
    """What was found once can be found again."""
    first, second, other = (
        [mutator.damage(_FRAME) for _ in range(200)] for mutator in (Mutator("1"), Mutator("1"), Mutator("2"))
    )
    assert first == second != other
    assert len(set(first)) > 100


def test_damage_has_many_forms() -> None:
    """There are texts that are no JSON, no object, and objects with what no charger should send."""
    mutator = Mutator("3")
    damaged = [mutator.damage(_FRAME) for _ in range(2000)]
    texts = [text for text in damaged if isinstance(text, str)]
    assert len(texts) < len(damaged)
    parsed = []
    for text in texts:
        try:
            parsed.append(json.loads(text))
        except ValueError, RecursionError:
            continue
    assert len(texts) / 4 < len(parsed) < len(texts)
    for mark in ("NaN", "Infinity", "1e999", "\\ud800", "null", "9" * 1000):
        assert any(mark in text for text in texts), mark


@pytest.mark.parametrize(("arguments", "code"), [(["frames", "--count", "300", "--json"], 0), (["nothing"], 2)])
def test_command_line(arguments: list[str], code: int) -> None:
    """The last line is one JSON object; a name that does not exist is refused."""
    found = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "fuzz", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert found.returncode == code
    if code == 0:
        figures = json.loads(found.stdout.splitlines()[-1])["frames"]
        assert figures["frames"] >= 300
        assert figures["failures"] == {}
    else:
        assert "there is no nothing" in found.stderr
