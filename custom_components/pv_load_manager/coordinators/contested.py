"""Tells the user that somebody else changes a charger again and again."""

from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..const import LOGGER
from .charger_issue import ChargerIssue

CONTESTED: Final = {
    "amp": "other_controller_current",
    "frc": "other_controller_hold",
    "psm": "other_controller_phases",
    "lmo": "other_controller_logic",
    "fup": "other_controller_logic",
}
"""The repair by the key that is changed."""


class ContestIssue(ChargerIssue):
    """The repair of one charger; told once for as long as it lasts."""

    def __init__(self, hass: HomeAssistant, serial: str) -> None:
        """Begin in peace."""
        super().__init__(hass, serial, "other_controller")

    @callback
    def contested(self, key: str, name: str) -> None:
        """Raise the repair.

        Args:
            key: what somebody else changes.
            name: what the charger is called.
        """
        if not self.raised:
            LOGGER.warning("Another controller keeps changing %s of %s", key, name)
        self.begin(CONTESTED[key], name=name)
