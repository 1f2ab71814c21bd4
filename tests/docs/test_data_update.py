"""How often figures are shown is told as it is."""

from math import isinf
import re
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass
import pytest

from custom_components.pv_load_manager.const import (
    DEFAULT_GRID_INTERVAL,
    MAX_GRID_INTERVAL,
    MIN_GRID_INTERVAL,
)
from custom_components.pv_load_manager.entity import PUBLISH_INTERVAL
from custom_components.pv_load_manager.pace import ALLOCATION, PACES, SENTENCE, SESSION, SHARE, Pace

from .markdown import DOCS, tables_of, text_of

PAGE: Final = DOCS / "data-update.md"
ROWS: Final = {row[0]: row[1:] for table in tables_of(PAGE) if table.columns[0] == "figure" for row in table.rows}
SHOWN: Final[dict[str, tuple[Pace, ...]]] = {
    "power": (PACES[SensorDeviceClass.POWER],),
    "current": (PACES[SensorDeviceClass.CURRENT],),
    "allocated current": (ALLOCATION,),
    "voltage": (PACES[SensorDeviceClass.VOLTAGE],),
    "share of something": (SHARE,),
    "energy, times of the day": (PACES[SensorDeviceClass.ENERGY], PACES[SensorDeviceClass.DURATION]),
    "energy of a session": (SESSION,),
    "battery level": (PACES[SensorDeviceClass.BATTERY],),
    "temperature, Wi-Fi signal": (PACES[SensorDeviceClass.TEMPERATURE], PACES[SensorDeviceClass.SIGNAL_STRENGTH]),
    "numbers of *Reason*": (SENTENCE,),
}


def _seconds(text: str) -> float:
    """Return a time as it is told, in s."""
    number, unit = text.split()
    return float(number) * (60 if unit.startswith("minute") else 1)


def test_every_pace_has_a_row() -> None:
    """All of them, and no other."""
    assert set(ROWS) == set(SHOWN)
    told = [pace for paces in SHOWN.values() for pace in paces]
    assert all(pace in told for pace in PACES.values())


@pytest.mark.parametrize("figure", SHOWN)
def test_paces_are_those_of_the_code(figure: str) -> None:
    """The change that is shown soon, how soon, and the longest wait."""
    change, soonest, latest = ROWS[figure]
    paces = SHOWN[figure]
    assert {pace.longest * PUBLISH_INTERVAL for pace in paces} == {_seconds(latest)}
    assert (soonest == "") is change.startswith("never")
    if soonest:
        assert {pace.soonest * PUBLISH_INTERVAL for pace in paces} == {_seconds(soonest)}
    steps = [pace.step for pace in paces if pace.step and not isinf(pace.step)]
    numbers = [float(number) for number in re.findall(r"\d+", change)]
    assert numbers == steps + [100 * pace.share for pace in paces if pace.share]


def test_the_shortest_wait_is_told() -> None:
    """Of figures, and of the grid meter."""
    assert f"at least {PUBLISH_INTERVAL:g} s from one to the next" in text_of(PAGE)
    assert f"every {DEFAULT_GRID_INTERVAL} s (option, {MIN_GRID_INTERVAL}–{MAX_GRID_INTERVAL} s)" in text_of(PAGE)
