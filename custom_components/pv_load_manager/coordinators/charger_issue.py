"""Repairs of one charger about how it is reached."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import CONF_SERIAL, DOMAIN
from ..shared import SHARED
from ..wattpilot import WattpilotError, WattpilotWrongDeviceError
from .clients import is_cloud, where


class ChargerIssue:
    """One kind of repair of one charger."""

    def __init__(self, hass: HomeAssistant, serial: str, key: str) -> None:
        """Begin without.

        Args:
            hass: Home Assistant.
            serial: of the charger.
            key: of its texts.
        """
        self._hass = hass
        self._key = key
        self._issue_id = f"{key}_{serial}"
        self._raised = False

    @callback
    def follow(self, *, raised: bool, **placeholders: str) -> None:
        """Raise the repair or take it back, on change only."""
        if raised == self._raised:
            return
        self._raised = raised
        if not raised:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=self._key,
            translation_placeholders=placeholders,
        )


class ReachIssues:
    """What the user is told of the way to a charger."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin without any repair."""
        self._hass = hass
        self._entry = entry
        self._cloud = ChargerIssue(hass, entry.data[CONF_SERIAL], "charger_over_cloud")
        self._stranger = ChargerIssue(hass, entry.data[CONF_SERIAL], "another_charger")

    @callback
    def follow_commands(self, *, commanded: bool) -> None:
        """Warn while a fuse is watched and this charger hears of it over the internet only."""
        manager = self._hass.data[SHARED].load_manager
        watched = manager is not None and manager.dynamic_configured and not manager.dynamic_switched_off
        self._cloud.follow(raised=commanded and watched and is_cloud(self._entry.data), name=self._entry.title)

    @callback
    def follow_error(self, err: WattpilotError | None) -> None:
        """Say that another charger has the address, for as long as it does."""
        if isinstance(err, WattpilotWrongDeviceError):
            place = where(self._entry.data)
            self._stranger.follow(
                raised=True, name=self._entry.title, host=place, expected=err.expected, found=err.found
            )
        else:
            self._stranger.follow(raised=False)

    @callback
    def clear(self) -> None:
        """Take all back."""
        self._cloud.follow(raised=False)
        self._stranger.follow(raised=False)
