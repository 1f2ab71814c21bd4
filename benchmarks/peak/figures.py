"""What a day under a limit came to, beside what perfect foresight would have charged."""

from collections import Counter
from dataclasses import dataclass
from statistics import fmean

from benchmarks.plant import VOLTS
from benchmarks.pv.loop import Course

QUARTER = 900  # s
WH = 3600.0  # J

type Figures = dict[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quarter:
    """One quarter hour; energies in J, means in W."""

    house_w: float
    """What the house alone would have imported."""
    import_w: float
    """What the meter counted."""
    charged_j: float
    possible_j: float
    """What perfect foresight would have charged: all that the sun gave beyond the house, as far as the chargers can
    take it, and what the limit left, at any power up to the chargers' highest, however small."""


def quarters(course: Course, limit_w: float) -> list[Quarter]:
    """Return the quarters of a day."""
    most_w = sum(box.max_a * box.wired * VOLTS for box in course.site.boxes)
    day = course.day
    found = []
    for begin in range(0, day.seconds - QUARTER + 1, QUARTER):
        part = slice(begin, begin + QUARTER)
        alone = [house - pv for house, pv in zip(day.house_w[part], day.pv_w[part], strict=True)]
        house_j = sum(max(0.0, watts) for watts in alone)
        sun_j = sum(min(most_w, max(0.0, -watts)) for watts in alone)
        found.append(
            Quarter(
                house_w=house_j / QUARTER,
                import_w=fmean(max(0.0, watts) for watts in course.grid_w[part]),
                charged_j=sum(course.car_w[part]),
                possible_j=min(most_w * QUARTER, sun_j + max(0.0, limit_w * QUARTER - house_j)),
            )
        )
    return found


def figures(course: Course, limit_w: float) -> Figures:
    """Return the figures of a day; what was charged beyond the possible in one quarter makes up for no other."""
    found = quarters(course, limit_w)
    ours = [quarter for quarter in found if quarter.house_w <= limit_w]
    over = [quarter.import_w - limit_w for quarter in ours if quarter.import_w > limit_w]
    charged = sum(min(quarter.charged_j, quarter.possible_j) for quarter in found)
    possible = sum(quarter.possible_j for quarter in found)
    kinds = Counter(moment.kind for moment in course.moments)
    return {
        "quarters": len(found),
        "above_by_the_house_alone": len(found) - len(ours),
        "above_because_of_us": len(over),
        "worst_excess_w": round(max(over, default=0.0), 1),
        "highest_of_ours_w": round(max((quarter.import_w for quarter in ours), default=0.0), 1),
        "charged_kwh": round(sum(quarter.charged_j for quarter in found) / WH / 1000.0, 2),
        "foresight_kwh": round(possible / WH / 1000.0, 2),
        "part_of_foresight": round(charged / possible, 4) if possible else None,
        "commands": course.commands,
        "starts": kinds["start"],
        "phase_switches": kinds["up"] + kinds["down"],
    }
