"""Draws a day: roof, house, surplus, cars and grid over the time of day, and every decision."""

from collections.abc import Callable, Sequence
from pathlib import Path

from .loop import Course
from .svg import FAINT, INK, Picture

WIDTH, LEFT, RIGHT = 1200, 60, 20
TOP, UPPER, GAP, LOWER = 66, 300, 40, 160
EVERY_S = 20
COLOURS = {
    "PV": "#e6a100",
    "house": "#777",
    "surplus": "#2a9d3a",
    "cars": "#2f6fd0",
    "grid": "#c0392b",
    "battery": "#8e44ad",
}
MARKS = {
    "start": ("▲", "#2a9d3a"),
    "resume": ("△", "#2a9d3a"),
    "stop": ("▼", "#c0392b"),
    "up": ("3", "#2f6fd0"),
    "down": ("1", "#8e44ad"),
    "idle": ("·", "#777"),
}
"""How a decision is marked: a switch by the number of phases that it goes to."""


def draw(course: Course, title: str, folder: Path, name: str) -> Path:
    """Write a day's drawing into a folder; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    path.write_text(str(_picture(course, title)), encoding="utf-8")
    return path


def _picture(course: Course, title: str) -> Picture:
    day = course.day
    picture = Picture(WIDTH, TOP + UPPER + GAP + LOWER + 30, title)
    surplus = [max(0.0, pv - house) for pv, house in zip(day.pv_w, day.house_w, strict=True)]
    highest = max(1000.0, *_thin(day.pv_w), *_thin(course.car_w))
    across = (WIDTH - LEFT - RIGHT) / day.seconds

    def upper(watts: float) -> float:
        return TOP + UPPER * (1.0 - watts / highest)

    floor = TOP + UPPER + GAP
    grid = [*_thin(course.grid_w), *_thin(course.battery_w)]
    top, bottom = max(1000.0, *grid), min(-1000.0, *grid)

    def lower(watts: float) -> float:
        return floor + LOWER * (top - watts) / (top - bottom)

    def points(values: Sequence[float], height: Callable[[float], float]) -> list[tuple[float, float]]:
        return [(LEFT + at * EVERY_S * across, height(watts)) for at, watts in enumerate(_thin(values))]

    _axes(picture, course, upper, highest, floor + LOWER)
    for watts in (top, 0.0, bottom):
        picture.line([(LEFT, lower(watts)), (WIDTH - RIGHT, lower(watts))], INK if watts == 0.0 else FAINT)
        picture.text(LEFT - 5, lower(watts) + 4, f"{watts / 1000.0:.1f} kW", anchor="end")
    picture.area(points(course.car_w, upper), upper(0.0), COLOURS["cars"])
    for name, values in (("surplus", surplus), ("PV", day.pv_w), ("house", day.house_w)):
        picture.line(points(values, upper), COLOURS[name])
    picture.line(points(course.grid_w, lower), COLOURS["grid"])
    if course.battery_w:
        picture.line(points(course.battery_w, lower), COLOURS["battery"])
    for moment in course.moments:
        mark, colour = MARKS[moment.kind]
        x = LEFT + moment.second * across
        picture.line([(x, TOP - 8), (x, TOP + UPPER)], colour, width=0.4)
        picture.text(x, TOP - (20 if moment.kind in {"up", "down"} else 9), mark, colour=colour, anchor="middle")
    for number, (name, colour) in enumerate(COLOURS.items()):
        picture.text(LEFT + 70 * number, 32, name, colour=colour)
    for number, (name, (mark, colour)) in enumerate(MARKS.items()):
        picture.text(LEFT + 500 + 80 * number, 32, f"{mark} {name}", colour=colour)
    return picture


def _axes(picture: Picture, course: Course, upper: Callable[[float], float], highest: float, bottom: float) -> None:
    for kilowatts in range(0, int(highest / 1000.0) + 1, 2):
        y = upper(kilowatts * 1000.0)
        picture.line([(LEFT, y), (WIDTH - RIGHT, y)], FAINT)
        picture.text(LEFT - 5, y + 4, f"{kilowatts} kW", anchor="end")
    begin, seconds = course.day.start_s, course.day.seconds
    for hour in range(begin // 3600 + 1, (begin + seconds) // 3600 + 1):
        x = LEFT + (hour * 3600 - begin) * (WIDTH - LEFT - RIGHT) / seconds
        picture.line([(x, TOP), (x, bottom)], FAINT)
        picture.text(x, bottom + 15, f"{hour % 24:02}:00", anchor="middle")


def _thin(values: Sequence[float]) -> Sequence[float]:
    return values[::EVERY_S]
