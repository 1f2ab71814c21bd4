"""The steps that set up an inverter: by hand, announced in the network, or found at the address of another one."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType

from ..const import (
    CONF_ENTRY_TYPE,
    CONF_SERIAL,
    CONF_UNIT_ID,
    DEFAULT_MODBUS_PORT,
    DEFAULT_UNIT_ID,
    EntryType,
)
from ..coordinators.shared_host import async_shared_host
from ..solaredge import InverterInfo
from . import forms
from .probe import async_probe_inverter
from .steps import Steps

SOLAREDGE_SERVICE: Final = "_solaredge-modbus._tcp.local."


class SolarEdgeSteps(Steps):
    """Adds or reconfigures an inverter."""

    async def async_step_solaredge(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where an inverter answers, and ask the inverter who it is."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := forms.address_errors(user_input)):
            data = forms.inverter_data(user_input)
            errors, info = await self._async_ask_inverter(data)
            if info is not None:
                if self.source == SOURCE_RECONFIGURE:
                    self._abort_if_unique_id_mismatch(reason="wrong_device")
                    return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data_updates=data)
                self._abort_if_unique_id_configured(updates=data)
                return self.async_create_entry(title=_title(info), data=data)
        return self.async_show_form(
            step_id="solaredge",
            data_schema=self.add_suggested_values_to_schema(forms.inverter_schema(), user_input or self._data),
            errors=errors,
        )

    async def async_step_zeroconf_solaredge(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take up an inverter that announced itself."""
        data = {
            CONF_HOST: forms.best_address(discovery_info).lower(),
            CONF_PORT: discovery_info.port or DEFAULT_MODBUS_PORT,
            CONF_UNIT_ID: _announced_unit(discovery_info.properties),
        }
        if any(_works(entry) and data.items() <= entry.data.items() for entry in self._others()):
            return self.async_abort(reason="already_configured")
        return await self._async_found(data)

    @override
    async def async_step_integration_discovery(self, discovery_info: DiscoveryInfoType) -> ConfigFlowResult:
        """Take up an inverter that answers where another one was."""
        return await self._async_found(dict(discovery_info))

    async def async_step_solaredge_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether to add a discovered inverter."""
        if user_input is not None:
            return self.async_create_entry(title=self.context["title_placeholders"][CONF_NAME], data=self._data)
        self._set_confirm_only()
        return self.async_show_form(
            step_id="solaredge_confirm",
            description_placeholders={
                CONF_NAME: self.context["title_placeholders"][CONF_NAME],
                CONF_HOST: self._data[CONF_HOST],
            },
        )

    async def _async_found(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Ask an inverter at a discovered address who it is: announcements say no serial number."""
        errors, info = await self._async_ask_inverter(data)
        if info is None:
            return self.async_abort(reason=errors["base"])
        if any(_works(entry) and entry.unique_id == self.unique_id for entry in self._others()):
            return self.async_abort(reason="already_configured")  # whatever way it is reached, it is
        self._move_followers(data)
        # The device ID stays: the user may reach the inverter by one that the announcement does not name.
        self._abort_if_unique_id_configured(updates={CONF_HOST: data[CONF_HOST], CONF_PORT: data[CONF_PORT]})
        self._data = data
        self.context["title_placeholders"] = {CONF_NAME: _title(info)}
        return await self.async_step_solaredge_confirm()

    def _move_followers(self, data: Mapping[str, Any]) -> None:
        """Let the inverters that are reached through another one move with it: only the leader announces itself."""
        others = self._others()
        leaders = [_address(entry.data) for entry in others if entry.unique_id == self.unique_id]
        for entry in others:
            if entry.unique_id == self.unique_id or _address(entry.data) not in leaders or _works(entry):
                continue
            address = {CONF_HOST: data[CONF_HOST], CONF_PORT: data[CONF_PORT]}
            self.hass.config_entries.async_update_entry(entry, data={**entry.data, **address})
            self.hass.config_entries.async_schedule_reload(entry.entry_id)

    async def _async_ask_inverter(self, data: dict[str, Any]) -> tuple[dict[str, str], InverterInfo | None]:
        """Complete the data of an entry; the host gets the spelling under which others hold the connection."""
        data[CONF_HOST] = await async_shared_host(self.hass, data[CONF_HOST], data[CONF_PORT], self._others())
        errors, info = await async_probe_inverter(self.hass, data)
        if info is not None:
            by_hand = self.source in {SOURCE_USER, SOURCE_RECONFIGURE}  # goes ahead of what was discovered meanwhile
            await self.async_set_unique_id(f"{EntryType.SOLAREDGE}_{info.serial}", raise_on_progress=not by_hand)
            data |= {CONF_ENTRY_TYPE: EntryType.SOLAREDGE.value, CONF_SERIAL: info.serial}
        return errors, info

    def _others(self) -> list[ConfigEntry]:
        """Return the inverters that are set up already, without the one that is being reconfigured."""
        present = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        return [
            entry
            for entry in self._async_current_entries(include_ignore=False)
            if entry is not present and entry.data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE
        ]


def _works(entry: ConfigEntry) -> bool:
    return entry.state is ConfigEntryState.LOADED and bool(entry.runtime_data.last_update_success)


def _address(data: Mapping[str, Any]) -> tuple[str | None, int | None]:
    return data.get(CONF_HOST), data.get(CONF_PORT)


def _title(info: InverterInfo) -> str:
    return f"SolarEdge {info.model or info.serial}"


def _announced_unit(properties: Mapping[str, Any]) -> int:
    """Return the Modbus device ID that an inverter announces; what cannot be one is the usual one."""
    announced = str(properties.get("MODBUS_ID", "")).strip()
    unit = int(announced) if announced.isdecimal() and len(announced) < 4 else DEFAULT_UNIT_ID
    return unit if 1 <= unit <= 247 else DEFAULT_UNIT_ID
