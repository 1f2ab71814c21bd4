"""A meter that consists of Home Assistant sensors: one reading of all of them, and how old it is."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from statistics import median_low
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import MeterKind
from ..control import GridReading
from .meter_config import MeterConfig
from .meter_sensors import LIFE_SIGN, FollowedSensors, Sample

TICK: Final = 0.001  # s; what is new is never as old as the reading before
LONGEST_CADENCE: Final = 60.0  # s
NOMINAL_VOLTAGE: Final = 230.0  # V; used only for a phase whose voltage nobody measures


class SensorMeter:
    """A meter made of sensors; its reading is as old as the oldest of its parts."""

    def __init__(self, hass: HomeAssistant, config: MeterConfig, heard: Callable[[], None]) -> None:
        """Prepare; ``heard`` is called after every new reading."""
        self._hass = hass
        self.config = config
        self._heard = heard
        self._sensors = FollowedSensors(hass, config.entities, config.value_of, self._publish, parts=config.parts)
        self._oldest: float | None = None
        self._gaps: deque[float] = deque(maxlen=5)
        self._reading: GridReading | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Take what the sensors say already and begin to listen; return what ends it."""
        stop = self._sensors.async_start()
        self._reading = self._read()
        return stop

    def reading(self) -> GridReading | None:
        """Return the last reading with its time, or None."""
        return self._reading

    @callback
    def _publish(self) -> None:
        reading = self._read()
        if reading is None:
            return
        if self._oldest is not None and reading.at - self._oldest > LIFE_SIGN:
            self._gaps.append(reading.at - self._oldest)
        self._oldest = at = reading.at
        if self._reading is not None and at <= self._reading.at:
            # One part is new although another is not: the core must not take this for the reading it knows.
            at = min(self._reading.at + TICK, self._hass.loop.time())
        self._reading = replace(reading, at=at, cadence_s=self._cadence())
        self._heard()

    def _read(self) -> GridReading | None:
        """Return what all parts say together, or None while one was never heard."""
        config, samples = self.config, self._sensors.samples
        if not config.complete or not samples.keys() >= set(config.needed):
            return None
        values = self._values()
        volts = [
            samples[entity].value if entity is not None and entity in samples else None for entity in config.voltages
        ]
        known = [voltage or NOMINAL_VOLTAGE for voltage in volts]
        needed = [samples[entity_id].at for entity_id in config.needed]
        currents: list[float | None] = [None, None, None]
        if config.kind is MeterKind.PHASE_CURRENT:
            power = sum(value * voltage for value, voltage in zip(values, known, strict=False))
            currents[: len(values)] = values
        else:
            power = sum(values)
            if config.protects:
                currents[: len(values)] = [value / voltage for value, voltage in zip(values, known, strict=False)]
        total = self._total()
        if total is not None:
            power = self._sign * total.value
            needed.append(total.at)
        return GridReading(
            at=min(needed),
            power_w=power,
            currents_a=(currents[0], currents[1], currents[2]),
            voltages_v=(volts[0], volts[1], volts[2]),
        )

    @property
    def _sign(self) -> float:
        return -1.0 if self.config.inverted else 1.0

    def _values(self) -> list[float]:
        """Return what was measured, import +."""
        config, samples = self.config, self._sensors.samples
        exports = [samples[entity_id].value for entity_id in config.exports] or [0.0] * len(config.imports)
        imports = [samples[entity_id].value for entity_id in config.imports]
        return [self._sign * (taken - given) for taken, given in zip(imports, exports, strict=True)]

    def _total(self) -> Sample | None:
        """Return the total power next to phase currents; one that says nothing now is computed from them instead."""
        total = self.config.total
        if total is None or self.config.value_of(total, self._hass.states.get(total)) is None:
            return None
        return self._sensors.samples.get(total)

    def _cadence(self) -> float | None:
        """Return how often the meter speaks; one single gap may as well have been an outage."""
        return min(median_low(self._gaps), LONGEST_CADENCE) if len(self._gaps) > 1 else None
