"""Tells the user that a charger does not do what it is told: one line in the log, and a repair where that lasts."""

from enum import StrEnum
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..const import LOGGER
from .charger_issue import ChargerIssue

REPAIR_AFTER: Final = 60.0  # s; a charger that is busy for a moment is no matter for the user


class Offence(StrEnum):
    """What a charger does instead."""

    REFUSED = "refused"
    """It answers that it will not, or not at all."""
    IGNORED = "ignored"
    """It answers that it will, and its car draws more than that."""


class Disobedience:
    """What one charger did not do; said once for as long as it lasts."""

    def __init__(self, hass: HomeAssistant, serial: str, name: str) -> None:
        """Begin with a charger that obeys.

        Args:
            hass: Home Assistant.
            serial: of the charger.
            name: what the charger is called.
        """
        self._hass = hass
        self._name = name
        self._issue = ChargerIssue(hass, serial, "charger_disobeys")
        self._since: dict[Offence, float] = {}

    @callback
    def began(self, offence: Offence, what: str) -> None:
        """Note that the charger did not do what it was told, once more.

        Args:
            offence: what it does instead.
            what: for the log.
        """
        now = self._hass.loop.time()
        if not self._since:
            LOGGER.warning("%s %s", self._name, what)
        self._since.setdefault(offence, now)
        if now - min(self._since.values()) >= REPAIR_AFTER:
            self._issue.begin(name=self._name)

    @callback
    def over(self, offence: Offence) -> None:
        """Note that the charger does what it is told, in one respect."""
        if self._since.pop(offence, None) is not None and not self._since:
            LOGGER.info("%s does what it is told again", self._name)
            self._issue.end()

    @callback
    def end(self) -> None:
        """Take the repair back: nobody tells the charger anything any more."""
        self._since.clear()
        self._issue.end()
