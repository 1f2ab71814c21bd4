"""The action that exports charging sessions."""

import csv
from datetime import UTC, datetime, timedelta
import io

from homeassistant.setup import async_setup_component
import probatio
import pytest

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control.session import Session
from custom_components.pv_load_manager.services.reports import EXPORT_SESSIONS_SCHEMA
from custom_components.pv_load_manager.shared import SHARED

from .conftest import BuildSite, sunny
from .site import Site
from .test_actions import act, device, refuse
from .watching import TWO

JUNE = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def charged(day: int, energy_wh: float) -> Session:
    """Return a finished session."""
    began = JUNE + timedelta(days=day)
    return Session(began=began, ended=began + timedelta(hours=2), energy_wh=energy_wh, solar_wh=energy_wh)


async def test_export(build_site: BuildSite) -> None:
    """Some chargers or all, all times or a part: as a table and as data, with the names of the chargers."""
    site = await build_site(sunny(*TWO, pv_w=0))
    _, first, second, _ = await site.set_up_all()
    ledger = site.hass.data[SHARED].ledger
    for serial, day, energy in (("10000001", 0, 1000.0), ("10000002", 1, 2000.0), ("10000001", 2, 3000.0)):
        ledger.add(serial, charged(day, energy))
    answer = await act(site, "export_sessions")
    rows = list(csv.DictReader(io.StringIO(answer["csv"])))
    assert [float(row["energy_kwh"]) for row in rows] == [1.0, 2.0, 3.0]
    assert len(answer["sessions"]) == 3
    assert "Carport" in answer["csv"]
    answer = await act(site, "export_sessions", device_id=device(site, second))
    assert [float(row["energy_kwh"]) for row in csv.DictReader(io.StringIO(answer["csv"]))] == [2.0]
    since, until = JUNE + timedelta(days=1), JUNE + timedelta(days=2)
    answer = await act(site, "export_sessions", since=since.isoformat(), until=until.isoformat())
    assert [float(row["energy_kwh"]) for row in csv.DictReader(io.StringIO(answer["csv"]))] == [2.0]
    # One that is not loaded is exported as well.
    assert await site.hass.config_entries.async_unload(first.entry_id)
    answer = await act(site, "export_sessions", device_id=device(site, first), since=until.isoformat())
    assert len(answer["sessions"]) == 1


async def test_exports_that_are_refused(site: Site) -> None:
    """A period that is turned round, and targets that are no charger."""
    inverter, *_ = await site.set_up_all()
    since, until = JUNE.isoformat(), (JUNE - timedelta(days=1)).isoformat()
    assert "after its beginning" in await refuse(site, "export_sessions", since=since, until=until)
    assert "after its beginning" in await refuse(site, "export_sessions", since="0001-01-01T00:00:00+14:00")
    assert "at least one charger" in await refuse(site, "export_sessions", device_id=device(site, inverter))
    with pytest.raises(probatio.Invalid):
        EXPORT_SESSIONS_SCHEMA({"since": "tomorrow"})


async def test_before_anything_is_set_up(site: Site) -> None:
    """Without sessions the table has its head alone; a load manager is not needed."""
    assert await async_setup_component(site.hass, DOMAIN, {})
    answer = await act(site, "export_sessions")
    assert answer["sessions"] == []
    assert list(csv.DictReader(io.StringIO(answer["csv"]))) == []
