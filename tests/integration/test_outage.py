"""A charger whose connection comes and goes fills no log."""

import asyncio
import logging

import pytest

from .conftest import OURS, BuildSite, sunny
from .faulty import Log
from .site import eventually


async def test_one_line_however_often_it_is_lost(
    build_site: BuildSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first loss is said, and that it answers again once that stays; what is shown is true all the time."""
    monkeypatch.setattr(f"{OURS}.coordinators.outage.STEADY", 1.0)
    caplog.set_level(logging.INFO)
    site = await build_site(sunny())
    _, charger, _ = await site.set_up_all()
    log = Log(caplog=caplog, begun=len(caplog.records))
    for _ in range(3):
        site.home.chargers[0].drop()
        await eventually(lambda: site.value(charger, "power") == "unavailable")
        await eventually(lambda: site.value(charger, "power") != "unavailable")
    assert len(log.down("Garage")) == 1
    assert log.up("Garage answers again") == []
    await eventually(lambda: log.up("Garage answers again"))
    await asyncio.sleep(0.1)
    assert (len(log.down("Garage")), len(log.up("Garage"))) == (1, 1)
    site.home.chargers[0].drop()
    await eventually(lambda: len(log.down("Garage")) == 2)
