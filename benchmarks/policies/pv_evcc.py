"""evcc in mode "pv": one loadpoint per interval, whole amps, 230 V.

All powers are read at every interval, but only one loadpoint gets its turn: with three chargers each of them is
controlled every third interval.
"""

from collections.abc import Mapping
from math import floor, inf
from typing import TYPE_CHECKING

from benchmarks.plant import VOLTS, BoxModel, BoxView, CarSays, Order

from .pv_evcc_law import ELAPSED, Phases, Settings, Situation, Timers, site_power, update

if TYPE_CHECKING:  # the package of the benchmark imports the policies
    from benchmarks.pv.model import PvSeen, PvSite

SYNC_BLIND_S = 60.0
"""So long after enabling or disabling a charger may say something else."""
PHASES_BLIND_S = 60.0
"""So long after a switch of phases they are neither measured nor switched again."""
PHASE_DRAWS_A = 1.0
ROUNDING = 1e-6
NOBODY: Mapping[str, Order] = {}


class Loadpoint:
    """One charger."""

    def __init__(self, model: BoxModel, settings: Settings) -> None:
        self._settings = settings
        self._fixed = 0 if model.wired == 3 else model.wired
        self._connected = self._enabled = False
        self._offered_a = 0.0
        self._told = self._measured = 0
        self._timers = Timers()
        self._enabled_at = self._switched_at = -inf

    def update(self, now: float, view: BoxView, site_w: float) -> Order:
        """Return what the charger is told."""
        if now - self._enabled_at >= SYNC_BLIND_S and self._enabled == view.holding:
            self._enabled, self._offered_a = not view.holding, 0.0 if view.holding else view.setting_a
        self._told = self._told or view.phases
        connected = view.car is not CarSays.NO_CAR
        if connected and not self._connected:
            self._timers = Timers(pv=ELAPSED)
        self._connected = connected
        if not connected:
            self._measured, self._timers = 0, Timers()
            return self._offer(0.0, now)
        return self._offer(self._wanted(now, view, site_w), now)

    def _wanted(self, now: float, view: BoxView, site_w: float) -> float:
        charging = view.car is CarSays.CHARGING
        settled = now - self._switched_at >= PHASES_BLIND_S
        if charging and settled:
            self._measured = sum(amps > PHASE_DRAWS_A for amps in view.currents_a) or self._measured
        amps, to, self._timers = update(
            self._settings,
            Phases(fixed=self._fixed, told=self._told, measured=self._measured),
            Situation(
                site_w=site_w,
                charge_w=sum(view.currents_a) * VOLTS,
                drawn_a=max(view.currents_a),
                offered_a=self._offered_a,
                charging=charging,
                enabled=self._enabled,
            ),
            self._timers,
            now,
            may_switch=settled,
        )
        if to is not None:
            self._told, self._measured, self._switched_at = to, 0, now
        return amps

    def _offer(self, amps: float, now: float) -> Order:
        amps = float(floor(amps + ROUNDING))
        enabled = amps >= self._settings.min_a
        if enabled != self._enabled:
            self._enabled, self._enabled_at = enabled, now
        self._offered_a = amps if enabled else 0.0
        return Order(charge=enabled, amps=self._offered_a, phases=None if self._fixed else self._told)


class Evcc:
    """All loadpoints of a site.

    Args:
        site: the chargers.
        interval_s: between two turns; 30 s is the default, less than 10 s is not advised.
        enable_delay_s: how long there must be enough for a start or for three phases.
        disable_delay_s: how long there must be too little for a stop or for one phase.
        enable_threshold_w: site power at which it starts; 0 = when the least current is there.
        disable_threshold_w: site power from which on it stops.
        residual_w: export that shall always be left (negative: import that is tolerated).
        priority_soc: state of charge in % below which the house battery comes first; 0 = never.
    """

    def __init__(
        self,
        site: PvSite,
        interval_s: int = 30,
        *,
        enable_delay_s: float = 60.0,
        disable_delay_s: float = 180.0,
        enable_threshold_w: float = 0.0,
        disable_threshold_w: float = 0.0,
        residual_w: float = 0.0,
        priority_soc: float = 0.0,
    ) -> None:
        self.setup = f"interval {interval_s} s, delays {enable_delay_s:g}/{disable_delay_s:g} s"
        self._interval_s = interval_s
        self._residual_w, self._priority_soc = residual_w, priority_soc
        self._loadpoints = [
            (
                box.key,
                Loadpoint(
                    box,
                    Settings(
                        enable_delay_s=enable_delay_s,
                        disable_delay_s=disable_delay_s,
                        enable_threshold_w=enable_threshold_w,
                        disable_threshold_w=disable_threshold_w,
                        max_a=float(box.max_a),
                        volts=VOLTS,
                    ),
                ),
            )
            for box in site.boxes
        ]
        self._next_at = -inf
        self._turn = 0

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Return the order of the loadpoint whose turn it is."""
        if now < self._next_at:
            return NOBODY
        self._next_at = now + self._interval_s
        key, loadpoint = self._loadpoints[self._turn]
        self._turn = (self._turn + 1) % len(self._loadpoints)
        view = seen.boxes[key]
        if not view.online:  # an error of the charger ends the turn, and nothing changes
            return NOBODY
        site_w = site_power(
            grid_w=seen.grid_w,
            battery_w=seen.battery_w or 0.0,
            soc=seen.battery_soc,
            priority_soc=self._priority_soc,
            residual_w=self._residual_w,
        )
        return {key: loadpoint.update(now, view, site_w)}
