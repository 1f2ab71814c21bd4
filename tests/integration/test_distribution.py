"""The distribution log in Home Assistant: events, the logbook, and what it costs."""

import json
import time
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.control import ChargerPlan, Command, Configuration, Explanation, Plan, Reason
from custom_components.pv_load_manager.control.causes import Cause
from custom_components.pv_load_manager.control.distribution import replay
from custom_components.pv_load_manager.coordinators.distribution import DistributionLog, happened
from custom_components.pv_load_manager.coordinators.happenings import ChargerEvent, Happening
from custom_components.pv_load_manager.shared import SHARED

from .code import load
from .site import Site, eventually

STEP_BUDGET = 0.001
"""s that a record of 32 chargers may take in the mean."""


def log_of(hass: HomeAssistant) -> DistributionLog:
    """Return the log of the load manager."""
    manager = hass.data[SHARED].load_manager
    assert manager is not None
    return manager.distribution.log


def read(log: DistributionLog) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the records of a download, and the allocation before them."""
    document = log.excerpt().as_dict()
    return [json.loads(line) for line in document["records"]], document["start"]


def event_of(site: Site, owner: MockConfigEntry, key: str = "charging") -> State:
    """Return the state of an event entity."""
    return site.state("event", owner, key)


def last(site: Site, owner: MockConfigEntry) -> str | None:
    """Return what last happened to a charger."""
    event: str | None = event_of(site, owner).attributes["event_type"]
    return event


async def test_events_of_a_charger(hass: HomeAssistant, site: Site) -> None:
    """A charger tells when it starts and stops, with the sentence, the current and the cause."""
    _, charger, manager = await site.set_up_all()
    assert last(site, charger) is None
    await site.select(manager, "off")
    await eventually(lambda: site.value(charger, "reason") == "site_off")
    await site.select(manager, "fast")
    await eventually(lambda: last(site, charger) == "started")
    attributes = event_of(site, charger).attributes
    assert attributes["text"] == "Fast: 16 A 3-phase, the most that charger and cable allow."
    assert (attributes["current"], attributes["phases"], attributes["cause"]) == (16, 3, "mode")
    await site.select(manager, "off")
    await eventually(lambda: last(site, charger) == "stopped")
    assert event_of(site, charger).attributes["reason"] == "site_off"
    # Whatever is reachable later, it has happened.
    site.home.chargers[0].drop()
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(charger, "power") == "unavailable")
    assert last(site, charger) == "stopped"


async def test_events_of_the_house(hass: HomeAssistant, site: Site) -> None:
    """The house tells that nobody sets the available current any more."""
    *_, manager = await site.set_up_all()
    assert event_of(site, manager, "limits").attributes["event_type"] is None
    await site.turn(manager, "watchdog", on=True)
    coordinator = hass.data[SHARED].load_manager
    assert coordinator is not None
    await site.set_number(manager, "available_current", 20)
    silence = coordinator.timings.watchdog
    hass.data[SHARED].available_set_at = hass.loop.time() - silence - 1.0
    await eventually(lambda: event_of(site, manager, "limits").attributes["event_type"] == "watchdog_expired")
    # A reload is no news, and no end of anything.
    told = event_of(site, manager, "limits").state
    assert await hass.config_entries.async_reload(manager.entry_id)
    await eventually(lambda: hass.data[SHARED].load_manager is not coordinator)
    await eventually(lambda: site.value(manager, "state") != "starting")
    assert event_of(site, manager, "limits").attributes["event_type"] == "watchdog_expired"
    await site.set_number(manager, "available_current", 20)
    await eventually(lambda: event_of(site, manager, "limits").attributes["event_type"] == "watchdog_cleared")
    assert event_of(site, manager, "limits").state > told


async def test_log_replays(hass: HomeAssistant, site: Site) -> None:
    """Through modes and a reload of the load manager the log has no gap."""
    _, charger, manager = await site.set_up_all()
    for mode, reason in (("fast", "charging_fast"), ("off", "site_off"), ("pv", "charging_surplus")):
        await site.select(manager, mode)
        await eventually(lambda reason=reason: site.value(charger, "reason") == reason)
    serial = site.config.chargers[0].serial
    assert log_of(hass).allocation()[serial]["charge"] is True
    assert await hass.config_entries.async_reload(manager.entry_id)
    await eventually(lambda: site.value(charger, "reason") == "charging_surplus")
    records, start = read(log_of(hass))
    assert replay(records, start) == log_of(hass).allocation()
    causes = [record["cause"] for record in records]
    assert causes[0] == "start"
    assert {"mode", "end"} <= set(causes)
    assert causes.index("end") < len(causes) - 1


async def test_numbers_are_those_of_the_sentence(hass: HomeAssistant, site: Site) -> None:
    """A record holds what its sentence needs, and nothing else."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    await site.select(manager, "off")
    await eventually(lambda: site.value(charger, "reason") == "site_off")
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "charging_surplus")
    texts = load("texts/en.json")
    records, _ = read(log_of(hass))
    changes = [change for record in records for change in record["changes"]]
    assert changes
    for change in changes:
        sentence = texts[change["reason"]]
        assert all(f"{{{name}}}" in sentence for name in change["numbers"]), change
    assert any(change["numbers"] for change in changes)


async def test_switch(hass: HomeAssistant, site: Site) -> None:
    """The complete log is off until it is turned on, and stays on over a reload."""
    *_, manager = await site.set_up_all()
    assert site.value(manager, "distribution_log", "switch") == "off"
    assert log_of(hass).complete is False
    await site.turn(manager, "distribution_log", on=True)
    await eventually(lambda: log_of(hass).complete)
    assert await hass.config_entries.async_reload(manager.entry_id)
    await eventually(lambda: site.value(manager, "distribution_log", "switch") == "on")
    assert log_of(hass).complete is True
    await site.turn(manager, "distribution_log", on=False)
    await eventually(lambda: not log_of(hass).complete)


async def test_event_without_load_manager(hass: HomeAssistant, site: Site) -> None:
    """A charger's event entity is there before any load manager is, and hears what happens later."""
    charger = site.charger_entry()
    await site.set_up(charger)
    assert last(site, charger) is None
    happening = Happening(
        charger_id=charger.data["serial"], event=ChargerEvent.STOPPED, cause=Cause.END, explanation=None
    )
    async_dispatcher_send(hass, happened(charger.data["serial"]), happening)
    await hass.async_block_till_done()
    assert last(site, charger) == "stopped"


def busy(second: int) -> Plan:
    """Return a plan that tells each of 32 chargers something else than the second before."""
    return Plan(
        chargers={
            f"9{number:07}": ChargerPlan(
                command=Command(charge=True, current_a=6 + (second + number) % 10, phases=3),
                explanation=Explanation(
                    reason=Reason.LIMITED_BY_FUSE,
                    numbers={
                        "allocated_a": 6.0 + second % 10,
                        "maximum_a": 16.0,
                        "house_a": second / 7,
                        "limit_a": 35.0,
                    },
                    circuit_id="root",
                ),
                safe_current_a=6,
            )
            for number in range(32)
        },
        surplus_w=float(second),
    )


@pytest.mark.parametrize("complete", [False, True])
def test_cost(complete: bool) -> None:
    """A record of 32 chargers a second takes less than a millisecond, and a copy for a download hardly more."""
    log = DistributionLog()
    log.complete = complete
    plans = [busy(second) for second in range(600)]
    begin = time.perf_counter()
    for second, plan in enumerate(plans):
        log.follow(plan, Configuration(), float(second), dt_util.utcnow())
    assert (time.perf_counter() - begin) / len(plans) < STEP_BUDGET
    begin = time.perf_counter()
    excerpt = log.excerpt()
    assert time.perf_counter() - begin < 0.05
    document = excerpt.as_dict()
    assert replay([json.loads(line) for line in document["records"]], document["start"]) == log.allocation()
