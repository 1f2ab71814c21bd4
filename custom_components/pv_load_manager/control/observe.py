"""Turns a snapshot into memory: adopts chargers, keeps the short histories, follows the cars."""

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite

from .electrics import (
    DRAWING_A,
    NOTHING,
    add,
    complete,
    draw_at,
    grid_phases,
    higher,
    measured_draw,
    on_grid,
    phase_count,
    spread,
    subtract,
    voltage,
)
from .model import (
    HIGHEST_CURRENT,
    CarState,
    ChargerConfig,
    ChargerReading,
    Command,
    Configuration,
    GridReading,
    MaybeThree,
    Snapshot,
    Three,
)
from .state import HISTORY_SECONDS, ChargerState, ControlState, DrawSample, HouseSample, ValueSample

RAMP_W = 1000.0  # W within the lag of the meter; whole amps up and down stay below
PLUGGED = frozenset({CarState.WAITING, CarState.CHARGING, CarState.COMPLETE})


def finite(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with every figure that is no number taken as not known."""
    grid, battery = snapshot.grid, snapshot.battery
    if grid is not None and not _all_finite(grid.power_w, *grid.currents_a, *grid.voltages_v):
        grid = replace(
            grid, power_w=_known(grid.power_w), currents_a=_three(grid.currents_a), voltages_v=_three(grid.voltages_v)
        )
    if battery is not None and not _all_finite(battery.power_w, battery.state_of_charge):
        battery = replace(battery, power_w=_known(battery.power_w), state_of_charge=_known(battery.state_of_charge))
    chargers = {
        key: reading
        if _all_finite(reading.power_w, *reading.currents_a, *reading.voltages_v)
        else replace(
            reading,
            power_w=_known(reading.power_w),
            currents_a=_three(reading.currents_a),
            voltages_v=_three(reading.voltages_v),
        )
        for key, reading in snapshot.chargers.items()
    }
    return replace(snapshot, grid=grid, battery=battery, chargers=chargers)


def _all_finite(*values: float | None) -> bool:
    return all(value is None or isfinite(value) for value in values)


def _known(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _three(values: MaybeThree) -> MaybeThree:
    return (_known(values[0]), _known(values[1]), _known(values[2]))


def observe(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> ControlState:
    """Return the state with everything the snapshot says taken in."""
    chargers = {
        charger.charger_id: _observe_charger(
            config,
            charger,
            state.chargers.get(charger.charger_id, ChargerState()),
            snapshot.chargers.get(charger.charger_id),
            now,
        )
        for charger in config.chargers
    }
    seen = replace(state, chargers=chargers)
    seen = replace(seen, grid=_grid(seen, snapshot), house=_house(config, seen, snapshot, now))
    return replace(seen, surplus=_surplus(config, seen, snapshot, now))


def settled(config: Configuration, state: ChargerState, now: float) -> bool:
    """Return whether the charger had the time to follow its command."""
    switched = state.phases_switched_at
    if switched is not None and now - switched < config.timings.phase_pause:
        return False
    return state.changed_at is None or now - state.changed_at >= config.timings.settle


def grid_currents(config: Configuration, grid: GridReading) -> Three | None:
    """Return the directional current of every grid phase in A, or None where the meter does not know it."""
    currents = complete(grid.currents_a, config.phases)
    if currents is None and config.phases == 1 and grid.power_w is not None:
        return (grid.power_w / (grid.voltages_v[0] or 230.0), 0.0, 0.0)
    return currents


def _observe_charger(
    config: Configuration,
    charger: ChargerConfig,
    state: ChargerState,
    reading: ChargerReading | None,
    now: float,
) -> ChargerState:
    if reading is None or not reading.online:
        return replace(state, enough_since=None, other_phases_since=None)
    plugged = reading.car in PLUGGED
    charging = reading.car is CarState.CHARGING
    if not plugged:
        state = replace(state, full=False, car_phases=None, charging_since=None, idle_since=None, excess_a=0.0)
    if state.command is None:
        state = _adopt(config, charger, state, reading, now)
    command = state.command
    allowed = command is not None and command.charge and not reading.holding and plugged
    idle_since = (state.idle_since or now) if allowed and not charging else None
    waited = idle_since is not None and now - idle_since >= config.timings.car_idle
    charging_since = (state.charging_since or now) if charging else None
    return replace(
        state,
        plugged=plugged,
        charging_since=charging_since,
        idle_since=idle_since,
        full=not charging and (state.full or (waited and reading.car is CarState.COMPLETE)),
        car_phases=_car_phases(config, state, reading, charging_since, now),
        reserved_a=possible_draw(state, reading),
        excess_a=_excess(config, state, reading, now),
        draws=_recent(state.draws, _draw(config, charger, reading), now),
    )


def _adopt(
    config: Configuration, charger: ChargerConfig, state: ChargerState, reading: ChargerReading, now: float
) -> ChargerState:
    """Take over a charger as it is; one that charges goes on, and its delays count from now."""
    charging = reading.car is CarState.CHARGING and not reading.holding
    if charging and not config.strategy.mode_chosen:
        return state  # left alone until the user picks a mode
    # A charger that does not say what it offers is believed to offer the most.
    amps = (reading.setting_a or charger.max_current_a) if charging else 0
    return replace(state, command=Command(charge=charging, current_a=amps, phases=reading.phases), changed_at=now)


def possible_draw(state: ChargerState, reading: ChargerReading) -> float:
    """Return what the charger could draw per phase in A without another word from us."""
    commanded = state.command.current_a if state.command is not None else 0
    return max(measured_draw(reading), float(commanded), float(reading.setting_a or HIGHEST_CURRENT))


def _excess(config: Configuration, state: ChargerState, reading: ChargerReading, now: float) -> float:
    """Learn what a car draws too much; while it follows a change, what is known of it is kept, within reason."""
    command = state.command
    if command is None or not command.charge or not settled(config, state, now):
        return min(state.excess_a, DRAWING_A)
    return max(0.0, measured_draw(reading) - command.current_a)


def _car_phases(
    config: Configuration,
    state: ChargerState,
    reading: ChargerReading,
    charging_since: float | None,
    now: float,
) -> int | None:
    """Learn how many phases the car uses, once it had time to use them."""
    seen = phase_count(reading)
    if (
        charging_since is None
        or seen == 0
        or reading.switching
        or reading.phases != 3
        or now - charging_since < config.timings.phase_pause
        or (state.phases_switched_at is not None and now - state.phases_switched_at < config.timings.phase_pause)
    ):
        return state.car_phases
    return seen


def _draw(config: Configuration, charger: ChargerConfig, reading: ChargerReading) -> DrawSample:
    currents = on_grid(charger, config.phases, reading.currents_a)
    power = reading.power_w if reading.power_w is not None else sum(currents) * voltage(reading, None)
    return DrawSample(at=reading.at, currents_a=currents, power_w=power)


def _recent(draws: tuple[DrawSample, ...], sample: DrawSample, now: float) -> tuple[DrawSample, ...]:
    if draws and sample.at <= draws[-1].at:
        return draws
    # The last sample before a long silence still says what the charger drew until the next one.
    kept = tuple(old for old in draws if now - old.at <= HISTORY_SECONDS) or draws[-1:]
    return (*kept, sample)


def _values(samples: Iterable[ValueSample], sample: ValueSample) -> tuple[ValueSample, ...]:
    return (*(old for old in samples if sample.at - old.at <= HISTORY_SECONDS), sample)


def _grid(state: ControlState, snapshot: Snapshot) -> tuple[ValueSample, ...]:
    grid = snapshot.grid
    if grid is None or grid.power_w is None or (state.grid and grid.at <= state.grid[-1].at):
        return state.grid
    return _values(state.grid, ValueSample(at=grid.at, value=grid.power_w))


def _house(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> tuple[HouseSample, ...]:
    """What the house itself draws: the meter minus our chargers at the meter's own time."""
    grid = snapshot.grid
    if grid is None or (state.house and grid.at <= state.house[-1].at):
        return state.house
    currents = grid_currents(config, grid)
    if currents is None:
        return state.house
    chargers = most = NOTHING
    for charger in config.chargers:
        own = state.chargers[charger.charger_id]
        draw = draw_at(own, grid.at)
        drawn = draw.currents_a if draw is not None else NOTHING
        chargers = add(chargers, drawn)
        most = add(most, higher(drawn, _most_drawn(config, charger, own, grid.at)))
    sample = HouseSample(at=grid.at, currents_a=subtract(currents, chargers), least_a=subtract(currents, most))
    return (*(old for old in state.house if now - old.at <= HISTORY_SECONDS), sample)


def _most_drawn(config: Configuration, charger: ChargerConfig, state: ChargerState, at: float) -> Three:
    """Return the most that the meter can have seen of a charger, although it is believed to draw something else.

    A meter that lags, or a charger that does, would make a ramp of a car look like a load of the house, and the cut
    for that load would be the next ramp.
    """
    timings = config.timings
    before = draw_at(state, at - timings.meter_lag)
    most = before.currents_a if before is not None else NOTHING
    for sample in state.draws:
        if sample.at > at - timings.meter_lag:
            most = higher(most, sample.currents_a)
    command, raised = state.command, state.raised_at
    if command is not None and raised is not None and 0 <= at - raised < timings.settle:
        count = min(command.phases or charger.wired_phases, state.car_phases or charger.wired_phases)
        most = higher(most, spread(command.current_a, grid_phases(charger, config.phases, count)))
    return most


def _surplus(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> tuple[ValueSample, ...]:
    """What all managed chargers together could draw so that the grid meter reads 0, in W.

    All parts are taken at the time of the slowest of them, else a change of the cars would look like sunshine. For
    the same reason no value is taken while a car ramps, unless it does so for the whole window.
    """
    battery = snapshot.battery if config.has_battery else None
    if config.has_battery and (battery is None or battery.power_w is None):
        return state.surplus
    if not state.grid:
        return state.surplus
    at = state.grid[-1].at if battery is None else min(battery.at, state.grid[-1].at)
    if state.surplus and at <= state.surplus[-1].at:
        return state.surplus
    due = not state.surplus or at - state.surplus[-1].at >= config.timings.surplus_window
    if not due and any(_ramps(config, charger, at) for charger in state.chargers.values()):
        return state.surplus
    grid = min(state.grid, key=lambda sample: abs(sample.at - at))
    cars = 0.0
    for charger in state.chargers.values():
        draw = draw_at(charger, grid.at)
        cars += draw.power_w if draw is not None else 0.0
    # A charging battery (negative) gives way to the cars; a discharging one is a deficit.
    storage = battery.power_w if battery is not None and battery.power_w is not None else 0.0
    return _values(
        (old for old in state.surplus if now - old.at <= HISTORY_SECONDS),
        ValueSample(at=at, value=cars - grid.value - storage),
    )


def _ramps(config: Configuration, state: ChargerState, at: float) -> bool:
    """Return whether a car changes so much about then that meter and charger may not speak of the same current."""
    lag = config.timings.meter_lag
    if state.changed_at is not None and 0 <= at - state.changed_at < lag:
        return True
    about = [sample.power_w for sample in state.draws if abs(sample.at - at) <= lag]
    return bool(about) and max(about) - min(about) > RAMP_W
