"""The distribution log: what it says, and that it replays to the present allocation without a gap."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
import json
from math import pi, sin
from random import Random
from typing import Any

import pytest

from benchmarks.plant import Make, Plant, Site
from benchmarks.policies.ours import Ours
from benchmarks.scenarios import day32
from custom_components.pv_load_manager.control import (
    ChargerConfig,
    ChargerMode,
    ChargerPlan,
    Command,
    Configuration,
    Explanation,
    Mode,
    Plan,
    Reason,
    Strategy,
)
from custom_components.pv_load_manager.control.causes import CAUSES, LIMITS, PASSING, Cause, cause_of
from custom_components.pv_load_manager.control.distribution import Redistribution, Seen, as_json, compare, modes, replay
from custom_components.pv_load_manager.coordinators.distribution import LONGEST, RING, DistributionLog
from custom_components.pv_load_manager.coordinators.record_store import BLOCK, RecordStore

from .house import house

MIDNIGHT = datetime(2026, 6, 21, tzinfo=UTC)
SUN = Explanation(reason=Reason.CHARGING_SURPLUS, numbers={"surplus_w": 4000.0, "allocated_a": 6.0})
FUSE = Explanation(reason=Reason.LIMITED_BY_FUSE, numbers={"house_a": 20.0}, circuit_id="root")
NO_CAR = Explanation(reason=Reason.NO_CAR)
STEP_S = 10
"""s between two decisions of the long test; a car that comes or goes is answered at once."""


def told(current_a: int, explanation: Explanation = SUN, phases: int = 3) -> ChargerPlan:
    """Return the plan of a charger; 0 A = it is stopped."""
    command = Command(charge=current_a > 0, current_a=current_a, phases=phases)
    return ChargerPlan(command=command, explanation=explanation, safe_current_a=6)


def plan(**chargers: ChargerPlan) -> Plan:
    """Return a plan of the site."""
    return Plan(chargers=chargers, surplus_w=4000.4, house_a=(1.0, 2.0, 3.0))


def following(*plans: Plan, chosen: Mapping[str, str] | None = None) -> list[Redistribution | None]:
    """Return what each plan changed."""
    seen, found = Seen(), []
    for second, item in enumerate(plans):
        now = MIDNIGHT + timedelta(seconds=second)
        seen, record = compare(seen, item, chosen or {}, float(second), now)
        found.append(record)
    return found


def causes(*plans: Plan) -> list[str | None]:
    """Return the cause of what each plan changed."""
    return [None if record is None else record.cause.value for record in following(*plans)]


def read(log: DistributionLog) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the records of a download, and the allocation before them."""
    document = json.loads(json.dumps(log.excerpt().as_dict()))
    return [json.loads(line) for line in document["records"]], document["start"]


def replayed(log: DistributionLog) -> dict[str, Any]:
    """Return the allocation to which a download replays."""
    records, start = read(log)
    return replay(records, start)


class Feed:
    """Feeds plans to a log, one a second."""

    def __init__(self, log: DistributionLog, config: Configuration | None = None) -> None:
        self.log, self.config, self.second = log, config or Configuration(), 0

    def __call__(self, **chargers: ChargerPlan) -> Redistribution | None:
        """Let the log follow the next plan."""
        self.second += 1
        moment = MIDNIGHT + timedelta(seconds=self.second)
        return self.log.follow(plan(**chargers), self.config, float(self.second), moment)


def test_every_reason_has_a_cause() -> None:
    """Nobody's reason is forgotten, and no limit is a passing one."""
    assert CAUSES.keys() | PASSING == set(Reason)
    assert not CAUSES.keys() & PASSING
    assert set(CAUSES.values()) >= LIMITS
    assert cause_of(Reason.WAITING_FOR_OTHERS, Cause.CAR) is Cause.CAR


def test_record() -> None:
    """A record says when, why, for whom, from what to what, by which numbers."""
    before, record = following(plan(a=told(0, NO_CAR)), plan(a=told(6)))
    assert before is not None
    assert record is not None
    assert as_json(record, {Reason.CHARGING_SURPLUS: frozenset({"surplus_w"})}) == {
        "time": "2026-06-21T00:00:01.000+00:00",
        "at": 1.0,
        "cause": "car",
        "surplus_w": 4000,
        "house_a": [1.0, 2.0, 3.0],
        "free_a": [0.0, 0.0, 0.0],
        "changes": [
            {
                "charger": "a",
                "before": {"charge": False, "current_a": 0, "phases": 3},
                "after": {"charge": True, "current_a": 6, "phases": 3},
                "cause": "car",
                "reason": "charging_surplus",
                "numbers": {"surplus_w": 4000.0},
            }
        ],
    }


def test_only_changes_are_recorded() -> None:
    """Another reason or other numbers alone are no redistribution."""
    first, second, third = following(plan(a=told(6)), plan(a=told(6, FUSE)), plan(a=told(6)))
    assert first is not None
    assert second is None
    assert third is None


def test_causes() -> None:
    """Begin and end of what makes the chargers change is named, also where it concerns another charger."""
    other = told(10, FUSE)
    assert causes(plan(a=told(0, NO_CAR)), plan(a=told(6)), plan(a=told(7)), plan(a=told(0, NO_CAR))) == [
        "start",
        "car",
        "sun",
        "car",
    ]
    lost = ChargerPlan(
        command=Command(charge=True, current_a=10, phases=3),
        explanation=Explanation(reason=Reason.UNREACHABLE),
        safe_current_a=6,
    )
    assert causes(plan(a=other, b=other), plan(a=lost, b=told(8, FUSE)), plan(a=other, b=other)) == [
        "start",
        "charger",
        "charger",
    ]
    assert causes(plan(a=other), plan(a=told(9, FUSE)), plan(a=told(10)), plan(a=told(9))) == [
        "start",
        "fuse",
        "fuse",
        "sun",
    ]
    limited = Explanation(reason=Reason.LIMITED_BY_DIMMING)
    assert causes(plan(a=other), plan(a=told(6, limited)), plan(a=other)) == ["start", "dimming", "dimming"]


def test_cause_of_a_start_is_what_led_to_it() -> None:
    """A car that is allowed to charge does not draw yet: that is no cause."""
    idle = Explanation(reason=Reason.CAR_NOT_DRAWING)
    waits = Explanation(reason=Reason.WAITING_FOR_OTHERS)
    found = following(plan(a=told(0, NO_CAR)), plan(a=told(0, waits)), plan(a=told(6, idle)), plan(a=told(7, SUN)))
    assert [record and record.cause for record in found] == [Cause.START, None, Cause.CAR, Cause.CAR]


def test_another_mode_is_the_cause() -> None:
    """Where a charger is to charge otherwise, that is why it does."""
    seen, _ = compare(Seen(), plan(a=told(6)), {"a": "pv"}, 0.0, MIDNIGHT)
    _, record = compare(seen, plan(a=told(16, Explanation(reason=Reason.CHARGING_FAST))), {"a": "fast"}, 1.0, MIDNIGHT)
    assert record is not None
    assert record.cause is Cause.MODE
    config = Configuration(
        strategy=Strategy(mode=Mode.PV),
        chargers=(ChargerConfig(charger_id="a"), ChargerConfig(charger_id="b", mode=ChargerMode.FAST)),
    )
    assert modes(config) == {"a": "pv", "b": "fast"}


def test_charger_that_is_not_managed_any_more() -> None:
    """A charger that leaves the site is in the log, too; one that is left alone has no command."""
    *_, record = following(plan(a=told(6), b=told(6)), plan(b=told(6)))
    assert record is not None
    assert record.cause is Cause.END
    change = as_json(record)["changes"][0]
    assert (change["charger"], change["after"], change["reason"]) == ("a", None, None)


def test_gap_is_found() -> None:
    """A record that is missing is noticed."""
    found = [record for record in following(plan(a=told(6)), plan(a=told(8)), plan(a=told(9))) if record is not None]
    records = [as_json(record) for record in found]
    assert replay(records, {})["a"]["current_a"] == 9
    with pytest.raises(ValueError, match=r"a had .* but the record says"):
        replay([records[0], records[2]], {})


def test_small_changes_are_one_record() -> None:
    """What the sun does ampere by ampere is summed up before the next thing that people care about."""
    feed = Feed(log := DistributionLog())
    for current in (0, 6, 7, 8, 9):
        feed(a=told(current, SUN if current else NO_CAR))
    assert log.count == 2
    assert replayed(log)["a"]["current_a"] == 9
    feed(a=told(8, FUSE))
    records, start = read(log)
    assert log.count == 4
    assert [record["cause"] for record in records] == ["start", "car", "sun", "fuse"]
    assert [record.get("steps") for record in records] == [None, None, 3, None]
    assert (records[2]["changes"][0]["before"]["current_a"], records[2]["changes"][0]["after"]["current_a"]) == (6, 9)
    assert replay(records, start) == log.allocation()


def test_small_changes_that_cancel_out_are_none() -> None:
    """Who has again what he had is not in the log."""
    feed = Feed(log := DistributionLog())
    for current in (6, 8, 6):
        feed(a=told(current))
    assert log.count == 1
    feed(a=told(0, NO_CAR))
    records, start = read(log)
    assert [record["cause"] for record in records] == ["start", "car"]
    assert replay(records, start) == log.allocation()


def test_everything_is_recorded_with_the_switch_on() -> None:
    """With the switch on every ampere is a record; what was pending when it went on comes first."""
    feed = Feed(log := DistributionLog())
    feed(a=told(6))
    feed(a=told(7))
    log.complete = True
    feed(a=told(8))
    feed(a=told(9))
    records, start = read(log)
    assert [record["changes"][0]["after"]["current_a"] for record in records] == [6, 7, 8, 9]
    assert replay(records, start) == log.allocation()


@pytest.mark.parametrize("complete", [False, True])
def test_ring(complete: bool) -> None:
    """The last redistributions are kept, with the allocation before them; with the switch on those of a day."""
    feed = Feed(log := DistributionLog())
    log.complete = complete
    turns = RING + 5 * BLOCK
    for turn in range(turns):
        feed(a=told(6 if turn % 2 else 0, SUN if turn % 2 else NO_CAR), b=told(6))
    records, start = read(log)
    assert len(records) == (turns if complete else RING)
    assert start.keys() == (set() if complete else {"a", "b"})
    assert replay(records, start) == log.allocation()


def test_a_day_is_kept_while_the_switch_is_on() -> None:
    """What is older than a day goes, as far as the ring does not need it; off again, the rest goes as well."""
    log = DistributionLog()
    log.complete = True
    every_s, count = 60, 2 * 24 * 60
    for turn in range(count):
        moment = MIDNIGHT + timedelta(seconds=turn * every_s)
        log.follow(plan(a=told(6 + turn % 2)), Configuration(), float(turn * every_s), moment)
    day = 24 * 60
    assert day <= log.count <= day + 2 * BLOCK
    assert replayed(log) == log.allocation()
    log.complete = False
    log.follow(plan(a=told(0, NO_CAR)), Configuration(), float(count * every_s), MIDNIGHT)
    assert log.count < RING + BLOCK
    assert replayed(log) == log.allocation()


def test_the_log_has_an_upper_bound() -> None:
    """However much changes, the log stays within its bound, and replays still."""
    random = Random(4)  # noqa: S311 (no secret)
    log = DistributionLog()
    log.complete = True
    keys = [f"c{number}" for number in range(32)]
    highest = 0
    for second in range(2500):
        chargers = {
            key: told(
                random.randint(6, 16),
                Explanation(
                    reason=Reason.LIMITED_BY_CIRCUIT,
                    numbers={f"figure_{name}_w": random.uniform(0, 1e4) for name in range(8)},
                    circuit_id="a circuit with a long name",
                ),
            )
            for key in keys
        }
        log.follow(plan(**chargers), Configuration(), float(second), MIDNIGHT + timedelta(seconds=second))
        highest = max(highest, log.length)
    assert LONGEST * 0.9 < highest < LONGEST * 1.1
    assert log.size < LONGEST
    assert RING / 2 < log.count < 2500
    assert replayed(log) == log.allocation()


def test_store_gives_back_what_it_was_given() -> None:
    """Records come back as they were, also from the block that is still written to, and writing goes on after it."""
    store = RecordStore()
    lines = [f'{{"n":{number}}}'.encode() for number in range(3 * BLOCK + 7)]
    for number, line in enumerate(lines):
        store.append(line, float(number), {"last": number})
        if number in {0, BLOCK - 1, BLOCK, 2 * BLOCK + 3}:
            assert store.copy().lines() == lines[: number + 1]
    assert store.copy().lines() == lines
    assert store.length == sum(len(line) + 1 for line in lines)
    assert store.forget() == {"last": BLOCK - 1}
    assert store.copy().lines() == lines[BLOCK:]
    assert store.count == 2 * BLOCK + 7


def test_log_of_a_house() -> None:
    """In the closed loop every command of every second is found in the log."""
    home = house("a", "b", mode=Mode.PV, surplus_w=lambda now: 9000.0 if (now // 300) % 2 else 2000.0)
    log = DistributionLog()
    log.complete = True

    def follow() -> None:
        log.follow(home.plan, home.config, home.now, MIDNIGHT + timedelta(seconds=home.now))

    home.run(1200, follow)
    home.cars["a"].unplug()
    home.run(600, follow)
    records, _ = read(log)
    for key in ("a", "b"):
        told_to = [command for _, command in home.commands(key)]
        logged = [change["after"] for record in records for change in record["changes"] if change["charger"] == key]
        assert logged == [
            {"charge": command.charge, "current_a": command.current_a, "phases": command.phases} for command in told_to
        ]
    assert len(records) > 10
    assert "car" in {record["cause"] for record in records}


@cache
def sunny_day() -> Site:
    """Return the 32 chargers of the load benchmark under a roof, with clouds, for a day."""
    site, random = day32(1), Random(5)  # noqa: S311 (no secret)
    root = site.circuits[0]
    load = dict(root.load)
    present, cloud, steps = (0.0, 0.0, 0.0), 1.0, []
    for second in range(site.seconds):
        present = load.get(second, present)
        if second % 10 == 0:
            cloud = min(1.0, max(0.2, cloud + random.uniform(-0.15, 0.15)))
            sun = 160.0 * cloud * max(0.0, sin((second / 3600 - 6) / 12 * pi))
            steps.append((second, (present[0] - sun, present[1] - sun, present[2] - sun)))
    return replace(site, circuits=(replace(root, load=tuple(steps)), *site.circuits[1:]))


def decisions(site: Site) -> Iterator[tuple[int, Plan, Configuration]]:
    """Yield second, plan and configuration of every decision of a day: sun, fuse, cars that come and leave."""
    ours = Ours(site, every_s=STEP_S)
    chosen = (ChargerMode.PV, ChargerMode.FAST, ChargerMode.MIN_PV, ChargerMode.PV)
    chargers = tuple(
        replace(charger, mode=chosen[number % len(chosen)]) for number, charger in enumerate(ours.config.chargers)
    )
    ours.config = replace(ours.config, has_power_meter=True, chargers=chargers)
    plant = Plant(site, Make(forgets_hold=True))
    last = ours.plan
    for _ in range(site.seconds):
        plant.step()
        plant.command(ours.step(plant.now, plant.seen))
        if ours.plan is not last:
            last = ours.plan
            yield plant.second, last, ours.config


def explained(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every change after checking that it says why."""
    reasons = {reason.value for reason in Reason}
    for record in records:
        datetime.fromisoformat(record["time"])
        assert record["changes"], record
        for change in record["changes"]:
            assert change["before"] != change["after"]
            assert change["reason"] in reasons
            assert change["cause"] in set(Cause)
            yield change


@pytest.mark.timeout(180)
def test_a_day_of_32_chargers() -> None:
    """24 hours explain every change of every charger without a gap, with the switch on and off."""
    everything, calm = DistributionLog(), DistributionLog()
    everything.complete = True
    commands: Counter[str] = Counter()
    before: dict[str, Command | None] = {}
    for second, present, config in decisions(sunny_day()):
        moment = MIDNIGHT + timedelta(seconds=second)
        everything.follow(present, config, float(second), moment)
        calm.follow(present, config, float(second), moment)
        for key, charger in present.chargers.items():
            commands[key] += charger.command != before.get(key)
            before[key] = charger.command
    records, start = read(everything)
    assert start == {}
    assert len(commands) == 32
    assert Counter(change["charger"] for change in explained(records)) == commands
    present_allocation = {
        key: {"charge": command.charge, "current_a": command.current_a, "phases": command.phases}
        for key, command in before.items()
        if command is not None
    }
    assert replay(records, start) == everything.allocation() == present_allocation
    assert {"start", "car", "sun", "fuse", "circuit", "turn"} <= {record["cause"] for record in records}
    assert everything.count > 1000
    assert everything.size < 1024 * 1024

    short, start = read(calm)
    assert len(list(explained(short))) < sum(commands.values())
    assert len(short) <= RING
    assert replay(short, start) == present_allocation
