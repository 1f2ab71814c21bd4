"""What a charger reports, as typed values.

Every property tolerates what firmware has done to other clients: absent keys, ``null``, other types, absurd numbers and
enum values nobody documented. None of them raises.
"""

from dataclasses import dataclass

from .codes import CAR_STATES, MODEL_STATUS_NAMES, CarState, name_of
from .facts import LARGEST_LIMIT, WattpilotFacts
from .parsing import MAX_CURRENT, MAX_POWER, MAX_VOLTAGE, at, flag, items, whole

type PerPhase = tuple[float | None, float | None, float | None]

# Above this a phase carries a car and not the noise of the measurement.
_PHASE_IN_USE = 1.0
_PHASE_SWITCH = 23

# Limits of the device, the cable and the house, as opposed to ``requestedCurrent`` (our own wish) and ``pvSurplus``
# (the charger's own surplus logic, switched off while it is managed). A value of 0 means "blocked" in the first group
# (``accessControl`` is 0 while a card is missing), "nothing plugged in" in the second.
_HARD_LIMITS = ("currentLimitMax", "temperatureCurrentLimit", "unsymetryCurrentLimit", "loadLimit", "accessControl")
_PLUG_LIMITS = ("cableCurrentLimit", "adapterCurrentLimit")
_CURRENT_OF_VARIANT = {11: 16, 22: 32}


@dataclass(frozen=True)
class WattpilotStatus(WattpilotFacts):
    """The merged status of a charger at one moment. Immutable; a new frame makes a new one."""

    # Car and charging logic

    @property
    def car_raw(self) -> int | None:
        """The code behind `car_state` (``car``)."""
        return whole(self._get("car"))

    @property
    def car_state(self) -> CarState:
        """What the car does; ``UNKNOWN`` also for codes nobody documented."""
        return CAR_STATES.get(-1 if self.car_raw is None else self.car_raw, CarState.UNKNOWN)

    @property
    def allowed(self) -> bool | None:
        """The car may charge now (``alw``)."""
        return flag(self._get("alw"))

    @property
    def force_state(self) -> int | None:
        """0 the logic decides, 1 held, 2 forced on (``frc``); falls to 0 when the car is unplugged."""
        return whole(self._get("frc"))

    @property
    def logic_mode(self) -> int | None:
        """3 default, 4 eco, 5 next trip (``lmo``)."""
        return whole(self._get("lmo"))

    @property
    def pv_surplus_enabled(self) -> bool | None:
        """The charger's own surplus logic is on (``fup``)."""
        return flag(self._get("fup"))

    @property
    def phase_mode(self) -> int | None:
        """0 automatic, 1 one phase, 2 three phases (``psm``)."""
        return whole(self._get("psm"))

    @property
    def single_phase_forced(self) -> bool | None:
        """The charger's logic has settled on one phase (``fsp``)."""
        return flag(self._get("fsp"))

    @property
    def phase_switch_pause_ms(self) -> int | None:
        """Length of the pause around a phase switch in ms (``psmd``)."""
        return whole(self._get("psmd"))

    @property
    def model_status(self) -> int | None:
        """Why the charger charges or not, as a code (``modelStatus``)."""
        return whole(self._get("modelStatus"))

    @property
    def model_status_name(self) -> str | None:
        """Why the charger charges or not, ``unknown_<code>`` where nobody documented it."""
        return name_of(self.model_status, MODEL_STATUS_NAMES)

    @property
    def switches_phases(self) -> bool:
        """The car pauses while the contactor moves (``modelStatus`` 23)."""
        return self.model_status == _PHASE_SWITCH

    # Currents that may flow

    @property
    def amp(self) -> int | None:
        """Requested current in A per phase (``amp``); survives restarts."""
        return whole(self._get("amp"), high=MAX_CURRENT)

    @property
    def ama(self) -> int | None:
        """Largest current in A per phase, set by the installer (``ama``)."""
        return whole(self._get("ama"), high=MAX_CURRENT)

    @property
    def offered_current_a(self) -> int | None:
        """Current in A per phase the car is offered now, ``None`` while nothing is offered (``acu``)."""
        return whole(self._get("acu"), high=MAX_CURRENT)

    @property
    def current_limit_a(self) -> int | None:
        """Largest current in A per phase that installation, device, cable and card allow now.

        The smallest of ``ama``, the hard entries of ``cll`` and, for firmware without ``cll``, ``cbl`` (cable), ``amt``
        (temperature) and ``var`` (variant). The user's wish (``amp``) and the surplus are no limits. 0 means blocked.
        """
        limits = self._get("cll")
        hard = limits if isinstance(limits, dict) else {}
        found = [whole(hard.get(key), high=LARGEST_LIMIT) for key in _HARD_LIMITS]
        found += [whole(hard.get(key), low=1, high=LARGEST_LIMIT) for key in _PLUG_LIMITS]
        found += [whole(self._get(key), low=1, high=LARGEST_LIMIT) for key in ("ama", "cbl", "amt")]
        found.append(_CURRENT_OF_VARIANT.get(self.variant_kw or 0))
        return min((limit for limit in found if limit is not None), default=None)

    # Measured values (``nrg``: voltages L1-L3 and N, currents L1-L3, powers L1-L3, N and total, power factors)

    @property
    def voltages(self) -> PerPhase:
        """Voltage of L1 to L3 in V."""
        return self._per_phase(0, low=0, high=MAX_VOLTAGE)

    @property
    def currents(self) -> PerPhase:
        """Current of L1 to L3 in A."""
        return self._per_phase(4, low=-MAX_CURRENT, high=MAX_CURRENT)

    @property
    def powers(self) -> PerPhase:
        """Power of L1 to L3 in W."""
        return self._per_phase(7, low=-MAX_POWER, high=MAX_POWER)

    @property
    def power_w(self) -> float | None:
        """Total power in W."""
        return at(self._get("nrg"), 11, low=-MAX_POWER, high=MAX_POWER)

    @property
    def phases_in_use(self) -> int:
        """Number of phases that carry more than 1 A. ``pnp`` would lag by half a minute (recorded)."""
        return sum(current is not None and current > _PHASE_IN_USE for current in self.currents)

    @property
    def pha(self) -> tuple[bool, ...] | None:
        """Voltage on L1 to L3 behind the contactor, then before it; ``None`` where not all six are known."""
        found = [flag(item) for item in items(self._get("pha"))]
        known = tuple(item for item in found if item is not None)
        return known if len(known) == len(found) == 6 else None

    def _per_phase(self, first: int, *, low: float, high: float) -> PerPhase:
        """Return three neighbours of the measured values."""
        found = self._get("nrg")
        return (
            at(found, first, low=low, high=high),
            at(found, first + 1, low=low, high=high),
            at(found, first + 2, low=low, high=high),
        )
