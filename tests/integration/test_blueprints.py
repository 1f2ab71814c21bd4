"""Every blueprint in a running home: it is loaded as Home Assistant does, its trigger fires, its effect is seen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.core import HomeAssistant, callback
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.control import Reason

from .code import ROOT, load
from .conftest import BuildSite
from .site import Site, eventually
from .test_circuits import METERED, add_circuit, drawn, house, measure, speaking

FOLDER = ROOT.parents[1] / "blueprints" / "automation"
PATHS = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.yaml"))
PRICE, FEED_IN, CHEAP = "sensor.price", "sensor.feed_in", "binary_sensor.cheap"
type Automate = Callable[..., Awaitable[None]]

TEXTS = load("translations/en.json")["entity"]["event"]


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Home Assistant find the blueprints where they are kept."""
    monkeypatch.setattr(DomainBlueprints, "blueprint_folder", FOLDER)


@pytest.fixture(name="automate")
async def automate_fixture(hass: HomeAssistant) -> AsyncIterator[Automate]:
    """Let a user make an automation of a blueprint, and turn it off in the end."""
    assert await async_setup_component(hass, "persistent_notification", {})

    async def automate(name: str, **inputs: Any) -> None:
        blueprint = {"path": f"pv_load_manager/{name}.yaml", "input": inputs}
        config = {"id": name, "alias": name, "use_blueprint": blueprint}
        assert await async_setup_component(hass, "automation", {"automation": [config]})
        await hass.async_block_till_done()
        state = hass.states.get(f"automation.{name}")
        assert state is not None
        assert state.state == "on"

    yield automate
    for entity_id in hass.states.async_entity_ids("automation"):
        await hass.services.async_call("automation", "turn_off", {"entity_id": entity_id}, blocking=True)


@callback
def says(hass: HomeAssistant, entity_id: str, value: object) -> None:
    """Let an entity of somebody else have a state."""
    hass.states.async_set(entity_id, str(value))


async def home(build_site: BuildSite, **data: Any) -> tuple[Site, MockConfigEntry, MockConfigEntry]:
    """Set up a house with a charger, and return the entries of charger and load manager."""
    site = await build_site(house(1))
    charger, manager = site.charger_entry(), site.manager_entry(MeterSource.NONE, **data)
    await site.set_up(charger, manager)
    await site.select(manager, "off")
    return site, charger, manager


def chosen(site: Site, charger: MockConfigEntry, mode: str) -> Callable[[], bool]:
    """Return what finds out whether a charger's mode is chosen."""
    return lambda: site.value(charger, "charge_mode", "select") == mode


def notifications(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return title and message of what Home Assistant shows in its sidebar."""
    shown = hass.data.get("persistent_notification", {}).values()
    return [(item["title"], item["message"]) for item in shown]


def test_there_are_blueprints() -> None:
    """Those that the documentation names are there."""
    assert {Path(path).stem for path in PATHS} == {
        "car_home",
        "cheap_hours",
        "cheap_price",
        "overload",
        "session_ended",
        "tariff",
    }


@pytest.mark.parametrize("path", PATHS)
async def test_blueprint(hass: HomeAssistant, path: str) -> None:
    """Home Assistant takes it, every input has a name and a selector, and every list has a default that it offers."""
    assert await async_setup_component(hass, "automation", {})
    blueprint = await async_get_blueprints(hass).async_get_blueprint(path)
    assert isinstance(blueprint, Blueprint)
    assert blueprint.validate() is None
    manifest = load("manifest.json")
    assert blueprint.metadata["source_url"] == f"{manifest['documentation']}/blob/main/blueprints/automation/{path}"
    assert blueprint.metadata["homeassistant"]["min_version"] == "2026.10.0"
    raw = load_yaml_dict(str(FOLDER / path))["blueprint"]["input"]
    assert raw
    for field in raw.values():
        assert field["name"]
        (kind,) = field["selector"]
        about = field["selector"][kind] or {}
        if kind == "entity":
            assert "default" not in field
            assert all(item.get("integration", DOMAIN) == DOMAIN for item in about["filter"])
        if kind == "select":
            offered = {option["value"] for option in about["options"]}
            assert {*([field["default"]] if isinstance(field["default"], str) else field["default"])} <= offered


def test_kinds_of_events() -> None:
    """What the messages offer are events that exist, for reasons that exist."""
    raw = load_yaml_dict(str(FOLDER / "pv_load_manager/overload.yaml"))
    offered = {option["value"] for option in raw["blueprint"]["input"]["kinds"]["selector"]["select"]["options"]}
    of_site = set(TEXTS["limits"]["state_attributes"]["event_type"]["state"])
    assert offered - of_site == {"limited"}
    assert of_site <= offered
    assert "limited" in TEXTS["charging"]["state_attributes"]["event_type"]["state"]
    assert set(raw["variables"]["reasons"]) <= {reason.value for reason in Reason}


async def test_car_comes_home_and_leaves(build_site: BuildSite, automate: Automate) -> None:
    """The car that is plugged in charges with Min + PV; when it leaves the charger follows the house."""
    site, charger, _ = await home(build_site)
    modes = site.entity_id("select", charger, "charge_mode")
    await eventually(lambda: site.value(charger, "plugged", "binary_sensor") == "on")
    await automate("car_home", home=site.entity_id("binary_sensor", charger, "plugged"), charge_mode=modes, mode="fast")
    assert chosen(site, charger, "follow_site")()
    site.home.chargers[0].unplug()
    await eventually(lambda: site.value(charger, "plugged", "binary_sensor") == "off")
    site.home.chargers[0].plug()
    await eventually(chosen(site, charger, "fast"))
    site.home.chargers[0].unplug()
    await eventually(chosen(site, charger, "follow_site"))


async def test_departure(build_site: BuildSite, automate: Automate) -> None:
    """A person comes home; at the time of departure the charger follows the house, unless another mode was chosen."""
    site, charger, _ = await home(build_site)
    modes = site.entity_id("select", charger, "charge_mode")
    says(site.hass, "person.anna", "not_home")
    departure = dt_util.now() + timedelta(seconds=2)
    await automate(
        "car_home",
        home="person.anna",
        charge_mode=modes,
        mode="fast",
        departure=departure.strftime("%H:%M:%S"),
    )
    says(site.hass, "person.anna", "home")
    await eventually(chosen(site, charger, "fast"), within=1)
    await eventually(chosen(site, charger, "follow_site"))
    says(site.hass, "person.anna", "unavailable")
    says(site.hass, "person.anna", "home")
    await site.hass.async_block_till_done()
    assert chosen(site, charger, "follow_site")()
    says(site.hass, "person.anna", "not_home")
    says(site.hass, "person.anna", "home")
    await eventually(chosen(site, charger, "fast"))
    await site.select(charger, "off")
    says(site.hass, "person.anna", "not_home")
    await site.hass.async_block_till_done()
    assert chosen(site, charger, "off")()


async def test_low_price(build_site: BuildSite, automate: Automate) -> None:
    """Below the limit the car charges fast, from the limit on as the house; what is off stays off."""
    site, charger, manager = await home(build_site)
    modes = [site.entity_id("select", charger, "charge_mode"), site.entity_id("select", manager, "charge_mode")]
    says(site.hass, PRICE, "0.30")
    await automate("cheap_price", price=PRICE, limit=0.2, charge_modes=modes)
    says(site.hass, PRICE, "0.19")
    await eventually(chosen(site, charger, "fast"))
    assert site.value(manager, "charge_mode", "select") == "off"
    says(site.hass, PRICE, "unavailable")
    await site.hass.async_block_till_done()
    assert chosen(site, charger, "fast")()
    says(site.hass, PRICE, "0.2")
    await eventually(chosen(site, charger, "follow_site"))


async def test_cheap_hours(build_site: BuildSite, automate: Automate) -> None:
    """While the entity is on the car charges fast; a mode that somebody chose meanwhile stays."""
    site, charger, _ = await home(build_site)
    modes = [site.entity_id("select", charger, "charge_mode")]
    says(site.hass, CHEAP, "off")
    await automate("cheap_hours", cheap=CHEAP, charge_modes=modes)
    says(site.hass, CHEAP, "on")
    await eventually(chosen(site, charger, "fast"))
    says(site.hass, CHEAP, "off")
    await eventually(chosen(site, charger, "follow_site"))
    says(site.hass, CHEAP, "on")
    await eventually(chosen(site, charger, "fast"))
    await site.select(charger, "off")
    says(site.hass, CHEAP, "off")
    await site.hass.async_block_till_done()
    assert chosen(site, charger, "off")()


async def test_stopped_by_hand_in_cheap_hours(build_site: BuildSite, automate: Automate) -> None:
    """A car that somebody stopped, here or in the charger's app, does not begin because power is cheap."""
    site, charger, manager = await home(build_site)
    await site.select(manager, "fast")
    mode = site.entity_id("select", charger, "charge_mode")
    await site.hass.services.async_call(DOMAIN, "set_override", {"entity_id": mode, "current": 0}, blocking=True)
    await eventually(lambda: site.state("select", charger, "charge_mode").attributes.get("override") == 0)
    says(site.hass, CHEAP, "off")
    await automate("cheap_hours", cheap=CHEAP, charge_modes=[mode])
    says(site.hass, CHEAP, "on")
    await site.hass.async_block_till_done()
    assert chosen(site, charger, "follow_site")()
    await site.hass.services.async_call(DOMAIN, "clear_override", {"entity_id": mode}, blocking=True)
    await eventually(lambda: "override" not in site.state("select", charger, "charge_mode").attributes)


@pytest.mark.parametrize(
    ("name", "inputs", "entity_id", "cheap", "dear"),
    [
        ("cheap_hours", {"cheap": CHEAP}, CHEAP, "on", "off"),
        ("cheap_price", {"price": PRICE, "limit": 0.2}, PRICE, "0.1", "0.3"),
    ],
)
async def test_cheap_for_the_house(
    build_site: BuildSite, automate: Automate, name: str, inputs: dict[str, Any], entity_id: str, cheap: str, dear: str
) -> None:
    """The house follows nobody: with the default for afterwards it goes to PV, and chargers in the list go on, too."""
    site = await build_site(house(1))
    charger, manager = site.charger_entry(), site.manager_entry(MeterSource.SENSOR, meter_entity="sensor.grid")
    says(site.hass, "sensor.grid", 0)
    await site.set_up(charger, manager)
    await site.select(manager, "min_pv")
    modes = [site.entity_id("select", owner, "charge_mode") for owner in (manager, charger)]
    says(site.hass, entity_id, dear)
    await automate(name, charge_modes=modes, **inputs)
    says(site.hass, entity_id, cheap)
    await eventually(chosen(site, charger, "fast"))
    assert site.value(manager, "charge_mode", "select") == "fast"
    says(site.hass, entity_id, dear)
    await eventually(chosen(site, charger, "follow_site"))
    assert site.value(manager, "charge_mode", "select") == "pv"


async def test_overload(build_site: BuildSite, automate: Automate) -> None:
    """A charger that its circuit holds back is told with the reason, and not again before the pause is over."""
    site = await build_site(house(1))
    manager = site.manager_entry(MeterSource.NONE)
    circuit = add_circuit(site.hass, manager, "Garden", limit=25, **METERED)
    charger = site.charger_entry(options={"circuit": circuit})
    measure(site.hass, (0.0, 0.0, 0.0))
    await site.set_up(charger, manager)
    await site.set_number(manager, "maximum_total_current", 25)
    await site.select(manager, "fast")
    event = site.entity_id("event", charger, "charging")
    await automate("overload", events=[event], pause=10)
    async with speaking(site.hass, drawn(site, 0)):
        await eventually(lambda: site.state("event", charger, "charging").attributes["event_type"] == "started")
        await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
        assert notifications(site.hass) == []
    async with speaking(site.hass, drawn(site, 0, other=12.0)):
        await eventually(lambda: notifications(site.hass))
    ((title, message),) = notifications(site.hass)
    assert title == "Garage Charging"
    assert message.split(". ")[0] in {"Limited", "Stopped"}
    assert "Garden" in message
    last = site.hass.states.get("automation.overload")
    assert last is not None
    site.hass.states.async_set(event, dt_util.utcnow().isoformat(), site.state("event", charger, "charging").attributes)
    await site.hass.async_block_till_done()
    again = site.hass.states.get("automation.overload")
    assert again is not None
    assert again.attributes["last_triggered"] == last.attributes["last_triggered"]


async def test_end_of_a_session(build_site: BuildSite, automate: Automate) -> None:
    """A car that is unplugged is told with its energy; one that was given next to nothing is not."""
    site, charger, manager = await home(build_site)
    event = site.entity_id("event", charger, "charging")
    tell = [{"action": "persistent_notification.create", "data": {"message": "{{ message }}", "title": "{{ title }}"}}]
    await automate("session_ended", events=[event], least=0.01, tell=tell)
    site.home.chargers[0].unplug()
    await eventually(lambda: site.state("event", charger, "charging").attributes.get("event_type") == "session_ended")
    await site.hass.async_block_till_done()
    assert notifications(site.hass) == []
    await site.select(manager, "fast")
    site.home.chargers[0].plug()
    await eventually(lambda: (site.home.chargers[0].charger.session_wh or 0) > 15)
    site.home.chargers[0].unplug()
    await eventually(lambda: notifications(site.hass))
    ((title, message),) = notifications(site.hass)
    assert title == "Garage Charging"
    energy, unit = message.split(",")[0].split()
    assert float(energy) >= 0.01
    assert unit == "kWh"


@pytest.mark.parametrize(
    ("price", "feed_in", "cost"),
    [(0.32, 0.08, 4.0), (0.08, 0.32, 1.0), (5, 0.08, 20.0), (0.3, 0, 20.0), (-0.05, 0.08, 1.0)],
)
async def test_tariff(build_site: BuildSite, automate: Automate, price: float, feed_in: float, cost: float) -> None:
    """The cost of grid power is the ratio of the prices, inside the range of the number."""
    site, _, manager = await home(build_site)
    await site.set_number(manager, "grid_weight", 7)
    says(site.hass, PRICE, "unknown")
    says(site.hass, FEED_IN, feed_in)
    await automate("tariff", cost=site.entity_id("number", manager, "grid_weight"), price=PRICE, feed_in=FEED_IN)
    await site.hass.async_block_till_done()
    assert site.hass.data[DOMAIN].load_manager.strategy.grid_weight == 7
    says(site.hass, PRICE, price)
    await eventually(lambda: site.hass.data[DOMAIN].load_manager.strategy.grid_weight == cost)
