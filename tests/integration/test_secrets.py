"""Nothing secret reaches a log, a state or a form."""

import logging

import pytest

from custom_components.pv_load_manager.const import EntryType
from simulator import SECRET_MARK, ChargerConfig

from .conftest import QUICK_CAR, BuildSite, sunny
from .flows import answer, begin
from .site import Site, eventually

PASSWORD = "correct-horse-battery"
WRONG = "staple-of-another-horse"


def all_states(site: Site) -> str:
    """Return everything that the state machine shows."""
    return " ".join(str(state.as_dict()) for state in site.hass.states.async_all())


async def test_no_secret_in_logs(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> None:
    """With everything logged, through set-up, commands, a wrong password and a reconnect, no secret is in the log."""
    caplog.set_level(logging.DEBUG)
    # The virtual home logs what it receives and sends; that is not ours.
    for name in ("websockets.server", "simulator", "tmodbus.server"):
        logging.getLogger(name).setLevel(logging.WARNING)
    site = await build_site(sunny(ChargerConfig(password=PASSWORD, car=QUICK_CAR)))
    simulated = site.home.chargers[0]
    address = {"host": "127.0.0.1", "port": simulated.port}
    result = await begin(site.hass, EntryType.WATTPILOT)
    result = await answer(site.hass, result, {**address, "password": WRONG})
    assert result["errors"] == {"base": "invalid_auth"}
    assert WRONG not in str(result["data_schema"])
    result = await answer(site.hass, result, {**address, "password": PASSWORD})
    charger = result["result"]
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), manager)
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    simulated.drop()
    await eventually(lambda: simulated.clients == 0)
    await eventually(lambda: simulated.clients == 1)
    simulated.faults.unknown_messages = True
    simulated.faults.rejected_keys = {"frc": "not now"}
    await site.select(manager, "off")
    await eventually(lambda: "did not take a command" in caplog.text)
    simulated.faults.wrong_password = True
    simulated.drop()
    await eventually(site.hass.config_entries.flow.async_progress)
    assert "custom_components.pv_load_manager" in {record.name for record in caplog.records}
    for secret in (PASSWORD, WRONG):
        assert secret not in caplog.text
        assert secret not in all_states(site)
    assert SECRET_MARK not in all_states(site)
    spoken = [line for line in caplog.text.splitlines() if SECRET_MARK in line]
    assert not spoken, spoken[0][:200]
    assert "Traceback" not in caplog.text
