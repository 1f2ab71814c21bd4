"""A meter that consists of Home Assistant sensors: one reading of all of them, and how old it is."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from statistics import median_low
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
    async_track_state_report_event,
)
from homeassistant.util import dt as dt_util

from ..const import MeterKind
from ..control import GridReading
from .meter_config import SILENT, MeterConfig

BURST: Final = 0.2  # s; the sensors of one poll are written one after the other
LIFE_SIGN: Final = 0.5  # s; within this time of its own word a sensor needs no sibling to be alive
TICK: Final = 0.001  # s; what is new is never as old as the reading before
LONGEST_CADENCE: Final = 60.0  # s
NOMINAL_VOLTAGE: Final = 230.0  # V; used only for a phase whose voltage nobody measures


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The last usable value of one sensor, and when it was last known to be true (monotonic seconds)."""

    value: float
    at: float


class SensorMeter:
    """Follows the sensors of a meter.

    A value that is not usable (unavailable, unknown, a wrong unit) changes nothing, so the reading grows old. The
    reading is as old as the oldest of its parts. A sensor that is silent because its value did not change is alive
    as long as another sensor of its device speaks.
    """

    def __init__(self, hass: HomeAssistant, config: MeterConfig, heard: Callable[[], None]) -> None:
        """Prepare; ``heard`` is called after every new reading."""
        self._hass = hass
        self.config = config
        self._heard = heard
        self._samples: dict[str, Sample] = {}
        self._speaks_for: dict[str, tuple[str, ...]] = {}
        self._missing: set[str] = set()
        self._burst: CALLBACK_TYPE | None = None
        self._oldest: float | None = None
        self._gaps: deque[float] = deque(maxlen=5)
        self._reading: GridReading | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Take what the sensors say already and begin to listen; return what ends it."""
        registry = er.async_get(self._hass)
        speaks_for: dict[str, list[str]] = {}
        for entity_id in self.config.entities:
            for speaker in (entity_id, *_siblings(registry, entity_id)):
                speaks_for.setdefault(speaker, []).append(entity_id)
        self._speaks_for = {speaker: tuple(parts) for speaker, parts in speaks_for.items()}
        for entity_id in self.config.entities:
            speakers = [speaker for speaker, parts in speaks_for.items() if entity_id in parts]
            self._take(entity_id, self._hass.loop.time() - self._age(speakers))
        self._reading = self._read()
        changed = async_track_state_change_event(self._hass, self._speaks_for, self._on_event)
        reported = async_track_state_report_event(self._hass, self._speaks_for, self._on_event)

        @callback
        def stop() -> None:
            changed()
            reported()
            self._end_burst()

        return stop

    def reading(self) -> GridReading | None:
        """Return the last reading with its time, or None."""
        return self._reading

    def _age(self, speakers: Iterable[str]) -> float:
        """Return for how long all of some sensors have been silent; only here the clock on the wall counts."""
        now = dt_util.utcnow()
        states = [self._hass.states.get(speaker) for speaker in speakers]
        ages = [(now - state.last_reported).total_seconds() for state in states if state and state.state not in SILENT]
        return max(0.0, min(ages, default=0.0))

    @callback
    def _on_event(self, event: Event[EventStateChangedData] | Event[EventStateReportedData]) -> None:
        state = event.data["new_state"]
        if state is None or state.state in SILENT:
            return
        speaker, now = event.data["entity_id"], self._hass.loop.time()
        parts = [part for part in self._speaks_for[speaker] if part == speaker or self._silent(part, now)]
        if not [part for part in parts if self._take(part, now)]:
            return
        if self._burst is None:
            self._missing = set(self.config.parts)
            self._burst = async_call_later(self._hass, BURST, self._publish)
        self._missing.discard(speaker)
        if not self._missing:
            self._publish()

    def _silent(self, entity_id: str, now: float) -> bool:
        sample = self._samples.get(entity_id)
        return sample is not None and now - sample.at > LIFE_SIGN

    def _take(self, entity_id: str, at: float) -> bool:
        """Take over the present state of a sensor, return whether it means anything."""
        value = self.config.value_of(entity_id, self._hass.states.get(entity_id))
        if value is not None:
            self._samples[entity_id] = Sample(value=value, at=at)
        return value is not None

    @callback
    def _end_burst(self) -> None:
        if self._burst is not None:
            self._burst()
            self._burst = None

    @callback
    def _publish(self, _now: object = None) -> None:
        self._end_burst()
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
        config, samples = self.config, self._samples
        if not config.complete or not samples.keys() >= set(config.needed):
            return None
        values = self._values()
        volts = [samples[entity].value if entity in samples else None for entity in config.voltages]
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
        config, samples = self.config, self._samples
        exports = [samples[entity_id].value for entity_id in config.exports] or [0.0] * len(config.imports)
        imports = [samples[entity_id].value for entity_id in config.imports]
        return [self._sign * (taken - given) for taken, given in zip(imports, exports, strict=True)]

    def _total(self) -> Sample | None:
        """Return the total power next to phase currents; one that says nothing now is computed from them instead."""
        total = self.config.total
        if total is None or self.config.value_of(total, self._hass.states.get(total)) is None:
            return None
        return self._samples.get(total)

    def _cadence(self) -> float | None:
        """Return how often the meter speaks; one single gap may as well have been an outage."""
        return min(median_low(self._gaps), LONGEST_CADENCE) if len(self._gaps) > 1 else None


MEASURED: Final = frozenset(
    {SensorDeviceClass.POWER, SensorDeviceClass.CURRENT, SensorDeviceClass.VOLTAGE, SensorDeviceClass.ENERGY}
)
"""What only a meter that is alive can tell."""


def _siblings(registry: er.EntityRegistry, entity_id: str) -> list[str]:
    """Return the other measurements of the same device that the same integration reads.

    A signal strength or an uptime goes on although the meter behind the device is gone.
    """
    own = registry.async_get(entity_id)
    if own is None or own.device_id is None:
        return []
    return [
        entry.entity_id
        for entry in er.async_entries_for_device(registry, own.device_id)
        if entry.entity_id != entity_id
        and entry.domain == own.domain
        and entry.platform == own.platform
        and entry.entity_category is None
        and (entry.device_class or entry.original_device_class) in MEASURED
    ]
