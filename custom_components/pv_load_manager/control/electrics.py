"""Phases, voltages and what a charger draws on the grid's phases."""

from collections.abc import Sequence

from .model import NOMINAL_VOLTAGE, ChargerConfig, ChargerReading, GridReading, MaybeThree, Three
from .state import ChargerState, DrawSample

DRAWING_A = 1.0  # A; a phase counts as used above this (a sleeping on-board charger takes a few hundred mA)
NOTHING: Three = (0.0, 0.0, 0.0)


def add(left: Three, right: Three) -> Three:
    """Return the sum, phase by phase."""
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2])


def subtract(left: Three, right: Three) -> Three:
    """Return left minus right, phase by phase."""
    return (left[0] - right[0], left[1] - right[1], left[2] - right[2])


def lower(left: Three, right: Three) -> Three:
    """Return the smaller value of every phase."""
    return (min(left[0], right[0]), min(left[1], right[1]), min(left[2], right[2]))


def higher(left: Three, right: Three) -> Three:
    """Return the larger value of every phase."""
    return (max(left[0], right[0]), max(left[1], right[1]), max(left[2], right[2]))


def complete(values: MaybeThree, phases: int) -> Three | None:
    """Return the values of all phases that the house has, or None if one is not known."""
    known = [value if index < phases else 0.0 for index, value in enumerate(values)]
    if any(value is None for value in known):
        return None
    return (known[0] or 0.0, known[1] or 0.0, known[2] or 0.0)


def grid_phases(charger: ChargerConfig, site_phases: int, phases: int) -> tuple[int, ...]:
    """Return the grid phases (0..2) that the charger uses when it charges on its first 1, 2 or 3 phases."""
    if site_phases == 1:
        return (0,)
    return tuple(charger.rotation[index] - 1 for index in range(min(phases, charger.wired_phases)))


def on_grid(charger: ChargerConfig, site_phases: int, currents_a: MaybeThree) -> Three:
    """Return the charger's own phase currents on the grid's phases, in A; an unknown one counts as 0."""
    result = [0.0, 0.0, 0.0]
    for own, phase in enumerate(grid_phases(charger, site_phases, 3)):
        result[phase] += currents_a[own] or 0.0
    return (result[0], result[1], result[2])


def spread(current_a: float, phases: Sequence[int]) -> Three:
    """Return the current on each of the given grid phases (0..2), 0 on the others."""
    return (
        current_a if 0 in phases else 0.0,
        current_a if 1 in phases else 0.0,
        current_a if 2 in phases else 0.0,
    )


def phase_count(reading: ChargerReading) -> int:
    """Return how many phases the car draws from now, 0 when it draws nothing."""
    return sum(1 for current in reading.currents_a if current is not None and current > DRAWING_A)


def voltage(reading: ChargerReading | None, grid: GridReading | None) -> float:
    """Return the voltage of one phase in V: of the phases the car uses, else of the charger, the grid, or nominal."""
    if reading is not None:
        pairs = zip(reading.voltages_v, reading.currents_a, strict=True)
        used = _mean([volts for volts, current in pairs if current is not None and current > DRAWING_A])
        if used is not None:
            return used
    for source in (reading, grid):
        mean = _mean(source.voltages_v) if source is not None else None
        if mean is not None:
            return mean
    return NOMINAL_VOLTAGE


def _mean(voltages: Sequence[float | None]) -> float | None:
    """Return the mean of the phases that carry a voltage at all."""
    known = [volts for volts in voltages if volts is not None and volts > NOMINAL_VOLTAGE / 2]
    return sum(known) / len(known) if known else None


def measured_draw(reading: ChargerReading) -> float:
    """Return the largest measured current of the charger's phases in A, 0 where none is known."""
    return max((current or 0.0 for current in reading.currents_a), default=0.0)


def draw_at(state: ChargerState, at: float) -> DrawSample | None:
    """Return what the charger drew at a moment: the last sample until then, else the first one after."""
    before = [sample for sample in state.draws if sample.at <= at]
    if before:
        return before[-1]
    return state.draws[0] if state.draws else None
