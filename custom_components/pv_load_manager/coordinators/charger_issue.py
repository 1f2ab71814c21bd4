"""Repairs of one charger, those about how it is reached among them."""

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
        self.raised = False

    @callback
    def begin(self, text: str | None = None, **placeholders: str) -> None:
        """Raise the repair, unless it is; ``text`` names its texts where they differ from case to case."""
        if self.raised:
            return
        self.raised = True
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=text or self._key,
            translation_placeholders=placeholders,
        )

    @callback
    def end(self) -> None:
        """Take the repair back, also one that was raised before a reload."""
        self.raised = False
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)


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
        if commanded and watched and is_cloud(self._entry.data):
            self._cloud.begin(name=self._entry.title)
        elif self._cloud.raised:
            self._cloud.end()

    @callback
    def follow_error(self, err: WattpilotError | None) -> None:
        """Say that another charger has the address, for as long as it does."""
        if isinstance(err, WattpilotWrongDeviceError):
            place = where(self._entry.data)
            self._stranger.begin(name=self._entry.title, host=place, expected=err.expected, found=err.found)
        elif self._stranger.raised:
            self._stranger.end()

    @callback
    def clear(self) -> None:
        """Take all back."""
        self._cloud.end()
        self._stranger.end()


@callback
def forget_issues(hass: HomeAssistant, serial: str) -> None:
    """Delete all repairs of a removed charger, also those that somebody ignored before a restart."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.endswith(f"_{serial}"):
            ir.async_delete_issue(hass, domain, issue_id)
