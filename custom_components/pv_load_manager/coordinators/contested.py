"""Tells the user that somebody else changes a charger again and again."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, LOGGER

CONTESTED: Final = {
    "amp": "other_controller_current",
    "frc": "other_controller_hold",
    "psm": "other_controller_phases",
    "lmo": "other_controller_logic",
    "fup": "other_controller_logic",
}
"""The repair by the key that is changed."""


class ContestIssue:
    """The repair of one charger; told once for as long as it lasts."""

    def __init__(self, hass: HomeAssistant, serial: str) -> None:
        """Begin in peace."""
        self._hass = hass
        self._issue_id = f"other_controller_{serial}"
        self.raised = False

    @callback
    def begin(self, key: str, name: str) -> None:
        """Raise the repair.

        Args:
            key: what somebody else changes.
            name: what the charger is called.
        """
        if self.raised:
            return
        self.raised = True
        LOGGER.warning("Another controller keeps changing %s of %s", key, name)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=CONTESTED[key],
            translation_placeholders={"name": name},
        )

    @callback
    def end(self) -> None:
        """Take the repair back."""
        self.raised = False
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
