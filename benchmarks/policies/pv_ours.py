"""The control core of this project in mode pv, fed and obeyed as the integration does it."""

from collections.abc import Mapping
from dataclasses import fields, replace

from benchmarks.plant import START, Order
from benchmarks.pv.model import PvSeen, PvSite
from custom_components.pv_load_manager.control import (
    BatteryReading,
    ChargerConfig,
    CircuitConfig,
    Configuration,
    ControlState,
    GridReading,
    Mode,
    Plan,
    Snapshot,
    Strategy,
    decide,
)

from .ours import VOLTAGES, charger_reading

UNKNOWN = (None, None, None)
FUSE_A = 63.0
"""So much that it never binds: this is about the sun."""
PROTECTING_S = 30
"""A meter that speaks less often is a cloud's: it knows the total power only, and protects nothing."""


def strategy(options: Mapping[str, object]) -> Strategy:
    """Return mode pv, with other options than the defaults where named."""
    known = {field.name for field in fields(Strategy)}
    if unknown := set(options) - known:
        raise ValueError(f"the strategy has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
    plain = Strategy(mode=Mode.PV, maximum_total_current_a=FUSE_A, available_current_a=FUSE_A)
    return replace(plain, **options)  # type: ignore[arg-type]  # the names are checked above, the values by the core


class Ours:
    """decide() in mode pv, every second."""

    def __init__(self, site: PvSite, **options: object) -> None:
        chosen = ", ".join(f"{name} {value}" for name, value in options.items()) or "defaults"
        self.setup = f"mode pv, {chosen}, a decision every second"
        self._protects = site.meter_interval_s <= PROTECTING_S
        self.config = Configuration(
            has_power_meter=True,
            has_battery=site.battery is not None,
            dynamic=self._protects,
            phase_currents=self._protects,
            circuits=(CircuitConfig(limit_a=FUSE_A, metered=self._protects),),
            chargers=tuple(
                ChargerConfig(
                    charger_id=box.key, rotation=box.rotation, wired_phases=box.wired, max_current_a=box.max_a
                )
                for box in site.boxes
            ),
            strategy=strategy(options),
        )
        self.state = ControlState(started_at=START)
        self.plan = Plan()
        self._cadence = float(site.meter_interval_s)
        self._grid: GridReading | None = None

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Decide on fresh readings."""
        self.state, self.plan = decide(self.config, self.state, self.snapshot(now, seen), now)
        return {
            key: Order(charge=plan.command.charge, amps=float(plan.command.current_a), phases=plan.command.phases)
            for key, plan in self.plan.chargers.items()
            if plan.command is not None
        }

    def snapshot(self, now: float, seen: PvSeen) -> Snapshot:
        """Return what the core is told."""
        if self._grid is None or self._grid.at != seen.grid_at:
            self._grid = GridReading(
                at=seen.grid_at,
                power_w=seen.grid_w,
                currents_a=seen.currents_a if self._protects else UNKNOWN,
                voltages_v=VOLTAGES,
                cadence_s=self._cadence,
            )
        battery = None
        if seen.battery_w is not None:
            battery = BatteryReading(at=now, power_w=seen.battery_w, state_of_charge=seen.battery_soc)
        return Snapshot(
            grid=self._grid,
            battery=battery,
            chargers={key: charger_reading(view) for key, view in seen.boxes.items()},
        )
