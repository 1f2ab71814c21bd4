"""What must hold whatever somebody tells the house from outside: random houses, words and events, second by second."""

from dataclasses import dataclass, replace

from hypothesis import given, strategies as st

from custom_components.pv_load_manager.control import (
    HIGHEST_CURRENT,
    LOWEST_CURRENT,
    ROOT_CIRCUIT,
    ChargerConfig,
    ChargerMode,
    Mode,
    Override,
    OverrideSource,
    PhasePolicy,
    begin_override,
    decide,
    end_override,
    render,
)

from .house import House
from .test_properties import TEXTS, amps, checked, happen, homes

OUTSIDE = st.one_of(
    st.tuples(st.just("set"), st.sampled_from([0.0, 5.9, 6.0, 9.5, 13.0, 30.0, 30.0])),
    st.tuples(st.just("default"), st.sampled_from([0.0, 7.0, 100.0])),
    st.tuples(st.just("watchdog"), st.booleans()),
    st.tuples(st.just("external_current"), st.booleans()),
    st.tuples(st.just("phases"), st.sampled_from([None, 0, 1, 3])),
    st.tuples(st.just("override"), st.tuples(st.integers(0, 3), st.sampled_from([None, 0, 6, 9, 16, 32]))),
    st.tuples(st.just("demand"), st.tuples(st.integers(0, 3), st.sampled_from([None, None, 0.0, 7.5, 12.0, 19.0]))),
    st.tuples(st.just("dimmed"), st.sampled_from([True, True, False])),
    st.tuples(st.just("volts"), st.sampled_from([225.0, 230.0, 236.0, 242.0])),
)
INSIDE = st.one_of(
    st.tuples(st.just("load"), st.tuples(amps, amps, amps)),
    st.tuples(st.just("sun"), st.sampled_from([0.0, 1500.0, 4200.0, 9000.0, 20000.0])),
    st.tuples(st.just("plug"), st.integers(0, 3)),
    st.tuples(st.just("online"), st.integers(0, 3)),
    st.tuples(st.just("meter"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)
STORIES = st.lists(
    st.tuples(st.one_of(OUTSIDE, OUTSIDE, OUTSIDE, INSIDE), st.sampled_from([2, 12, 40])), min_size=6, max_size=14
)
POLICIES = [PhasePolicy.AUTO, PhasePolicy.AUTO, *PhasePolicy]
DIMMING = st.tuples(st.sampled_from([4200.0, 4200.0, 7000.0, 2500.0, 1300.0]), st.booleans())


@st.composite
def busy(draw: st.DrawFn) -> House:
    """Draw a house in which everybody wants to charge, under a sun that is enough for most; it may be dimmed."""
    home = draw(homes())
    home.set(mode=draw(st.sampled_from([Mode.FAST, Mode.FAST, Mode.PV, Mode.MIN_PV])))
    home.surplus_w = lambda _: 12000.0
    dimming_w, total = draw(DIMMING)
    chargers = tuple(
        replace(charger, mode=ChargerMode.FOLLOW_SITE, phase_policy=draw(st.sampled_from(POLICIES)))
        for charger in home.config.chargers
    )
    home.config = replace(home.config, chargers=chargers, dimming_w=dimming_w, dimming_total=total)
    for car in home.cars.values():
        car.plugged = True
    home.dimmed = draw(st.booleans())
    return home


def say(home: House, word: tuple[str, object]) -> None:
    """Tell the house something, or let something happen in it."""
    kind, value = word
    if kind == "set":
        home.set(available_current_a=value)
        home.available_set_at = home.now
    elif kind == "default":
        home.set(default_available_current_a=value)
    elif kind in {"watchdog", "external_current"}:
        home.set(**{kind: value})
    elif kind == "phases":
        home.set(external_phases=value is not None, phases_wanted=value)
    elif kind == "override":
        _override(home, *value)  # type: ignore[misc]
    elif kind == "demand":
        index, limit = value  # type: ignore[misc]
        circuits = list(home.config.circuits)
        number = index % len(circuits)
        circuits[number] = replace(circuits[number], demand_limit_a=limit)
        home.config = replace(home.config, circuits=tuple(circuits))
    elif kind in {"dimmed", "volts"}:
        setattr(home, kind, value)
    else:
        happen(home, word)


def _override(home: House, index: int, current_a: int | None) -> None:
    key = list(home.cars)[index % len(home.cars)]
    if current_a is None:
        home.state = end_override(home.state, key)
    else:
        source = OverrideSource.APP if index % 2 else OverrideSource.USER
        home.state = begin_override(home.state, key, Override(current_a=current_a, source=source))


@dataclass
class Watch:
    """Checks every step of a house."""

    home: House

    def check(self) -> None:
        """Check what holds in every step."""
        self.commands()
        self.currents()
        self.dimming()
        self.words()
        before = self.home.state
        again = decide(self.home.config, before, self.home.snapshot, self.home.now)
        assert again == decide(self.home.config, before, self.home.snapshot, self.home.now)

    def heard(self) -> list[tuple[ChargerConfig, int, tuple[int, ...]]]:
        """Return every charger that can be told something, its current, and the grid phases (0..2) of its car."""
        home, result = self.home, []
        for charger in home.config.chargers:
            car, command = home.cars[charger.charger_id], home.plan.chargers[charger.charger_id].command
            if car.online and command is not None:
                used = min(car.phases, command.phases or 3, car.wired, home.config.phases)
                rotation = charger.rotation or car.rotation
                lines = tuple(rotation[own] - 1 if home.config.phases == 3 else 0 for own in range(used))
                result.append((charger, command.current_a, lines))
        return result

    def commands(self) -> None:
        """A current is nothing or one that a charger can have; nothing is raised above what somebody chose."""
        home = self.home
        strategy = home.config.strategy
        for charger, current, _ in self.heard():
            assert current == 0 or LOWEST_CURRENT <= current <= min(charger.max_current_a, HIGHEST_CURRENT)
            chosen = home.plan.overrides.get(charger.charger_id)
            if chosen is not None:
                assert current <= chosen.current_a
            if strategy.external_phases and strategy.phases_wanted == 0:
                assert current == 0

    def currents(self) -> None:
        """All together stay below the available current, and below what each circuit may carry for now."""
        home = self.home
        for circuit in home.config.circuits:
            totals = [0.0, 0.0, 0.0]
            for charger, current, lines in self.heard():
                if circuit.circuit_id in home.path(charger.circuit_id):
                    for line in lines:
                        totals[line] += current
            assert max(totals) <= circuit.allowed_a + 1e-6, (home.now, circuit.circuit_id, totals)
            if circuit.circuit_id == ROOT_CIRCUIT:
                assert max(totals) <= home.plan.available_a + 1e-6, (home.now, totals, home.plan.available_a)

    def dimming(self) -> None:
        """What is dimmed is told no more power than that, in the same step."""
        home = self.home
        limit = home.config.dimming_w
        if not home.dimmed or limit is None:
            return
        powers = [current * len(lines) * home.volts for _, current, lines in self.heard()]
        assert (sum(powers) if home.config.dimming_total else max(powers, default=0.0)) <= limit + 1e-6, powers

    def words(self) -> None:
        """Every reason has its numbers in both languages."""
        for plan in self.home.plan.chargers.values():
            for language, templates in TEXTS.items():
                assert "–" not in render(plan.explanation, templates, self.home.now), (language, plan.explanation)


@checked(100)
@given(busy(), STORIES)
def test_no_word_from_outside_lifts_a_limit(home: House, story: list[tuple[tuple[str, object], int]]) -> None:
    """Whatever is told: commands are valid, caps are caps, and the same inputs give the same plan."""
    watch = Watch(home)
    home.run(20, each=watch.check)
    for word, seconds in story:
        say(home, word)
        home.run(seconds, each=watch.check)


@checked(12)
@given(busy(), STORIES)
def test_the_house_follows_in_the_end(home: House, story: list[tuple[tuple[str, object], int]]) -> None:
    """When nothing changes any more, what the cars really draw keeps every limit that was told, too."""
    home.run(20)
    for word, seconds in story:
        say(home, word)
        home.run(seconds)
    for car in home.cars.values():
        car.online, car.excess_a = True, min(car.excess_a, 0.0)
    home.meter_alive = True
    home.run(150)

    def check() -> None:
        for circuit in home.config.circuits:
            drawn = home.chargers_a(circuit.circuit_id)
            assert max(drawn) <= circuit.allowed_a + 0.05, (circuit.circuit_id, drawn)
        assert max(home.chargers_a()) <= home.plan.available_a + 0.05
        limit = home.config.dimming_w
        if home.dimmed and limit is not None:
            powers = [sum(car.currents) * home.volts for car in home.cars.values()]
            assert (sum(powers) if home.config.dimming_total else max(powers)) <= limit * 1.001, powers

    home.run(60, each=check)
