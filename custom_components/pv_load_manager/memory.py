"""What the integration remembers over a restart: the user's settings, and the chargers' former values."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

VERSION = 1
SAVE_DELAY = 5  # s; settings come in bursts


class Memory:
    """Settings by name, for the site and for each charger, kept in Home Assistant's storage."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare the storage; nothing is read before ``async_load``."""
        self._store: Store[dict[str, Any]] = Store(hass, VERSION, DOMAIN)
        self._site: dict[str, Any] = {}
        self._chargers: dict[str, dict[str, Any]] = {}
        self._control: Mapping[str, Any] = {}
        self._clouds: dict[str, Mapping[str, Any]] = {}
        self._batteries: set[str] = set()
        self._grid_slots: dict[str, int] = {}

    async def async_load(self) -> None:
        """Read what was saved."""
        saved = await self._store.async_load() or {}
        self._site = dict(saved.get("site", {}))
        self._chargers = {key: dict(value) for key, value in saved.get("chargers", {}).items()}
        self._control = saved.get("control", {})
        self._clouds = dict(saved.get("clouds", {}))
        self._batteries = set(saved.get("batteries", ()))
        self._grid_slots = dict(saved.get("grid_slots", {}))

    @property
    def site(self) -> Mapping[str, Any]:
        """Return the settings of the site."""
        return self._site

    @property
    def control(self) -> Mapping[str, Any]:
        """Return the saved state of the control core."""
        return self._control

    def charger(self, charger_id: str) -> Mapping[str, Any]:
        """Return the settings of one charger."""
        return self._chargers.get(charger_id, {})

    def set_site(self, **values: Any) -> None:
        """Change settings of the site."""
        self._site |= values
        self._save()

    def set_charger(self, charger_id: str, **values: Any) -> None:
        """Change settings of one charger; None forgets one."""
        settings = self._chargers.setdefault(charger_id, {})
        for key, value in values.items():
            if value is None:
                settings.pop(key, None)
            else:
                settings[key] = value
        self._save()

    def cloud(self, key: str) -> Mapping[str, Any]:
        """Return what is known of a cloud with a quota."""
        return self._clouds.get(key, {})

    def set_cloud(self, key: str, values: Mapping[str, Any] | None) -> None:
        """Keep what is known of a cloud with a quota; None forgets it."""
        if values is None:
            self._clouds.pop(key, None)
        else:
            self._clouds[key] = values
        self._save()

    def has_battery(self, serial: str) -> bool:
        """Return whether an inverter had a battery when it was last connected."""
        return serial in self._batteries

    def set_battery(self, serial: str, *, attached: bool) -> None:
        """Keep whether an inverter has a battery."""
        if attached is not self.has_battery(serial):
            self._batteries ^= {serial}
            self._save()

    def grid_slot(self, serial: str) -> int | None:
        """Return the slot (1..3) of the grid meter that an inverter had when it was last set up; None = none."""
        return self._grid_slots.get(serial)

    def set_grid_slot(self, serial: str, slot: int | None) -> None:
        """Keep which of an inverter's meters is the grid's; None forgets it."""
        if slot == self.grid_slot(serial):
            return
        if slot is None:
            del self._grid_slots[serial]
        else:
            self._grid_slots[serial] = slot
        self._save()

    def set_control(self, control: Mapping[str, Any]) -> None:
        """Keep the state of the control core."""
        self._control = control
        self._save()

    def forget_charger(self, charger_id: str) -> None:
        """Forget a removed charger, also where no load manager is there to forget it."""
        self._chargers.pop(charger_id, None)
        known = self._control.get("chargers")
        if isinstance(known, Mapping):
            self._control = {
                **self._control,
                "chargers": {key: value for key, value in known.items() if key != charger_id},
            }
        self._save()

    def forget_site(self) -> None:
        """Forget the load manager's settings when it is removed."""
        self._site = {}
        self._control = {}
        self._save()

    def _save(self) -> None:
        self._store.async_delay_save(self._as_dict, SAVE_DELAY)

    def _as_dict(self) -> dict[str, Any]:
        return {
            "site": self._site,
            "chargers": self._chargers,
            "control": self._control,
            "clouds": self._clouds,
            "batteries": sorted(self._batteries),
            "grid_slots": self._grid_slots,
        }
