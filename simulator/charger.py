"""The charging logic and the electrics of one Wattpilot, without its network side.

Behaviour follows what recordings, go-e's key documents and client implementations agree on: the logic runs
once per second, `frc` is cleared at unplugging, a phase change pauses for `psmd`, the session counter is
reset when the next session starts, and the lifetime counter falls back to its saved value at a reboot.
"""

import copy
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from .car import Car
from .config import CarConfig, ChargerConfig, PhaseValues, Timings
from .wattpilot_keys import WRITABLE, Json

_ETO_SAVE_WH = 25.0
_AVERAGE_S = 30.0


class CarState(IntEnum):
    """The key `car`."""

    IDLE = 1
    CHARGING = 2
    WAITING = 3
    COMPLETE = 4


class Model(IntEnum):
    """The part of the key `modelStatus` that this logic can reach."""

    ACCESS_WAIT = 2
    FORCE_ON = 3
    FORCE_OFF = 4
    ENERGY_LIMIT = 6
    FALLBACK_DEFAULT = 15
    FALLBACK_ECO = 17
    FALLBACK_NEXT_TRIP = 18
    PHASE_SWITCH = 23
    ERROR = 26


_CHARGES = frozenset({Model.FORCE_ON, Model.FALLBACK_DEFAULT})


@dataclass(frozen=True, kw_only=True)
class Write:
    """A write that the charger acknowledged and applied.

    Attributes:
        at: Home time, s.
        key: The key.
        value: The value as sent.
    """

    at: float
    key: str
    value: Json


class RefusedWriteError(Exception):
    """The charger does not take this write; the text is what it answers."""


class Charger:
    """One Wattpilot and the car in front of it.

    Attributes:
        config: What it was built from.
        settings: The writable keys with their present values.
        car: The plugged car, or None.
        car_state: The key `car`.
        model: The key `modelStatus`.
        error: The key `err`.
        online: False while it reboots.
        contactor_phases: Phases that the contactor connects, 0 to 3.
        currents: On its own L1, L2, L3, A.
        voltages: On its own L1, L2, L3, V.
        session_wh: The key `wh`.
        lifetime_wh: The key `eto`.
        saved_wh: The key `etop`.
        average_w: The key `tpa`, W.
        temperature_current: The key `amt`, A; lower it for a derated charger.
        reboots: The key `rbc`.
        booted_at: Home time of the last boot, s (negative: before the home started).
        writes: Every applied write, oldest first.
        plugged_at: The key `lccfi` as home time, s; a restart takes the car for a new one.
    """

    def __init__(self, config: ChargerConfig, timings: Timings) -> None:
        self.config = config
        self.timings = timings
        self.settings: dict[str, Any] = {
            key: copy.deepcopy(default) for key, (default, _) in WRITABLE.items() if key != "rst"
        }
        amp = config.max_current if config.amp is None else config.amp
        self.settings |= {"amp": amp, "ama": config.max_current, "lmo": config.mode, "psm": config.psm}
        self.settings |= {"acs": config.access, "fna": config.name, "map": list(config.rotation)}
        self.now = 0.0
        self.car: Car | None = None
        self.spare_car = Car(config.car) if config.car else None
        self.car_state = CarState.IDLE
        self.model = Model.FALLBACK_DEFAULT
        self.error = 0
        self.online = True
        self.contactor_phases = 0
        self.currents: PhaseValues = (0.0, 0.0, 0.0)
        self.voltages: PhaseValues = (0.0, 0.0, 0.0)
        self.session_wh = 0.0
        self.lifetime_wh = config.lifetime_wh
        self.saved_wh = config.lifetime_wh
        self.average_w = 0.0
        self.temperature_current = 32
        self.reboots = 48
        self.booted_at = -237_000.0
        self.writes: list[Write] = []
        self.plugged_at: float | None = None
        self.charging_since: float | None = None
        self.last_phase_switch: float | None = None
        self._energy_this_session = False
        self._next_logic = 0.0
        self._switch_until: float | None = None
        self._tcl_until = 0.0
        self._reboot_at: float | None = None
        self._back_at = 0.0
        if config.plugged and self.spare_car:
            self.plug()

    @property
    def power_w(self) -> float:
        """What it draws now, W."""
        return sum(volt * amp for volt, amp in zip(self.voltages, self.currents, strict=True))

    @property
    def allowed(self) -> bool:
        """The key `alw`."""
        return self.model in _CHARGES

    @property
    def switching_phases(self) -> bool:
        """Whether it pauses for a phase change."""
        return self._switch_until is not None

    @property
    def pnp(self) -> int:
        """The key `pnp`: follows the contactor late and stays until unplugging."""
        if self.car is None or self.charging_since is None:
            return 0
        settled = self.now - self.charging_since >= self.timings.pnp_lag_s
        return self.contactor_phases if settled else min(1, self.contactor_phases)

    @property
    def wanted_phases(self) -> int:
        """Phases that `psm` asks for on this connection; automatic means all that are wired."""
        return 1 if self.settings["psm"] == 1 else self.config.wired_phases

    def limits(self) -> dict[str, int]:
        """Return the key `cll`: every limit in A; the lowest one rules."""
        limits = {
            "adapterCurrentLimit": 16 if self.config.variant == 11 else 32,
            "currentLimitMax": self.settings["ama"],
            "requestedCurrent": self.settings["amp"],
            "temperatureCurrentLimit": self.temperature_current,
            "unsymetryCurrentLimit": self.config.unsymmetry_current if self.wanted_phases == 1 else 32,
        }
        if self.car is not None:
            limits["cableCurrentLimit"] = 20 if self.config.variant == 11 else 32
        if self.settings["tcl"] is not None:
            limits["temporaryCurrentLimit"] = self.settings["tcl"]
        if self.model is Model.ACCESS_WAIT:
            limits["accessControl"] = 0
        return limits

    @property
    def offered(self) -> int | None:
        """The key `acu`: the current the car is offered, A; None when it must not charge."""
        if self.car is None or not self.allowed:
            return None
        limit = min(self.limits().values())
        return limit if limit >= self.settings["mca"] else None

    def plug(self, car: CarConfig | None = None) -> None:
        """Plug in a car: the one that belongs here, or another one. A new session starts."""
        if self.car is not None:
            raise ValueError("a car is plugged in already")
        self.car = Car(car) if car else self.spare_car
        if self.car is None:
            raise ValueError("no car belongs to this charger")
        self.car_state = CarState.WAITING
        self.plugged_at = self.now
        self.session_wh = 0.0
        self._energy_this_session = False

    def unplug(self) -> None:
        """Unplug: clears `frc` and `trx`; `wh` keeps its value until the next session."""
        if self.car is None:
            return
        self.car.cut()
        self.car = None
        self.car_state = CarState.IDLE
        self.currents = (0.0, 0.0, 0.0)
        self.contactor_phases = 0
        self.charging_since = None
        self._switch_until = None
        self.settings |= {"frc": 0, "trx": None}

    def write(self, key: str, value: Json) -> None:
        """Take a write from outside.

        Raises:
            RefusedWriteError: The key cannot be written or the value is not allowed.
        """
        self.check(key, value)
        self.writes.append(Write(at=self.now, key=key, value=value))
        if key == "rst":
            self.reboot()
            return
        self.settings[key] = value
        if key == "tcl":
            self._tcl_until = self.now + self.timings.tcl_s
        if key == "ama":
            self.settings["amp"] = min(self.settings["amp"], value)

    def check(self, key: str, value: Json) -> None:
        """Raise RefusedWriteError where a write would not be taken."""
        if key not in WRITABLE:
            raise RefusedWriteError(f'unknown or read-only key "{key}"')
        _, accepts = WRITABLE[key]
        if not accepts(value) or (key == "amp" and value > self.settings["ama"]):
            raise RefusedWriteError(f'value not allowed for key "{key}"')

    def reboot(self) -> None:
        """Start a reboot: it goes down a while later, as a real one does."""
        self._reboot_at = self.now + self.timings.reboot_drop_s

    def step(self, dt: float, voltages: PhaseValues) -> None:
        """Let `dt` seconds pass (at most one second at a time).

        Args:
            dt: Seconds.
            voltages: On the charger's own L1, L2, L3, V; 0 for a phase that is not connected.
        """
        self.now += dt
        self.voltages = voltages
        self._follow_reboot()
        if self.now >= self._next_logic:
            self._next_logic = self.now + 1.0 if self.now - self._next_logic > 1 else self._next_logic + 1.0
            self._logic()
        if self.car is not None:
            taken_wh = self.car.step(dt, self.offered, self.contactor_phases, voltages)
            self.currents = self.car.currents
            self._count(taken_wh)
            self._update_car_state(self.car)
        self.average_w += (self.power_w - self.average_w) * min(1.0, dt / _AVERAGE_S)

    def _logic(self) -> None:
        """The decision of the charging logic, once per second."""
        if self.settings["tcl"] is not None and self.now >= self._tcl_until:
            self.settings["tcl"] = None
        decided = self._decide()
        if decided in _CHARGES and self.car is not None:
            decided = self._switch_contactor(decided, self.car)
        elif self._switch_until is not None:
            self._switch_until = None
        self.model = decided
        if not self.allowed and self.car is not None and not self.car.drawing:
            self.contactor_phases = 0

    def _decide(self) -> Model:
        settings = self.settings
        limit_wh = settings["dwo"]
        candidates = (
            (not self.online or self.error != 0, Model.ERROR),
            (settings["acs"] == 1 and settings["trx"] is None, Model.ACCESS_WAIT),
            (settings["frc"] == 1, Model.FORCE_OFF),
            (limit_wh is not None and self.session_wh >= limit_wh, Model.ENERGY_LIMIT),
            (settings["frc"] == 2, Model.FORCE_ON),
            # Eco and Next Trip wait for the surplus of a paired inverter, and none is paired.
            (settings["lmo"] == 4, Model.FALLBACK_ECO),
            (settings["lmo"] == 5, Model.FALLBACK_NEXT_TRIP),
        )
        return next((model for applies, model in candidates if applies), Model.FALLBACK_DEFAULT)

    def _switch_contactor(self, decided: Model, car: Car) -> Model:
        """Close the contactor on the wanted phases; changing them under way takes a pause."""
        if self._switch_until is not None:
            if self.now < self._switch_until:
                return Model.PHASE_SWITCH
            self._switch_until = None
            self.contactor_phases = 0
            car.switched()
        if self.contactor_phases in {0, self.wanted_phases}:
            self.contactor_phases = self.wanted_phases
            return decided
        pause_s = self.settings["psmd"] / 1000 * self.timings.pause_scale
        self._switch_until = self.now + pause_s
        self.last_phase_switch = self.now
        return Model.PHASE_SWITCH

    def _update_car_state(self, car: Car) -> None:
        if car.drawing:
            self.car_state = CarState.CHARGING
            if self.charging_since is None:
                self.charging_since = self.now
        elif car.full or car.stalled or (self._energy_this_session and not self.allowed and not self.switching_phases):
            self.car_state = CarState.COMPLETE
        else:
            self.car_state = CarState.WAITING

    def _count(self, taken_wh: float) -> None:
        if taken_wh <= 0:
            return
        self._energy_this_session = True
        self.session_wh += taken_wh
        self.lifetime_wh += taken_wh
        if self.lifetime_wh - self.saved_wh >= _ETO_SAVE_WH:
            self.saved_wh = self.lifetime_wh

    def _follow_reboot(self) -> None:
        if self._reboot_at is None or self.now < self._reboot_at:
            return
        if self.online:
            self.online = False
            self._back_at = self._reboot_at + self.timings.reboot_down_s
            self.contactor_phases = 0
            self._switch_until = None
            self.model = Model.ERROR
            if self.car is not None:
                self.car.cut()
        elif self.now >= self._back_at:
            self._reboot_at = None
            self.online = True
            self.reboots += 1
            self.booted_at = self.now
            self.plugged_at = None if self.car is None else self.now
            self.lifetime_wh = self.saved_wh
            self.settings |= {"frc": 0, "trx": None, "tcl": None}
            self.charging_since = None
