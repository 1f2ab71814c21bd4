"""Somebody uses the charger's own app, or its button, while the load manager commands it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control import HIGHEST_CURRENT, Override, OverrideSource
from custom_components.pv_load_manager.coordinators.pacing import PacingTimings
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import WattpilotClient
from simulator import ChargerConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import APP_TIMINGS, CLIENT_TIMINGS, Site, eventually
from .watching import draws, gives, holds, repeated, stops

# Wrong decisions shall show at once: what nobody asked anew for is written again every 0.3 s.
QUICK_WRITES = PacingTimings(rewrite=0.3, reduce=0.2, gesture=0.5)
LATER = 1.0  # s; ten seconds for the charger, and several rounds of writes and decisions for us


@pytest.fixture(autouse=True)
def _quick_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", QUICK_WRITES)


def override(site: Site, serial: str = "10000001") -> Override | None:
    """Return what somebody chose for a charger."""
    manager = site.hass.data[SHARED].load_manager
    assert manager is not None
    return manager.override(serial)


def by_app(current_a: int) -> Override:
    """Return the override that a change in the app makes."""
    return Override(current_a=current_a, source=OverrideSource.APP)


async def charging_fast(site: Site) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Set everything up and let the car charge with 16 A; return the charger's and the load manager's entry."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 15)
    await asyncio.sleep(2 * APP_TIMINGS.echo)  # nobody touches the app in the same second
    return charger, manager


async def waiting_for_sun(build_site: BuildSite) -> tuple[Site, MockConfigEntry, MockConfigEntry]:
    """Set up a home without sun and let its car wait; return it with the charger's and the load manager's entry."""
    site = await build_site(sunny(pv_w=0))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(holds(site))
    await eventually(lambda: draws(site) == 0 and site.value(charger, "reason") == "waiting_for_surplus")
    await asyncio.sleep(2 * APP_TIMINGS.echo)
    return site, charger, manager


@asynccontextmanager
async def app_of(site: Site) -> AsyncIterator[WattpilotClient]:
    """Connect to the charger as its app does."""
    config = site.config.chargers[0]
    app = WattpilotClient("127.0.0.1", config.password, port=site.home.chargers[0].port, timings=CLIENT_TIMINGS)
    await app.connect()
    try:
        yield app
    finally:
        await app.close()


@pytest.mark.parametrize("amps", [9, 13])
async def test_current_in_the_app(site: Site, amps: int) -> None:
    """A current that is chosen in the app is kept until the car leaves; nothing is written back."""
    charger, _ = await charging_fast(site)
    written = len(site.written())
    async with app_of(site) as app:
        await app.set_value("amp", amps)
        await eventually(lambda: draws(site) == pytest.approx(amps, abs=0.3))
        await eventually(lambda: site.value(charger, "reason") == "app_override")
        await asyncio.sleep(LATER)
    assert site.written()[written:] == [("amp", amps)]  # that was the app
    assert override(site) == by_app(amps)
    site.home.chargers[0].unplug()
    await eventually(lambda: override(site) is None)
    await eventually(holds(site))
    site.home.chargers[0].plug()
    await eventually(gives(site, 16))
    assert override(site) is None


async def test_current_in_the_app_starts_a_waiting_car(build_site: BuildSite) -> None:
    """A car that waits for the sun charges when a current is chosen in the app, and the next one waits again."""
    site, charger, _ = await waiting_for_sun(build_site)
    site.settings()["amp"] = 14
    await eventually(lambda: draws(site) == pytest.approx(14, abs=0.3))
    await eventually(lambda: site.value(charger, "reason") == "app_override")
    site.home.chargers[0].unplug()
    await eventually(holds(site))
    site.home.chargers[0].plug()
    await asyncio.sleep(LATER)
    assert draws(site) == 0
    assert holds(site)()
    assert override(site) is None


async def test_more_than_the_limits_allow(site: Site) -> None:
    """Above the limits the lower current is written at once; the choice stays, and gets what the limits leave."""
    charger, manager = await charging_fast(site)
    await site.set_number(manager, "available_current", 8)
    await eventually(lambda: draws(site) < 8.5)
    await asyncio.sleep(2 * APP_TIMINGS.echo)
    site.settings()["amp"] = 14
    await eventually(lambda: override(site) == by_app(14), within=1)
    await eventually(gives(site, 8), within=1)
    await asyncio.sleep(LATER)
    assert gives(site, 8)()
    assert override(site) == by_app(14)
    await site.set_number(manager, "available_current", 12)
    await eventually(gives(site, 12))
    await site.set_number(manager, "available_current", 20)
    await eventually(gives(site, 14))
    await asyncio.sleep(LATER)
    assert gives(site, 14)()
    assert override(site) == by_app(14)
    assert site.value(charger, "reason") == "app_override"


async def test_stopped_in_the_app(site: Site) -> None:
    """A car that is stopped in the app is not started again, until the app takes that back."""
    charger, _ = await charging_fast(site)
    written = len(site.written())
    site.settings()["frc"] = 1
    await eventually(lambda: override(site) == by_app(0), within=1)
    await eventually(lambda: site.value(charger, "reason") == "app_off")
    await asyncio.sleep(LATER)
    assert draws(site) == 0
    assert ("frc", 0) not in site.written()[written:]
    site.settings()["amp"] = 12
    await asyncio.sleep(LATER)
    assert holds(site)()
    assert draws(site) == 0
    site.settings()["frc"] = 0
    await eventually(lambda: override(site) is None, within=1)
    await eventually(gives(site, 16))
    await eventually(lambda: draws(site) > 15)


async def test_stopped_in_the_app_until_the_car_leaves(site: Site) -> None:
    """The next car charges by the mode."""
    await charging_fast(site)
    site.settings()["frc"] = 1
    await eventually(lambda: override(site) == by_app(0), within=1)
    await eventually(lambda: draws(site) == 0)
    site.home.chargers[0].unplug()
    await eventually(lambda: override(site) is None)
    site.home.chargers[0].plug()
    await eventually(lambda: draws(site) > 15)


async def test_forced_on_in_the_app(build_site: BuildSite) -> None:
    """A waiting car that is forced on charges with all it can get, by our command and without a stop."""
    site, charger, _ = await waiting_for_sun(build_site)
    stopped, written = stops(site), len(site.written())
    site.settings()["frc"] = 2
    await eventually(gives(site, 16))
    await eventually(lambda: draws(site) > 15)
    await eventually(lambda: site.value(charger, "reason") == "app_fast")
    await asyncio.sleep(LATER)
    assert override(site) == by_app(HIGHEST_CURRENT)
    assert stops(site) == stopped
    assert ("frc", 2) not in site.written()[written:]
    assert gives(site, 16)()


async def test_forced_on_while_it_charges(site: Site) -> None:
    """To force a charging car on stops it for no moment."""
    await charging_fast(site)
    stopped = stops(site)
    site.settings()["frc"] = 2
    await eventually(gives(site, 16))
    for _ in range(20):
        assert draws(site) > 15
        await asyncio.sleep(0.05)
    assert stops(site) == stopped


async def test_started_in_the_app_by_neutral(build_site: BuildSite) -> None:
    """Neutral is no wish: a waiting car that starts by it is stopped at once."""
    site, _, _ = await waiting_for_sun(build_site)
    site.settings()["frc"] = 0
    await eventually(holds(site), within=1)
    assert override(site) is None


@pytest.mark.parametrize("key", ["site", "charger"])
async def test_mode_in_home_assistant_is_the_last_word(site: Site, key: str) -> None:
    """A mode that is chosen in Home Assistant ends what was chosen in the app, whose old value never comes back."""
    charger, manager = await charging_fast(site)
    site.settings()["amp"] = 9
    await eventually(lambda: override(site) == by_app(9), within=1)
    if key == "site":
        await site.select(manager, "off")
        await eventually(holds(site), within=1)
        await site.select(manager, "fast")
    else:
        await site.select(charger, "fast")
    await eventually(gives(site, 16))
    await asyncio.sleep(LATER)
    assert override(site) is None
    assert gives(site, 16)()


@pytest.mark.parametrize("theirs", [{"frc": 2}, {"frc": 0}, {"amp": 8}, {"frc": 2, "amp": 8}])
async def test_off_always_wins(site: Site, theirs: dict[str, int]) -> None:
    """While the site is off nothing that is done in the app starts a car, then or later."""
    _, manager = await charging_fast(site)
    await site.select(manager, "off")
    await eventually(lambda: holds(site)() and draws(site) == 0)
    await asyncio.sleep(2 * APP_TIMINGS.echo)
    site.settings().update(theirs)
    await eventually(holds(site), within=0.5)
    await asyncio.sleep(LATER)
    assert holds(site)()
    assert draws(site) == 0
    assert override(site) is None


async def test_own_writes_are_no_wishes(site: Site) -> None:
    """Many writes of ours to a charger that answers late, and tells everything late, make no override."""
    _, manager = await charging_fast(site)
    site.home.chargers[0].faults.slow_s = 6.0
    for amps in (8, 12, 7, 14, 9, 16, 6, 13, 10):
        await site.set_number(manager, "available_current", amps)
        for _ in range(4):
            await asyncio.sleep(0.1)
            assert override(site) is None
    await site.select(manager, "off")
    await asyncio.sleep(0.3)
    await site.select(manager, "fast")
    await eventually(gives(site, 10))
    await asyncio.sleep(LATER)
    assert override(site) is None
    assert gives(site, 10)()


async def test_sun_makes_no_wishes(build_site: BuildSite) -> None:
    """Nor do the writes of a cloudy day."""
    site = await build_site(sunny(pv_w=9000))
    _, _, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: draws(site) > 6)
    seen: set[Override | None] = set()
    async with repeated(lambda: seen.add(override(site)), every=0.02):
        for watts in (6500.0, 1000.0, 9000.0):
            written = len(site.written())
            site.home.home.pv_override_w = watts
            await eventually(lambda written=written: len(site.written()) > written)
            await asyncio.sleep(LATER)
    assert seen == {None}


async def test_unplugging_is_no_wish(site: Site) -> None:
    """A charger that drops its hold when its car leaves wants nothing, whatever `amp` it has."""
    _, manager = await charging_fast(site)
    await site.select(manager, "off")
    await eventually(holds(site))
    await site.select(manager, "fast")
    for amps in (9, 12):
        site.home.chargers[0].unplug()
        await eventually(holds(site))
        await asyncio.sleep(2 * APP_TIMINGS.echo)
        site.settings()["amp"] = amps  # in the app, while no car is there
        await asyncio.sleep(LATER)
        assert override(site) is None
        site.home.chargers[0].plug()
        await eventually(gives(site, 16))
        assert override(site) is None


async def test_reboot_is_no_wish(site: Site) -> None:
    """What a charger has after a restart is nobody's choice; some time later the app counts again."""
    await charging_fast(site)
    charger = site.home.chargers[0].charger
    charger.reboot()
    await eventually(lambda: not charger.online)
    site.settings()["amp"] = 9
    await eventually(lambda: charger.online, within=20)
    await eventually(gives(site, 16), within=20)
    site.settings()["amp"] = 10  # a charger may take its time until it is itself again
    await eventually(gives(site, 16), within=2)
    assert override(site) is None
    await asyncio.sleep(APP_TIMINGS.boot)
    site.settings()["amp"] = 10
    await eventually(lambda: override(site) == by_app(10))
    await asyncio.sleep(LATER)
    assert gives(site, 10)()


@pytest.mark.parametrize("theirs", [{"amp": 9}, {"frc": 1}, {"frc": 2}])
async def test_reconnect_is_no_wish(site: Site, theirs: dict[str, int]) -> None:
    """What changed while the charger was not reachable is adopted, and then it is commanded as before."""
    await charging_fast(site)
    server = site.home.chargers[0]
    await server.stop()
    site.settings().update(theirs)
    await asyncio.sleep(0.3)
    await server.start()
    await eventually(gives(site, 16))
    await asyncio.sleep(LATER)
    assert override(site) is None
    assert gives(site, 16)()
    site.settings()["amp"] = 10
    await eventually(lambda: override(site) == by_app(10), within=1)


async def test_override_outlives_a_reconnect(site: Site) -> None:
    """What was chosen in the app still holds when the connection comes back."""
    await charging_fast(site)
    site.settings()["amp"] = 9
    await eventually(lambda: override(site) == by_app(9), within=1)
    site.home.chargers[0].drop()
    await asyncio.sleep(LATER)
    assert override(site) == by_app(9)
    assert gives(site, 9)()


async def test_clamp_is_no_wish(site: Site) -> None:
    """An installer who lowers `ama` takes `amp` with it; when it is raised again the car gets its current back."""
    await charging_fast(site)
    site.settings().update(ama=10, amp=10)
    await eventually(lambda: draws(site) < 10.5)
    await asyncio.sleep(LATER)
    assert override(site) is None
    site.settings()["ama"] = 16
    await eventually(gives(site, 16))
    assert override(site) is None


@pytest.mark.parametrize("managed", [True, False])
async def test_charger_that_is_left_alone(build_site: BuildSite, managed: bool) -> None:
    """Of a charger that is not managed, or not until a mode is picked, the app is the only master."""
    site = await build_site(sunny(ChargerConfig(mode=3, psm=2, car=QUICK_CAR), pv_w=0))
    await eventually(lambda: draws(site) > 15)
    charger, manager = site.charger_entry(options={"managed": managed}), site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    if not managed:
        await site.select(manager, "pv")
    for amps in (9, 12):
        await asyncio.sleep(LATER)
        site.settings()["amp"] = amps
    await asyncio.sleep(LATER)
    assert override(site) is None
    assert site.written() == []


async def test_another_controller(
    site: Site, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    """Somebody who moves a slider is no other controller; who changes the current again and again is one."""
    await charging_fast(site)
    for amps in (15, 14, 13, 12, 11):
        site.settings()["amp"] = amps
        await eventually(lambda amps=amps: override(site) == by_app(amps), within=1)
        await asyncio.sleep(0.02)
    issue = "other_controller_10000001"
    assert issue_registry.async_get_issue(DOMAIN, issue) is None
    for amps in (9, 13):
        assert issue_registry.async_get_issue(DOMAIN, issue) is None
        await asyncio.sleep(1.5 * QUICK_WRITES.gesture)
        site.settings()["amp"] = amps
        await eventually(lambda amps=amps: override(site) == by_app(amps), within=1)
    found = issue_registry.async_get_issue(DOMAIN, issue)
    assert found is not None
    assert found.translation_key == "other_controller_current"


async def test_core_that_knows_no_charger(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While the core fails from the start nothing that is done in the app starts a car, and nothing fails by it."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.decide", broken)
    await site.set_up_all()
    await eventually(holds(site))
    await asyncio.sleep(2 * APP_TIMINGS.echo)
    site.settings()["frc"] = 2
    await asyncio.sleep(LATER)
    assert holds(site)()
    assert "A listener failed" not in caplog.text
