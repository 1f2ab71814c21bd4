"""The site card shows the same numbers as the states, and what is pressed on it happens at the charger."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
import re

from playwright.async_api import Locator, Page, expect
import pytest
import pytest_asyncio

from demo.stage import Stage

from .scene import CARPORT, GARAGE, GUEST, INVERTER
from .theatre import SITE_CARD, Theatre, charging, figure, lane, value, within

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(400)]

CATCH_UP = 150.0  # s; a state follows a small change after two minutes
FLOW = {
    "pv": (INVERTER, "pv_power", 1),
    "grid": (INVERTER, "grid_power", 1),
    "battery": (INVERTER, "battery_power", 1),
    "house": (None, "house_power", 1),
    "cars": (None, "charging_power", 1),
    "surplus": (None, "surplus", 1),
}
"""Whose sensor is behind which figure; None = the load manager's."""
LANE = {"power": ("power", 1), "allocated": ("allocated_current", 1), "solar_share": ("session_solar_share", 100)}
"""Sensor and its unit, as a part of that of the figure."""
AMPS_APART, WATTS_APART, PERCENT_APART = 0.3, 30.0, 3.0
"""A state is rounded, and it is published a little after what is live."""


async def test_flow_shows_the_states(theatre: Theatre, stage: Stage) -> None:
    """Each number of the power flow is that of its sensor, and they add up."""
    page = await theatre.site()

    async def apart() -> Mapping[str, tuple[float | None, float]]:
        found = {}
        for name, (owner, key, sign) in FLOW.items():
            state = float(await stage.value("sensor", owner or stage.manager, key))
            shown = await figure(page, name)
            if shown is None or abs(shown - sign * state) > WATTS_APART:
                found[name] = (shown, sign * state)
        return found

    assert await within(CATCH_UP, apart, until=lambda found: not found) == {}
    shown = {name: await figure(page, name) for name in FLOW}
    assert all(watts is not None for watts in shown.values())
    given = shown["pv"] + shown["grid"] + shown["battery"]
    assert given == pytest.approx(shown["house"] + shown["cars"], abs=4 * WATTS_APART)
    flow = stage.home.home.flow
    assert shown["pv"] == pytest.approx(flow.pv_w, abs=WATTS_APART)
    assert shown["cars"] == pytest.approx(flow.cars_w, abs=WATTS_APART)


@pytest.mark.parametrize("serial", [GARAGE, CARPORT, GUEST])
async def test_lane_shows_the_states(theatre: Theatre, stage: Stage, serial: str) -> None:
    """A lane shows what a charger may draw, what it draws, and how much of it came from the sun."""
    place = lane(await theatre.site(), serial)

    async def apart() -> dict[str, tuple[float | None, str]]:
        found = {}
        for name, (key, unit) in LANE.items():
            state = await stage.value("sensor", serial, key)
            shown = await figure(place, name)
            if state == "unknown":
                if shown is not None:
                    found[name] = (shown, state)
                continue
            near = PERCENT_APART if unit == 100 else WATTS_APART if name == "power" else AMPS_APART
            if shown is None or abs(shown * unit - float(state)) > near:
                found[name] = (shown, state)
        return found

    assert await within(CATCH_UP, apart, until=lambda found: not found) == {}
    charger = next(server.charger for server in stage.home.chargers if server.charger.config.serial == serial)
    drawn = await figure(place, "drawn")
    assert drawn == pytest.approx(max(charger.currents), abs=AMPS_APART)

    async def words() -> tuple[list[str], list[str]]:
        state = await stage.client.state(stage.entity("sensor", serial, "reason"))
        shown = await place.locator("[data-part=reason]").inner_text()
        # Numbers in a sentence may be newer here; the countdown that ends the state's runs beside it.
        ours, theirs = (
            [word for word in text.split() if word.isalpha()] for text in (shown, state["attributes"]["text"])
        )
        return ours, theirs[: len(ours)]

    ours, theirs = await within(30, words, until=lambda both: both[0] == both[1])
    assert ours
    assert ours == theirs


async def test_circuit_shows_what_flows(theatre: Theatre, stage: Stage) -> None:
    """The bars of the house connection are what the cars draw on each grid phase, and what is free is its sensor."""
    page = await theatre.site()
    bars = page.locator("[data-circuit=root] [data-phase]")
    await expect(bars).to_have_count(3)

    async def apart() -> dict[str, tuple[float | None, float]]:
        found = {}
        for phase, true in enumerate(drawn_per_phase(stage), start=1):
            segment = bars.nth(phase - 1).locator("[data-segment=chargers]")
            shown = await value(segment) if await segment.count() else 0.0
            if shown is None or abs(shown - true) > AMPS_APART:
                found[f"L{phase}"] = (shown, true)
        free = [await value(bars.nth(phase).locator("[data-segment=free]")) or 0.0 for phase in range(3)]
        state = float(await stage.value("sensor", stage.manager, "free_current_root"))
        if abs(min(free) - state) > AMPS_APART:
            found["free"] = (min(free), state)
        return found

    assert await within(CATCH_UP, apart, until=lambda found: not found) == {}
    assert sum(drawn_per_phase(stage)) > 12


def drawn_per_phase(stage: Stage) -> list[float]:
    """Return what all cars draw on each phase of the grid, A."""
    found = [0.0, 0.0, 0.0]
    for server in stage.home.chargers:
        for own, phase in enumerate(server.charger.config.rotation):
            found[phase - 1] += server.charger.currents[own]
    return found


async def test_mode_button_reaches_the_charger(theatre: Theatre, stage: Stage) -> None:
    """A press changes the real charger within 5 s, and the button shows it; so does the way back."""
    server = stage.home.chargers[0]
    place = lane(await theatre.site(), GARAGE)
    assert server.charger.settings["frc"] == 0

    await place.locator("[data-mode=off]").click()
    assert await within(5, lambda: setting(stage, "frc"), until=lambda frc: frc == 1) == 1
    await expect(place.locator("[data-mode=off]")).to_have_attribute("aria-pressed", "true")
    assert await stage.value("select", GARAGE, "charge_mode") == "off"
    await expect(place.locator("[data-part=reason]")).to_contain_text("off", ignore_case=True)

    await place.locator("[data-mode=follow_site]").click()
    await expect(place.locator("[data-mode=follow_site]")).to_have_attribute("aria-pressed", "true")
    assert await within(5, lambda: stage.value("select", GARAGE, "charge_mode"), until=lambda mode: mode != "off")
    await charging(stage)


async def test_mode_by_keyboard(theatre: Theatre, stage: Stage) -> None:
    """Tab leads to the buttons of a lane, Enter presses one; the focus is seen and stays."""
    page = await theatre.site()
    place = lane(page, GARAGE)
    await page.locator(SITE_CARD).first.evaluate("card => card.scrollIntoView()")
    await tab_to(page, place.locator("[data-mode=fast]"))
    outline = await place.locator("[data-mode=fast]").evaluate(
        "button => { const style = getComputedStyle(button); return style.outlineStyle + style.boxShadow; }"
    )
    assert outline != "nonenone"
    await page.keyboard.press("Enter")
    assert await within(5, lambda: stage.value("select", GARAGE, "charge_mode"), until=lambda mode: mode == "fast")
    await expect(place.locator("[data-mode=fast]")).to_have_attribute("aria-pressed", "true")
    await expect(place.locator("[data-mode=fast]")).to_be_focused()
    await tab_to(page, place.locator("[data-mode=follow_site]"), key="Shift+Tab")
    await page.keyboard.press("Space")
    await within(5, lambda: stage.value("select", GARAGE, "charge_mode"), until=lambda mode: mode == "follow_site")
    await charging(stage)


@pytest_asyncio.fixture(name="without_override", loop_scope="package")
async def without_override_fixture(stage: Stage) -> AsyncIterator[None]:
    """Leave no override behind, whatever happens."""
    yield
    mode = stage.entity("select", GARAGE, "charge_mode")
    await stage.client.call("pv_load_manager", "clear_override", entity_id=mode)


@pytest.mark.usefixtures("without_override")
async def test_override_and_its_end_by_button(theatre: Theatre, stage: Stage) -> None:
    """An override with so many amps is in force at the charger until it is ended."""
    place = lane(await theatre.site(), GARAGE)
    await place.get_by_role("button", name="Override").click()
    await place.locator("#amps").fill("9")
    await place.locator("#end").select_option("30")
    await place.get_by_role("button", name="Start").click()
    await expect(place.locator("[data-part=override]")).to_contain_text("9 A")
    assert await within(30, lambda: setting(stage, "amp"), until=lambda amp: amp == 9) == 9
    assert await within(30, lambda: drawn(stage), until=lambda amps: abs(amps - 9) < 0.5) == pytest.approx(9, abs=0.5)
    state = await within(10, lambda: stage.value("sensor", GARAGE, "override"), until=lambda state: state != "unknown")
    assert float(state) == 9
    half_past = datetime.now(UTC) + timedelta(minutes=30)
    ends = {(half_past + timedelta(minutes=less)).strftime("%-I:%M") for less in (-1, 0)}
    words = await place.locator("[data-part=override]").inner_text()
    assert any(end in words for end in ends), words

    await place.locator("[data-action=clear]").click()
    await expect(place.locator("[data-part=override]")).to_have_count(0)
    assert await within(90, lambda: setting(stage, "amp"), until=lambda amp: amp != 9) != 9
    state = await within(10, lambda: stage.value("sensor", GARAGE, "override"), until=lambda state: state == "unknown")
    assert state == "unknown"


@pytest.mark.usefixtures("without_override")
async def test_override_ends_by_time(theatre: Theatre, stage: Stage) -> None:
    """An override until a time of day is gone when that is there, and says so."""
    place = lane(await theatre.site(timezone_id="UTC"), GARAGE)
    now = datetime.now(UTC)
    end = (now + timedelta(minutes=1 if now.second < 45 else 2)).replace(second=0, microsecond=0)
    await place.get_by_role("button", name="Override").click()
    await place.locator("#amps").fill("7")
    await place.locator("#end").select_option("time")
    await place.locator("#time").fill(end.strftime("%H:%M"))
    await place.get_by_role("button", name="Start").click()
    await expect(place.locator("[data-part=override]")).to_contain_text("7 A")
    assert await within(30, lambda: setting(stage, "amp"), until=lambda amp: amp == 7) == 7
    await asyncio.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds() - 2))
    await expect(place.locator("[data-part=override]")).to_have_count(1)
    await expect(place.locator("[data-part=override]")).to_have_count(0)
    assert datetime.now(UTC) - end < timedelta(seconds=15)
    state = await within(10, lambda: stage.value("sensor", GARAGE, "override"), until=lambda state: state == "unknown")
    assert state == "unknown"


async def test_reason_counts_down(theatre: Theatre, stage: Stage) -> None:
    """Without sun the reason says how long it still charges, and the seconds run."""
    page = await theatre.site()
    place = lane(page, GARAGE)
    await charging(stage)
    stage.home.home.pv_override_w = 1500.0
    battery = stage.home.home.battery
    assert battery is not None
    try:
        countdown = place.locator("[data-part=countdown]")
        await expect(countdown).to_have_text(re.compile(r"\d:\d\d"), timeout=90_000)
        first = seconds(await countdown.inner_text())
        await page.wait_for_timeout(5000)
        assert 3 <= first - seconds(await countdown.inner_text()) <= 8
    finally:
        stage.home.home.pv_override_w = None
    await charging(stage)


async def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press a key until the focus is somewhere."""
    for _ in range(120):
        if await target.evaluate("node => node.getRootNode().activeElement === node"):
            return
        await page.keyboard.press(key)
    pytest.fail(f"{key} does not lead to {target}")


def seconds(words: str) -> int:
    """Return the seconds of a countdown like "may change in 1:05"."""
    minutes, rest = words.rsplit(maxsplit=1)[-1].split(":")
    return 60 * int(minutes) + int(rest)


async def setting(stage: Stage, key: str) -> object:
    """Return a setting of the first charger."""
    return stage.home.chargers[0].charger.settings[key]


async def drawn(stage: Stage) -> float:
    """Return the current of the first charger, A."""
    return max(stage.home.chargers[0].charger.currents)
