"""What the integration remembers over a restart: the user's settings, and the chargers' former values."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .asides import async_keep_aside, async_remove_all
from .const import DOMAIN, LOGGER

VERSION = 1
SAVE_DELAY = 5  # s; settings come in bursts
COUNT_DELAY = 60  # s; after a power failure the chargers' own counters tell what they gave meanwhile
OF_SITE = frozenset({"mode", "mode_until", "mode_before"})
"""Settings of a charger that nobody ends without a load manager."""

type Saved = dict[str, Any]


class Memory:
    """Settings by name, for the site and for each charger, kept in Home Assistant's storage."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare the storage; nothing is read before ``async_load``."""
        self._hass = hass
        self._store: Store[Saved] = Store(hass, VERSION, DOMAIN, atomic_writes=True)
        self._due: float | None = None
        """When the file will be written, in monotonic seconds; None = nothing has changed."""
        self._counting: list[CALLBACK_TYPE] = []
        self._site: dict[str, Any] = {}
        self._chargers: dict[str, dict[str, Any]] = {}
        self._control: Mapping[str, Any] = {}
        self._clouds: dict[str, Mapping[str, Any]] = {}
        self._batteries: set[str] = set()
        self._grid_slots: dict[str, int] = {}

    async def async_load(self) -> None:
        """Read what was saved; of a damaged file what can be read, and the file is kept aside.

        Raises:
            UnsupportedStorageVersionError: a later version of the integration wrote it; it is left alone.
        """
        try:
            saved: object = await self._store.async_load()
        except (KeyError, NotImplementedError, TypeError) as err:
            saved = err
        self._site = _mapping(saved, "site")
        self._chargers = _mappings(saved, "chargers")
        self._control = _mapping(saved, "control")
        self._clouds = dict(_mappings(saved, "clouds"))
        batteries = saved.get("batteries") if isinstance(saved, Mapping) else None
        self._batteries = set(map(str, batteries)) if isinstance(batteries, list) else set()
        slots = _mapping(saved, "grid_slots")
        self._grid_slots = {serial: slot for serial, slot in slots.items() if isinstance(slot, int)}
        if saved is not None and not self._holds(saved):
            LOGGER.warning("What is remembered of settings and chargers cannot be read, or only in part")
            await async_keep_aside(self._hass, self._store)
            self._save()

    def _holds(self, saved: object) -> bool:
        """Return whether all is here that was saved; an earlier version may have known less."""
        return isinstance(saved, Mapping) and all(
            saved.get(name, part) == part for name, part in self._as_dict().items()
        )

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
        if not self._site.items() >= values.items():
            self._site |= values
            self._save()

    def set_charger(self, charger_id: str, **values: Any) -> None:
        """Change settings of one charger; None forgets one."""
        if self._change_charger(charger_id, values):
            self._save()

    def count_site(self, **counts: Any) -> None:
        """Keep what is counted in the whole house; it is saved seldom."""
        if not self._site.items() >= counts.items():
            self._site |= counts
            self._save(counts=True)

    def count_charger(self, charger_id: str, **counts: Any) -> None:
        """Keep what is counted at one charger; it is saved seldom."""
        if self._change_charger(charger_id, counts):
            self._save(counts=True)

    @callback
    def before_saving(self, count: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Let somebody keep what was counted until now whenever all is saved; return what ends it.

        All counts that are saved are of one moment then.
        """
        self._counting.append(count)
        return partial(self._counting.remove, count)

    def _change_charger(self, charger_id: str, values: Mapping[str, Any]) -> bool:
        """Return whether that changed anything."""
        before = self._chargers.get(charger_id, {})
        after = {key: value for key, value in {**before, **values}.items() if value is not None}
        self._chargers[charger_id] = after
        return after != before

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
        """Forget the load manager's settings when it is removed, and the modes that chargers had of it."""
        self._site = {}
        for settings in self._chargers.values():
            for name in OF_SITE & settings.keys():
                del settings[name]
        self._control = {}
        self._save()

    async def async_remove(self) -> None:
        """Forget everything, and remove the file."""
        self._site, self._chargers, self._control = {}, {}, {}
        self._clouds, self._batteries, self._grid_slots = {}, set(), {}
        self._due = None
        await async_remove_all(self._hass, self._store)

    async def async_save(self) -> None:
        """Save all at once."""
        await self._store.async_save(self._written())

    def _save(self, *, counts: bool = False) -> None:
        """Save all soon, counts seldom.

        The store waits anew with every call: who calls often enough would never be saved before a power failure.

        Args:
            counts: whether only counts have changed.
        """
        delay = COUNT_DELAY if counts else SAVE_DELAY
        due = self._hass.loop.time() + delay
        if self._due is None or due < self._due:
            self._due = due
            self._store.async_delay_save(self._written, delay)

    def _written(self) -> Saved:
        self._due = 0.0  # what is counted now is on its way
        for count in tuple(self._counting):
            try:
                count()
            except Exception:  # noqa: BLE001 - whatever it is, the settings have to be saved
                LOGGER.exception("What was counted cannot be saved")
        self._due = None
        return self._as_dict()

    def _as_dict(self) -> Saved:
        return {
            "site": self._site,
            "chargers": self._chargers,
            "control": self._control,
            "clouds": self._clouds,
            "batteries": sorted(self._batteries),
            "grid_slots": self._grid_slots,
        }


def _mapping(saved: object, name: str) -> dict[str, Any]:
    """Return a part of what was saved, empty where there is none."""
    part = saved.get(name) if isinstance(saved, Mapping) else None
    return dict(part) if isinstance(part, Mapping) else {}


def _mappings(saved: object, name: str) -> dict[str, dict[str, Any]]:
    """Return a part that holds settings by whom they belong to."""
    return {key: dict(value) for key, value in _mapping(saved, name).items() if isinstance(value, Mapping)}
