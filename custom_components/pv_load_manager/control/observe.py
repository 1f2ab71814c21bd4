"""Turns a snapshot into memory: follows the chargers, keeps the short histories, works out house and surplus."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf, isfinite

from . import rotation, slow_source
from .chargers import observe_charger
from .circuits import Tree
from .electrics import (
    NOTHING,
    add,
    complete,
    draw_at,
    grid_phases,
    higher,
    on_grid,
    spread,
    subtract,
    voltage,
)
from .liveliness import Liveliness
from .model import (
    ChargerConfig,
    ChargerReading,
    CircuitConfig,
    Configuration,
    GridReading,
    MaybeThree,
    Snapshot,
    Three,
)
from .protection import meter_of
from .state import HISTORY_SECONDS, ChargerState, ControlState, DrawSample, HouseSample, ValueSample
from .surplus import PATIENCE, battery_reading, surplus_now

RAMP_W = 1000.0  # W within the lag of the meter; whole amps up and down stay below
LONGEST_GAP = 60.0  # s; over a longer silence nobody knows what was drawn
HOUR = 3600.0  # s
NEVER_SEEN = ChargerState()


def finite(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with every figure that is no number taken as not known."""
    grid, battery = _finite_meter(snapshot.grid), snapshot.battery
    circuits = {key: known for key, meter in snapshot.circuits.items() if (known := _finite_meter(meter)) is not None}
    if battery is not None and not _all_finite(battery.power_w, battery.state_of_charge):
        battery = replace(battery, power_w=_known(battery.power_w), state_of_charge=_known(battery.state_of_charge))
    chargers = {
        key: reading
        if _plausible(reading)
        else replace(
            reading,
            power_w=_known(reading.power_w),
            currents_a=_three(reading.currents_a),
            voltages_v=_three(reading.voltages_v),
        )
        for key, reading in snapshot.chargers.items()
    }
    return replace(snapshot, grid=grid, battery=battery, circuits=circuits, chargers=chargers)


def _finite_meter(meter: GridReading | None) -> GridReading | None:
    if meter is None or _all_finite(meter.power_w, *meter.currents_a, *meter.voltages_v):
        return meter
    return replace(
        meter, power_w=_known(meter.power_w), currents_a=_three(meter.currents_a), voltages_v=_three(meter.voltages_v)
    )


def _plausible(reading: ChargerReading) -> bool:
    return _all_finite(reading.power_w, *reading.currents_a, *reading.voltages_v)


def _all_finite(*values: float | None) -> bool:
    total = 0.0
    for value in values:
        if value is not None:
            total += value
    return isfinite(total)  # no finite figures of this world add up to more


def _known(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _three(values: MaybeThree) -> MaybeThree:
    return (_known(values[0]), _known(values[1]), _known(values[2]))


def observe(config: Configuration, tree: Tree, state: ControlState, snapshot: Snapshot, now: float) -> ControlState:
    """Return the state with everything the snapshot says taken in."""
    chargers: dict[str, ChargerState] = {}
    draws: dict[str, tuple[DrawSample, ...]] = {}
    # One that is loaded anew may be such a meter again in a moment.
    slow = slow_source.is_slow(snapshot.grid) or (snapshot.grid is None and bool(state.grid))
    for charger in config.chargers:
        key = charger.charger_id
        before, reading = state.chargers.get(key, NEVER_SEEN), snapshot.chargers.get(key)
        known = state.draws.get(key, ())
        after = chargers[key] = observe_charger(config, charger, before, reading, now)
        if reading is not None and reading.online and (not known or reading.at > known[-1].at):
            draw = _draw(config, charger, after, reading, known, same_car=after.plugged == before.plugged)
            known = slow_source.remember(known, draw) if slow else _recent(known, draw)
        draws[key] = known
    seen = replace(
        state,
        chargers=chargers,
        draws=draws,
        grid=_grid(state, snapshot),
        grid_cadence_s=state.grid_cadence_s if snapshot.grid is None else snapshot.grid.cadence_s,
        phases=rotation.remember(config, state.phases, snapshot),
    )
    house = {
        circuit.circuit_id: _house(config, tree, circuit, seen, meter_of(snapshot, circuit))
        for circuit in tree.circuits
        if circuit.metered
    }
    surplus = _surplus(config, seen, snapshot, now)
    return replace(
        seen,
        chargers=rotation.learn(config, seen, snapshot),
        house=house,
        surplus=surplus,
        lively=_lively(state, surplus),
        sign=state.sign.after(config, snapshot, battery_reading(config, snapshot), now),
    )


def _lively(state: ControlState, surplus: Sequence[ValueSample]) -> Liveliness | None:
    if not surplus or (state.surplus and surplus[-1].at == state.surplus[-1].at):
        return state.lively
    at, value = surplus[-1].at, surplus[-1].value
    return Liveliness(at, value) if state.lively is None else state.lively.after(at, value)


def grid_currents(config: Configuration, grid: GridReading) -> Three | None:
    """Return the directional current of every grid phase in A, or None where the meter does not know it."""
    currents = complete(grid.currents_a, config.phases)
    if currents is None and config.phases == 1 and grid.power_w is not None:
        return (grid.power_w / (grid.voltages_v[0] or 230.0), 0.0, 0.0)
    return currents


def _draw(
    config: Configuration,
    charger: ChargerConfig,
    state: ChargerState,
    reading: ChargerReading,
    known: Sequence[DrawSample],
    *,
    same_car: bool,
) -> DrawSample:
    currents = on_grid(charger, config.phases, reading.currents_a, state.first_line)
    power = reading.power_w
    if power is None:
        power = sum(current or 0.0 for current in reading.currents_a) * voltage(reading, None)
    energy = 0.0
    if same_car:
        last = known[-1] if known else None
        energy = last.energy_wh if last is not None else state.energy_wh
        if last is not None and reading.at - last.at <= LONGEST_GAP:
            energy += last.power_w * (reading.at - last.at) / HOUR
    return DrawSample(at=reading.at, currents_a=currents, power_w=power, energy_wh=energy)


def _recent(draws: tuple[DrawSample, ...], sample: DrawSample) -> tuple[DrawSample, ...]:
    if not draws or sample.at - draws[0].at <= 2 * HISTORY_SECONDS:
        return (*draws, sample)
    # The last sample before a long silence still says what the charger drew until the next one.
    kept = tuple(old for old in draws if sample.at - old.at <= HISTORY_SECONDS) or draws[-1:]
    return (*kept, sample)


def _values(samples: Iterable[ValueSample], sample: ValueSample) -> tuple[ValueSample, ...]:
    return (*(old for old in samples if sample.at - old.at <= HISTORY_SECONDS), sample)


def _grid(state: ControlState, snapshot: Snapshot) -> tuple[ValueSample, ...]:
    grid = snapshot.grid
    if grid is None or grid.power_w is None or (state.grid and grid.at <= state.grid[-1].at):
        return state.grid
    return _values(state.grid, ValueSample(at=grid.at, value=grid.power_w))


def _house(
    config: Configuration, tree: Tree, circuit: CircuitConfig, state: ControlState, meter: GridReading | None
) -> tuple[HouseSample, ...]:
    """What else draws from a circuit: its meter minus our chargers below it at the meter's own time."""
    samples = state.house.get(circuit.circuit_id, ())
    if meter is None or (samples and meter.at <= samples[-1].at):
        return samples
    currents = grid_currents(config, meter)
    if currents is None:
        return samples
    index = tree.chains[circuit.circuit_id][0]
    chargers = most = NOTHING
    for charger in config.chargers:
        if index not in tree.chains.get(charger.circuit_id, ()):
            continue
        own = state.chargers[charger.charger_id]
        draws = state.draws[charger.charger_id]
        draw = draw_at(draws, meter.at)
        drawn = draw.currents_a if draw is not None else NOTHING
        chargers = add(chargers, drawn)
        most = add(most, _most_drawn(config, charger, own, draws, meter.at))
    sample = HouseSample(
        at=meter.at, currents_a=subtract(currents, chargers), least_a=subtract(currents, most), total_a=currents
    )
    kept = max(HISTORY_SECONDS, PATIENCE * (meter.cadence_s or 0.0))
    return (*(old for old in samples if meter.at - old.at <= kept), sample)


def _most_drawn(
    config: Configuration, charger: ChargerConfig, state: ChargerState, draws: Sequence[DrawSample], at: float
) -> Three:
    """Return the most that the meter can have seen of a charger, although it is believed to draw something else.

    A meter that lags, or a charger that does, would make a ramp of a car look like a load of the house, and the cut
    for that load would be the next ramp.
    """
    timings = config.timings
    begin = at - timings.meter_lag
    one = two = three = 0.0
    for sample in reversed(draws):
        currents = sample.currents_a
        one, two, three = max(one, currents[0]), max(two, currents[1]), max(three, currents[2])
        if sample.at <= begin:
            break
    most = (one, two, three)
    command, raised = state.command, state.raised_at
    if command is not None and raised is not None and 0 <= at - raised < timings.settle:
        count = min(command.phases or charger.wired_phases, state.car_phases or charger.wired_phases)
        lines = grid_phases(charger, config.phases, count, state.first_line)
        most = higher(most, spread(max(command.current_a, state.pending_a or 0), lines))
    return most


def _surplus(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> tuple[ValueSample, ...]:
    """What all managed chargers together could draw so that the grid meter reads 0, in W.

    All parts are taken at the time of the slowest of them, else a change of the cars would look like sunshine. For
    the same reason no value is taken while a car ramps, unless it does so for the whole window.
    """
    battery = battery_reading(config, snapshot)
    if config.has_battery and (battery is None or battery.power_w is None):
        return state.surplus
    if not state.grid:
        return state.surplus
    at = state.grid[-1].at if battery is None else min(battery.at, state.grid[-1].at)
    if state.surplus and at <= state.surplus[-1].at:
        return state.surplus
    patience, meter = config.timings.ramp_patience, snapshot.grid
    slow = meter if slow_source.is_slow(meter) else None
    if slow is not None:
        patience = max(patience, PATIENCE * (slow.cadence_s or 0.0))
    due = not state.surplus or at - state.surplus[-1].at >= patience
    if not due and any(_moves(config, charger, state.draws[key], at, slow) for key, charger in state.chargers.items()):
        return state.surplus
    grid = min(state.grid, key=lambda sample: abs(sample.at - at))
    cars = 0.0
    for draws in state.draws.values():
        if slow is not None:
            cars += slow_source.drawn_w(draws, slow, grid.at)
            continue
        draw = draw_at(draws, grid.at)
        cars += draw.power_w if draw is not None else 0.0
    return _values(
        (old for old in state.surplus if now - old.at <= HISTORY_SECONDS),
        ValueSample(at=at, value=cars + surplus_now(config, snapshot, battery, grid_w=grid.value)),
    )


def _moves(
    config: Configuration, state: ChargerState, draws: Sequence[DrawSample], at: float, slow: GridReading | None
) -> bool:
    """Return whether nobody can tell what a car drew at the time of a value."""
    return _ramps(config, state, draws, at) if slow is None else not slow_source.is_steady(draws, slow)


def _ramps(config: Configuration, state: ChargerState, draws: Sequence[DrawSample], at: float) -> bool:
    """Return whether a car changes so much about then that meter and charger may not speak of the same current."""
    lag = config.timings.meter_lag
    if state.changed_at is not None and 0 <= at - state.changed_at < lag:
        return True
    begin, end = at - lag, at + lag
    lowest, highest = inf, -inf
    for sample in reversed(draws):
        when, power = sample.at, sample.power_w
        if when < begin:
            break
        if when <= end:
            lowest, highest = min(lowest, power), max(highest, power)
    return highest - lowest > RAMP_W
