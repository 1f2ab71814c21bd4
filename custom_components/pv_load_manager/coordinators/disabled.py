"""Takes a repair back when its entry is disabled: nothing of an entry that never was loaded does that by itself."""

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN


@callback
def end_when_disabled(hass: HomeAssistant, entry: ConfigEntry, issue_id: str) -> None:
    """Delete a repair as soon as its entry is disabled or removed; to be called before the repair is raised."""
    known = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    if known is not None and known.active:  # one of before the restart has nobody who takes it back
        return  # somebody follows the entry already

    @callback
    def changed(change: ConfigEntryChange, changed_entry: ConfigEntry) -> None:
        if changed_entry is not entry:
            return
        if entry.disabled_by is not None or change is ConfigEntryChange.REMOVED:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            unsubscribe()

    unsubscribe = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
