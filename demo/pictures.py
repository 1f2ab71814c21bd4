"""Draws the pictures of the dashboard: `python -m demo.pictures`; see scripts/screenshots."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import io
from pathlib import Path
import sys

from PIL import Image
from playwright.async_api import Browser, Page

from simulator import BatteryConfig, CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig
from tests.browser.chromium import MISSING, find_chromium

from .browser import Tokens, logged_in, login, running_browser
from .stage import PASSWORD, USER, Stage, staged

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "img"
DASHBOARD = "sun-and-cars"
SETTLE = 60.0  # s; the cars charge, and their shares have found their place
GARAGE, CARPORT, GUESTS = "10000001", "10000002", "10000003"
BEHIND_CIRCUIT = (CARPORT, GUESTS)
PATIENCE = 60_000  # ms
COLOURS = 256
HOME = HomeConfig(
    pv=PvConfig(constant_w=9600.0),
    house=HouseConfig(constant_w=740.0),
    battery=BatteryConfig(soc=0.83),
    # What the installer set in them is less than what the fuses carry.
    chargers=(
        ChargerConfig(serial=GARAGE, name="Garage", car=CarConfig(soc=0.4, start_delay_s=2.0)),
        ChargerConfig(
            serial=CARPORT,
            name="Carport",
            rotation=(2, 3, 1),
            max_current=10,
            car=CarConfig(soc=0.6, start_delay_s=2.0),
        ),
        ChargerConfig(serial=GUESTS, name="Guests", rotation=(3, 1, 2), max_current=8, plugged=False),
    ),
)
CIRCUIT = {"name": "Carport", "parent": "root", "limit": 20, "safety_margin": 0, "imbalance": 0, "meter": "none"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of a view."""

    name: str
    view: str = "now"
    width: int = 1280
    height: int = 1260
    dark: bool = False
    scale: float = 1.5


PICTURES = (
    Picture(name="dashboard-light"),
    Picture(name="dashboard-dark", dark=True),
    Picture(name="dashboard-phone", width=390, height=844, scale=2.0),
)


async def draw(folder: Path) -> None:
    """Draw all pictures into a folder."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit(MISSING)
    print("screenshots: a home with three chargers, for about two minutes", flush=True)
    async with _scene() as stage, running_browser(chromium) as browser:
        tokens = await login(stage.hass.url, user=USER, password=PASSWORD)
        for picture in PICTURES:
            image = await _taken(stage, browser, tokens, picture)
            path = folder / f"{picture.name}.png"
            path.write_bytes(image)
            print(f"{path}: {len(image) / 1000:.0f} kB", flush=True)


@asynccontextmanager
async def _scene() -> AsyncIterator[Stage]:
    """Run a home in which there is something to see: surplus, an override, a charger without a car, a circuit."""
    async with staged(HOME) as stage:
        client = stage.client
        await client.command("config/core/update", country="AT")
        await client.add_circuit(stage.manager, CIRCUIT)
        (circuit,) = await client.command("config_entries/subentries/list", entry_id=stage.manager)
        chargers = {charger.name: charger for charger in HOME.chargers if charger.serial in BEHIND_CIRCUIT}
        for entry in await client.entries():
            if (charger := chargers.get(entry["title"])) is not None:
                rotation = "_".join(f"l{phase}" for phase in charger.rotation)
                options = {"rotation": rotation, "circuit": circuit["subentry_id"]}
                await client.set_options(entry["entry_id"], options)
        await stage.choose("pv")
        await client.command(
            "lovelace/dashboards/create", url_path=DASHBOARD, title="Sun & cars", mode="storage", icon="mdi:ev-station"
        )
        strategy = {"strategy": {"type": "custom:pv-load-manager"}}
        await client.command("lovelace/config/save", url_path=DASHBOARD, config=strategy)
        await asyncio.sleep(SETTLE / 2)
        carport = stage.entity("select", CARPORT, "charge_mode")
        await client.call("pv_load_manager", "set_override", entity_id=carport, current=7, duration={"hours": 2})
        await asyncio.sleep(SETTLE)
        yield stage


async def _taken(stage: Stage, browser: Browser, tokens: Tokens, picture: Picture) -> bytes:
    window = await logged_in(
        browser,
        tokens,
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=picture.scale,
        color_scheme="dark" if picture.dark else "light",
    )
    page = await window.new_page()
    await page.goto(f"{stage.hass.url}/{DASHBOARD}/{picture.view}")
    await _complete(page)
    taken = await page.screenshot()
    await window.close()
    return _small(taken)


async def _complete(page: Page) -> None:
    """Wait until everything is there, and nothing comes into view any more."""
    await page.locator("[data-charger] [data-figure=power]").first.wait_for(timeout=PATIENCE)
    await page.evaluate("document.fonts.ready")
    await page.wait_for_timeout(4000)


def _small(picture: bytes) -> bytes:
    """Return the same with a palette: few colours, a third of the bytes."""
    reduced = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    reduced.save(written, "PNG", optimize=True)
    return written.getvalue()


def main(arguments: list[str]) -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description="Draws the pictures of the dashboard.")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER", help="where to (default: docs/img)")
    asyncio.run(draw(parser.parse_args(arguments).output))


if __name__ == "__main__":
    main(sys.argv[1:])
