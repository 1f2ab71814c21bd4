"""The budget of calls: days, months, restarts, refusals and clocks, with time as an argument."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.solaredge.budget import (
    DAY,
    HOUR,
    LONGEST_PAUSE,
    MINUTE,
    V1_QUOTA,
    V2_QUOTA,
    Budget,
    Need,
    Quota,
)

BEGIN = 1_780_272_000.0
"""Midnight of 1 June 2026, UTC."""
SUNRISE, SUNSET = 5 * HOUR, 19 * HOUR


def need(now: float, *, wanted: bool) -> Need:
    """Return the need at a time of a summer's day."""
    day = (now - BEGIN) % DAY
    return Need(wanted=wanted, daylight_s=SUNSET - day if SUNRISE <= day < SUNSET else 0.0)


@dataclass
class Asker:
    """Asks whenever the budget says so, looking every few seconds."""

    quota: Quota
    cost: int = 1
    budget: Budget = field(init=False)
    calls: list[float] = field(default_factory=list)
    readings: list[float] = field(default_factory=list)
    now: float = BEGIN
    step: float = 30.0

    def __post_init__(self) -> None:
        self.budget = Budget(quota=self.quota)

    def run(self, seconds: float, wants: Callable[[float], bool] = lambda _: True, *, fails: bool = False) -> None:
        """Let time pass; a car wants the sun when ``wants`` of the seconds since midnight says so."""
        end = self.now + seconds
        while self.now < end:
            self.look(wanted=wants((self.now - BEGIN) % DAY), fails=fails)
            # Nobody needs to look before; a plugged-in car is seen with the next step.
            self.now += self.step

    def look(self, *, wanted: bool, fails: bool = False) -> None:
        """Read where it is due."""
        if self.budget.due(self.now, need(self.now, wanted=wanted)) > self.now:
            return
        self.budget = self.budget.began(self.now)
        self.readings.append(self.now)
        for _ in range(self.cost):
            self.budget = self.budget.called(self.now)
            self.calls.append(self.now)
        self.budget = self.budget.failed() if fails else self.budget.succeeded(self.cost)

    def restart(self) -> None:
        """Keep what is saved, as text."""
        self.budget = Budget.from_dict(self.quota, json.loads(json.dumps(self.budget.as_dict())))

    def most(self, span: float) -> int:
        """Return the most calls in any span of time."""
        most = first = 0
        for last, at in enumerate(self.calls):
            while self.calls[first] <= at - span:
                first += 1
            most = max(most, last - first + 1)
        return most

    def mean_gap(self) -> float:
        """Return the mean time between two readings by day in s."""
        by_day = [(now, then) for now, then in pairwise(self.readings) if need(now, wanted=True).daylight_s > 0.0]
        gaps = [then - now for now, then in by_day if then - now < 4 * HOUR]
        return sum(gaps) / len(gaps)


def test_a_car_all_day_with_version_1() -> None:
    """Every day from dawn to dusk: a reading every 4 minutes, and never more than 300 calls in any 24 hours."""
    asker = Asker(V1_QUOTA)
    asker.run(5 * DAY)
    assert asker.mean_gap() == pytest.approx(255.0, rel=0.02)  # it is looked every 30 s
    assert 200 < asker.most(DAY) <= 280


def test_a_dear_reading_with_version_1() -> None:
    """Where a reading takes two calls it comes half as often, evenly over the day, on every day."""
    asker = Asker(V1_QUOTA, cost=2)
    asker.run(5 * DAY)
    assert asker.most(DAY) <= 282
    last = [at for at in asker.readings if at >= BEGIN + 4 * DAY]
    morning = [at for at in last if at < BEGIN + 4 * DAY + 12 * HOUR]
    assert 0.4 < len(morning) / len(last) < 0.6
    assert asker.mean_gap() < 450.0


def test_an_afternoon_does_not_cost_the_next_morning() -> None:
    """What was spent yesterday afternoon is not free before the afternoon: what is left lasts until then."""
    asker = Asker(V1_QUOTA, cost=2)
    asker.run(DAY, lambda second: second > 12 * HOUR)
    asker.run(12 * HOUR)
    morning = [at for at in asker.readings if at >= BEGIN + DAY + 6 * HOUR]
    assert max(then - now for now, then in pairwise(morning)) < 1500.0
    assert asker.most(DAY) <= 282


def test_a_car_all_day_for_two_months_with_version_2() -> None:
    """Every quarter of an hour at first, and slower evenly as the month is used up; the quota is never exceeded."""
    asker = Asker(V2_QUOTA, cost=2, step=150.0)
    asker.run(3 * DAY)
    assert asker.mean_gap() == pytest.approx(900.0, rel=0.05)
    asker.run(42 * DAY)
    assert asker.most(31 * DAY) <= 1902
    assert asker.most(MINUTE) <= 10
    days = [sum(1 for at in asker.readings if 0 <= at - BEGIN - day * DAY < DAY) for day in range(45)]
    assert min(days) >= 12


def test_two_days_a_week_with_version_2() -> None:
    """What the other days leave is used: about a reading every quarter of an hour whenever the car is there."""
    asker = Asker(V2_QUOTA, cost=2, step=150.0)
    for day in range(45):
        asker.run(DAY, lambda _second, day=day: day % 7 in {5, 6})  # type: ignore[misc]
    weekend = [at for at in asker.readings if (at - BEGIN) // DAY % 7 in {5, 6}]
    gaps = [then - now for now, then in pairwise(weekend) if then - now < 3 * HOUR]
    assert sum(gaps) / len(gaps) < 1050.0
    assert asker.most(31 * DAY) <= 1900


@pytest.mark.parametrize(("quota", "most"), [(V1_QUOTA, 70), (V2_QUOTA, 8)])
def test_nobody_needs_to_know(quota: Quota, most: int) -> None:
    """Without a car little is asked, in the dark hardly anything."""
    asker = Asker(quota)
    asker.run(2 * DAY, lambda _: False)
    night = [at for at in asker.readings if need(at, wanted=False).daylight_s == 0.0]
    assert 1 <= len(asker.readings) / 2 <= most
    assert len(night) <= 2 * 10


def test_a_car_that_comes_is_seen_at_once() -> None:
    """Whoever plugs in does not wait for the pace of an idle house."""
    asker = Asker(V2_QUOTA)
    asker.now = BEGIN + 10 * HOUR
    asker.look(wanted=False)
    asker.now += 1000.0
    asker.look(wanted=False)
    assert len(asker.readings) == 1
    asker.look(wanted=True)
    assert len(asker.readings) == 2


def test_failures_are_tried_again_soon_and_then_at_the_usual_pace() -> None:
    """A minute, two, and then as planned; a success ends it."""
    asker = Asker(V1_QUOTA)
    asker.now = BEGIN + 8 * HOUR
    asker.run(900.0, fails=True)
    gaps = [then - now for now, then in pairwise(asker.readings)]
    assert gaps == [60.0, 120.0, 240.0, 240.0]
    asker.run(240.0)
    assert asker.budget.failures == 0


def test_failures_outlive_a_restart() -> None:
    """Whoever sets up again and again while the cloud is down does not use the quota up for it."""
    asker = Asker(V2_QUOTA, cost=3)
    asker.now = BEGIN + 8 * HOUR
    for _ in range(60):
        asker.run(60.0, fails=True)
        asker.restart()
    assert len(asker.readings) <= 7
    asker.now += 4 * HOUR
    asker.look(wanted=True)
    assert asker.budget.failures == 0
    asker.restart()
    before = len(asker.readings)
    asker.look(wanted=True)
    assert len(asker.readings) == before + 1, "after a success a restart reads at once"


def test_refusals() -> None:
    """A refusal with a time is over then; one without is tried after 16 minutes, then later, once a day at most."""
    budget = Budget(quota=V1_QUOTA).began(BEGIN)
    now = BEGIN + 8 * HOUR
    assert budget.limited(now, 30.0).due(now, need(now, wanted=True)) == now + 30.0
    for pause in (960.0, 1920.0, 3840.0):
        budget = budget.limited(now, None)
        assert budget.due(now, need(now, wanted=True)) == now + pause
        now += pause
    for _ in range(10):
        budget = budget.limited(now, None)
    assert budget.due(now, need(now, wanted=True)) == now + LONGEST_PAUSE
    restored = Budget.from_dict(V1_QUOTA, budget.as_dict())
    assert restored.due(now, need(now, wanted=True)) == now + LONGEST_PAUSE
    assert budget.succeeded(1).refusals == 0
    assert Budget(quota=V2_QUOTA).limited(now, None).due(now, need(now, wanted=True)) == now + 12 * HOUR


def test_a_retired_interface_is_asked_once_a_day() -> None:
    """Also over a restart."""
    asker = Asker(V1_QUOTA)
    asker.look(wanted=True)
    asker.budget = asker.budget.retired(asker.now)
    for _ in range(24):
        asker.restart()
        asker.run(HOUR - 30.0)
    assert len(asker.calls) == 1
    asker.run(HOUR)
    assert len(asker.calls) == 2


def test_a_minute_has_ten_calls() -> None:
    """Whoever restarts all the time runs into no limit of a minute."""
    asker = Asker(V2_QUOTA, cost=3)
    for _ in range(50):
        asker.look(wanted=True)
        asker.budget = asker.budget.began(asker.now - DAY)
        asker.now += 2.0
    assert asker.most(MINUTE) <= 9


def test_a_wrong_clock_stops_nothing_for_long() -> None:
    """Years ahead and back: what was asked counts, and after a span all is as always."""
    asker = Asker(V1_QUOTA)
    asker.now = BEGIN + 3650 * DAY
    asker.run(6 * HOUR, lambda _: True)
    asker.budget = asker.budget.limited(asker.now, None)
    asker.now = BEGIN + 6 * HOUR
    before = len(asker.readings)
    asker.run(2 * DAY)
    assert asker.budget.used(asker.now) <= 280
    assert len(asker.readings) - before > 250


@pytest.mark.parametrize(
    "saved", [{}, {"hours": 7, "blocked_until": "soon"}, {"hours": {"x": 1, "5": "y"}, "refusals": None}]
)
def test_a_broken_memory_is_none(saved: dict[str, object]) -> None:
    """What cannot be read counts as nothing."""
    assert Budget.from_dict(V1_QUOTA, saved) == Budget(quota=V1_QUOTA)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["day", "hours", "restart", "storm", "fail", "limit", "away"]),
        st.integers(0, 23),
        st.booleans(),
    ),
    max_size=25,
)


@given(steps=STEPS, cost=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("quota", [V1_QUOTA, V2_QUOTA], ids=["v1", "v2"])
def test_the_quota_is_never_exceeded(quota: Quota, steps: list[tuple[str, int, bool]], cost: int) -> None:
    """Whatever cars, restarts, failures and refusals come: never more in any day or month, nor in any minute."""
    asker = Asker(quota, cost, step=120.0)
    for what, number, wanted in steps:
        match what:
            case "day":
                asker.run(DAY, lambda _, wanted=wanted: wanted)  # type: ignore[misc]
            case "hours" | "fail":
                asker.run(number * HOUR, lambda _, wanted=wanted: wanted, fails=what == "fail")  # type: ignore[misc]
            case "storm":
                for _ in range(20 * number):
                    asker.restart()
                    asker.run(120.0, lambda _, wanted=wanted: wanted)  # type: ignore[misc]
            case "limit":
                asker.budget = asker.budget.limited(asker.now, float(number) if wanted else None)
            case "restart":
                asker.restart()
            case _:
                asker.now += number * HOUR
    assert asker.most(quota.span_s) <= quota.calls - quota.reserve + 2
    if quota.per_minute is not None:
        assert asker.most(MINUTE) <= quota.per_minute
