"""The grid operator dims through an input of Home Assistant, and the chargers follow within seconds."""

from collections.abc import Callable
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from simulator import ChargerConfig

from .clock import simulated_time
from .conftest import QUICK_CAR, BuildSite, sunny
from .site import Site, eventually

INPUT = "binary_sensor.rundsteuerempfaenger"
WITHIN = 5.0  # s
ISSUE = "dimming_input_lost"


def cars(count: int) -> tuple[ChargerConfig, ...]:
    """Describe chargers with cars on three phases."""
    return tuple(
        ChargerConfig(serial=f"1000000{number}", name=f"Car {number}", car=QUICK_CAR) for number in range(1, count + 1)
    )


def say(hass: HomeAssistant, state: str | None) -> None:
    """Let the input say something; None = it is gone."""
    if state is None:
        hass.states.async_remove(INPUT)
    else:
        hass.states.async_set(INPUT, state)


async def dimmable(site: Site, *, power: int = 4200, total: bool = False) -> tuple[MockConfigEntry, ...]:
    """Set up a home whose chargers all charge fast, and whose grid operator has an input."""
    say(site.hass, "off")
    chargers = tuple(site.charger_entry(index) for index in range(len(site.home.chargers)))
    manager = site.manager_entry(main_fuse=63)
    options = {"dimming_entity": INPUT, "dimming_power": power, "dimming_total": total}
    site.hass.config_entries.async_update_entry(manager, options=options)
    await site.set_up(site.inverter_entry(), *chargers, manager)
    await site.select(manager, "fast")
    await eventually(lambda: min(powers(site)) > 10000)
    return (*chargers, manager)


def powers(site: Site) -> list[float]:
    """Return what each charger really draws in W."""
    return [charger.charger.power_w for charger in site.home.chargers]


def issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the repair of a lost input."""
    return ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)


def full(site: Site) -> Callable[[], bool]:
    """Return whether every car has its full power."""
    return lambda: min(powers(site)) > 10000


async def test_each_charger(build_site: BuildSite) -> None:
    """All are below 4.2 kW within 5 s, say why with the number, and are back afterwards; the site shows it."""
    site = await build_site(sunny(*cars(2)))
    *chargers, manager = await dimmable(site)
    assert site.value(manager, "dimmed", "binary_sensor") == "off"
    say(site.hass, "on")
    await eventually(lambda: max(powers(site)) <= 4200, within=WITHIN)
    assert site.value(manager, "dimmed", "binary_sensor") == "on"
    for charger in chargers:
        await eventually(lambda charger=charger: site.value(charger, "reason") == "limited_by_dimming")
        attributes = site.state("sensor", charger, "reason").attributes
        assert attributes["dimming_w"] == 4200
        assert "4200 W" in attributes["text"]
    await eventually(lambda: min(powers(site)) > 3000)
    say(site.hass, "off")
    await eventually(full(site), within=60)
    assert site.value(manager, "dimmed", "binary_sensor") == "off"


async def test_a_total(build_site: BuildSite) -> None:
    """A total holds for all together, within 5 s."""
    site = await build_site(sunny(*cars(2)))
    *chargers, _ = await dimmable(site, total=True)
    say(site.hass, "on")
    await eventually(lambda: sum(powers(site)) <= 4200, within=WITHIN)
    reasons = {"limited_by_dimming", "waiting_for_dimming"}
    for charger in chargers:
        await eventually(lambda charger=charger: site.value(charger, "reason") in reasons)
    await eventually(lambda: sum(powers(site)) > 1000)
    assert sum(powers(site)) <= 4200
    say(site.hass, "off")
    await eventually(full(site), within=60)


async def test_too_little_for_any_car(site: Site) -> None:
    """Below what a car needs at least it waits."""
    charger, _ = await dimmable(site, power=1000)
    say(site.hass, "on")
    await eventually(lambda: powers(site) == [0.0], within=WITHIN)
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_dimming")
    assert site.state("sensor", charger, "reason").attributes["needed_a"] == 6


async def lone_manager(site: Site, options: dict[str, Any] | None = None) -> MockConfigEntry:
    """Set up a load manager with an input and without any device."""
    manager = site.manager_entry()
    site.hass.config_entries.async_update_entry(manager, options=options or {"dimming_entity": INPUT})
    await site.set_up(manager)
    return manager


@pytest.mark.parametrize("silence", [STATE_UNAVAILABLE, STATE_UNKNOWN, "broken", None])
@pytest.mark.parametrize("last", ["off", "on"])
async def test_lost_input(site: Site, last: str, silence: str | None) -> None:
    """Its last word counts for a minute; then the chargers are dimmed and a repair says so, until it speaks again."""
    hass = site.hass
    say(hass, last)
    with simulated_time(hass) as clock:
        manager = await lone_manager(site)
        coordinator = manager.runtime_data
        assert coordinator.data.dimmed is (last == "on")
        say(hass, silence)
        await clock.forward(58)
        assert coordinator.data.dimmed is (last == "on")
        assert issue(hass) is None
        await clock.forward(3)
        assert coordinator.data.dimmed is True
        found = issue(hass)
        assert found is not None
        assert found.translation_placeholders == {"entity": INPUT}
        await clock.forward(600)
        assert coordinator.data.dimmed is True
        say(hass, "off")
        await clock.forward(1)
        assert coordinator.data.dimmed is False
        assert issue(hass) is None


async def test_short_silence(site: Site) -> None:
    """An input that is away for less than a minute changes nothing, as often as it happens."""
    hass = site.hass
    say(hass, "off")
    with simulated_time(hass) as clock:
        manager = await lone_manager(site)
        for _ in range(5):
            say(hass, STATE_UNAVAILABLE)
            await clock.forward(50)
            assert manager.runtime_data.data.dimmed is False
            say(hass, "off")
            await clock.forward(1)
        assert issue(hass) is None


@pytest.mark.parametrize("last", [None, False, True])
async def test_last_word_outlives_a_restart(site: Site, hass_storage: dict[str, Any], last: bool | None) -> None:
    """Until the input is there again after a restart, what it said last counts."""
    settings = {"mode": "fast"} if last is None else {"mode": "fast", "dimmed": last}
    hass_storage[DOMAIN] = {"version": 1, "key": DOMAIN, "data": {"site": settings, "chargers": {}}}
    manager = await lone_manager(site)
    assert manager.runtime_data.data.dimmed is bool(last)
    say(site.hass, "off" if last else "on")
    await site.hass.async_block_till_done()
    assert manager.runtime_data.data.dimmed is not bool(last)


async def test_last_word_is_saved(site: Site, hass_storage: dict[str, Any]) -> None:
    """What the input says is kept for the next start."""
    say(site.hass, "off")
    await lone_manager(site)
    say(site.hass, "on")
    await site.hass.async_block_till_done()
    await site.hass.async_stop(force=True)
    assert hass_storage[DOMAIN]["data"]["site"]["dimmed"] is True


async def test_repair_goes_with_the_load_manager(site: Site) -> None:
    """A load manager that is removed, or that has no input any more, leaves no repair behind."""
    hass = site.hass
    with simulated_time(hass) as clock:
        manager = await lone_manager(site)
        await clock.forward(62)
        assert issue(hass) is not None
        hass.config_entries.async_update_entry(manager, options={})
        await hass.async_block_till_done()
        assert issue(hass) is None
        assert manager.runtime_data.data.dimmed is False
        hass.config_entries.async_update_entry(manager, options={"dimming_entity": INPUT})
        await hass.async_block_till_done()
        await clock.forward(62)
        assert issue(hass) is not None
        assert await hass.config_entries.async_remove(manager.entry_id)
        assert issue(hass) is None
