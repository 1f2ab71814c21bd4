"""Chargers that wait for a card, or that a limit of their own keeps from charging."""

from simulator import ChargerConfig

from .conftest import QUICK_CAR, BuildSite, sunny
from .site import eventually


async def test_waits_for_a_card(build_site: BuildSite) -> None:
    """The reason says what to do, nothing is kept for the charger, and it charges as soon as somebody is authorised."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, access=1)))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_authorisation")
    assert site.number(charger, "allocated_current") == 0
    site.home.chargers[0].charger.write("trx", 1)
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 4000)
    site.home.chargers[0].charger.unplug()
    site.home.chargers[0].charger.plug()
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_authorisation")


async def test_too_hot(build_site: BuildSite) -> None:
    """A charger that allows less than 6 A is the reason itself, and no turn of others."""
    site = await build_site(sunny())
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    site.home.chargers[0].charger.temperature_current = 5
    await eventually(lambda: site.value(charger, "reason") == "charger_limit")
    text = site.state("sensor", charger, "reason").attributes["text"]
    assert "only 5 A" in text
    site.home.chargers[0].charger.temperature_current = 32
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
