"""What is so or not: the car, its charger, and whether devices answer."""

from .site import Site, eventually


async def test_car(site: Site) -> None:
    """A car is plugged in, charges, rests and leaves."""
    _, charger, manager = await site.set_up_all()

    def shown() -> tuple[str, str]:
        plugged, charging = (site.value(charger, key, "binary_sensor") for key in ("plugged", "charging"))
        return plugged, charging

    await site.select(manager, "off")
    await eventually(lambda: shown() == ("on", "off"))
    await site.select(manager, "fast")
    await eventually(lambda: shown() == ("on", "on"))
    await site.select(manager, "off")
    await eventually(lambda: shown() == ("on", "off"))
    site.home.chargers[0].unplug()
    await eventually(lambda: shown() == ("off", "off"))


async def test_connection(site: Site) -> None:
    """While a device is silent its entities are unavailable, but for the one that says so."""
    inverter, charger, _ = await site.set_up_all()
    for entry in (inverter, charger):
        assert site.value(entry, "connected", "binary_sensor") == "on"
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(charger, "connected", "binary_sensor") == "off")
    assert site.value(charger, "plugged", "binary_sensor") == "unavailable"
    await site.home.inverter.stop()
    await eventually(lambda: site.value(inverter, "connected", "binary_sensor") == "off")
