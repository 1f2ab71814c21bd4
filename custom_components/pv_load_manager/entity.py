"""What all entities of this integration have in common."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo, async_get_device_id_by_identifier
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from .const import CONF_ENTRY_TYPE, CONF_SERIAL, DOMAIN, EntryType
from .control import ROOT_CIRCUIT
from .coordinators.clients import configuration_url
from .coordinators.inverter import InverterCoordinator
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.wattpilot import WattpilotCoordinator
from .pace import STEADY, pace_of
from .shared import SHARED

PUBLISH_INTERVAL: Final = 5.0  # s; control sees every update, the state machine and the recorder need not


type _Shown = tuple[bool, Any, Mapping[str, Any] | None]
"""Whether it was available, its value, its attributes."""


def device_info(entry: ConfigEntry) -> DeviceInfo:
    """Return the device of an entry: each has exactly one."""
    if entry.data[CONF_ENTRY_TYPE] == EntryType.LOAD_MANAGER:
        return DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            manufacturer="PV Load Manager",
            entry_type=DeviceEntryType.SERVICE,
        )
    serial = entry.data[CONF_SERIAL]
    coordinator = entry.runtime_data
    if isinstance(coordinator, WattpilotCoordinator):
        info = coordinator.client.info
        status = coordinator.client.status
        return DeviceInfo(
            identifiers={(DOMAIN, f"{EntryType.WATTPILOT}_{serial}")},
            name=entry.title,
            manufacturer="Fronius",
            model=info.model if info is not None else None,
            model_id=info.device_type if info is not None else None,
            hw_version=None if status.variant_kw is None else f"{status.variant_kw} kW",
            serial_number=serial,
            sw_version=info.firmware if info is not None else None,
            configuration_url=configuration_url(entry.data),
        )
    inverter = coordinator.info if isinstance(coordinator, InverterCoordinator) else None
    return DeviceInfo(
        identifiers={(DOMAIN, f"{EntryType.SOLAREDGE}_{serial}")},
        name=entry.title,
        manufacturer="SolarEdge",
        model=inverter.model if inverter is not None else None,
        serial_number=serial,
        sw_version=inverter.firmware if inverter is not None else None,
        configuration_url=coordinator.page if isinstance(coordinator, InverterCoordinator) else None,
    )


class PvLoadManagerEntity[CoordinatorT: DataUpdateCoordinator[Any]](CoordinatorEntity[CoordinatorT]):
    """An entity that publishes only what changed, and figures at the pace of their kind.

    A change of anything but a figure (a mode, a reason, the availability) is published at once.
    """

    _attr_has_entity_name = True

    def __init__(self, coordinator: CoordinatorT, description: EntityDescription) -> None:
        """Attach the entity to the device of its entry."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        if entry is None:
            raise TypeError("a coordinator without an entry has no device")
        self.entity_description = description
        owner = entry.data.get(CONF_SERIAL, entry.entry_id)
        self._attr_unique_id = f"{owner}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers=device_info(entry)["identifiers"])
        # What users set is shown soon, whatever its kind.
        self._pace = pace_of(description) if isinstance(self, SensorEntity) else STEADY
        self._published: _Shown | None = None
        self._published_at = 0.0
        self._later: CALLBACK_TYPE | None = None
        self._later_at = 0.0

    @property
    def settled(self) -> bool:
        """Return whether what is to be shown is the last of it, so that it waits for nothing more."""
        return False

    def refresh(self) -> Any:
        """Take the present value from the coordinator into the entity's attributes and return it."""
        raise NotImplementedError

    @override
    async def async_added_to_hass(self) -> None:
        """Show the present value from the start."""
        await super().async_added_to_hass()
        self._take()
        self.async_on_remove(self._cancel_later)

    @override
    @callback
    def _handle_coordinator_update(self) -> None:
        before, present = self._published, self._take()
        if present == before:
            return
        now = self.hass.loop.time()
        due = now
        if before is not None and before[0] == present[0] and not self.settled:
            due = self._published_at + self._pace.wait(before[1], present[1]) * PUBLISH_INTERVAL
        if due <= now:
            self._publish(now)
        elif self._later is None or due < self._later_at:
            self._cancel_later()
            self._later_at = due
            self._later = async_call_later(self.hass, due - now, self._publish_later)

    def _take(self) -> _Shown:
        value = self.refresh() if self.available else None
        return (self.available, value, self.extra_state_attributes if self.available else None)

    @callback
    def _publish(self, now: float) -> None:
        self._cancel_later()
        self._published = self._take()
        self._published_at = now
        self.async_write_ha_state()

    @callback
    def _publish_later(self, _now: object) -> None:
        self._later = None
        self._publish(self.hass.loop.time())

    @callback
    def _cancel_later(self) -> None:
        if self._later is not None:
            self._later()
            self._later = None


class CircuitEntity(PvLoadManagerEntity[LoadManagerCoordinator]):
    """An entity of one circuit; each below the house connection is a device that goes with its circuit."""

    def __init__(self, coordinator: LoadManagerCoordinator, description: EntityDescription, circuit_id: str) -> None:
        """Attach the entity to its circuit; what is called "circuit_..." has a name of its own at the connection."""
        super().__init__(coordinator, description)
        entry = coordinator.config_entry
        self._circuit_id = circuit_id
        self._attr_unique_id = f"{entry.entry_id}_{description.key}_{circuit_id}"
        if circuit_id == ROOT_CIRCUIT:
            self._attr_translation_key = (description.translation_key or "").replace("circuit_", "connection_", 1)
        else:
            self._attr_device_info = DeviceInfo(
                identifiers={(DOMAIN, f"{entry.entry_id}_{circuit_id}")},
                name=coordinator.circuit_names[circuit_id],
                manufacturer="PV Load Manager",
                entry_type=DeviceEntryType.SERVICE,
                via_device_id=async_get_device_id_by_identifier(
                    coordinator.hass, (DOMAIN, entry.entry_id), config_entry_id=entry.entry_id
                ),
            )


class ManagedChargerEntity(PvLoadManagerEntity[WattpilotCoordinator]):
    """A setting of a charger that only a load manager can carry out."""

    @property
    @override
    def available(self) -> bool:
        """Return whether there is a load manager that commands this charger."""
        return self.hass.data[SHARED].load_manager is not None and self.coordinator.managed

    @property
    def manager(self) -> LoadManagerCoordinator:
        """Return the load manager.

        Raises:
            ServiceValidationError: there is none.
        """
        manager = self.hass.data[SHARED].load_manager
        if manager is None:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_load_manager")
        return manager
