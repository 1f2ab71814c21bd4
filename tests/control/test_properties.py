"""What must hold in every house, whatever happens in it: random houses, random events, checked second by second."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations
import json
import math
import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from custom_components.pv_load_manager.control import (
    ChargerConfig,
    ChargerMode,
    CircuitConfig,
    Configuration,
    Mode,
    PhasePolicy,
    Strategy,
    decide,
    render,
)

from .house import VOLTS, Car, House

TEXTS = {
    language: json.loads(
        (Path(__file__).parents[2] / f"custom_components/pv_load_manager/texts/{language}.json").read_text("utf-8")
    )
    for language in ("en", "de")
}
QUIET = 45
"""s without an event after which meter lag, ramps, and chargers that ignore commands have been dealt with."""

FACTOR = int(os.environ.get("PVLM_EXAMPLES", "1"))
"""More examples, each time others: for a search by hand. The test run itself is always the same."""


def checked(examples: int) -> settings:
    """Return the settings of one property."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        database=None,
        derandomize=FACTOR == 1,
        phases=(Phase.explicit, Phase.generate),  # to shrink a story takes minutes
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


amps = st.integers(0, 30).map(float)


@st.composite
def homes(draw: st.DrawFn) -> House:
    """Draw a house with its chargers, cars and meter."""
    phases = draw(st.sampled_from([3, 3, 1]))
    fuse = float(draw(st.sampled_from([16, 20, 25, 35, 63])))
    lowest = draw(st.sampled_from([6, 6, 8]))
    circuits = [
        CircuitConfig(
            circuit_id=f"c{number}",
            parent_id=draw(st.sampled_from(["root", *(f"c{other}" for other in range(number))])),
            limit_a=float(draw(st.sampled_from([8, 13, 20, 32]))),
            metered=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    chargers, cars = [], {}
    for key in "abcd"[: draw(st.integers(1, 4))]:
        wired = draw(st.sampled_from([3, 3, 1]))
        chargers.append(
            ChargerConfig(
                charger_id=key,
                circuit_id=draw(st.sampled_from(["root", *(circuit.circuit_id for circuit in circuits)])),
                priority=draw(st.sampled_from([0, 0, 1])),
                rotation=draw(st.sampled_from([None, *permutations((1, 2, 3))])),
                wired_phases=wired,
                phase_policy=draw(st.sampled_from(PhasePolicy)),
                min_current_a=lowest,
                max_current_a=draw(st.sampled_from([10, 16, 32])),
                mode=draw(st.sampled_from([ChargerMode.FOLLOW_SITE, ChargerMode.FOLLOW_SITE, *ChargerMode])),
            )
        )
        cars[key] = Car(
            phases=draw(st.integers(1, 3)),
            maximum_a=draw(st.sampled_from([8.0, 16.0, 32.0])),
            plugged=draw(st.booleans()),
            rate_a=draw(st.sampled_from([2.0, 4.0, 16.0])),
            delay=draw(st.integers(0, 2)),
            excess_a=draw(st.sampled_from([0.0, 0.0, -0.4, 0.5])),
            pause=draw(st.sampled_from([0, 8])),
            wired=min(wired, phases),
            rotation=draw(st.sampled_from(list(permutations((1, 2, 3))))),
        )
    config = Configuration(
        phases=phases,
        has_power_meter=True,
        circuits=(
            CircuitConfig(limit_a=fuse, metered=True, fallback_a=draw(st.sampled_from([0.0, 0.0, 8.0]))),
            *circuits,
        ),
        chargers=tuple(chargers),
        strategy=Strategy(
            mode=draw(st.sampled_from(Mode)),
            maximum_total_current_a=fuse,
            available_current_a=fuse,
            minimum_current_a=lowest,
            guaranteed_power_w=draw(st.sampled_from([1380.0, 0.0, 1379.0, 2760.0])),
        ),
    )
    return House(
        config=config,
        cars=cars,
        surplus_w=lambda _: 0.0,
        meter_every=draw(st.sampled_from([1.0, 2.0])),
        meter_lag=draw(st.integers(0, 2)),
    )


EVENTS = st.one_of(
    st.tuples(st.just("load"), st.tuples(amps, amps, amps)),
    st.tuples(st.just("sun"), st.sampled_from([-2000.0, 0.0, 1300.0, 1500.0, 2500.0, 4200.0, 7000.0, 15000.0])),
    st.tuples(st.just("mode"), st.sampled_from(Mode)),
    st.tuples(st.just("available"), st.sampled_from([0.0, 8.0, 13.5, 100.0])),
    st.tuples(st.just("plug"), st.integers(0, 3)),
    st.tuples(st.just("full"), st.integers(0, 3)),
    st.tuples(st.just("online"), st.integers(0, 3)),
    st.tuples(st.just("stuck"), st.integers(0, 3)),
    st.tuples(st.just("meter"), st.none()),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("gap"), st.sampled_from([20.0, 200.0])),
)
STORIES = st.lists(st.tuples(EVENTS, st.sampled_from([3, 15, 60, 130])), min_size=1, max_size=8)


def happen(home: House, event: tuple[str, object]) -> None:
    """Let one event happen."""
    kind, value = event
    car = list(home.cars.values())[value % len(home.cars)] if isinstance(value, int) else Car()
    if kind == "load":
        home.load_a = value  # type: ignore[assignment]
    elif kind == "sun":
        home.surplus_w = lambda _: value  # type: ignore[assignment, return-value]
    elif kind == "mode":
        home.set(mode=value)
    elif kind == "available":
        home.set(available_current_a=min(value, home.config.strategy.maximum_total_current_a))  # type: ignore[type-var]
    elif kind == "plug":
        if car.plugged:
            car.unplug()
        else:
            car.plugged = True
    elif kind == "meter":
        home.meter_alive = not home.meter_alive
    elif kind == "restart":
        home.restart()
    elif kind == "gap":
        home.now += value  # type: ignore[operator]
    else:
        setattr(car, kind, not getattr(car, kind))


@dataclass
class Watch:
    """Checks every second of a house."""

    home: House
    quiet: int = 0
    still: int = 0
    """s since the house, the meter or a fault changed; cars and settings may."""
    before: dict[str, tuple[bool, int, int | None]] = field(default_factory=dict)

    def check(self) -> None:
        """Check what holds in every step."""
        self.quiet += 1
        self.still += 1
        self.commands()
        self.stale()
        self.fuse()
        self.words()

    def each(self) -> Iterator[tuple[ChargerConfig, Car, int]]:
        """Walk the chargers with what they are told."""
        for charger in self.home.config.chargers:
            yield charger, self.home.cars[charger.charger_id], self.home.allocated(charger.charger_id)

    def commands(self) -> None:
        """A command is nothing or a current that the charger may have; off is off in the same step."""
        config = self.home.config
        for charger, _, allocated in self.each():
            lowest = max(charger.min_current_a, config.strategy.minimum_current_a)
            assert allocated == 0 or lowest <= allocated <= charger.max_current_a
            command = self.home.plan.chargers[charger.charger_id].command
            assert command is None or command.charge == (command.current_a > 0)
            if config.strategy.mode is Mode.OFF or charger.mode is ChargerMode.OFF:
                assert allocated == 0

    def stale(self) -> None:
        """Nothing is increased on a stale meter, except up to the fallback when the meter is dead."""
        home, now = self.home, {}
        age = math.inf if home.grid is None else home.now - home.grid.at
        for charger, _, _ in self.each():
            command = home.plan.chargers[charger.charger_id].command
            if command is not None:
                now[charger.charger_id] = (command.charge, command.current_a, command.phases)
        for key, (charge, current, phases) in now.items():
            if age > 10.0 and key in self.before:
                had = self.before[key]
                fallback = home.config.circuits[0].fallback_a
                wider = charge and had[0] and (phases or 3) > (had[2] or 3)
                assert (current <= had[1] and not wider) or (age > 120.0 and current <= fallback)
        self.before = now

    def fuse(self) -> None:
        """In a still house cars never draw too much together; faults are dealt with after a quiet time."""
        home = self.home
        if not home.meter_alive:
            return
        healthy = all(car.online and not car.stuck for car in home.cars.values())
        for circuit in home.config.circuits:
            key = circuit.circuit_id
            totals = home.total_a() if circuit.parent_id is None else home.circuit_a(key)
            cars = home.chargers_a(key)
            if self.still >= QUIET and healthy:
                excess = sum(max(0.0, car.excess_a) for car in home.cars.values())
                for total, ours in zip(totals, cars, strict=True):
                    assert total <= max(circuit.limit_a + excess, total - ours) + 0.05, (home.now, key, totals)
            if self.quiet < QUIET:
                continue
            for phase, total in enumerate(totals):
                if total > circuit.limit_a + 0.05:
                    assert not self.obedient_on(phase, key), (home.now, key, totals)

    def obedient_on(self, phase: int, circuit_id: str) -> list[str]:
        """Return the chargers below a circuit that load a phase although they could be told otherwise."""
        home, result = self.home, []
        for charger, car, _ in self.each():
            if circuit_id not in home.path(charger.circuit_id) or car.stuck or not car.online:
                continue
            rotation = charger.rotation or car.rotation
            lines = [rotation[own] - 1 if home.config.phases == 3 else 0 for own in range(3) if car.currents[own] > 0.5]
            if phase in lines:
                result.append(charger.charger_id)
        return result

    def words(self) -> None:
        """Every reason has its numbers in both languages, and no moment to come lies behind."""
        for plan in self.home.plan.chargers.values():
            explanation = plan.explanation
            for language, templates in TEXTS.items():
                text = render(explanation, templates, self.home.now)
                assert "–" not in text, (language, explanation)
                assert explanation.reason.value in templates
            assert explanation.next_change_at is None or explanation.next_change_at > self.home.now


def tell(home: House, story: list[tuple[tuple[str, object], int]]) -> Watch:
    """Play a story in a house and check every second of it."""
    watch = Watch(home)
    home.run(40, each=watch.check)
    for event, seconds in story:
        happen(home, event)
        watch.quiet = 0
        if event[0] in {"load", "sun", "online", "stuck", "meter", "restart", "gap"}:
            watch.still = 0
        home.run(seconds, each=watch.check)
    return watch


@checked(60)
@given(homes(), STORIES)
def test_nothing_unsafe_is_ever_planned(home: House, story: list[tuple[tuple[str, object], int]]) -> None:
    """Whatever happens: commands are valid, off is off, a stale meter raises nothing, and the fuse holds."""
    watch = tell(home, story)
    home.run(QUIET + 5, each=watch.check)


@checked(16)
@given(homes(), STORIES)
def test_a_house_at_rest_comes_to_rest(home: House, story: list[tuple[tuple[str, object], int]]) -> None:
    """When everything works again and nothing changes any more, the commands stop changing, and none waits in vain."""
    watch = tell(home, story)
    home.meter_alive = True
    for car in home.cars.values():
        car.online, car.stuck, car.full = True, False, False
    home.load_a = (2.0, 0.0, 1.0)
    home.set(mode=Mode.FAST, available_current_a=home.config.strategy.maximum_total_current_a)
    home.config = replace(
        home.config,
        chargers=tuple(replace(charger, mode=ChargerMode.FOLLOW_SITE) for charger in home.config.chargers),
    )
    home.surplus_w = lambda _: 0.0
    watch.quiet = watch.still = 0
    home.run(900, each=watch.check)
    steady = {key: plan.command for key, plan in home.plan.chargers.items()}
    for _ in range(60):
        home.step()
        assert {key: plan.command for key, plan in home.plan.chargers.items()} == steady
    plugged = [key for key, car in home.cars.items() if car.plugged]
    assert not plugged or any(home.allocated(key) for key in plugged)
    for key in home.cars:
        if key not in plugged:
            assert home.allocated(key) == 0


@checked(12)
@given(homes(), STORIES)
def test_the_same_inputs_give_the_same_outputs(home: House, story: list[tuple[tuple[str, object], int]]) -> None:
    """A step has no hidden memory: taken twice it says the same, and it leaves its inputs as they were."""
    tell(home, story)
    for _ in range(5):
        before, kept = home.state, repr(home.state)
        home.step()
        again = decide(home.config, before, home.snapshot, home.now)
        assert again == (home.state, home.plan)
        assert repr(before) == kept


@checked(12)
@given(homes(), st.floats(0.0, 12000.0), st.integers(0, 3))
def test_pv_never_imports_for_long(home: House, surplus: float, lag: int) -> None:
    """With steady sun pv charging ends without import, and without leaving an amp of three phases unused on one car."""
    home.meter_lag = lag
    home.set(mode=Mode.PV)
    chargers = tuple(replace(charger, mode=ChargerMode.FOLLOW_SITE) for charger in home.config.chargers[:1])
    home.config = replace(home.config, chargers=chargers)
    home.cars = {"a": replace(home.cars["a"], plugged=True, excess_a=0.0)}
    home.surplus_w = lambda _: surplus
    home.run(1100)
    power = sum(home.total_a()) * VOLTS
    lines = sum(1 for current in home.cars["a"].currents if current > 0.5)
    assert power <= 0.26 * VOLTS * max(lines, 1)
    commands = set()
    for _ in range(120):
        home.step()
        commands.add(home.plan.chargers["a"].command)
    assert len(commands) == 1
