"""A grid meter that is a Home Assistant sensor: one signed total power, import +."""

from collections.abc import Callable
import math

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, STATE_UNAVAILABLE, STATE_UNKNOWN, UnitOfPower
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event, async_track_state_report_event
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import PowerConverter

from ..const import MAX_POWER
from ..control import GridReading


class SensorMeter:
    """Follows a power sensor and remembers when it last spoke."""

    def __init__(self, hass: HomeAssistant, entity_id: str, heard: Callable[[], None]) -> None:
        """Prepare; ``heard`` is called after every usable value."""
        self._hass = hass
        self._entity_id = entity_id
        self._heard = heard
        self._reading: GridReading | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to listen; return what ends it."""
        self._take(self._hass.states.get(self._entity_id))
        changed = async_track_state_change_event(self._hass, [self._entity_id], self._on_change)
        # A sensor that repeats its value is alive, too.
        reported = async_track_state_report_event(self._hass, [self._entity_id], self._on_report)

        @callback
        def stop() -> None:
            changed()
            reported()

        return stop

    def reading(self) -> GridReading | None:
        """Return the last usable value with its time, or None."""
        return self._reading

    @callback
    def _on_change(self, event: Event[EventStateChangedData]) -> None:
        self._take(event.data["new_state"])

    @callback
    def _on_report(self, event: Event[EventStateReportedData]) -> None:
        self._take(event.data["new_state"])

    @callback
    def _take(self, state: State | None) -> None:
        power = power_of(state)
        if state is None or power is None:
            return
        # Also at the start the value is as old as the sensor's last word.
        age = (dt_util.utcnow() - state.last_reported).total_seconds()
        self._reading = GridReading(at=self._hass.loop.time() - max(age, 0.0), power_w=power)
        self._heard()


def power_of(state: State | None) -> float | None:
    """Return the power that a sensor's state means in W, or None when it means none.

    The unit is read each time: some sensors change between W and kW with a restart of their own integration.
    """
    if state is None or state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}:
        return None
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit not in PowerConverter.VALID_UNITS:
        return None
    try:
        power = PowerConverter.convert(float(state.state), unit, UnitOfPower.WATT)
    except ValueError:
        return None
    return power if math.isfinite(power) and abs(power) <= 10 * MAX_POWER else None
