"""Says in the log that a device is lost and that it is back: one line each, however often it comes and goes."""

from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..const import LOGGER

STEADY: Final = 10.0  # s; a connection that ends sooner is part of the same trouble


class Outage:
    """The trouble with the connection to one device, from its first loss until it stays."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Begin with a device that answers."""
        self._hass = hass
        self._name = name
        self._lasts = False
        self._back: CALLBACK_TYPE | None = None

    @callback
    def lost(self, why: object) -> None:
        """Note that the connection ended."""
        self.end()
        if not self._lasts:
            self._lasts = True
            LOGGER.warning("%s is lost: %s", self._name, why)

    @callback
    def found(self) -> None:
        """Note that the device answers."""
        if self._lasts and self._back is None:
            self._back = async_call_later(self._hass, STEADY, self._over)

    @callback
    def end(self) -> None:
        """Wait no more for a connection to stay."""
        if self._back is not None:
            self._back()
            self._back = None

    @callback
    def _over(self, _now: object) -> None:
        self._back = None
        self._lasts = False
        LOGGER.info("%s answers again", self._name)
