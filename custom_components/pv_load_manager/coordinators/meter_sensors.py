"""Follows Home Assistant sensors that belong together: the last usable value of each, and how old it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
    async_track_state_report_event,
)
from homeassistant.util import dt as dt_util

from .meter_config import SILENT

BURST: Final = 0.2  # s; the sensors of one poll are written one after the other
LIFE_SIGN: Final = 0.5  # s; within this time of its own word a sensor needs no sibling to be alive
MEASURED: Final = frozenset(
    {SensorDeviceClass.POWER, SensorDeviceClass.CURRENT, SensorDeviceClass.VOLTAGE, SensorDeviceClass.ENERGY}
)
"""What only a meter that is alive can tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The last usable value of one sensor, and when it was last known to be true (monotonic seconds)."""

    value: float
    at: float


class FollowedSensors:
    """Follows sensors.

    A value that is not usable (unavailable, unknown, a wrong unit) changes nothing, so what is known grows old. A
    sensor that is silent because its value did not change is alive as long as another sensor of its device speaks.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entities: Sequence[str],
        value_of: Callable[[str, State | None], float | None],
        heard: CALLBACK_TYPE,
        *,
        parts: Sequence[str] | None = None,
    ) -> None:
        """Prepare.

        Args:
            hass: where the states are.
            entities: all sensors.
            value_of: what a state of one of them means, None when it means nothing.
            heard: called once after every poll, when all parts spoke or a moment later.
            parts: the sensors for which that waits; without them all.
        """
        self._hass = hass
        self._entities = tuple(entities)
        self._value_of = value_of
        self._heard = heard
        self._parts = frozenset(entities if parts is None else parts)
        self._samples: dict[str, Sample] = {}
        self._speaks_for: dict[str, tuple[str, ...]] = {}
        self._missing: set[str] = set()
        self._burst: CALLBACK_TYPE | None = None

    @property
    def samples(self) -> Mapping[str, Sample]:
        """Return the last usable value by sensor."""
        return self._samples

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Take what the sensors say already and begin to listen; return what ends it."""
        registry = er.async_get(self._hass)
        speaks_for: dict[str, list[str]] = {}
        for entity_id in self._entities:
            for speaker in (entity_id, *_siblings(registry, entity_id)):
                speaks_for.setdefault(speaker, []).append(entity_id)
        self._speaks_for = {speaker: tuple(parts) for speaker, parts in speaks_for.items()}
        for entity_id in self._entities:
            speakers = [speaker for speaker, parts in speaks_for.items() if entity_id in parts]
            self._take(entity_id, self._hass.loop.time() - self._age(speakers))
        changed = async_track_state_change_event(self._hass, self._speaks_for, self._on_event)
        reported = async_track_state_report_event(self._hass, self._speaks_for, self._on_event)

        @callback
        def stop() -> None:
            changed()
            reported()
            self._end_burst()

        return stop

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
            self._missing = set(self._parts)
            self._burst = async_call_later(self._hass, BURST, self._publish)
        self._missing.discard(speaker)
        if not self._missing:
            self._publish()

    def _silent(self, entity_id: str, now: float) -> bool:
        sample = self._samples.get(entity_id)
        return sample is not None and now - sample.at > LIFE_SIGN

    def _take(self, entity_id: str, at: float) -> bool:
        """Take over the present state of a sensor, return whether it means anything."""
        value = self._value_of(entity_id, self._hass.states.get(entity_id))
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
        self._heard()


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
