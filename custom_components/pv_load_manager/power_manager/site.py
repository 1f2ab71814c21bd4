"""Between the documents and the load manager: what it says now, and how a write is carried out."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError

from ..const import (
    CONF_BATTERY_DIRECTION,
    CONF_BATTERY_INVERTED,
    CONF_LARGEST_CONSUMER,
    BatteryDirection,
)
from ..control import SURPLUS_MODES, Mode
from ..coordinators.documents import low_level_state, power_manager_state
from ..coordinators.errors import refused
from ..coordinators.load_manager import LoadManagerCoordinator
from ..coordinators.meter_report import METER_LAG
from ..coordinators.settings import read_default_mode, read_phase_policy
from ..shared import SHARED
from .fields import Changes, Refused, Seen, Target
from .meters import SENSORS, all_meters, battery_slot, grid_slot, grid_source, with_battery_source


@callback
def loaded_manager(hass: HomeAssistant) -> LoadManagerCoordinator | None:
    """Return the load manager once it decides, None before."""
    manager = hass.data[SHARED].load_manager
    return manager if manager is not None and manager.decided_at > 0.0 else None


@callback
def seen_now(hass: HomeAssistant, manager: LoadManagerCoordinator) -> Seen:
    """Return what the documents are made of."""
    entry, plan = manager.config_entry, manager.data
    config, state, snapshot = manager.inside()
    memory = hass.data[SHARED].memory
    return Seen(
        config=config,
        state=power_manager_state(plan),
        low_level=low_level_state(plan, config, state, snapshot, hass.loop.time()),
        default_mode=read_default_mode(manager.settings),
        phase_policies=frozenset(read_phase_policy(memory.charger(charger.charger_id)) for charger in config.chargers),
        meters=all_meters(hass, entry),
        grid_slot=grid_slot(hass, entry),
        battery_slot=battery_slot(hass, entry),
        battery_negative=_battery_negative(entry.options, battery_slot(hass, entry)),
        largest_consumer_a=float(entry.data.get(CONF_LARGEST_CONSUMER, 0)),
    )


async def async_apply(hass: HomeAssistant, manager: LoadManagerCoordinator, changes: Changes) -> None:
    """Carry out a write; returns when it is in force.

    Raises:
        Refused: it is not possible now; then nothing has changed.
    """
    entry = manager.config_entry
    data, options = _configured(hass, entry, changes)
    _command(manager, changes)
    settings = {name: value for name, value in changes.items() if not isinstance(name, Target)}
    if data != entry.data:
        settings[METER_LAG] = None  # found out for the meter before
    if settings:
        manager.change(**settings)
    if (policy := changes.get(Target.PHASE_POLICY)) is not None:
        for charger in manager.configuration().chargers:
            manager.change_charger(charger.charger_id, phase_policy=policy.value)
    if hass.config_entries.async_update_entry(entry, data=data, options=options):
        # The entry's own listener reloads it, and has the lock already.
        async with entry.setup_lock:
            pass


def _command(manager: LoadManagerCoordinator, changes: Changes) -> None:
    """Carry out what is no setting, and is refused where an entity would refuse it."""
    mode: Mode | None = changes.get(Target.MODE)
    if mode in SURPLUS_MODES and not manager.has_power_meter:
        raise Refused(str(refused("mode_needs_meter")), "mode")
    if mode is not None:
        manager.choose_mode(mode.value)
    if Target.PHASES_WANTED in changes:
        try:
            manager.request_phases(changes[Target.PHASES_WANTED])
        except ServiceValidationError as err:
            raise Refused(str(err), "phases_wanted", conflict=True) from err


def _configured(hass: HomeAssistant, entry: ConfigEntry, changes: Changes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return data and options of the load manager's entry with what is written of them."""
    data, options = dict(entry.data), dict(entry.options)
    if Target.GRID_SLOT in changes:
        data |= grid_source(hass, changes[Target.GRID_SLOT])
    if Target.BATTERY_SLOT in changes:
        options = with_battery_source(options, changes[Target.BATTERY_SLOT])
    if Target.BATTERY_NEGATIVE in changes:
        slot = changes.get(Target.BATTERY_SLOT, battery_slot(hass, entry))
        options |= _battery_direction(options, slot, negative=changes[Target.BATTERY_NEGATIVE])
    return data, options


def _battery_negative(options: Mapping[str, Any], slot: int) -> bool:
    """Return whether what counts as the battery is negative while it charges."""
    if slot == SENSORS:
        return bool(options.get(CONF_BATTERY_DIRECTION) != BatteryDirection.CHARGE_POSITIVE)
    return not options.get(CONF_BATTERY_INVERTED, False)


def _battery_direction(options: Mapping[str, Any], slot: int, *, negative: bool) -> dict[str, Any]:
    """Return the options that change with the sign of the battery.

    Raises:
        Refused: charging and discharging have sensors of their own, so that there is no sign.
    """
    if _battery_negative(options, slot) is negative:
        return {}
    if slot != SENSORS:
        return {CONF_BATTERY_INVERTED: not negative}
    if options.get(CONF_BATTERY_DIRECTION) == BatteryDirection.SEPARATE:
        raise Refused("The battery has a sensor for charging and one for discharging: no sign", "battery_inverted")
    direction = BatteryDirection.DISCHARGE_POSITIVE if negative else BatteryDirection.CHARGE_POSITIVE
    return {CONF_BATTERY_DIRECTION: direction.value}
