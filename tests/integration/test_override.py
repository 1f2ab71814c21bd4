"""A user overrides one charger in Home Assistant."""

import asyncio
from datetime import timedelta
from typing import Any

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control import Override, OverrideSource
from custom_components.pv_load_manager.shared import SHARED

from .conftest import BuildSite, sunny
from .site import APP_TIMINGS, Site, eventually
from .watching import TWO, draws, gives, holds

LATER = 1.0


def override(site: Site, serial: str = "10000001") -> Override | None:
    """Return what somebody chose for a charger."""
    manager = site.hass.data[SHARED].load_manager
    assert manager is not None
    return manager.override(serial)


async def act(site: Site, action: str, *chargers: MockConfigEntry, **data: Any) -> None:
    """Call an action for chargers."""
    targets = [site.entity_id("select", charger, "charge_mode") for charger in chargers]
    await site.hass.services.async_call(DOMAIN, action, {ATTR_ENTITY_ID: targets, **data}, blocking=True)


async def waiting(build_site: BuildSite, **home: float) -> tuple[Site, MockConfigEntry, MockConfigEntry]:
    """Set up a home without sun and let its car wait; return it with the charger's and the load manager's entry."""
    site = await build_site(sunny(pv_w=0, **home))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: holds(site)() and draws(site) == 0)
    return site, charger, manager


async def test_override_until_unplugging(build_site: BuildSite) -> None:
    """A car that waits for the sun charges as chosen until it leaves; the next one waits again."""
    site, charger, _ = await waiting(build_site)
    await act(site, "set_override", charger, current=10)
    await eventually(lambda: draws(site) == pytest.approx(10, abs=0.3))
    await eventually(lambda: site.value(charger, "reason") == "override")
    assert override(site) == Override(current_a=10)
    await act(site, "set_override", charger, current=13)
    await eventually(gives(site, 13))
    await asyncio.sleep(LATER)
    assert override(site) == Override(current_a=13)
    site.home.chargers[0].unplug()
    await eventually(lambda: override(site) is None)
    await eventually(holds(site))
    site.home.chargers[0].plug()
    await asyncio.sleep(LATER)
    assert holds(site)()
    assert draws(site) == 0


async def test_override_by_duration(build_site: BuildSite) -> None:
    """It ends by itself when its time is over, and the car charges by its mode again."""
    site, charger, _ = await waiting(build_site)
    await act(site, "set_override", charger, current=10, duration={"seconds": 4})
    await eventually(lambda: draws(site) > 9)
    assert override(site) is not None
    await eventually(lambda: override(site) is None)
    await eventually(lambda: draws(site) == 0)
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_surplus")


async def test_override_until(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends at a time of the day, which is local where nothing else is said."""
    site, charger, _ = await waiting(build_site)
    end = dt_util.now().replace(microsecond=0) + timedelta(hours=2)
    await act(site, "set_override", charger, current=10, until=end.replace(tzinfo=None).isoformat(sep=" "))
    found = override(site)
    assert found is not None
    assert found.until == end
    await eventually(lambda: draws(site) > 9)
    monkeypatch.setattr(dt_util, "now", lambda: end - timedelta(seconds=1))
    await asyncio.sleep(1.5)
    assert override(site) is not None
    monkeypatch.setattr(dt_util, "now", lambda: end)
    await eventually(lambda: override(site) is None)
    await eventually(lambda: draws(site) == 0)


async def test_override_by_energy(build_site: BuildSite) -> None:
    """It ends when the car has got so much from then on, whatever it got before."""
    site, charger, manager = await waiting(build_site)
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 15)
    await asyncio.sleep(2)  # 11 kW for 2 s are 6 Wh; what a car got is counted in Home Assistant's time
    await site.select(manager, "pv")
    await eventually(lambda: draws(site) == 0)
    began = asyncio.get_running_loop().time()
    await act(site, "set_override", charger, current=10, energy=0.005)
    await eventually(lambda: override(site) is None)
    took = asyncio.get_running_loop().time() - began
    assert 2.2 < took < 5  # 7 kW for 2.6 s, and the time to start
    await eventually(lambda: draws(site) == 0)


async def test_override_zero(site: Site) -> None:
    """With 0 A one car is stopped, whatever the mode; with a press on the button it charges again."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 15)
    assert site.value(charger, "clear_override", "button") == "unavailable"
    await act(site, "set_override", charger, current=0)
    await eventually(lambda: draws(site) == 0)
    await eventually(lambda: site.value(charger, "reason") == "override_off")
    await eventually(lambda: site.value(charger, "clear_override", "button") == "unknown")
    button = site.entity_id("button", charger, "clear_override")
    await site.hass.services.async_call("button", "press", {ATTR_ENTITY_ID: button}, blocking=True)
    await eventually(lambda: draws(site) > 15)
    await eventually(lambda: site.value(charger, "clear_override", "button") == "unavailable")


async def test_clear_override(site: Site) -> None:
    """An override from the app ends by the action as well; where there is none nothing happens."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 15)
    await asyncio.sleep(2 * APP_TIMINGS.echo)
    await act(site, "clear_override", charger)
    assert gives(site, 16)()
    site.settings()["amp"] = 9
    await eventually(lambda: override(site) == Override(current_a=9, source=OverrideSource.APP), within=1)
    await act(site, "clear_override", charger)
    await eventually(gives(site, 16))
    await asyncio.sleep(LATER)
    assert override(site) is None
    assert gives(site, 16)()


async def test_override_is_a_cap(site: Site) -> None:
    """It is never a floor: all limits hold, and what they leave is used."""
    _, charger, manager = await site.set_up_all()
    await site.set_number(manager, "available_current", 8)
    await site.select(manager, "fast")
    await act(site, "set_override", charger, current=16)
    await eventually(gives(site, 8))
    await asyncio.sleep(LATER)
    assert gives(site, 8)()
    await site.set_number(manager, "available_current", 5)
    await eventually(holds(site))
    assert override(site) == Override(current_a=16)
    await site.set_number(manager, "available_current", 12)
    await eventually(gives(site, 12))


async def test_app_after_home_assistant(site: Site) -> None:
    """Who chose last counts: the app replaces what was chosen in Home Assistant, and the other way round."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await act(site, "set_override", charger, current=10, duration={"hours": 1})
    await eventually(gives(site, 10))
    await asyncio.sleep(2 * APP_TIMINGS.echo)
    assert override(site) is not None
    site.settings()["amp"] = 12
    await eventually(lambda: override(site) == Override(current_a=12, source=OverrideSource.APP), within=1)
    await act(site, "set_override", charger, current=8)
    await eventually(gives(site, 8))
    await asyncio.sleep(LATER)
    assert override(site) == Override(current_a=8)


async def test_off_always_wins(build_site: BuildSite) -> None:
    """Off ends every override, nobody can begin one while the site is off, and it does not come back."""
    site, charger, manager = await waiting(build_site)
    await act(site, "set_override", charger, current=10)
    await eventually(lambda: draws(site) > 9)
    await site.select(manager, "off")
    await eventually(lambda: draws(site) == 0)
    with pytest.raises(ServiceValidationError) as refusal:
        await act(site, "set_override", charger, current=10)
    assert refusal.value.translation_key == "override_while_off"
    await site.select(manager, "pv")
    await asyncio.sleep(LATER)
    assert draws(site) == 0
    assert override(site) is None


async def test_override_outlives_a_reload(build_site: BuildSite) -> None:
    """A reload of the charger or of the load manager changes nothing, its end included; the car charges on."""
    site, charger, manager = await waiting(build_site)
    await act(site, "set_override", charger, current=10, duration={"hours": 1}, energy=20)
    await eventually(lambda: draws(site) > 9)
    before = override(site)
    for entry in (charger, manager):
        assert await site.hass.config_entries.async_reload(entry.entry_id)
        await asyncio.sleep(LATER)
        assert override(site) == before
        assert gives(site, 10)()
        assert draws(site) > 9


async def test_charger_that_was_removed(build_site: BuildSite) -> None:
    """A charger that is removed and added again knows nothing of its override, whatever the load manager did then."""
    site, charger, manager = await waiting(build_site)
    await act(site, "set_override", charger, current=10)
    await eventually(lambda: draws(site) > 9)
    config_entries = site.hass.config_entries
    assert await config_entries.async_unload(manager.entry_id)
    await config_entries.async_remove(charger.entry_id)
    await site.set_up(site.charger_entry(), manager)
    await asyncio.sleep(LATER)
    assert override(site) is None


async def test_two_chargers(build_site: BuildSite) -> None:
    """An override is for the chosen chargers alone, and for all that were chosen."""
    site = await build_site(sunny(*TWO, pv_w=0))
    _, first, second, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: holds(site)() and holds(site, 1)())
    await act(site, "set_override", second, current=8)
    await eventually(lambda: draws(site, 1) == pytest.approx(8, abs=0.3))
    assert holds(site)()
    assert override(site) is None
    await act(site, "set_override", first, second, current=10)
    await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())
    await act(site, "clear_override", first, second)
    await eventually(lambda: holds(site)() and holds(site, 1)())
