"""Damaged register images through the SolarEdge reader; `scripts/fuzz registers` is the long form."""

import asyncio
from random import Random

import pytest

from custom_components.pv_load_manager.solaredge import InverterData, InverterInfo, PvData, decoding, layout
from fuzz.damaged_registers import Damaged, damage, images
from fuzz.registers import impossible, measure

_COUNT = 1500


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Allow connections to 127.0.0.1."""


async def _measured(count: int, seed: int = 1) -> dict[str, object]:
    """Return the figures of a run, which brings its own event loop."""
    return await asyncio.to_thread(measure, count, seed)


async def test_only_our_own_errors_come_out() -> None:
    """Damaged registers at the start and in every poll: nothing else gets out, and no figure that cannot be."""
    found = await _measured(_COUNT)
    assert found["failures"] == {}
    assert int(str(found["images"])) >= _COUNT
    # The damage is not such that nothing gets through to where it could hurt.
    assert int(str(found["opened"])) > _COUNT / 10
    assert int(str(found["sockets"])) > 3
    errors = found["errors"]
    assert isinstance(errors, dict)
    assert {"open: NotAnInverterError", "open: InverterUnreachableError", "poll: WrongInverterError"} <= errors.keys()


async def test_bad_figures_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run fails where figures are taken as they come."""
    monkeypatch.setattr(decoding, "_within", lambda value, _limit: value)
    monkeypatch.setattr(decoding, "_counter", lambda value: value)
    failures = str((await _measured(_COUNT))["failures"])
    assert "is nan" in failures or "is inf" in failures or "a meter shows" in failures
    assert "counter" in failures


async def test_other_errors_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run fails where an error of somebody else gets out."""
    monkeypatch.setattr(layout, "SolarEdgeError", KeyError)
    assert "poll raised" in str((await _measured(_COUNT))["failures"])


def test_impossible_figures() -> None:
    """What no inverter can mean is told."""
    info = InverterInfo(serial="7E000001", model=None, firmware=None, meters=0, batteries=0)
    odd = PvData(at=1.0, power_w=-5.0, energy_wh=float("nan"), status="0x77")
    told = list(impossible(InverterData(info=info, pv=odd)))
    assert told == ["data.pv.energy_wh is nan", "the roof makes -5.0 W", "the status is '0x77'"]


async def test_damage_is_the_same_for_the_same_seed() -> None:
    """What was found once can be found again, and what is damaged differs."""
    whole = (await images())[0]
    seeds = [Random(1), Random(1)]  # noqa: S311 - damage that can be repeated is what it is for
    first, second = ([damage(whole, random) for _ in range(50)] for random in seeds)
    assert first == second
    assert all(one != Damaged(words=whole) for one in first)
