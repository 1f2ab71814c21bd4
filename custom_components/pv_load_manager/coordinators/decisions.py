"""What was decided for the site and for every charger, as data for people and programs.

Units: A per phase, W, Wh, s, V; grid +import, battery +discharge. Times are ISO 8601 with a time zone. What is not
known is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from homeassistant.util import dt as dt_util

from ..const import PRIORITIES
from ..control import (
    ChargerConfig,
    ChargerPlan,
    ChargerReading,
    CircuitConfig,
    Configuration,
    ControlState,
    Explanation,
    Plan,
    Snapshot,
    effective_mode,
    render,
)
from ..control.distribution import command_as_json
from ..control.plan import CircuitPlan
from ..control.session import Session
from ..languages import Templates
from ..shared import SHARED
from .balance import battery_power, charging_power, grid_power, house_power, pv_power
from .circuits import circuit_names
from .documents import plain
from .load_manager import LoadManagerCoordinator


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """The last decision and what it was made of, in one language."""

    plan: Plan
    config: Configuration
    state: ControlState
    snapshot: Snapshot
    configs: Mapping[str, ChargerConfig]
    """Of the managed chargers, by serial number."""
    sessions: Mapping[str, Session | None]
    """The running session of each charger that is loaded, or its last one, by serial number."""
    templates: Templates
    circuits: Mapping[str, str]
    """Names by id."""
    names: Mapping[str, str]
    """Of the chargers, by serial number."""
    ends: Mapping[str | None, datetime | None]
    """When the modes that were chosen are over: of the chargers, and of the site by None."""
    now: float
    """Monotonic seconds."""
    moment: datetime
    """The same, aware."""

    @classmethod
    def of(cls, manager: LoadManagerCoordinator, names: Mapping[str, str], templates: Templates) -> Decisions:
        """Return those of a load manager now.

        Args:
            manager: the load manager.
            names: of the chargers, by serial number.
            templates: the sentences of the reasons.
        """
        config, state, snapshot = manager.basis()
        loaded = manager.hass.data[SHARED].chargers
        ends: dict[str | None, datetime | None] = {key: manager.modes.until_of(key) for key in manager.data.chargers}
        return cls(
            plan=manager.data,
            config=config,
            state=state,
            snapshot=snapshot,
            configs={item.charger_id: item for item in config.chargers},
            sessions={serial: charger.sessions.session for serial, charger in loaded.items()},
            templates=templates,
            circuits=circuit_names(manager.config_entry, templates["root_circuit"]),
            names=names,
            ends=ends | {None: manager.modes.until},
            now=manager.hass.loop.time(),
            moment=dt_util.utcnow(),
        )

    def site(self) -> dict[str, Any]:
        """Return what was decided for the whole site."""
        plan, strategy = self.plan, self.config.strategy
        return {
            **self.live_site(),
            "mode": {"chosen": strategy.mode.value, "until": _iso(self.ends[None])},
            "grid_meter_age_s": None
            if (grid := self.snapshot.grid) is None
            else round(max(0.0, self.now - grid.at), 1),
            "configuration_errors": [error.name for error in plan.errors if error.name is not None],
            "available_a": plan.available_a,
            "maximum_total_a": strategy.maximum_total_current_a,
            "watchdog_expired": plan.watchdog_expired,
            "external_control": plan.external.name.lower(),
            "phases_wanted": strategy.phases_wanted,
            "power_cap": None if plan.cap is None else {"kind": plan.cap.kind.value, "power_w": plan.cap.power_w},
            "quarter_hour": {"mean_w": plan.quarter_mean_w, "limit_w": plan.peak_limit_w or None},
        }

    def live_site(self) -> dict[str, Any]:
        """Return the figures of the site that change all the time."""
        return {
            "status": self.plan.status.value,
            "mode": self.config.strategy.mode.value,
            "dimmed": self.plan.dimmed,
            "surplus": self._surplus(),
            "circuits": self._circuits(),
        }

    def charger(self, serial: str) -> dict[str, Any]:
        """Return everything about the decision for a charger that the plan knows."""
        config, known = self.configs.get(serial), self.state.chargers.get(serial)
        more: dict[str, Any] = {"override": plain(self.plan.overrides.get(serial))}
        if config is not None and known is not None:
            more |= {
                "limits": self._limits(config, self.plan.chargers[serial]),
                "car": {
                    "full": known.full,
                    "phases_used": known.car_phases,
                    "current_needed_a": known.demand_a,
                    "energy_wh": round(self.state.energy(serial)),
                },
                "waiting_has_cost_wh": dict(zip(("off", "one_phase", "three_phases"), known.regrets, strict=True)),
                "stopped_by_fuse_within_the_hour": len(known.fuse_stops),
            }
        plan = self.plan.chargers[serial]
        today = {"starts": plan.starts_today, "phase_switches": plan.switches_today}
        return {**self.live_charger(serial), **more, "today": today}

    def live_charger(self, serial: str) -> dict[str, Any]:
        """Return what is told to a charger, why, what it does, and what its users chose."""
        plan, config = self.plan.chargers[serial], self.configs.get(serial)
        return {
            "charger": serial,
            "name": self.names.get(serial, serial),
            **self._reason(plan.explanation),
            "allocated": command_as_json(plan.command),
            "measured": self._measured(self.snapshot.chargers.get(serial)),
            "mode": None if config is None else self._mode(config),
            "limits": None if config is None else self._range(config),
            "rotation": None if config is None else plain(config.rotation),
            "override": self._override(serial),
            "session": self._session(serial),
        }

    def _mode(self, config: ChargerConfig) -> dict[str, Any] | None:
        """Return the charge mode that was chosen for a charger, and the one by which it charges."""
        if (known := self.state.chargers.get(config.charger_id)) is None:
            return None
        mode, from_site = effective_mode(self.config, config, known)
        until = _iso(self.ends.get(config.charger_id))
        return {"chosen": config.mode.value, "in_force": mode.value, "from_site": from_site, "until": until}

    def _override(self, serial: str) -> dict[str, Any] | None:
        """Return the current that somebody chose, and when that ends: at a time, or after some more energy."""
        if (override := self.plan.overrides.get(serial)) is None:
            return None
        left = None if override.energy_wh is None else max(0, round(override.energy_wh - self.state.energy(serial)))
        return {
            "current_a": override.current_a,
            "source": override.source.value,
            "until": _iso(override.until),
            "energy_left_wh": left,
        }

    def _session(self, serial: str) -> dict[str, Any] | None:
        """Return what the car got since it came, or the last one that left."""
        if (session := self.sessions.get(serial)) is None:
            return None
        return {"energy_wh": round(session.energy_wh), "solar_share": _rounded(session.solar_share, 2)}

    def _reason(self, explanation: Explanation) -> dict[str, Any]:
        # The countdown is for those who cannot count on from a time.
        text = render(explanation._replace(next_change_at=None), self.templates, self.now, self.circuits)
        at, circuit = explanation.next_change_at, explanation.circuit_id
        # Rounded, so that one and the same moment does not look like another one every second.
        until = None if at is None or at <= self.now else self.moment + timedelta(seconds=at - self.now + 0.5)
        return {
            "reason": explanation.reason.value,
            "text": text,
            "numbers": plain(explanation.numbers),
            "circuit": None if circuit is None else {"id": circuit, "name": self.circuits.get(circuit, circuit)},
            "next_change": None if until is None else until.replace(microsecond=0).isoformat(),
        }

    def _measured(self, reading: ChargerReading | None) -> dict[str, Any] | None:
        if reading is None:
            return None
        return {
            "online": reading.online,
            "car": reading.car.value,
            "charge_released": not reading.holding,
            "offered_a": reading.setting_a,
            "phases": reading.phases,
            "currents_a": [_rounded(amps, 2) for amps in reading.currents_a],
            "power_w": _rounded(reading.power_w, 0),
        }

    def _range(self, config: ChargerConfig) -> dict[str, Any]:
        """Return between which currents per phase a charger may charge, as far as users chose it."""
        least = max(config.min_current_a, self.config.strategy.minimum_current_a)
        return {"minimum_a": least, "maximum_a": config.max_current_a}

    def _limits(self, config: ChargerConfig, plan: ChargerPlan) -> dict[str, Any]:
        reading = self.snapshot.chargers.get(config.charger_id)
        chain, parents = [config.circuit_id], {item.circuit_id: item.parent_id for item in self.config.circuits}
        while (parent := parents.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        return {
            **self._range(config),
            "charger_and_cable_a": None if reading is None else reading.limit_a,
            "without_home_assistant_a": plan.safe_current_a,
            "phase_policy": config.phase_policy.value,
            "priority": next(name for name, value in PRIORITIES.items() if value == config.priority),
            "rotation": plain(config.rotation),
            "circuits": chain,
        }

    def _circuits(self) -> list[dict[str, Any]]:
        configs = {item.circuit_id: item for item in self.config.circuits}
        return [self._circuit(key, plan, configs.get(key)) for key, plan in self.plan.circuits.items()]

    def _circuit(self, circuit_id: str, plan: CircuitPlan, config: CircuitConfig | None) -> dict[str, Any]:
        """Return how full a circuit is."""
        return {
            "id": circuit_id,
            "name": self.circuits.get(circuit_id, circuit_id),
            "parent": None if config is None else config.parent_id,
            "stage": plan.stage.name.lower(),
            "rated_a": None if config is None else config.limit_a,
            "limit_a": round(plan.limit_a, 1),
            "house_a": None if plan.house_a is None else [round(amps, 1) for amps in plan.house_a],
            "chargers_a": [round(amps, 1) for amps in plan.chargers_a],
            "drawn_a": [round(amps, 1) for amps in plan.drawn_a],
            "free_a": [round(amps, 1) for amps in plan.free_a],
        }

    def _surplus(self) -> dict[str, Any]:
        """Return the account of the surplus: what flows where."""
        plan, snapshot, now, battery = self.plan, self.snapshot, self.now, self.snapshot.battery
        battery_w = battery_power(plan, snapshot, now, inverted=self.config.battery_inverted)
        return {
            "surplus_w": _rounded(self.plan.surplus_w, 0),
            "target_grid_w": self.config.strategy.target_grid_power_w,
            "grid_w": _rounded(grid_power(plan, snapshot), 0),
            "pv_w": _rounded(pv_power(plan, snapshot, now), 0),
            "battery_w": _rounded(battery_w, 0),
            "battery_soc": None if battery is None else _rounded(battery.state_of_charge, 1),
            "chargers_w": round(charging_power(plan, snapshot)),
            "house_w": _rounded(house_power(plan, snapshot, now, has_battery=self.config.has_battery), 0),
        }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits or None)
