"""Where the production and the battery of the house come from: the inverters, or sensors that somebody chose."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback

from ..const import (
    CONF_BATTERY_CHARGE_SENSORS,
    CONF_BATTERY_DIRECTION,
    CONF_BATTERY_INVERTED,
    CONF_BATTERY_SENSORS,
    CONF_BATTERY_SOC_SENSORS,
    CONF_BATTERY_SOURCE,
    CONF_CONNECTION,
    CONF_ENTRY_TYPE,
    CONF_PV_SENSORS,
    CONF_SERIAL,
    CONF_SOURCES_MAX_AGE,
    DOMAIN,
    BatteryDirection,
    BatterySource,
    EntryType,
    InverterConnection,
)
from ..control import BatteryReading, PvReading
from ..shared import SHARED
from .inverter import InverterCoordinator
from .meter_config import percent_of, power_of
from .meter_sensors import FollowedSensors, Sample

FORGOTTEN: Final = 600.0  # s; a state of charge that was last known so long ago says nothing about now


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """The sensors that somebody chose for production and battery."""

    pv: tuple[str, ...] = ()
    """Powers whose sum is the production; empty = the inverters tell."""
    battery: tuple[str, ...] = ()
    """Powers whose sum is the battery's; empty = the inverters tell."""
    charging: tuple[str, ...] = ()
    """Powers of charging, where that has its own sensors."""
    inverted: bool = False
    """Whether the sensors are positive while the battery charges."""
    charge_levels: tuple[str, ...] = ()
    """States of charge in %."""
    max_age_s: float | None = None
    """For how long a sensor that stays silent is believed; None = its age counts as it is."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Return what the options of the load manager say, with the keys of the form."""
        direction = BatteryDirection(options.get(CONF_BATTERY_DIRECTION) or BatteryDirection.DISCHARGE_POSITIVE)
        charging = options.get(CONF_BATTERY_CHARGE_SENSORS) if direction is BatteryDirection.SEPARATE else None
        max_age = options.get(CONF_SOURCES_MAX_AGE)
        own = options.get(CONF_BATTERY_SOURCE) is None
        return cls(
            pv=tuple(options.get(CONF_PV_SENSORS) or ()),
            battery=tuple((own and options.get(CONF_BATTERY_SENSORS)) or ()),
            charging=tuple((own and charging) or ()),
            inverted=direction is BatteryDirection.CHARGE_POSITIVE,
            charge_levels=tuple((own and options.get(CONF_BATTERY_SOC_SENSORS)) or ()),
            max_age_s=None if max_age is None else float(max_age),
        )

    @property
    def entities(self) -> tuple[str, ...]:
        """Return all sensors."""
        return tuple(dict.fromkeys((*self.pv, *self.battery, *self.charging, *self.charge_levels)))

    def value_of(self, entity_id: str, state: State | None) -> float | None:
        """Return what a state of one of the sensors means in W or %, None when it means nothing."""
        return percent_of(state) if entity_id in self.charge_levels else power_of(state)


class Sources:
    """Production and battery of the whole house.

    A sum is as old as the oldest of its parts, and a part that was never heard makes it unknown, never smaller.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        options: Mapping[str, Any],
        grid_meter: str | None = None,
    ) -> None:
        """Prepare.

        Args:
            hass: where the sensors and the inverters are.
            options: of the load manager.
            grid_meter: serial number of the one whose meter sits at the house connection.
        """
        self._hass = hass
        self.config = SourceConfig.from_options(options)
        self._battery_inverted = bool(options.get(CONF_BATTERY_INVERTED, False))
        self._without_battery = options.get(CONF_BATTERY_SOURCE) == BatterySource.NONE
        self._shared = hass.data[SHARED]
        self._grid_meter = grid_meter
        self._sensors = FollowedSensors(hass, self.config.entities, self.config.value_of, _nothing)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow the sensors; return what ends that."""
        return self._sensors.async_start()

    @property
    def has_battery(self) -> bool:
        """Return whether there is a house battery: one does not go away because its inverter does not answer."""
        return bool(self.config.battery or self._with_battery())

    @property
    def battery_inverted(self) -> bool:
        """Return whether the control core has to turn the sign round; sensors have a direction of their own."""
        return self._battery_inverted and not self.config.battery

    def pv(self) -> PvReading | None:
        """Return the production; its time says how old it is, and many inverters fall silent at night."""
        if not self.config.pv:
            return combined_pv(
                [_reading(inverter, InverterCoordinator.pv_reading) for _, inverter in self._inverters()]
            )
        total = self._sum(self.config.pv)
        if total is None:
            return None
        heard = [inverter.pv_reading() for _, inverter in self._inverters() if inverter is not None]
        throttled = any(reading is not None and reading.throttled for reading in heard)
        return PvReading(at=total.at, power_w=max(total.value, 0.0), throttled=throttled)

    def battery(self) -> BatteryReading | None:
        """Return all batteries together, discharge +."""
        if not self.config.battery:
            inverters = self._with_battery()
            return combined_battery([_reading(inverter, InverterCoordinator.battery_reading) for inverter in inverters])
        given, taken = self._sum(self.config.battery), self._sum(self.config.charging)
        if given is None or (self.config.charging and taken is None):
            return None
        power, at = given.value, given.at
        if taken is not None:
            power, at = power - taken.value, min(at, taken.at)
        return BatteryReading(
            at=at, power_w=-power if self.config.inverted else power, state_of_charge=self._charge_level()
        )

    def _inverters(self) -> list[tuple[ConfigEntry, InverterCoordinator | None]]:
        return counted_inverters(self._hass, self._shared.inverters)

    def _with_battery(self) -> list[InverterCoordinator | None]:
        """Return the inverters whose batteries count, None for one that is not loaded."""
        if self._without_battery:
            return []
        return [inverter for _, inverter in inverters_with_battery(self._hass, self._grid_meter)]

    def _sum(self, entities: Sequence[str]) -> Sample | None:
        """Return the sum of some sensors with the age of the oldest, None while one was never heard."""
        samples = [self._sample(entity_id) for entity_id in entities]
        known = [sample for sample in samples if sample is not None]
        if not known or len(known) < len(samples):
            return None
        return Sample(value=sum(sample.value for sample in known), at=min(sample.at for sample in known))

    def _sample(self, entity_id: str) -> Sample | None:
        """Return the last of a sensor; one that only speaks on change is believed for as long as was chosen."""
        sample = self._sensors.samples.get(entity_id)
        if sample is None or self.config.max_age_s is None:
            return sample
        now = self._hass.loop.time()
        speaks = self.config.value_of(entity_id, self._hass.states.get(entity_id)) is not None
        return Sample(value=sample.value, at=now) if speaks and now - sample.at <= self.config.max_age_s else sample

    def _charge_level(self) -> float | None:
        """Return the mean state of charge in %; it moves slowly, so an old one is as good until it is forgotten."""
        samples = [self._sensors.samples.get(entity_id) for entity_id in self.config.charge_levels]
        level = _mean([None if sample is None else sample.value for sample in samples])
        oldest = min((sample.at for sample in samples if sample is not None), default=0.0)
        speaking = all(
            percent_of(self._hass.states.get(entity_id)) is not None for entity_id in self.config.charge_levels
        )
        return level if speaking or self._hass.loop.time() - oldest <= FORGOTTEN else None


def counted_inverters(
    hass: HomeAssistant, loaded: Mapping[str, InverterCoordinator]
) -> list[tuple[ConfigEntry, InverterCoordinator | None]]:
    """Return the entries of what makes the production of the house; beside one that is not loaded is None.

    The cloud knows all inverters of a site, so it counts only where none of them is read by itself.
    """
    entries = [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)
        if entry.data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE
    ]
    local = [entry for entry in entries if not _in_cloud(entry)]
    return [(entry, loaded.get(entry.data[CONF_SERIAL])) for entry in local or entries]


def inverters_with_battery(
    hass: HomeAssistant, grid_meter: str | None
) -> list[tuple[ConfigEntry, InverterCoordinator | None]]:
    """Return the entries of inverters with a battery that can count; beside one that is not loaded is None.

    The cloud tells of a battery minutes later, so beside a meter of another source it would only spoil the sum.

    Args:
        hass: where the inverters are.
        grid_meter: serial number of the one whose meter sits at the house connection.
    """
    shared = hass.data[SHARED]
    return [
        (entry, inverter)
        for entry, inverter in counted_inverters(hass, shared.inverters)
        if (shared.memory.has_battery(entry.data[CONF_SERIAL]) if inverter is None else inverter.has_battery)
        and (not _in_cloud(entry) or entry.data[CONF_SERIAL] == grid_meter)
    ]


def _reading[T](inverter: InverterCoordinator | None, take: Callable[[InverterCoordinator], T]) -> T | None:
    return None if inverter is None else take(inverter)


def _in_cloud(entry: ConfigEntry) -> bool:
    return bool(entry.data.get(CONF_CONNECTION) == InverterConnection.CLOUD)


def combined_pv(readings: Sequence[PvReading | None]) -> PvReading | None:
    """Return the production of several inverters: as old as the oldest, unknown while one is unknown."""
    known = [reading for reading in readings if reading is not None]
    if not known or len(known) < len(readings):
        return None
    return PvReading(
        at=min(reading.at for reading in known),
        power_w=_total(reading.power_w for reading in known),
        throttled=any(reading.throttled for reading in known),
    )


def combined_battery(readings: Sequence[BatteryReading | None]) -> BatteryReading | None:
    """Return several batteries as one: as old as the oldest, unknown while one is unknown."""
    known = [reading for reading in readings if reading is not None]
    if not known or len(known) < len(readings):
        return None
    return BatteryReading(
        at=min(reading.at for reading in known),
        power_w=_total(reading.power_w for reading in known),
        state_of_charge=_charge_level(known),
        capacity_wh=_total(reading.capacity_wh for reading in known),
    )


def _charge_level(batteries: Sequence[BatteryReading]) -> float | None:
    """Return the state of charge of all together, weighted by what they hold where every one tells it."""
    weights = [battery.capacity_wh for battery in batteries]
    if not all(weights):
        return _mean([battery.state_of_charge for battery in batteries])
    energies = [(battery.state_of_charge, battery.capacity_wh or 0.0) for battery in batteries]
    if any(level is None for level, _ in energies):
        return None
    return sum((level or 0.0) * weight for level, weight in energies) / sum(weight for _, weight in energies)


def _total(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if any(value is None for value in known) else sum(value or 0.0 for value in known)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


@callback
def _nothing() -> None:
    """Wait for the next decision: production and battery change slowly."""
