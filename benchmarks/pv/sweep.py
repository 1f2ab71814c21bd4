"""Sweeps the parameters of every policy, and draws how near each comes to using all the sun and nothing but the sun."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from custom_components.pv_load_manager.control import CloudFilter, Rounding, Strategy

from .contenders import POLICIES, WARP_BOX, Job, Options
from .days import Source
from .metrics import Figures
from .pool import run
from .report import Section, dominated_by
from .svg import FAINT, Picture

CLOUD_FILTER = "cloud_filter"
FILTERS = ("none", "weak", "medium", "strong")
SWITCHES = (4, 20, 40)
WEIGHTS = (1.0, 1.6, 2.2, 5.0, 10.0)
INTERVALS_S = (5, 10, 30, 60)
ENABLE_S = (0, 30, 60, 120, 300)
DISABLE_S = (30, 60, 180, 300, 600)
ENABLE_W = (-2000.0, -1000.0, 500.0)
"""evcc begins at this grid power; above 0 it begins on import."""
DISABLE_W = (300.0, 800.0, 1500.0)
TARGETS_W = (-500.0, -200.0, 200.0, 500.0, 1000.0)
START_S, STOP_S = (0, 30, 60, 300), (30, 180, 600)
COLOURS = {"ours": "#c0392b", "evcc": "#2f6fd0", "warp": "#e6a100", "fixed": "#777", "fast": "#333"}
SIZE, MARGIN = 520, 60


def variants() -> Iterator[tuple[str, Options]]:
    """Yield policies of ``MAKES`` with the options to try."""
    yield from POLICIES.values()
    for cloud_filter, rounding in product(CloudFilter, Rounding):
        yield "ours", _changed((CLOUD_FILTER, cloud_filter), ("rounding", rounding))
    for target in TARGETS_W:
        yield "ours", (("target_grid_power_w", target),)
    for weight in WEIGHTS:
        yield "ours", (("grid_weight", weight),)
    for switches in SWITCHES:
        yield "ours", (("phase_switches_per_day", switches),)
    for interval, enable, disable in product(INTERVALS_S, ENABLE_S, DISABLE_S):
        yield "evcc", (("interval_s", interval), ("enable_delay_s", enable), ("disable_delay_s", disable))
    for interval, begin, end in product((10, 30), (0.0, *ENABLE_W), (0.0, *DISABLE_W)):
        yield "evcc", (("interval_s", interval), ("enable_threshold_w", begin), ("disable_threshold_w", end))
    for strength, target in product(FILTERS, TARGETS_W):
        yield "warp", ((CLOUD_FILTER, strength), ("target_w", target))
        yield "warp", ((CLOUD_FILTER, strength), ("target_w", target), WARP_BOX)
    for phases, start, stop in product((1, 3), START_S, STOP_S):
        yield "fixed", (("phases", phases), ("start_s", start), ("stop_s", stop))


def _changed(*options: tuple[str, object]) -> Options:
    """Return the options that are not our defaults, so that nothing stands beside itself under another name."""
    return tuple((name, value) for name, value in options if value != getattr(Strategy(), name))


def sweep(sources: Sequence[Source], *, workers: int, folder: Path) -> Figures:
    """Return every variant's figures and who is at least as good as ours; draw the frontier."""
    days: dict[str, list[Job]] = {}
    for policy, options in dict.fromkeys(variants()):
        jobs = [Job(policy=policy, options=options, source=source) for source in sources]
        days[jobs[0].name] = jobs
    tried = Section(days=days)
    points = tried.together(run(tried.jobs, workers))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "frontier.svg"
    path.write_text(str(frontier(points)), encoding="utf-8")
    return {"points": points, "dominated_by": dominated_by(points["ours"], points), "drawing": str(path)}


def frontier(points: Mapping[str, Figures]) -> Picture:
    """Return a drawing of surplus used over solar share and over switches; ours by default is the large dot."""
    title = "surplus used over solar share, and over switches a day"
    picture = Picture(2 * SIZE + 3 * MARGIN, SIZE + 2 * MARGIN, title)
    for number, axis in enumerate(("solar_share", "switches_per_day")):
        places = {name: (_value(one, axis), _value(one, "surplus_used")) for name, one in points.items()}
        places.pop("fast", None)  # so far off that nothing else could be told apart
        _scatter(picture, places, MARGIN + number * (SIZE + MARGIN), axis)
    for number, (name, colour) in enumerate(COLOURS.items()):
        picture.text(MARGIN + 60 * number, 38, name, colour=colour)
    return picture


def _scatter(picture: Picture, shown: Mapping[str, tuple[float, float]], left: float, axis: str) -> None:
    spans = [(min(values), max(values) or 1.0) for values in zip(*shown.values(), strict=True)]

    def place(value: float, span: tuple[float, float]) -> float:
        return (value - span[0]) / (span[1] - span[0] or 1.0)

    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = left + part * SIZE, MARGIN + (1.0 - part) * SIZE
        picture.line([(x, MARGIN), (x, MARGIN + SIZE)], FAINT)
        picture.line([(left, y), (left + SIZE, y)], FAINT)
        picture.text(x, MARGIN + SIZE + 15, f"{spans[0][0] + part * (spans[0][1] - spans[0][0]):.3g}", anchor="middle")
        picture.text(left - 4, y + 4, f"{spans[1][0] + part * (spans[1][1] - spans[1][0]):.3g}", anchor="end")
    picture.text(left + SIZE / 2, MARGIN + SIZE + 32, axis, anchor="middle")
    for name, (across, up) in shown.items():
        x, y = left + place(across, spans[0]) * SIZE, MARGIN + (1.0 - place(up, spans[1])) * SIZE
        family = next((family for family in COLOURS if name.startswith(family)), "fast")
        tip = f"{name}: {axis} {across:.4g}, surplus used {up:.4g}"
        picture.dot(x, y, COLOURS[family], tip, radius=7.0 if name == "ours" else 4.0)
        if name in POLICIES:
            picture.text(x + 6, y - 5, name, colour=COLOURS[family])


def _value(figures: Figures, name: str) -> float:
    value = figures[name]
    return float(value) if isinstance(value, int | float) else 0.0
