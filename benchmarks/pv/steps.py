"""How a policy answers steps of the sun: 3 kW more and 3 kW less, all else steady, three phases all the time."""

from array import array
from collections.abc import Sequence
from math import fsum

from benchmarks.plant import VOLTS

from .loop import Course
from .metrics import Figures
from .model import Day

STEPS = "steps"
"""The kind of its day."""
LOW_W, HIGH_W = 5_000.0, 8_000.0
SETTLE_S = 3600
STRETCH_S = 607
"""Between two steps: prime, so that they fall everywhere between two decisions of a policy that decides seldom."""
PAIRS = 5
PER_AMP = 3 * VOLTS
ANSWERED_A = 0.5
BAND_A = 1.0


def steady_day() -> Day:
    """Return an hour of steady sun and then steps up and down, in a house that needs nothing."""
    pv_w = array("d", [LOW_W] * SETTLE_S)
    for _ in range(PAIRS):
        pv_w.extend([HIGH_W] * STRETCH_S + [LOW_W] * STRETCH_S)
    return Day(name=STEPS, kind=STEPS, start_s=36_000, pv_w=pv_w, house_w=array("d", bytes(8 * len(pv_w))))


def answers(course: Course) -> Figures:
    """Return dead time and settling time in s, overshoot in W and import in Wh: the mean and the worst of all steps."""
    begins = range(SETTLE_S, course.day.seconds, STRETCH_S)
    return {
        "up_3kw": _together([_answer(course, begin, HIGH_W) for begin in begins[::2]]),
        "down_3kw": _together([_answer(course, begin, LOW_W) for begin in begins[1::2]]),
    }


def _answer(course: Course, begin: int, surplus_w: float) -> dict[str, float | None]:
    """Judge the stretch after a step; settled is who stays within 1 A of what the sun gives."""
    before = course.car_w[begin - 1]
    after = course.car_w[begin : begin + STRETCH_S]
    moved = [at for at, watts in enumerate(after) if abs(watts - before) > ANSWERED_A * PER_AMP]
    off = [at for at, watts in enumerate(after) if abs(watts - surplus_w) > BAND_A * PER_AMP]
    settled = off[-1] + 1 if off else 0
    last = after[-1]
    over = max(after) - last if last > before else last - min(after)
    return {
        "dead_s": moved[0] if moved else None,
        "settled_s": settled if settled < len(after) else None,
        "overshoot_w": max(0.0, over),
        "import_wh": fsum(max(0.0, watts - surplus_w) for watts in after) / 3600.0,
    }


def _together(found: Sequence[dict[str, float | None]]) -> Figures:
    """Return mean and worst of every figure; None where one step was never answered."""
    result: Figures = {}
    for name in found[0]:
        values = [value for one in found if (value := one[name]) is not None]
        complete = len(values) == len(found)
        result[name] = round(fsum(values) / len(values), 1) if complete else None
        result[f"worst_{name}"] = round(max(values), 1) if complete else None
    return result
