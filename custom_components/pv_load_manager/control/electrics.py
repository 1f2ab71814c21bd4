"""Phases, voltages and what a charger draws on the grid's phases."""

from collections.abc import Sequence
from functools import lru_cache

from .model import NOMINAL_VOLTAGE, ChargerConfig, ChargerReading, GridReading, MaybeThree, Three
from .state import DrawSample

DRAWING_A = 1.0  # A; a phase counts as used above this (a sleeping on-board charger takes a few hundred mA)
CARRIES_V = NOMINAL_VOLTAGE / 2  # V; below it a phase carries no voltage at all
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
    if left is right:
        return left
    return (max(left[0], right[0]), max(left[1], right[1]), max(left[2], right[2]))


def complete(values: MaybeThree, phases: int) -> Three | None:
    """Return the values of all phases that the house has, or None if one is not known."""
    known = [value if index < phases else 0.0 for index, value in enumerate(values)]
    if any(value is None for value in known):
        return None
    return (known[0] or 0.0, known[1] or 0.0, known[2] or 0.0)


def grid_phases(
    charger: ChargerConfig, site_phases: int, phases: int, first_line: int | None = None
) -> tuple[int, ...]:
    """Return the grid phases (0..2) that the charger may load when it charges on its first 1, 2 or 3 phases.

    Where its phase rotation is not known it may be any, unless it was learned where its own L1 is (``first_line``).
    """
    if site_phases == 1:
        return (0,)
    return _lines(charger.rotation, min(charger.wired_phases, phases), first_line)


@lru_cache(maxsize=64)
def _lines(rotation: tuple[int, int, int] | None, used: int, first_line: int | None) -> tuple[int, ...]:
    if rotation is not None:
        return tuple(line - 1 for line in rotation[:used])
    return (first_line,) if used == 1 and first_line is not None else (0, 1, 2)


def on_grid(charger: ChargerConfig, site_phases: int, currents_a: MaybeThree, first_line: int | None = None) -> Three:
    """Return the charger's own phase currents on the grid's phases, in A; an unknown one counts as 0.

    Where its phase rotation is not known the largest of them counts on every phase that it may be on.
    """
    one, two, three = currents_a[0] or 0.0, currents_a[1] or 0.0, currents_a[2] or 0.0
    if site_phases == 1:
        return (one + two + three, 0.0, 0.0)
    rotation = charger.rotation
    if rotation is None:
        used = 1 if max(two, three) <= DRAWING_A else 3
        return spread(max(one, two, three), grid_phases(charger, 3, used, first_line))
    result = [0.0, 0.0, 0.0]
    result[rotation[0] - 1], result[rotation[1] - 1], result[rotation[2] - 1] = one, two, three
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
    one, two, three = reading.currents_a
    return ((one or 0.0) > DRAWING_A) + ((two or 0.0) > DRAWING_A) + ((three or 0.0) > DRAWING_A)


def voltage(reading: ChargerReading | None, grid: GridReading | None) -> float:
    """Return the voltage of one phase in V: of the phases the car uses, else of the charger, the grid, or nominal."""
    if reading is not None:
        total, count = 0.0, 0
        for volts, current in zip(reading.voltages_v, reading.currents_a, strict=True):
            if volts is not None and volts > CARRIES_V and current is not None and current > DRAWING_A:
                total, count = total + volts, count + 1
        if count:
            return total / count
    for source in (reading, grid):
        known = [volts for volts in source.voltages_v if volts is not None and volts > CARRIES_V] if source else []
        if known:
            return sum(known) / len(known)
    return NOMINAL_VOLTAGE


def measured_draw(reading: ChargerReading) -> float:
    """Return the largest measured current of the charger's phases in A, 0 where none is known."""
    one, two, three = reading.currents_a
    return max(one or 0.0, two or 0.0, three or 0.0)


def draw_at(draws: Sequence[DrawSample], at: float) -> DrawSample | None:
    """Return what a charger drew at a moment: the last sample until then, else the first one after."""
    for sample in reversed(draws):
        if sample.at <= at:
            return sample
    return draws[0] if draws else None
