"""Everything that can go wrong with a Wattpilot, by name: what Home Assistant shows, logs and does about it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.coordinators.pacing import PacingTimings
from custom_components.pv_load_manager.wattpilot import Timings as ClientTimings
from simulator import ChargerConfig

from .conftest import OURS, QUICK_CAR, BuildSite
from .faulty import BACK_WITHIN, GONE_WITHIN, SCALE, SPEED, TOLD_WITHIN, Fault, Faulty, faulty_home, scale_down
from .site import CONTROL_TIMINGS, eventually
from .watching import TWO, watched

DROP: Fault = ("drop", {})
LATE_S = 15.0 * SPEED / SCALE

type Charging = Callable[..., Awaitable[Faulty]]


@pytest.fixture(autouse=True)
def _scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    scale_down(monkeypatch)


@pytest.fixture(name="charging")
def charging_fixture(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> Charging:
    """Return a factory of homes in Home Assistant whose car charges."""

    async def charging(*chargers: ChargerConfig, mode: str = "fast", **settings: Any) -> Faulty:
        return await Faulty.charging(await build_site(faulty_home(*chargers, **settings)), caplog, mode=mode)

    return charging


def test_waits_of_a_real_house() -> None:
    """A silent charger is noticed within 15 s, and one that is back is found within 60 s."""
    real = ClientTimings()
    assert real.silence < 15
    assert real.backoff_max + real.connect < 60


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param((("offline", {}),), id="offline"),
        pytest.param((("refuse", {}), DROP), id="refuse"),
        pytest.param((("deaf", {}),), id="half_open"),
        pytest.param((("silence", {}),), id="silence_with_pongs"),
        pytest.param((("slow_answer", {"seconds": LATE_S}),), id="slow_15_s"),
        pytest.param((("malformed", {"form": "no_json"}),), id="no_json"),
        pytest.param((("malformed", {"form": "no_object"}),), id="no_object"),
        pytest.param((("malformed", {"form": "binary"}),), id="binary"),
        pytest.param((("half_snapshot", {}), DROP), id="half_snapshot"),
        pytest.param((("refuse", {}), ("truncated", {})), id="truncated_frame"),
    ],
)
async def test_charger_falls_silent(charging: Charging, faults: tuple[Fault, ...]) -> None:
    """The entities are unavailable, the core knows, one line says so; afterwards everything is back without help."""
    home = await charging()
    await home.breaks(*faults)
    await eventually(lambda: home.told() == "unreachable", within=TOLD_WITHIN)
    await eventually(lambda: not home.available(), within=GONE_WITHIN)
    assert home.draws() > 5  # the car charges on, and what it draws stays reserved
    await asyncio.sleep(0.7)
    assert not home.available()
    assert len(home.log.down()) == 1, home.log.down()
    assert home.log.up() == []
    await home.mends(*faults)
    await eventually(home.available, within=BACK_WITHIN)
    await home.works()
    assert len(home.log.down()) == 1, home.log.down()
    await eventually(lambda: len(home.log.up()) == 1)
    home.log.check_no_exception()


@pytest.mark.parametrize("fault", ["drop", "truncated"])
async def test_connection_is_lost_once(charging: Charging, fault: str) -> None:
    """A connection that breaks is made again at once, and nothing is written that the charger does not need."""
    home = await charging()
    written = len(home.site.writes())
    await home.breaks((fault, {}))
    await eventually(lambda: len(home.log.down()) == 1, within=GONE_WITHIN)
    await home.mends((fault, {}))
    await eventually(home.available, within=BACK_WITHIN)
    await eventually(lambda: home.told() == "charging_fast", within=BACK_WITHIN)
    await eventually(lambda: len(home.log.up()) == 1)
    assert len(home.site.writes()) == written
    assert home.draws() > 5
    home.log.check_no_exception()


async def test_reboot(charging: Charging) -> None:
    """A charger that restarts is taken over anew; what it forgot is no wish of the user, and no counter falls."""
    home = await charging()
    before = home.site.number(home.charger, "lifetime_energy")
    assert before is not None
    await home.breaks(("reboot", {}))
    await eventually(lambda: not home.available(), within=GONE_WITHIN)
    assert home.told() == "unreachable"
    await eventually(home.available, within=BACK_WITHIN)
    assert home.site.home.chargers[0].charger.reboots == 49
    await eventually(lambda: home.draws() > 5)
    await home.works()
    after = home.site.number(home.charger, "lifetime_energy")
    assert after is not None
    assert after >= before
    await eventually(lambda: home.told() == "limited_by_available_current")
    await eventually(lambda: (len(home.log.down()), len(home.log.up())) == (1, 1))
    home.log.check_no_exception()


async def test_password_changed(charging: Charging) -> None:
    """The user is asked for the new password, once; with it everything goes on."""
    home = await charging()
    await home.breaks(("password_changed", {"password": "brand-new"}))
    await eventually(home.flows)
    await eventually(lambda: not home.available(), within=GONE_WITHIN)
    await eventually(lambda: home.told() == "unreachable", within=TOLD_WITHIN)
    await asyncio.sleep(0.5)
    (flow,) = home.flows()
    assert (flow["context"]["source"], flow["context"]["entry_id"]) == ("reauth", home.charger.entry_id)
    assert len(home.log.down()) == 1, home.log.down()
    manager = home.site.hass.config_entries.flow
    await manager.async_configure(flow["flow_id"], {CONF_PASSWORD: "brand-new"})
    await eventually(lambda: home.charger.state is ConfigEntryState.LOADED)
    assert home.flows() == []
    await eventually(home.available, within=BACK_WITHIN)
    await home.works()
    home.log.check_no_exception()


async def test_another_charger_at_the_address(charging: Charging) -> None:
    """A charger with another serial number gets neither the password nor a command; the right one is taken back."""
    home = await charging()
    await home.breaks(("identity", {"serial": "10009999"}), DROP)
    await eventually(lambda: not home.available(), within=GONE_WITHIN)
    await eventually(lambda: home.told() == "unreachable", within=TOLD_WITHIN)
    issue = (DOMAIN, "another_charger_10000001")
    await eventually(lambda: ir.async_get(home.site.hass).async_get_issue(*issue))
    written = len(home.site.writes())
    await home.site.set_number(home.manager, "available_current", 7)
    await asyncio.sleep(1)
    assert len(home.site.writes()) == written
    assert len(home.log.down()) == 1, home.log.down()
    await home.mends(("identity", {}))
    await eventually(home.available, within=BACK_WITHIN)
    assert ir.async_get(home.site.hass).async_get_issue(*issue) is None
    await home.works()
    await eventually(lambda: (len(home.log.down()), len(home.log.up())) == (1, 1))
    home.log.check_no_exception()


NUMBERS = ["wh", "eto", "tma", "fhz", "rssi", "tpa"]
NO_NUMBERS = ("nan", "infinity", "null", "-1", "1e308")


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(
            (
                ("unknown_keys", {"count": 500}),
                ("unknown_messages", {}),
                ("missing_keys", {"keys": ["cll", "acu", "modelStatus", "err"]}),
                ("malformed", {"form": "no_json", "beside": True}),
            ),
            id="unknown_and_missing",
        ),
        pytest.param((("text_numbers", {}),), id="numbers_as_text"),
        pytest.param(
            tuple(
                ("sentinels", {"value": name, "keys": NUMBERS}) for name in ("nan", "infinity", "null", "-1", "1e308")
            ),
            id="no_numbers",
        ),
        pytest.param((("clock_jump", {"seconds": 7200}), ("clock_jump", {"seconds": -7200})), id="clock_jumps"),
        pytest.param((("flood", {"count": 50}),), id="flood"),
        pytest.param((("slow_answer", {"seconds": [2 * SPEED / SCALE, 8 * SPEED / SCALE]}),), id="slow_2_to_8_s"),
        pytest.param((("no_response", {}),), id="no_response"),
    ],
)
async def test_charger_talks_strangely(charging: Charging, faults: tuple[Fault, ...]) -> None:
    """What is not understood is left out: everything else stays available and true, and the charger is commanded."""
    home = await charging()
    for fault in faults:
        await home.breaks(fault)
        await asyncio.sleep(0.3)
        assert home.available(), fault
        await home.works()
        assert home.available(), fault
        assert home.told() in {"limited_by_available_current", "waiting_for_others"}, fault
        assert len(home.log.down()) <= 1, home.log.down()
        await home.mends(fault)
    await home.works()
    home.log.check_no_exception()


async def test_slow_by_chance(charging: Charging) -> None:
    """Where every message takes another time from 2 to 15 s the charger may be lost, never half; it is told once."""
    home = await charging()
    await home.breaks(("slow_answer", {"seconds": [2 * SPEED / SCALE, LATE_S]}))
    await asyncio.sleep(36 / SCALE)
    assert home.draws() > 5
    assert home.available() == (home.told() != "unreachable")
    await home.mends(("slow_answer", {}))
    await eventually(home.available, within=BACK_WITHIN)
    await home.works()
    await eventually(lambda: len(home.log.up()) == len(home.log.down()) <= 2)
    home.log.check_no_exception()


@pytest.mark.parametrize("fault", ["fragmented", "delta_in_snapshot"])
async def test_charger_connects_strangely(charging: Charging, fault: str) -> None:
    """A snapshot in pieces, or with something between its parts, is a snapshot."""
    home = await charging()
    await home.breaks((fault, {}), DROP)
    await eventually(lambda: len(home.log.up()) == 1, within=BACK_WITHIN)
    assert home.available()
    await home.works()
    assert len(home.log.down()) == 1, home.log.down()
    home.log.check_no_exception()


async def test_measured_values_are_none(charging: Charging) -> None:
    """A charger whose measured currents are no numbers shows none, draws what it was told, and is shown again later."""
    home = await charging()
    for amps, name in enumerate(("nan", "-infinity", "null", "1e308", "text"), start=8):
        await home.breaks(("sentinels", {"value": name, "keys": ["nrg", "acu", "amt", "cbl"]}))
        await eventually(lambda: home.site.value(home.charger, "power") in {"unknown", "unavailable"})
        await home.site.set_number(home.manager, "available_current", amps)
        await eventually(home.follows(amps), within=BACK_WITHIN)
        await home.mends(("sentinels", {}))
    assert home.log.down() == []
    await home.works()
    home.log.check_no_exception()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(("rejected_command", {}), id="rejected"),
        pytest.param(("bad_signatures", {}), id="wrong_hmac"),
        pytest.param(("ignored_command", {}), id="ignored"),
    ],
)
async def test_charger_that_does_not_obey(charging: Charging, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """A charger that takes no command keeps what it draws, the others stay inside the limit, and it is said once."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", PacingTimings(rewrite=0.7, reduce=0.3))
    monkeypatch.setattr(f"{OURS}.coordinators.disobedience.REPAIR_AFTER", 0.2)
    home = await charging(*TWO)
    site = home.site
    await site.set_number(home.manager, "available_current", 28)
    # Both have arrived there, else the fault would meet a command that is still under way.
    settled = {"amp": 14, "frc": 0}
    await eventually(
        lambda: all(settled.items() <= site.settings(index).items() and home.draws(index) == 14 for index in (0, 1))
    )
    await home.breaks(fault)
    await asyncio.sleep(0.2)
    async with watched(site) as peak:
        await site.set_number(home.manager, "available_current", 22)
        # The one that obeys has to give up what the other one keeps, as far as it can.
        await eventually(lambda: home.draws() + home.draws(1) < 22.5, within=BACK_WITHIN)
        peak.chargers = 0.0
        await asyncio.sleep(1)
        assert home.draws() > 13
        assert home.available()
    assert peak.chargers < 22.5
    assert len(home.log.down("Garage")) == 1, home.log.down()
    issue = (DOMAIN, "charger_disobeys_10000001")
    await eventually(lambda: ir.async_get(site.hass).async_get_issue(*issue))
    await home.mends(fault)
    await eventually(lambda: site.settings()["amp"] == 11 and site.settings(1)["amp"] == 11, within=12)
    await eventually(lambda: len(home.log.up("Garage")) == 1)
    assert ir.async_get(site.hass).async_get_issue(*issue) is None
    home.log.check_no_exception()


@pytest.mark.parametrize("end", ["wanted_no_more", "nobody_commands"])
async def test_disobedience_is_over_without_a_write(
    charging: Charging, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """A charger that refused what nobody wants any more does not stay a repair until something else is wanted."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.PACING", PacingTimings(rewrite=0.2, reduce=0.2))
    monkeypatch.setattr(f"{OURS}.coordinators.disobedience.REPAIR_AFTER", 0.2)
    home = await charging()
    await home.site.set_number(home.manager, "available_current", 12)
    await eventually(home.follows(12))
    await home.breaks(("rejected_command", {}))
    issues, issue = ir.async_get(home.site.hass), (DOMAIN, "charger_disobeys_10000001")
    await home.site.set_number(home.manager, "available_current", 10)
    await eventually(lambda: issues.async_get_issue(*issue))
    if end == "wanted_no_more":
        await home.site.set_number(home.manager, "available_current", 12)
    else:
        await home.site.hass.config_entries.async_unload(home.manager.entry_id)
    await eventually(lambda: issues.async_get_issue(*issue) is None)
    home.log.check_no_exception()


async def test_stuck_values(charging: Charging) -> None:
    """Values that never change again fool nobody about the others' limit, and are true again afterwards."""
    home = await charging(ChargerConfig(car=QUICK_CAR))
    await home.breaks(("stuck_value", {"keys": ["nrg", "car", "amp"]}))
    await home.site.set_number(home.manager, "available_current", 10)
    await eventually(lambda: home.site.settings()["amp"] == 10)
    assert home.available()
    await asyncio.sleep(CONTROL_TIMINGS.settle)
    await home.mends(("stuck_value", {}))
    await home.works()
    home.log.check_no_exception()
