"""What an inverter tells, in the project's signs: import +, battery discharge +, PV >= 0."""

from dataclasses import dataclass

type MaybeThree = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class InverterInfo:
    """Identity of an inverter."""

    serial: str
    model: str | None
    firmware: str | None
    meters: int
    batteries: int


@dataclass(frozen=True, kw_only=True, slots=True)
class GridData:
    """The grid meter at the moment it was asked (``at``, monotonic seconds)."""

    at: float
    power_w: float | None
    currents_a: MaybeThree
    """Directional: import +, export -."""
    voltages_v: MaybeThree
    imported_wh: float | None
    exported_wh: float | None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class InverterData:
    """The last that every part of an inverter said; None = it never answered."""

    info: InverterInfo
    grid: GridData | None = None
    pv: PvData | None = None
    battery: BatteryData | None = None
