"""Asks a device who it is before an entry for it is made; every trouble becomes a message of its own."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from modbus_connection import ModbusTcpParams

from ..const import CONF_UNIT_ID
from ..coordinators.clients import charger_client, is_cloud
from ..solaredge import EvChargerError, InverterInfo, InverterUnreachableError, NotAnInverterError, SolarEdgeReader
from ..wattpilot import (
    DeviceInfo,
    WattpilotAuthenticationError,
    WattpilotConnectionError,
    WattpilotProtocolError,
    WattpilotSnapshotError,
    WattpilotUnsupportedError,
    WattpilotWrongDeviceError,
)

UNREACHED: Final = {"cannot_connect_charger", "not_a_wattpilot"}
"""What says nothing about an address that nobody typed in."""


async def async_probe_inverter(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> tuple[dict[str, str], InverterInfo | None]:
    """Return the errors for the form, and who answered at the address."""
    params = ModbusTcpParams(host=data[CONF_HOST], port=data[CONF_PORT])
    try:
        async with async_get_temporary_unit(hass, params, data[CONF_UNIT_ID]) as unit:
            reader = await SolarEdgeReader.async_open(unit)
            reader.close()  # the connection may be one that others hold, and would hold the reader
    except EvChargerError:
        return {"base": "ev_charger"}, None
    except NotAnInverterError:
        return {"base": "not_an_inverter"}, None
    except InverterUnreachableError:
        return {"base": "cannot_connect_inverter"}, None
    except HomeAssistantError:
        return {"base": "modbus_in_use"}, None
    return {}, reader.data.info


async def async_probe_wattpilot(
    data: Mapping[str, Any], *, serial: str | None = None
) -> tuple[dict[str, str], DeviceInfo | None]:
    """Return the errors for the form, and which charger took the password.

    With ``serial`` the password is shown to no other charger.
    """
    client = charger_client(data, serial=serial)
    try:
        await client.connect()
    except WattpilotAuthenticationError:
        error = "invalid_auth"
    except WattpilotWrongDeviceError:
        error = "wrong_charger"
    except WattpilotUnsupportedError:
        error = "unsupported"
    except WattpilotProtocolError:
        error = "not_a_wattpilot"
    except WattpilotSnapshotError:
        error = "incomplete_status"
    except WattpilotConnectionError:
        error = "cannot_connect_charger"
    else:
        return {}, client.info
    finally:
        await client.close()
    if is_cloud(data) and error in UNREACHED:
        error = "charger_not_in_cloud"
    return {"base": error}, None
