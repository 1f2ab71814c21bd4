"""What a charger reports, as typed values.

Every property tolerates what firmware has done to other clients: absent keys, ``null``, other types, absurd numbers and
enum values nobody documented. None of them raises.
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from .codes import CAR_STATES, MODEL_STATUS_NAMES, CarState
from .model import JsonObject, JsonValue, ReadOnlyJson
from .parsing import (
    MAX_CURRENT,
    MAX_ENERGY,
    MAX_MILLISECONDS,
    MAX_POWER,
    MAX_VOLTAGE,
    at,
    flag,
    items,
    number,
    text,
    whole,
)
from .redact import redact_object

type PerPhase = tuple[float | None, float | None, float | None]

# Above this a phase carries a car and not the noise of the measurement.
_PHASE_IN_USE = 1.0

# Limits of the device, the cable and the house, as opposed to ``requestedCurrent`` (our own wish) and ``pvSurplus``
# (the charger's own surplus logic, switched off while it is managed). A value of 0 means "blocked" in the first group
# (``accessControl`` is 0 while a card is missing), "nothing plugged in" in the second.
_HARD_LIMITS = ("currentLimitMax", "temperatureCurrentLimit", "unsymetryCurrentLimit", "loadLimit", "accessControl")
_PLUG_LIMITS = ("cableCurrentLimit", "adapterCurrentLimit")
_LARGEST_LIMIT = 80
# ``var`` is the variant in kW.
_CURRENT_OF_VARIANT = {11: 16, 22: 32}


@dataclass(frozen=True)
class WattpilotStatus:
    """The merged status of a charger at one moment. Immutable; a new frame makes a new one.

    Attributes:
        raw: All keys as received. **Contains secrets** (Wi-Fi passwords, tokens): never log or store it, use
            `redacted`. It is left out of the representation for that reason.
    """

    raw: ReadOnlyJson = field(repr=False)

    @classmethod
    def of(cls, values: ReadOnlyJson) -> Self:
        """Return a status over a copy of some values."""
        return cls(MappingProxyType(dict(values)))

    def redacted(self) -> JsonObject:
        """Return all values that are no secret, ready for any JSON writer."""
        return redact_object(dict(self.raw))

    def _get(self, key: str) -> JsonValue:
        """Return a raw value, ``None`` where the key is absent."""
        return self.raw.get(key)

    # Identity

    @property
    def serial(self) -> str | None:
        """Serial number (``sse``)."""
        return text(self._get("sse"))

    @property
    def name(self) -> str | None:
        """Name given by the user (``fna``), else the factory name (``ffna``)."""
        return text(self._get("fna")) or text(self._get("ffna"))

    @property
    def firmware(self) -> str | None:
        """Version of the firmware (``fwv``)."""
        return text(self._get("fwv"))

    @property
    def model(self) -> str | None:
        """Marketing name (``grp``), else the device type (``typ``)."""
        return text(self._get("grp")) or text(self._get("typ"))

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
        code = self.model_status
        return None if code is None else MODEL_STATUS_NAMES.get(code, f"unknown_{code}")

    @property
    def error_code(self) -> int | None:
        """Raw error code (``err``); two tables of names exist and contradict each other, so there is no name."""
        return whole(self._get("err"))

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
        found = [whole(hard.get(key), high=_LARGEST_LIMIT) for key in _HARD_LIMITS]
        found += [whole(hard.get(key), low=1, high=_LARGEST_LIMIT) for key in _PLUG_LIMITS]
        found += [whole(self._get(key), low=1, high=_LARGEST_LIMIT) for key in ("ama", "cbl", "amt")]
        found.append(_CURRENT_OF_VARIANT.get(whole(self._get("var")) or 0))
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

    @property
    def session_energy_wh(self) -> float | None:
        """Energy of this session in Wh (``wh``); starts again at the next session, and may dip a little."""
        return number(self._get("wh"), low=0, high=MAX_ENERGY)

    @property
    def lifetime_energy_wh(self) -> float | None:
        """Energy of the charger's life in Wh (``eto``); may fall back a little after a power failure."""
        return number(self._get("eto"), low=0, high=MAX_ENERGY)

    @property
    def temperature(self) -> float | None:
        """Hottest sensor in °C (``tma``, in which some entries may be missing; else ``tmp``)."""
        found = [number(item, low=-60, high=200) for item in [*items(self._get("tma")), self._get("tmp")]]
        return max((item for item in found if item is not None), default=None)

    # Life of the device

    @property
    def uptime_ms(self) -> int | None:
        """Time since the start in ms (``rbt``); a smaller value than before means a restart."""
        return whole(self._get("rbt"), high=MAX_MILLISECONDS)

    @property
    def reboot_count(self) -> int | None:
        """Number of restarts (``rbc``)."""
        return whole(self._get("rbc"))

    def _per_phase(self, first: int, *, low: float, high: float) -> PerPhase:
        """Return three neighbours of the measured values."""
        found = self._get("nrg")
        return (
            at(found, first, low=low, high=high),
            at(found, first + 1, low=low, high=high),
            at(found, first + 2, low=low, high=high),
        )
