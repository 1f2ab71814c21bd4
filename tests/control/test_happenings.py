"""What a person is told of all redistributions: not more than they want."""

from custom_components.pv_load_manager.control import (
    ChargerConfig,
    ChargerPlan,
    Command,
    Configuration,
    Explanation,
    Mode,
    Override,
    OverrideSource,
    Plan,
    Reason,
    Stage,
    stop_plan,
)
from custom_components.pv_load_manager.control.causes import Cause
from custom_components.pv_load_manager.control.distribution import Redistribution, Seen, compare
from custom_components.pv_load_manager.control.plan import CircuitPlan
from custom_components.pv_load_manager.coordinators.happenings import CALM, WARM_UP, Happening, Happenings

from .house import House, house
from .test_distribution import MIDNIGHT

NOTHING = (0.0, 0.0, 0.0)


def told(reason: Reason, current_a: int = 0, phases: int = 3) -> ChargerPlan:
    """Return the plan of a charger; 0 A = it is stopped."""
    return ChargerPlan(
        command=Command(charge=current_a > 0, current_a=current_a, phases=phases),
        explanation=Explanation(reason=reason),
        safe_current_a=6,
    )


class Told:
    """Feeds plans, and remembers what a person is told."""

    def __init__(self) -> None:
        self.now, self.found = 1000.0, list[Happening]()
        self._seen, self._happenings = Seen(), Happenings()

    def follow(self, plan: Plan, seconds: float = 1.0) -> list[str]:
        """Let a plan be in force for some seconds; return what is told."""
        told: list[Happening] = []
        for _ in range(int(seconds)):
            self.now += 1.0
            self._seen, record = compare(self._seen, plan, {}, self.now, MIDNIGHT)
            told += self._step(plan, record)
        return [f"{item.charger_id or 'site'} {item.event}" for item in told]

    def _step(self, plan: Plan, record: Redistribution | None) -> list[Happening]:
        happened = self._happenings.follow(plan, record, self.now)
        self.found += happened
        return happened

    def watch(self, home: House) -> None:
        """Take in the last step of a house."""
        self.follow(home.plan)

    def reasons(self) -> list[tuple[str, str, str]]:
        """Return event, cause and reason of everything that was told."""
        return [
            (item.event, item.cause, item.explanation.reason if item.explanation is not None else "")
            for item in self.found
        ]


def charger(plan: ChargerPlan) -> Plan:
    """Return the plan of a site with one charger."""
    return Plan(chargers={"a": plan})


IDLE = charger(told(Reason.WAITING_FOR_SURPLUS))
WAKES = charger(told(Reason.CAR_NOT_DRAWING, 6))
SUNNY = charger(told(Reason.CHARGING_SURPLUS, 10))
HELD_BACK = charger(told(Reason.LIMITED_BY_FUSE, 8))


def test_start_and_stop() -> None:
    """A car has started when it draws, and stopped when it may not any more, is full, or does not for a while."""
    told_of = Told()
    assert told_of.follow(IDLE, 5) == []
    assert told_of.follow(WAKES, 20) == []
    assert told_of.follow(SUNNY, 600) == ["a started"]
    assert told_of.follow(IDLE, 10) == ["a stopped"]
    assert told_of.follow(SUNNY, 10) == ["a started"]
    assert told_of.follow(charger(told(Reason.CAR_FULL, 6)), 10) == ["a stopped"]
    assert told_of.follow(charger(told(Reason.NO_CAR)), 10) == []
    assert told_of.follow(SUNNY, 10) == ["a started"]
    assert told_of.follow(WAKES, CALM - 10) == []
    assert told_of.follow(WAKES, 20) == ["a stopped"]
    assert told_of.reasons()[:2] == [
        ("started", "sun", "charging_surplus"),
        ("stopped", "sun", "waiting_for_surplus"),
    ]


def test_what_was_so_before_has_not_happened() -> None:
    """After a start of Home Assistant a car that charges has not begun to."""
    told_of = Told()
    assert told_of.follow(charger(told(Reason.STARTING_UP)), 5) == []
    assert told_of.follow(SUNNY, 100) == []
    assert told_of.follow(IDLE) == ["a stopped"]


def test_phases() -> None:
    """Another number of phases is told when the car charges again, with its new reason."""
    told_of = Told()
    told_of.follow(IDLE)
    told_of.follow(charger(told(Reason.CHARGING_SURPLUS, 16, 1)), 5)
    assert told_of.follow(charger(told(Reason.PHASE_SWITCH, 6)), 20) == []
    assert told_of.follow(SUNNY, 20) == ["a phases_changed"]
    assert told_of.reasons()[-1] == ("phases_changed", "sun", "charging_surplus")


def test_limits_are_told_calmly() -> None:
    """An oven that switches every half minute limits a car once, and releases it a minute after the last time."""
    told_of = Told()
    told_of.follow(IDLE)
    assert told_of.follow(SUNNY, 30) == ["a started"]
    assert [told_of.follow(HELD_BACK, 30) + told_of.follow(SUNNY, 30) for _ in range(60)] == [["a limited"]] + 59 * [[]]
    assert told_of.follow(SUNNY, CALM) == ["a released"]
    assert told_of.follow(IDLE) == ["a stopped"]
    assert told_of.follow(HELD_BACK) == ["a started"]  # its reason says the rest
    assert told_of.follow(SUNNY, CALM + 2) == ["a released"]


def test_overrides() -> None:
    """An override begins and ends, whoever chose it; one from before the start does not begin."""
    told_of = Told()
    override = {"a": Override(current_a=10, source=OverrideSource.USER)}
    chosen = Plan(chargers={"a": told(Reason.OVERRIDE, 10)}, overrides=override)
    assert told_of.follow(chosen, 5) == []
    assert told_of.follow(SUNNY) == ["a override_ended"]
    assert told_of.follow(chosen, 5) == ["a override_started"]
    assert told_of.found[-1].cause is Cause.OVERRIDE


def test_site() -> None:
    """Watchdog, dimming and peak limit begin and end, the last one calmly."""
    told_of = Told()
    chargers = IDLE.chargers
    told_of.follow(IDLE)
    assert told_of.follow(Plan(chargers=chargers, watchdog_expired=True), 5) == ["site watchdog_expired"]
    assert told_of.follow(Plan(chargers=chargers, dimmed=True), 5) == ["site watchdog_cleared", "site dimming_started"]
    assert told_of.follow(IDLE, 5) == ["site dimming_ended"]
    waits = charger(told(Reason.WAITING_FOR_PEAK))
    assert [told_of.follow(waits, 20) + told_of.follow(IDLE, 20) for _ in range(5)] == [["site peak_limited"]] + 4 * [
        []
    ]
    assert told_of.found[-1].explanation == waits.chargers["a"].explanation
    assert told_of.follow(IDLE, CALM) == ["site peak_released"]


def test_core_that_fails_ends_nothing() -> None:
    """Its chargers stop; who chose a current, dims the house or is silent does so as before."""
    told_of = Told()
    told_of.follow(IDLE)
    chosen = {"a": Override(current_a=10, source=OverrideSource.USER)}
    circuits = meter(Stage.FALLBACK).circuits
    chargers = {"a": told(Reason.OVERRIDE, 10)}
    plan = Plan(chargers=chargers, circuits=circuits, overrides=chosen, dimmed=True, watchdog_expired=True)
    assert len(told_of.follow(plan, 5)) == 5
    failed = stop_plan(Configuration(chargers=(ChargerConfig(charger_id="a"),)))
    assert told_of.follow(failed, 2 * CALM) == ["a stopped"]
    assert told_of.follow(plan, 5) == ["a started"]


def meter(stage: Stage) -> Plan:
    """Return a plan with the meter of the house connection in a state."""
    circuit = CircuitPlan(stage=stage, limit_a=35.0, house_a=None, chargers_a=NOTHING)
    return Plan(chargers=IDLE.chargers, circuits={"root": circuit})


def test_meters() -> None:
    """A meter is lost when it is too silent to be trusted, and back when all speak again."""
    told_of = Told()
    assert told_of.follow(meter(Stage.FRESH), 5) == []
    assert told_of.follow(meter(Stage.STALE), 5) == []
    assert told_of.follow(meter(Stage.FALLBACK), 50) == ["site meter_lost"]
    assert told_of.follow(meter(Stage.DEAD), 50) == []
    assert told_of.follow(meter(Stage.FRESH), 5) == ["site meter_back"]


def test_meter_that_was_never_heard() -> None:
    """After a start a meter may need its time; one that never speaks is told."""
    told_of = Told()
    assert told_of.follow(meter(Stage.DEAD), WARM_UP - 10) == []
    assert told_of.follow(meter(Stage.FRESH), 5) == []
    silent = Told()
    assert silent.follow(meter(Stage.DEAD), WARM_UP + 10) == ["site meter_lost"]


def test_a_day_with_clouds_is_told_in_few_words() -> None:
    """In the closed loop a car is told of when it begins, changes its phases and ends, not ampere by ampere."""
    home = house("a", mode=Mode.PV, surplus_w=lambda now: 8000.0 if now < 4600 else 0.0)
    told_of = Told()
    home.run(5000, lambda: told_of.watch(home))
    home.cars["a"].unplug()
    home.run(60, lambda: told_of.watch(home))
    events = [item.event.value for item in told_of.found]
    assert events[0] == "started"
    assert events[-1] == "stopped"
    assert set(events[1:-1]) <= {"phases_changed"}
    assert len(events) <= 5
