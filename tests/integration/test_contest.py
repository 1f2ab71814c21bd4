"""A charger that does not do what it is told: it ignores commands, or somebody else commands it as well."""

import asyncio
from dataclasses import replace
from itertools import cycle, pairwise

from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.coordinators.pacing import PacingTimings

from .conftest import OURS, BuildSite, sunny
from .site import Site, eventually
from .watching import TWO, draws, gives, holds, repeated

QUICK_WRITES = PacingTimings(rewrite=1.0, reduce=0.5, contest_window=10, contest_over=4, gesture=0.2)
OTHER = "other_controller_10000001"


async def test_charger_that_ignores_commands(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A charger that confirms and does nothing counts with what it draws: others give way, and it is told again."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", QUICK_WRITES)
    site = await build_site(sunny(*TWO, pv_w=0, house_w=0))
    first, second = site.charger_entry(0), site.charger_entry(1)
    manager = site.manager_entry(main_fuse=24)
    await site.set_up(site.inverter_entry(), first, second, manager)
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 11 and draws(site, 1) > 11)
    faults = site.home.chargers[0].faults
    faults.ignored_keys = {"amp", "frc", "psm"}
    site.home.home.house_override = (10 * 230.0, 10 * 230.0, 10 * 230.0)
    await eventually(lambda: max(site.home.home.flow.grid_currents) < 24.5)
    await eventually(holds(site, 1))
    await asyncio.sleep(1.5)
    assert draws(site) > 11
    assert max(site.home.home.flow.grid_currents) < 24.5
    faults.ignored_keys = set()
    await eventually(lambda: site.settings()["amp"] < 12)
    await eventually(lambda: draws(site) < 11 and draws(site, 1) > 5)
    assert max(site.home.home.flow.grid_currents) < 24.5


async def test_stop_that_is_ignored(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A car that goes on although its charger confirmed the stop is stopped as soon as the charger obeys."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", QUICK_WRITES)
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 15)
    faults = site.home.chargers[0].faults
    faults.ignored_keys = {"frc"}
    await site.select(manager, "off")
    await asyncio.sleep(1)
    assert draws(site) > 5
    faults.ignored_keys = set()
    await eventually(lambda: draws(site) == 0, within=3)


async def test_another_controller_chooses_currents(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, issue_registry: ir.IssueRegistry
) -> None:
    """Who keeps choosing other currents is followed like the app, and reported once for as long as it lasts."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", QUICK_WRITES)
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    # Taken over as well: with so much it begins, and the takeover lowers it for a moment.
    await eventually(lambda: gives(site, 16)() and site.settings()["lmo"] == 3)
    assert issue_registry.async_get_issue(DOMAIN, OTHER) is None
    before, choices = len(site.writes()), cycle((7, 9))

    async with repeated(lambda: site.settings().update(amp=next(choices)), every=0.6):
        await eventually(lambda: issue_registry.async_get_issue(DOMAIN, OTHER) is not None)
        await asyncio.sleep(2)
    issue = issue_registry.async_get_issue(DOMAIN, OTHER)
    assert issue is not None
    assert issue.translation_key == "other_controller_current"
    assert issue.translation_placeholders == {"name": "Garage"}
    assert caplog.text.count("Another controller keeps changing") == 1
    assert not [write for write in site.writes()[before:] if write.key == "amp"]
    assert draws(site) < 9.5
    await site.select(manager, "off")
    await site.select(manager, "fast")
    await eventually(gives(site, 16), within=3)
    await eventually(lambda: issue_registry.async_get_issue(DOMAIN, OTHER) is None)


async def test_another_controller_lowers(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, issue_registry: ir.IssueRegistry
) -> None:
    """Who keeps taking phases away is overwritten at a slow pace and reported once, for as long as it lasts."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", QUICK_WRITES)
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: gives(site, 16)() and site.settings()["psm"] == 2)
    began = site.home.home.now

    async with repeated(lambda: site.settings().update(psm=1), every=0.4):
        await eventually(lambda: issue_registry.async_get_issue(DOMAIN, OTHER) is not None)
        await asyncio.sleep(2)
    issue = issue_registry.async_get_issue(DOMAIN, OTHER)
    assert issue is not None
    assert issue.translation_key == "other_controller_phases"
    assert issue.translation_placeholders == {"name": "Garage"}
    assert caplog.text.count("Another controller keeps changing") == 1
    raised = [write.at for write in site.writes() if write.at > began and (write.key, write.value) == ("psm", 2)]
    assert len(raised) >= 3
    assert min(after - before for before, after in pairwise(raised)) > 0.9 * QUICK_WRITES.rewrite * site.config.speed
    await eventually(lambda: site.settings()["psm"] == 2, within=3)
    await eventually(lambda: issue_registry.async_get_issue(DOMAIN, OTHER) is None)


@pytest.mark.parametrize(
    ("mode", "theirs", "key"),
    [
        ("fast", {"amp": 16}, "other_controller_current"),
        ("off", {"frc": 0}, "other_controller_hold"),
        ("off", {"frc": 2}, "other_controller_hold"),
    ],
)
async def test_another_controller_raises(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    issue_registry: ir.IssueRegistry,
    mode: str,
    theirs: dict[str, int],
    key: str,
) -> None:
    """Who gives a car more than it may have is overwritten at once, every time, and reported."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", replace(QUICK_WRITES, rewrite=60))
    _, charger, manager = await site.set_up_all()
    await site.set_number(manager, "available_current", 8)
    await site.select(manager, mode)
    await eventually(holds(site) if mode == "off" else gives(site, 8))
    for _ in range(4):
        await asyncio.sleep(0.3)  # a charger tells what it did once per second of its own time
        ours = {name: site.settings()[name] for name in theirs}
        site.settings().update(theirs)
        await eventually(lambda ours=ours: ours.items() <= site.settings().items(), within=0.5)
    issue = issue_registry.async_get_issue(DOMAIN, OTHER)
    assert issue is not None
    assert issue.translation_key == key
    assert await site.hass.config_entries.async_unload(charger.entry_id)
    assert issue_registry.async_get_issue(DOMAIN, OTHER) is None


async def test_unplugging_is_no_other_controller(site: Site, issue_registry: ir.IssueRegistry) -> None:
    """A charger that drops its hold each time its car leaves fights with nobody."""
    *_, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(holds(site))
    for _ in range(4):
        await asyncio.sleep(0.3)
        site.home.chargers[0].unplug()
        await eventually(holds(site), within=1)
        site.home.chargers[0].plug()
    assert issue_registry.async_get_issue(DOMAIN, OTHER) is None
