"""Which Home Assistant sensors are a meter, and what a state of them means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any, Final, Self

from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    PERCENTAGE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfPower,
)
from homeassistant.core import State
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    PowerConverter,
)

from ..const import (
    CONF_METER_DIRECTION,
    CONF_METER_ENTITY,
    CONF_METER_EXPORT_ENTITY,
    CONF_METER_EXPORT_PHASES,
    CONF_METER_KIND,
    CONF_METER_MAX_AGE,
    CONF_METER_PHASES,
    CONF_METER_VOLTAGES,
    MAX_FUSE,
    MAX_POWER,
    MeterDirection,
    MeterKind,
)

SILENT: Final = frozenset({STATE_UNAVAILABLE, STATE_UNKNOWN})
VOLTAGES: Final = (90.0, 280.0)  # V; what one phase can have


@dataclass(frozen=True, kw_only=True)
class MeterConfig:
    """One meter made of sensors: which entities it has, and how they are to be read."""

    kind: MeterKind
    phases: int
    """Phases of the house, 1 or 3."""
    imports: tuple[str, ...]
    """The sensors of the measured quantity: one, or one per phase."""
    exports: tuple[str, ...] = ()
    """As many sensors again, where export has its own."""
    complete: bool = True
    """False where sensors are missing, for example since the house got more phases: then there is no reading."""
    inverted: bool = False
    """Whether the sensors are positive while the house feeds in."""
    voltages: tuple[str | None, ...] = (None, None, None)
    total: str | None = None
    """A sensor of the total power next to phase currents."""
    max_age_s: float | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], phases: int) -> Self | None:
        """Return the meter of a stored configuration, None where it has no sensors.

        Args:
            data: an entry's or a sub-entry's data, with the keys of the forms.
            phases: phases of the house.
        """
        kind = MeterKind(data.get(CONF_METER_KIND) or MeterKind.TOTAL_POWER)
        total = data.get(CONF_METER_ENTITY)
        by_phase = kind is not MeterKind.TOTAL_POWER
        count = phases if by_phase else 1
        imports = _entities(data, CONF_METER_PHASES[:phases] if by_phase else (CONF_METER_ENTITY,))
        if not imports:
            return None
        direction = MeterDirection(data.get(CONF_METER_DIRECTION) or MeterDirection.IMPORT_POSITIVE)
        separate = direction is MeterDirection.SEPARATE
        exports = _entities(data, CONF_METER_EXPORT_PHASES[:phases] if by_phase else (CONF_METER_EXPORT_ENTITY,))
        max_age = data.get(CONF_METER_MAX_AGE)
        return cls(
            kind=kind,
            phases=phases,
            imports=imports,
            exports=exports if separate else (),
            complete=len(imports) == count and (not separate or len(exports) == count),
            inverted=direction is MeterDirection.EXPORT_POSITIVE,
            voltages=tuple(data.get(key) for key in CONF_METER_VOLTAGES),
            total=total if kind is MeterKind.PHASE_CURRENT else None,
            max_age_s=None if max_age is None else float(max_age),
        )

    @property
    def protects(self) -> bool:
        """Return whether the meter knows the current of every phase."""
        return self.complete and len(self.imports) == self.phases

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the entities without which there is no reading."""
        return (*self.imports, *self.exports)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the entities that a reading is made of."""
        return self.needed if self.total is None else (*self.needed, self.total)

    @property
    def entities(self) -> tuple[str, ...]:
        """Return all entities."""
        voltages = (entity_id for entity_id in self.voltages if entity_id is not None)
        return tuple(dict.fromkeys((*self.parts, *voltages)))

    def value_of(self, entity_id: str, state: State | None) -> float | None:
        """Return what a state of one of the entities means in W, A or V, or None when it means nothing."""
        if entity_id in self.voltages:
            return voltage_of(state)
        if self.kind is MeterKind.PHASE_CURRENT and entity_id != self.total:
            return current_of(state)
        return power_of(state)


def other_way_round(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes when a meter counts the other direction as positive."""
    direction = MeterDirection(data.get(CONF_METER_DIRECTION) or MeterDirection.IMPORT_POSITIVE)
    if direction is MeterDirection.SEPARATE:
        pairs = (
            (CONF_METER_ENTITY, CONF_METER_EXPORT_ENTITY),
            *zip(CONF_METER_PHASES, CONF_METER_EXPORT_PHASES, strict=True),
        )
        known = [(taken, given) for taken, given in pairs if data.get(taken) and data.get(given)]
        return {key: data[other] for taken, given in known for key, other in ((taken, given), (given, taken))}
    flipped = direction is MeterDirection.IMPORT_POSITIVE
    new = MeterDirection.EXPORT_POSITIVE if flipped else MeterDirection.IMPORT_POSITIVE
    return {CONF_METER_DIRECTION: new.value}


def power_of(state: State | None) -> float | None:
    """Return the power that a sensor's state means in W, or None when it means none."""
    return _converted(state, PowerConverter, UnitOfPower.WATT, 10 * MAX_POWER)


def current_of(state: State | None) -> float | None:
    """Return the current that a sensor's state means in A, or None when it means none."""
    return _converted(state, ElectricCurrentConverter, UnitOfElectricCurrent.AMPERE, 10 * MAX_FUSE)


def voltage_of(state: State | None) -> float | None:
    """Return the voltage of a phase that a sensor's state means in V, or None when it means none."""
    low, high = VOLTAGES
    voltage = _converted(state, ElectricPotentialConverter, UnitOfElectricPotential.VOLT, high)
    return voltage if voltage is not None and voltage >= low else None


def percent_of(state: State | None) -> float | None:
    """Return the state of charge that a sensor's state means in %, or None when it means none."""
    if state is None or state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) != PERCENTAGE:
        return None
    try:
        level = float(state.state)
    except ValueError:
        return None
    return level if 0.0 <= level <= 100.0 else None


def _entities(data: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(data[key] for key in keys if data.get(key))


def _converted(state: State | None, converter: type[BaseUnitConverter], unit: str, limit: float) -> float | None:
    """Return a state in a unit; what the sensor's own unit is, is looked up each time.

    Some sensors change between W and kW with a restart of their own integration.
    """
    if state is None or state.state in SILENT:
        return None
    given = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if given not in converter.VALID_UNITS:
        return None
    try:
        value = converter.convert(float(state.state), given, unit)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= limit else None
