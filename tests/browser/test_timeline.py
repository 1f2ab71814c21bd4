"""The timeline shows what was decided, and why, of Home Assistant's history."""

from playwright.async_api import Page, expect
import pytest

from demo.stage import Stage

from .scene import CARPORT
from .theatre import DASHBOARD, TIMELINE_CARD, Theatre, within

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(400)]


async def opened(theatre: Theatre, **options: object) -> Page:
    """Open the view with the timeline."""
    page = await theatre.page(f"/{DASHBOARD}/history", **options)
    await expect(page.locator(f"{TIMELINE_CARD} [data-curve]").first).to_be_attached()
    return page


async def stopped_and_started(stage: Stage) -> None:
    """Let there be something to show."""
    mode = stage.entity("select", CARPORT, "charge_mode")
    for option in ("off", "fast", "follow_site"):
        await stage.client.call("select", "select_option", entity_id=mode, option=option)
        wanted = 1 if option == "off" else 0
        charger = stage.home.chargers[1].charger
        assert await within(60, lambda: _setting(charger.settings, "frc"), until=lambda frc: frc == wanted) == wanted  # noqa: B023


async def _setting(settings: dict[str, object], key: str) -> object:
    return settings[key]


async def test_marks_tell_their_reason(theatre: Theatre, stage: Stage) -> None:
    """A stop and a start are marks; the pointer or the focus on one tells when, who, what and why."""
    await stopped_and_started(stage)
    page = await opened(theatre)
    marks = page.locator(f"{TIMELINE_CARD} [data-mark]")
    await expect(marks.first).to_be_visible()
    kinds = {await mark.get_attribute("data-mark") for mark in await marks.all()}
    assert {"start", "stop"} & kinds
    last = marks.last
    await last.hover()
    bubble = page.locator(f"{TIMELINE_CARD} .bubble")
    await expect(bubble).to_be_visible()
    words = await bubble.inner_text()
    event = await stage.client.state(stage.entity("event", CARPORT, "charging"))
    assert "Carport" in words or "Garage" in words, words
    assert event["attributes"]["text"]
    label = await last.get_attribute("aria-label")
    assert label
    await page.mouse.move(5, 5)
    await expect(bubble).to_have_count(0)

    await marks.first.focus()
    await expect(bubble).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(bubble).to_have_count(0)
    await page.keyboard.press("End")
    await expect(bubble).to_be_visible()


async def test_reason_of_a_mark_is_that_of_the_event(theatre: Theatre, stage: Stage) -> None:
    """The sentence at the newest mark of a charger is what its event entity says."""
    await stopped_and_started(stage)
    page = await opened(theatre)
    marks = page.locator(f"{TIMELINE_CARD} [data-lane='{CARPORT}'] [data-mark]")
    await expect(marks.first).to_be_attached()

    async def told() -> str:
        labels = [await mark.get_attribute("aria-label") or "" for mark in await marks.all()]
        return " ".join(labels)

    event = await stage.client.state(stage.entity("event", CARPORT, "charging"))
    reason = str(event["attributes"]["text"]).rstrip(".")
    assert reason in await within(30, told, until=lambda words: reason in words)


async def test_curves_end_at_the_states(theatre: Theatre, stage: Stage) -> None:
    """The last value of each curve is the present state."""
    page = await opened(theatre)
    curves = page.locator(f"{TIMELINE_CARD} [data-curve]")
    names = {await curve.get_attribute("data-curve") for curve in await curves.all()}
    assert {"surplus", "charging", "grid"} <= names
    states = {"surplus": "surplus", "charging": "charging_power"}

    async def apart() -> dict[str, tuple[str | None, str]]:
        found = {}
        for name, key in states.items():
            shown = await page.locator(f"{TIMELINE_CARD} [data-curve={name}]").first.get_attribute("data-value")
            state = await stage.value("sensor", stage.manager, key)
            if shown in {None, ""} or abs(float(str(shown)) - float(state)) > 30:
                found[name] = (shown, state)
        return found

    assert await within(60, apart, until=lambda found: not found) == {}


async def test_curves_can_be_left_out(theatre: Theatre) -> None:
    """The legend is made of buttons that switch a curve."""
    page = await opened(theatre)
    surplus = page.locator(TIMELINE_CARD).get_by_role("button", name="Surplus")
    await expect(surplus.first).to_have_attribute("aria-pressed", "true")
    await surplus.first.click()
    await expect(surplus.first).to_have_attribute("aria-pressed", "false")
