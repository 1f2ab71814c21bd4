"""What the control core is told: configuration, strategy and the snapshot of the house.

Signs and units (everywhere in this package): grid power and current import +, export -; battery power discharge +,
charge -; PV and charger power >= 0. W, A, s, V, Wh. ``None`` means "not known" and never 0. Times called ``at`` are
monotonic seconds. Tuples of three are the phases: grid phases L1..L3 for the grid, the charger's own for a charger.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

type Three = tuple[float, float, float]
type MaybeThree = tuple[float | None, float | None, float | None]

ROOT_CIRCUIT = "root"
LOWEST_CURRENT = 6  # A; below it IEC 61851 knows only "stop"
HIGHEST_CURRENT = 32  # A; the largest current a charger of this kind offers
GRID_WEIGHT = 2.2
NOMINAL_VOLTAGE = 230.0  # V; used only where nothing was measured
STEADY = 1.03
"""The voltage of a house moves by so much within minutes."""


class Mode(StrEnum):
    """How the site charges. The values are part of the stable interface."""

    OFF = "off"
    FAST = "fast"
    PV = "pv"
    MIN_PV = "min_pv"


SURPLUS_MODES: Final = frozenset({Mode.PV, Mode.MIN_PV})
"""Without charging from surplus they are like fast."""


class ChargerMode(StrEnum):
    """How one charger charges: like the site, or by its own mode."""

    FOLLOW_SITE = "follow_site"
    OFF = "off"
    FAST = "fast"
    PV = "pv"
    MIN_PV = "min_pv"


class CarState(StrEnum):
    """What the charger knows about the car."""

    UNKNOWN = "unknown"
    NO_CAR = "no_car"
    WAITING = "waiting"
    CHARGING = "charging"
    COMPLETE = "complete"
    ERROR = "error"


class PhasePolicy(StrEnum):
    """Which number of phases a charger may use."""

    AUTO = "auto"
    ONE = "one"
    THREE = "three"
    ONE_FOR_PV = "one_for_pv"
    """One for the modes pv and min+pv, three for fast."""


class CloudFilter(StrEnum):
    """How long a passing cloud may be without anything being switched; the values are part of the stable interface."""

    NONE = "none"
    WEAK = "weak"
    MEDIUM = "medium"
    STRONG = "strong"
    ADAPTIVE = "adaptive"
    """By how lively the surplus was lately."""


class Rounding(StrEnum):
    """What becomes of the part of an ampere that the surplus has and a charger cannot give."""

    DOWN = "down"
    """It is left over."""
    NEAREST = "nearest"
    """The ampere is given where the sun pays for most of it."""


class OverrideSource(StrEnum):
    """Who chose a charger's current past all strategy."""

    USER = "user"
    """In Home Assistant."""
    APP = "app"
    """At the charger itself, or in its app."""


class BatteryPriority(StrEnum):
    """Whether the sun is for the cars or for the house battery first."""

    CHARGERS = "chargers"
    BATTERY = "battery"
    TARGET_SOC = "target_soc"
    """The battery first, until it has its target state of charge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitConfig:
    """One circuit of the installation; the root is the house connection."""

    circuit_id: str = ROOT_CIRCUIT
    parent_id: str | None = None
    """The circuit that feeds this one; None = this is the root."""
    limit_a: float
    """Rated current per phase in A."""
    limit_w: float | None = None
    """Rated power of all phases together in W, where there is such a limit."""
    demand_limit_a: float | None = None
    """What somebody allows per phase for now, in A; None = the rated current alone counts."""
    imbalance_a: float | None = None
    """How far the currents that chargers cause on two phases may be apart, in A."""
    metered: bool = False
    """Whether a meter measures the current of every phase of this circuit."""
    meter_max_age_s: float | None = None
    """From this age on its meter is stale; None = by the time constants and the meter's own cadence."""
    largest_consumer_a: float = 0.0
    """Largest single consumer per phase that is no charger, in A."""
    safety_margin: float = 0.0
    """Share of the limit that is always left free, 0..0.5."""
    fallback_a: float = 0.0
    """What all chargers of the circuit may draw per phase, in A, when its meter is dead."""

    @property
    def allowed_a(self) -> float:
        """Return what it may carry per phase for now, in A."""
        return self.limit_a if self.demand_limit_a is None else min(self.limit_a, self.demand_limit_a)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargerConfig:
    """What the installation fixes about one charger, and what the user set for it."""

    charger_id: str
    circuit_id: str = ROOT_CIRCUIT
    rotation: tuple[int, int, int] | None = (1, 2, 3)
    """The grid phase (1..3) that the charger's own L1, L2, L3 are wired to; None = not known (yet)."""
    wired_phases: int = 3
    phase_policy: PhasePolicy = PhasePolicy.AUTO
    priority: int = 0
    """Chargers of a higher number are served first."""
    min_current_a: int = LOWEST_CURRENT
    min_current_three_a: int | None = None
    """The least current per phase while it charges on more than one phase; None = the same as on one."""
    max_current_a: int = 16
    current_without_ha_a: int | None = None
    """What it may draw when Home Assistant is gone, in A; ``None`` = its static share; 0 = nothing."""
    mode: ChargerMode = ChargerMode.FOLLOW_SITE


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategy:
    """What the user sets while the house runs."""

    mode: Mode = Mode.OFF
    mode_chosen: bool = True
    """False from set-up until the user first picks a mode: cars that charge meanwhile are left alone."""
    maximum_total_current_a: float = HIGHEST_CURRENT
    """Per phase, shared by all managed chargers; nothing above it is ever accepted."""
    available_current_a: float = HIGHEST_CURRENT
    """Per phase, shared by all managed chargers; a cap that may be set from outside at any time."""
    external_current: bool = True
    """Whether the available current is used at all."""
    watchdog: bool = False
    """Whether the available current has to be set again and again."""
    default_available_current_a: float = HIGHEST_CURRENT
    """What is available when the watchdog found that nobody sets it any more."""
    external_phases: bool = False
    """Whether the number of phases is requested from outside."""
    phases_wanted: int | None = None
    """What was requested: 0 = nobody charges, 1 or 3 phases; None = nothing yet."""
    peak_limit_w: float = 0.0
    """The most that the house shall import in the mean of a quarter hour; 0 = whatever it needs."""
    peak_follow_month: bool = False
    """Whether the limit grows to the highest quarter hour that the month has already seen."""
    minimum_current_a: int = LOWEST_CURRENT
    demand_margin_a: float = 3.0
    """A car may have this much more than it is seen to draw, while others could use the rest."""
    guaranteed_power_w: float = 1380.0
    target_grid_power_w: float = 0.0
    """What pv and min+pv aim at: positive = that much may come from the grid, negative = that much is to be fed in."""
    excess_charging: bool = True
    """False = there is no charging from surplus: the modes pv and min+pv charge like fast."""
    cloud_filter: CloudFilter = CloudFilter.ADAPTIVE
    rounding: Rounding = Rounding.NEAREST
    grid_weight: float = GRID_WEIGHT
    """What a watt from the grid costs, in watts of sun that are not used; about the ratio of their prices."""
    start_threshold_w: float = 0.0
    """Least surplus at which pv begins; 0 = the least power of the charger."""
    solar_only: bool = False
    """Whether pv stops when the grid had to give more than its backup for the minimum current for a while."""
    grid_backup_w: float = 0.0
    """What the grid may add for the minimum current, with ``solar_only``."""
    phase_switches_per_day: int = 10
    """No charger is switched between one and three phases more often for the sun; it becomes harder before."""
    weigh_efficiency: bool = False
    """Whether a little power counts less, because more of it is lost between charger and battery of the car."""
    battery_priority: BatteryPriority = BatteryPriority.CHARGERS
    battery_target_soc: float = 80.0
    """0..100 %."""
    battery_dead_zone_w: float = 100.0
    """Import and export up to this are taken for the inaccuracy of a working battery."""
    battery_start_soc: float = 0.0
    """From this state of charge on the battery may help a pv charger to begin, in %; 0 = never."""
    battery_hold_soc: float = 0.0
    """From this on it may keep a charging one at its minimum current; 0 = never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timings:
    """Every time constant of the core, in seconds."""

    cloud_windows: tuple[float, float, float, float] = (0.0, 120.0, 240.0, 480.0)
    """How long a cloud may be with the filters none, weak, medium and strong: so long the least charging power is what
    a switch of phases costs."""
    surplus_window: float = 2.0
    """Mean over this much time is what the surplus is taken as."""
    ramp_patience: float = 10.0
    """So long the surplus is not looked at while a car changes its power: meter and charger do not see it at once."""
    surplus_pause: float = 10.0
    """Least time between two surplus commands to one charger."""
    settle: float = 10.0
    """Until a changed charger is believed to have followed, unless it is seen to."""
    meter_lag: float = 3.0
    """How far the grid meter and the chargers may be apart in time when they see the same change."""
    recover: float = 15.0
    """Room counts for an increase when it was there for this long."""
    phase_dwell: float = 600.0
    """Least time between two phase switches of a charging charger."""
    phase_delay: float = 120.0
    """How long the wish for the other number of phases must last where no surplus is weighed."""
    phase_pause: float = 30.0
    """How long a phase switch may take, both numbers of phases being reserved."""
    hear_all: float = 30.0
    """No increase after the start until all chargers were heard, or this long."""
    protection_stale: float = 10.0
    protection_fallback: float = 30.0
    protection_dead: float = 120.0
    surplus_stale: float = 30.0
    surplus_dead: float = 120.0
    car_idle: float = 60.0
    """A car that is allowed and draws nothing for this long, and says complete, is full."""
    start_phase: float = 60.0
    """So long after a car began to draw nobody judges what it can use."""
    less_delay: float = 20.0
    """A car that uses clearly less than it may for this long is believed to need no more."""
    rotation_slot: float = 900.0
    """Where not all fit, a charger that runs is safe from being replaced until the end of such a slot."""
    welcome: float = 180.0
    """A newly plugged car charges at once for this long, where the circuits allow it; 0 = it waits for its turn."""
    retry: float = 3600.0
    """A car that was allowed and did not draw stands behind all others for this long."""
    watchdog: float = 30.0
    """From outside the available current must be set again within this time."""
    fuse_wait: float = 120.0
    """Room must last this long before a charger starts that the fuse stopped twice within the hour; then it doubles."""
    fuse_wait_longest: float = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """Everything the core is told that no device measures."""

    phases: int = 3
    """Phases of the house connection, 1 or 3."""
    has_power_meter: bool = False
    """Whether a grid power meter is configured (not whether it answers)."""
    has_battery: bool = False
    battery_inverted: bool = False
    """Whether the battery's power is positive while it charges."""
    inverter_ac_w: float | None = None
    """What the inverters can give on their AC side, in W; a battery behind them can give way only up to that."""
    export_limit_w: float | None = None
    """What the house may feed in, in W; at that limit nobody knows how much sun there is."""
    expected_chargers: int | None = None
    """How many chargers there should be."""
    dimming_w: float | None = None
    """What chargers may draw while the grid operator dims them, in W; None = nobody dims."""
    dimming_total: bool = False
    """Whether that is for all of them together, not for each."""
    dynamic: bool = False
    """Whether somebody asked for dynamic load management, which needs the current of every phase."""
    phase_currents: bool = True
    """Whether the meter of the house connection knows the current of every phase."""
    circuits: tuple[CircuitConfig, ...] = ()
    chargers: tuple[ChargerConfig, ...] = ()
    strategy: Strategy = field(default_factory=Strategy)
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, kw_only=True, slots=True)
class GridReading:
    """What the grid meter said, and when it was asked."""

    at: float
    power_w: float | None = None
    currents_a: MaybeThree = (None, None, None)
    """Directional: import +, export -."""
    voltages_v: MaybeThree = (None, None, None)
    cadence_s: float | None = None
    mean_s: float = 0.0
    """The power is the mean over so many seconds before ``at``; 0 = of a moment."""
    uncertain_s: float = 0.0
    """By how much ``at`` may be wrong in both directions, in s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PvReading:
    """Production of the roof."""

    at: float
    power_w: float | None = None
    throttled: bool = False
    """Whether an inverter says that it produces less than it could."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatteryReading:
    """The house battery, all of them together."""

    at: float
    power_w: float | None = None
    state_of_charge: float | None = None
    """0..100 %."""
    capacity_wh: float | None = None
    """What they hold together; None = not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargerReading:
    """The last that was heard of a charger."""

    at: float
    online: bool = True
    car: CarState = CarState.UNKNOWN
    holding: bool = False
    """Whether the charger is told not to charge."""
    setting_a: int | None = None
    """The current per phase that it offers, in A; it persists without us."""
    phases: int | None = None
    """The number of phases it is set to, 1 or 3; None where the charger decides itself."""
    currents_a: MaybeThree = (None, None, None)
    voltages_v: MaybeThree = (None, None, None)
    power_w: float | None = None
    limit_a: int | None = None
    """The least of its hardware limits (installer, cable, temperature), in A."""
    installer_limit_a: int | None = None
    """The one that only the installer should set: nothing at the charger or in its app can exceed it, in A."""
    switching: bool = False
    """Whether it pauses for a phase switch."""
    locked: bool = False
    """Whether it waits until somebody shows a card, or lets the car charge in its app."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All that is known about the house at one moment."""

    grid: GridReading | None = None
    pv: PvReading | None = None
    battery: BatteryReading | None = None
    circuits: Mapping[str, GridReading] = field(default_factory=dict)
    """Meters of circuits by circuit id; the root's is ``grid``."""
    chargers: Mapping[str, ChargerReading] = field(default_factory=dict)
    """By charger id; a configured charger that was never heard is absent."""
    available_set_at: float | None = None
    """When the available current was last set from outside; None = never since the start."""
    dimmed: bool = False
    """Whether the grid operator dims the chargers now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """A current that somebody chose for one charger, until its car leaves or something else ends it.

    It is a cap within all limits, never a floor.
    """

    current_a: int
    """Per phase; 0 = the car shall not charge, ``HIGHEST_CURRENT`` = as fast as possible."""
    source: OverrideSource = OverrideSource.USER
    until: datetime | None = None
    """Aware; when it ends; None = not by time."""
    energy_wh: float | None = None
    """It ends when the car has got this much since it came; None = not by energy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What a charger shall do."""

    charge: bool
    current_a: int = 0
    """Per phase; 0 exactly when it shall not charge."""
    phases: int | None = None
    """1 or 3; None = leave as it is."""
