"""What an inverter tells, in the project's signs: import +, battery discharge +, PV >= 0."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

type MaybeThree = tuple[float | None, float | None, float | None]


class MeterRole(StrEnum):
    """Where a meter sits."""

    GRID = "grid"
    """At the house connection."""
    PRODUCTION = "production"
    """At the output of SolarEdge inverters: it counts once more what they tell themselves."""
    EXTERNAL_PRODUCTION = "external_production"
    """At the output of somebody else's inverter: its power is production that no other part knows."""
    CONSUMPTION = "consumption"
    """In front of the loads."""
    UNKNOWN = "unknown"
    """It does not say, and there are others: it is shown and nothing is made of it."""
    IGNORE = "ignore"
    """The user does not want it."""

    @property
    def produces(self) -> bool:
        """Whether power is positive where it comes from the meter; else import is positive."""
        return self in {MeterRole.PRODUCTION, MeterRole.EXTERNAL_PRODUCTION}


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterSetting:
    """What the user says about the meter in a slot."""

    role: MeterRole | None = None
    """None = what its option string says."""
    inverted: bool = False
    """Whether its transformers are wired the wrong way round."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InverterInfo:
    """Identity of an inverter."""

    serial: str
    model: str | None
    firmware: str | None
    meters: int
    batteries: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterData:
    """A meter at the moment it was asked (``at``, monotonic seconds)."""

    at: float
    power_w: float | None
    currents_a: MaybeThree
    """Directional, with the sign of the power."""
    voltages_v: MaybeThree
    imported_wh: float | None
    exported_wh: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class GridData(MeterData):
    """The meter at the house connection: import +, export -."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherMeter:
    """A meter that is not at the house connection."""

    slot: int
    """1..3, in the order of the registers."""
    key: str
    """Names the meter for good: its serial number, its slot where it has none."""
    role: MeterRole
    three_phase: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PvData:
    """Production at the moment it was asked."""

    at: float
    power_w: float | None
    """What the roof makes, without what the battery adds or takes."""
    energy_wh: float | None
    status: str | None

    @property
    def throttled(self) -> bool:
        """Whether the inverter says that it produces less than it could."""
        return self.status == "throttled"


@dataclass(frozen=True, kw_only=True, slots=True)
class BatteryData:
    """All batteries of the inverter together."""

    at: float
    power_w: float | None
    state_of_charge: float | None
    """0..100 %, weighted by capacity."""
    capacity_wh: float | None = None
    """What they hold together by their ratings; None where one does not tell it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InverterData:
    """The last that every part of an inverter said; None = it never answered."""

    info: InverterInfo
    grid: GridData | None = None
    pv: PvData | None = None
    battery: BatteryData | None = None
    meters: Mapping[int, MeterData] = field(default_factory=dict)
    """The meters beside the grid's by their slots; production + for those that count it, import + for the others."""
