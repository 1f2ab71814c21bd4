"""What everybody sees: every size, light and dark, both languages, nothing jumps, nothing is out of reach."""

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect
import pytest

from .scene import GARAGE
from .theatre import DASHBOARD, DESK, PHONE, SITE_CARD, TABLET, TIMELINE_CARD, Theatre, dashboard, lane

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(400)]

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desk": DESK, "tablet": TABLET, "phone": PHONE, "narrow": {"width": 320, "height": 700}}
VIEWS_WITH_OURS = ("now", "chargers", "history")
JUMP = 0.1
"""Cumulative layout shift: above this it is noticed (web.dev/cls)."""
OURS = """
() => {
  const found = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (/^pv-load-manager-.*card$/.test(element.localName)) found.push(element);
      else if (element.shadowRoot) walk(element.shadowRoot);
    }
  };
  walk(document);
  return found;
}
"""
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push([entry.startTime, entry.value]);
}).observe({ type: "layout-shift", buffered: true });
const find = (root) => {
  for (const element of root.querySelectorAll("*")) {
    if (/^pv-load-manager-.*card$/.test(element.localName)) return element;
    const found = element.shadowRoot && find(element.shadowRoot);
    if (found) return found;
  }
};
let card, width;
const look = () => {
  card = card?.isConnected ? card : find(document);
  // Home Assistant gives a card its place in its first frames; what moves then is not the card's doing.
  const now = card?.offsetHeight ? card.offsetWidth : undefined;
  if (now !== width) window.placed = undefined;
  else if (now !== undefined) window.placed ??= performance.now();
  width = now;
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Notes all shifts of the layout, and since when our first card has its place and its width."""


async def settled(page: Page, view: str) -> None:
    """Wait until a view with our cards is complete."""
    card = {"now": SITE_CARD, "chargers": "pv-load-manager-charger-card", "history": TIMELINE_CARD}[view]
    await expect(page.locator(f"{card} ha-card").first).to_be_visible()
    first = {"now": "[data-figure=pv]", "chargers": "[data-figure=power]", "history": "[data-curve]"}[view]
    await expect(page.locator(f"{card} {first}").first).to_be_attached()
    await page.wait_for_timeout(1500)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: scripts/setup --frontend installs it")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS_WITH_OURS)
async def test_axe_finds_nothing(theatre: Theatre, view: str, scheme: str) -> None:
    """No serious or critical violation of the rules of accessibility in any of our elements."""
    page = await theatre.page(f"/{DASHBOARD}/{view}", color_scheme=scheme)
    await settled(page, view)
    dark: bool = await page.evaluate("document.querySelector('home-assistant').hass.themes.darkMode")
    assert dark is (scheme == "dark")
    found = await violations(page)
    assert not found, json.dumps(found, indent=1)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: scripts/setup --frontend installs it")
async def test_axe_finds_nothing_while_something_is_done(theatre: Theatre) -> None:
    """The form of an override is as good, also on a phone."""
    page = await theatre.site(viewport=PHONE)
    await lane(page, GARAGE).get_by_role("button", name="Override").click()
    await expect(lane(page, GARAGE).locator("form")).to_be_visible()
    found = await violations(page)
    assert not found, json.dumps(found, indent=1)


async def violations(page: Page) -> list[dict[str, Any]]:
    """Return what axe has against our elements, seriously."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    result = await page.evaluate(
        f"async () => {{ const ours = ({OURS})(); if (!ours.length) throw Error('none of our cards is here');"
        " const { violations } = await axe.run({ include: ours }, { resultTypes: ['violations'] });"
        " return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 4).map("
        "   ({ target, html, failureSummary }) => ({ target, html: html.slice(0, 200), failureSummary })) })); }"
    )
    return [violation for violation in result if violation["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("view", VIEWS_WITH_OURS)
async def test_nothing_sticks_out(theatre: Theatre, view: str, size: str) -> None:
    """No size has a horizontal scroll bar, and no card is wider than its place."""
    page = await theatre.page(f"/{DASHBOARD}/{view}", viewport=SIZES[size])
    await settled(page, view)
    wide = await page.evaluate(
        f"""() => {{
          const width = document.documentElement.clientWidth;
          const wrong = document.documentElement.scrollWidth > width ? ["the page"] : [];
          const judge = (element, card) => {{
            const box = element.getBoundingClientRect();
            const style = getComputedStyle(element);
            if (box.width === 0 || style.visibility === "hidden" || style.clipPath !== "none") return;
            if (box.right <= width + 1 && box.left >= -1) return;
            wrong.push([card, element.localName, element.getAttribute("class"), box.left, box.right].join(" "));
          }};
          const walk = (root, card) => {{
            for (const element of root.querySelectorAll("*")) {{
              judge(element, card);
              if (element.shadowRoot) walk(element.shadowRoot, card);
            }}
          }};
          for (const card of ({OURS})()) {{
            judge(card, "card");
            walk(card.shadowRoot, card.localName);
          }}
          return wrong;
        }}"""
    )
    assert wide == []


@pytest.mark.parametrize("size", ["desk", "phone"])
@pytest.mark.parametrize("view", VIEWS_WITH_OURS)
async def test_nothing_jumps(theatre: Theatre, view: str, size: str) -> None:
    """What is there stays where it is: while numbers arrive, and when they are there."""
    window = await theatre.window(viewport=SIZES[size])
    await window.add_init_script(WATCH_SHIFTS)
    # From another page, because Home Assistant's own frame moves while it is loaded.
    page = await theatre.look(window, "/profile/general")
    await expect(page.locator("ha-panel-profile")).to_be_attached()
    await page.wait_for_timeout(2000)
    await page.evaluate(
        "path => { window.shifts = []; history.pushState(null, '', path);"
        " window.dispatchEvent(new CustomEvent('location-changed', { detail: { replace: false } })); }",
        f"/{DASHBOARD}/{view}",
    )
    await settled(page, view)
    await page.wait_for_timeout(6000)
    placed: float = await page.evaluate("window.placed")
    shifts: list[tuple[float, float]] = await page.evaluate("window.shifts")
    jumped = sum(value for at, value in shifts if at > placed)
    assert jumped < JUMP, [(round(at - placed), round(value, 3)) for at, value in shifts]


async def test_one_charger_stands_beside_the_flow(theatre: Theatre) -> None:
    """Where there is room the whole of a small home is seen at once, else one thing below the other."""
    devices = await theatre.stage.client.command("config/device_registry/list")
    (garage,) = (device["id"] for device in devices if device["serial_number"] == GARAGE)
    card = {"type": f"custom:{SITE_CARD}", "chargers": [garage]}
    views = [{"path": "one", "type": "panel", "cards": [card]}]
    async with dashboard(theatre.stage, "pv-one", {"views": views}):
        for size, beside in ((DESK, True), (PHONE, False)):
            page = await theatre.page("/pv-one/one", viewport=size)
            await settled(page, "now")
            flow = await page.locator("pv-load-manager-flow").bounding_box()
            place = await lane(page, GARAGE).bounding_box()
            assert flow is not None
            assert place is not None
            assert (place["x"] > flow["x"] + flow["width"]) is beside
            assert (place["y"] < flow["y"] + flow["height"]) is beside
            assert place["width"] > 350


async def test_german_user_reads_german(theatre: Theatre) -> None:
    """Texts, reasons and numbers are German for who has Home Assistant in German."""
    page = await theatre.site(locale="de-DE")
    card = page.locator(SITE_CARD)
    await expect(card).to_contain_text("Überschuss")
    await expect(card).to_contain_text("Hausanschluss")
    words = await card.inner_text()
    assert "surplus" not in words.lower()
    assert not {"House", "Battery", "Grid", "Charging", "Override"} & set(words.split())
    watts = page.locator(f"{SITE_CARD} [data-figure=pv]").first
    await expect(watts).to_have_text("8,00\u00a0kW" if "\u00a0" in await watts.inner_text() else "8,00 kW")
    await expect(lane(page, GARAGE).locator("[data-mode=off]")).to_have_text("Aus")


async def test_reduced_motion(theatre: Theatre) -> None:
    """Who wants no motion sees none."""
    page = await theatre.site(reduced_motion="reduce")
    running: int = await page.evaluate(
        f"() => ({OURS})().flatMap((card) => card.getAnimations({{ subtree: true }})).filter("
        "(animation) => animation.playState === 'running').length"
    )
    assert running == 0
