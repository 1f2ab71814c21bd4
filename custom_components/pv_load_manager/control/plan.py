"""What a step of the core returns: what every charger shall do and why, and how full every circuit is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .caps import Cap
from .electrics import NOTHING
from .external import ExternalCause, ExternalPhases
from .flags import ConfigError
from .model import Command, Override, Three
from .protection import Stage
from .reasons import Explanation, SiteStatus

NO_ERRORS = ConfigError(0)


class ChargerPlan(NamedTuple):
    """What one charger shall do, and why."""

    command: Command | None
    """None = leave it alone."""
    explanation: Explanation
    safe_current_a: int
    """What it may draw per phase when nobody controls it, in A; 0 = it must be left stopped."""
    starts_today: int | None = None
    """How often the sun let it begin today; None = not known."""
    switches_today: int | None = None
    """How often its number of phases was changed today while it charged; None = not known."""

    @property
    def allocated_a(self) -> int:
        """Return what it is allowed to draw per phase now, in A."""
        return self.command.current_a if self.command is not None else 0


class CircuitPlan(NamedTuple):
    """How full one circuit is."""

    stage: Stage
    """How far its meter can be trusted."""
    limit_a: float
    """What it may carry, after reserve and margin, in A per phase."""
    house_a: Three | None
    """What everything but our chargers draws, per grid phase in A; None = nobody measures that."""
    chargers_a: Three
    """What our chargers below it may draw."""
    drawn_a: Three = NOTHING
    """What they draw, as far as they were heard."""
    free_a: Three = NOTHING
    """Room under it that no charger uses, whatever the circuits above it leave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What the whole site shall do."""

    chargers: Mapping[str, ChargerPlan] = field(default_factory=dict)
    status: SiteStatus = SiteStatus.STARTING
    grid_silent: bool = False
    """Whether the grid meter is silent for so long that what it told last does not fit what is measured now."""
    surplus_w: float | None = None
    surplus_now_w: float | None = None
    """The last of the samples whose mean the surplus is, in W."""
    battery_w: float | None = None
    """Discharge +, charge -."""
    soc: float | None = None
    """0..100 %."""
    house_a: Three | None = None
    free_a: Three = NOTHING
    """Room under the house connection that no charger uses, per grid phase."""
    circuits: Mapping[str, CircuitPlan] = field(default_factory=dict)
    errors: ConfigError = NO_ERRORS
    available_a: float = 0.0
    """What all chargers together may draw per phase, as far as it is told from outside or by the user."""
    watchdog_expired: bool = False
    """Whether that is the default because nobody sets it any more."""
    external: ExternalPhases = ExternalPhases.DISABLED
    """Whether a number of phases may be requested."""
    external_cause: ExternalCause = ExternalCause.NONE
    """Why not."""
    dimmed: bool = False
    """Whether the grid operator dims the chargers."""
    cap: Cap | None = None
    """The limit of the power of all chargers together that is in force."""
    quarter_mean_w: float | None = None
    """Mean import of this quarter hour so far, in W; None = not measured."""
    month_peak_w: float = 0.0
    """The highest quarter hour of the month so far, in W."""
    peak_limit_w: float = 0.0
    """The limit of the quarter hour's mean that is in force; 0 = none."""
    overrides: Mapping[str, Override] = field(default_factory=dict)
    """By charger."""
