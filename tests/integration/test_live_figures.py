"""The live figures beside the states of the entities: the same numbers, and what only they tell."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import CONF_SERIAL
from custom_components.pv_load_manager.coordinators.decisions import Decisions
from custom_components.pv_load_manager.languages import async_templates
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.websocket import live_figures
from simulator import BatteryConfig

from .conftest import OURS, BuildSite, sunny
from .site import Site, eventually
from .test_actions import act, device
from .test_circuits import add_circuit
from .watching import TWO

MANY = 32
LONGEST = 0.01
"""So many s the figures of many chargers may take at the very most; a machine at rest needs a tenth of that."""


@pytest.fixture(name="live")
async def live_fixture(hass: HomeAssistant) -> Callable[[], dict[str, Any]]:
    """Return what gives the live figures of now."""
    templates = await async_templates(hass, "en")

    def figures() -> dict[str, Any]:
        found = live_figures(hass, templates)
        assert found is not None
        return found

    return figures


def pairs(
    site: Site, manager: MockConfigEntry, charger: MockConfigEntry, live: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Return name, live figure and state of everything that both tell."""
    surplus, (root,), (told,) = live["site"]["surplus"], live["site"]["circuits"], live["chargers"]
    for name, key in (
        ("surplus_w", "surplus"),
        ("grid_w", "grid_power"),
        ("pv_w", "pv_power"),
        ("battery_w", "battery_power"),
        ("battery_soc", "battery_state_of_charge"),
        ("chargers_w", "charging_power"),
        ("house_w", "house_power"),
    ):
        yield name, surplus[name], site.number(manager, key)
    yield "status", live["site"]["status"], site.value(manager, "state")
    yield "free", min(root["free_a"]), site.number(manager, "free_current_root")
    for line in range(3):
        yield "drawn", root["drawn_a"][line], site.number(manager, f"charging_current_l{line + 1}_root")
        yield "house", root["house_a"][line], site.number(manager, f"house_current_l{line + 1}_root")
    yield "reason", told["reason"], site.value(charger, "reason")
    yield "allocated", told["allocated"]["current_a"], site.number(charger, "allocated_current")
    yield "power", told["measured"]["power_w"], site.number(charger, "power")
    yield "mode", told["mode"]["chosen"], site.value(charger, "charge_mode", "select")
    yield "most", told["limits"]["maximum_a"], site.number(charger, "maximum_current", "number")
    yield "override", told["override"] and told["override"]["current_a"], site.number(charger, "override")
    yield "energy", told["session"]["energy_wh"], 1000 * (site.number(charger, "session_energy") or 0)
    share = told["session"]["solar_share"]
    yield "share", None if share is None else 100 * share, site.number(charger, "session_solar_share")


@pytest.mark.usefixtures("all_enabled")
async def test_same_numbers(build_site: BuildSite, live: Callable[[], dict[str, Any]]) -> None:
    """Every figure is at some moment exactly what its entity shows, the balance of the house among them."""
    site = await build_site(replace(sunny(speed=1.0), battery=BatteryConfig(soc=0.5)))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: (live()["chargers"][0]["measured"]["power_w"] or 0) > 10_000)
    missing = {name for name, *_ in pairs(site, manager, charger, live())}
    assert {"house_w", "share", "override"} < missing

    def same() -> bool:
        # The last digits move all the time, and states follow a moment later.
        told: dict[str, list[bool]] = {}
        for name, figure, state in pairs(site, manager, charger, live()):
            told.setdefault(name, []).append(
                figure == state if isinstance(figure, str | None) else figure == pytest.approx(state, abs=1e-6)
            )
        missing.difference_update(name for name, found in told.items() if all(found))
        return not missing

    try:
        await eventually(same)
    except AssertionError:
        pytest.fail(f"never the same: {missing}: {list(pairs(site, manager, charger, live()))}")
    surplus = live()["site"]["surplus"]
    balance = surplus["grid_w"] + surplus["pv_w"] + surplus["battery_w"]
    assert surplus["house_w"] + surplus["chargers_w"] == pytest.approx(balance, abs=3)


async def test_a_charger_that_nobody_manages(build_site: BuildSite, live: Callable[[], dict[str, Any]]) -> None:
    """It belongs to the house, in the account as in the sensors."""
    site = await build_site(sunny(*TWO))
    inverter, manager = site.inverter_entry(), site.manager_entry()
    first, second = site.charger_entry(), site.charger_entry(1, options={"managed": False})
    await site.set_up(inverter, first, second, manager)
    await site.select(manager, "off")
    site.settings(1)["frc"] = 2
    ours, theirs = (server.charger for server in site.home.chargers)
    await eventually(lambda: ours.power_w == 0 and theirs.power_w > 10_000)
    await eventually(lambda: live()["site"]["surplus"]["chargers_w"] == site.number(manager, "charging_power") == 0)
    house = pytest.approx(theirs.power_w + 500, abs=250)
    await eventually(lambda: live()["site"]["surplus"]["house_w"] == house)
    await eventually(lambda: site.number(manager, "house_power") == house)


async def test_modes_and_overrides(site: Site, live: Callable[[], dict[str, Any]]) -> None:
    """The mode in force with its end, and an override with its end and the energy that it still gives."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")

    def told(key: str) -> Any:
        return live()["chargers"][0][key]

    await eventually(lambda: told("mode"))
    assert told("mode") == {"chosen": "follow_site", "in_force": "fast", "from_site": True, "until": None}
    assert (told("override"), told("limits")) == (None, {"minimum_a": 6, "maximum_a": 16})
    end = (dt_util.utcnow() + timedelta(hours=2)).replace(microsecond=0)
    target = device(site, charger)
    await act(site, "set_charge_mode", device_id=target, mode="pv", until=end.isoformat())
    await eventually(lambda: told("mode")["in_force"] == "pv")
    assert told("mode") == {"chosen": "pv", "in_force": "pv", "from_site": False, "until": end.isoformat()}
    await act(site, "set_override", device_id=target, current=10, until=end.isoformat(), energy=20)
    await eventually(lambda: told("override"))
    override = told("override")
    left = override.pop("energy_left_wh")
    assert override["current_a"], override["source"] == (10, "user")
    assert dt_util.parse_datetime(override["until"]) == end
    assert 19_000 < left <= 20_000
    assert told("mode")["in_force"] == "fast"
    await eventually(lambda: told("override")["energy_left_wh"] < left - 10)
    await act(site, "clear_override", device_id=target)
    await eventually(lambda: told("override") is None)
    await site.set_number(charger, "maximum_current", 13)
    await site.set_number(manager, "minimum_current", 8)
    await eventually(lambda: told("limits") == {"minimum_a": 8, "maximum_a": 13})


async def test_circuits_have_parents(site: Site, live: Callable[[], dict[str, Any]]) -> None:
    """The tree can be drawn."""
    manager = site.manager_entry()
    garage = add_circuit(site.hass, manager, "Garage circuit")
    box = add_circuit(site.hass, manager, "Box", parent=garage)
    await site.set_up(site.inverter_entry(), site.charger_entry(options={"circuit": box}), manager)
    await eventually(lambda: len(live()["site"]["circuits"]) == 3)
    parents = {circuit["id"]: circuit["parent"] for circuit in live()["site"]["circuits"]}
    assert parents == {"root": None, garage: "root", box: garage}


async def test_a_charger_that_is_away(build_site: BuildSite, live: Callable[[], dict[str, Any]]) -> None:
    """What users chose stays known; what only the charger tells does not."""
    site = await build_site(sunny(*TWO))
    *_, second, manager = await site.set_up_all()
    await site.select(manager, "pv")
    assert await site.hass.config_entries.async_unload(second.entry_id)
    await eventually(lambda: live()["chargers"][1]["measured"] is None)
    told = live()["chargers"][1]
    assert told["session"] is None
    assert told["mode"]["in_force"] == "pv"
    assert told["limits"] == {"minimum_a": 6, "maximum_a": 16}


async def test_many_chargers_cost_little(
    site: Site, live: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each browser wants them each second, so they must be made quickly for the largest house, too."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: live()["chargers"][0]["reason"] == "charging_fast")
    one, serials = Decisions.of(manager.runtime_data, {}, site.hass.data[SHARED].templates), range(MANY)

    def many[T](of_one: Mapping[str, T]) -> dict[str, T]:
        return {f"{serial}": of_one[charger.data[CONF_SERIAL]] for serial in serials}

    all_of_them = replace(
        one,
        plan=replace(one.plan, chargers=many(one.plan.chargers)),
        snapshot=replace(one.snapshot, chargers=many(one.snapshot.chargers)),
        state=replace(one.state, chargers=many(one.state.chargers)),
        configs={key: replace(config, charger_id=key) for key, config in many(one.configs).items()},
        sessions=many(one.sessions),
    )
    monkeypatch.setattr(f"{OURS}.websocket.decisions_of", lambda *_: all_of_them)
    times = []
    for _ in range(20):
        begin = perf_counter()
        chargers = live()["chargers"]
        times.append(perf_counter() - begin)
        assert len(chargers) == MANY
        assert all(None not in (told["mode"], told["limits"], told["session"], told["measured"]) for told in chargers)
    assert min(times) < LONGEST
