"""What somebody tells the house from outside, together with what else happens in it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from custom_components.pv_load_manager.control import Mode

from .house import House, house

NOON = datetime(2026, 11, 21, 12, 3, tzinfo=UTC)


def allow(home: House, demand_limit_a: float | None) -> None:
    """Let the house connection carry less for now."""
    home.config = replace(
        home.config,
        circuits=(replace(home.config.circuits[0], demand_limit_a=demand_limit_a), *home.config.circuits[1:]),
    )


def test_a_limit_on_demand_is_no_fuse() -> None:
    """Who is stopped and let go again, as often as somebody likes, restarts at once: no fuse had anything to do."""
    home = house(mode=Mode.FAST)
    home.run(60)
    for _ in range(4):
        allow(home, 3.0)
        home.run(60)
        assert home.reason() == "waiting_on_demand"
        assert home.state.chargers["a"].fuse_stops == ()
        allow(home, None)
        home.run(30)
        assert home.reason() == "charging_fast"


def test_a_fuse_below_a_limit_on_demand_is_one() -> None:
    """A load that leaves nothing under the rating itself stops the car by the fuse, whatever was allowed besides."""
    home = house(mode=Mode.FAST)
    allow(home, 30.0)
    home.run(60)
    home.load_a = (34.0, 34.0, 34.0)
    home.run(30)
    assert len(home.state.chargers["a"].fuse_stops) == 1


@pytest.mark.parametrize("kind", ["peak", "dimming", "available"])
def test_who_was_stopped_by_the_fuse_once_is_not_by_every_other_limit(kind: str) -> None:
    """The pauses after the fuse, and what is said about them, count its stops alone."""
    home = house("a", "b", mode=Mode.FAST, began=NOON)
    home.config = replace(home.config, dimming_w=100.0, dimming_total=True)
    home.run(60)
    home.load_a = (33.0, 0.0, 0.0)
    home.run(30)
    home.load_a = (0.0, 0.0, 0.0)
    home.run(90)
    stops = {key: charger.fuse_stops for key, charger in home.state.chargers.items()}
    assert any(stops.values())

    def limit(*, on: bool) -> None:
        if kind == "peak":
            home.set(peak_limit_w=100.0 if on else 0.0)
        elif kind == "available":
            home.set(available_current_a=0.0 if on else 35.0)
        else:
            home.dimmed = on

    for _ in range(2):
        limit(on=True)
        home.run(60)
        assert not home.allocated("a") + home.allocated("b")
        limit(on=False)
        home.run(120)
        assert home.reason("a") == home.reason("b") == "charging_fast"
        assert {key: charger.fuse_stops for key, charger in home.state.chargers.items()} == stops


def test_without_a_meter_there_is_no_quarter_hour() -> None:
    """Where the meter is taken away, what it last left for the chargers holds nobody back, also after a restart."""
    home = house(mode=Mode.FAST, began=NOON)
    home.set(peak_limit_w=3000.0)
    home.load_a = (20.0, 20.0, 20.0)
    home.run(120)
    assert home.reason() == "waiting_for_peak"
    home.config = replace(home.without_protection(), has_power_meter=False)
    home.restart()
    home.run(60)
    assert home.plan.cap is None
    assert home.allocated() == 16


@pytest.mark.parametrize("volts", [207.0, 215.0, 230.0, 253.0])
@pytest.mark.parametrize("limit_w", [8_000.0, 12_000.0])
def test_a_total_is_used_at_any_voltage(volts: float, limit_w: float) -> None:
    """Who shares a power gets all of it but less than one ampere of everybody."""
    home = house("a", "b", mode=Mode.FAST, volts=volts)
    home.config = replace(home.config, dimming_w=limit_w, dimming_total=True)
    home.dimmed = True
    home.run(200)
    drawn = sum(home.chargers_a()) * volts
    assert limit_w - 3 * volts <= drawn <= limit_w
    assert {home.reason("a"), home.reason("b")} == {"limited_by_dimming"}


def test_a_silent_charger_counts_with_its_voltage() -> None:
    """What a charger draws that does not answer is taken from a total power at the voltage that the house has."""
    home = house("a", "b", mode=Mode.FAST, volts=253.0)
    home.config = replace(home.config, dimming_w=8_000.0, dimming_total=True)
    home.dimmed = True
    home.run(120)
    home.cars["a"].online = False
    home.run(120)
    assert sum(home.chargers_a()) * 253.0 <= 8_000.0


def test_the_watchdog_is_not_blamed_for_the_connection() -> None:
    """A connection without a meter that carries less than the default is what limits, not the silence."""
    home = house(mode=Mode.FAST, metered=False)
    home.config = replace(home.config, circuits=(replace(home.config.circuits[0], limit_a=20.0, safety_margin=0.4),))
    home.set(watchdog=True, default_available_current_a=15.0)
    home.run(60)
    assert home.plan.watchdog_expired
    assert home.allocated() == 12
    assert home.reason() == "limited_by_available_current"
    home.set(default_available_current_a=10.0)
    home.run(30)
    assert home.reason() == "limited_by_watchdog"
    assert home.explanation().numbers["room_a"] == 10.0


@pytest.mark.parametrize("limit_w", [2_500.0, 4_000.0])
@pytest.mark.parametrize("wakes_in", [0, 5, 12])
def test_the_quarter_hour_starts_nobody_in_vain(wakes_in: int, limit_w: float) -> None:
    """A car is let go when it can stay, however soon it begins: about one start in a quarter hour, no chatter."""
    home = house(mode=Mode.FAST, began=datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    home.cars["a"].wakes_in = wakes_in
    home.house_w = lambda now: 2100.0 if now // 700 % 3 == 0 else 600.0
    home.set(peak_limit_w=limit_w)
    home.run(900)
    starts, imported = home.starts(), home.imported_wh()
    home.run(3600)
    assert home.starts() - starts <= 6
    assert limit_w * 0.97 <= home.imported_wh() - imported <= limit_w
