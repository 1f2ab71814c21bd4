"""The home battery and its self-consumption controller."""

import math

from .config import BatteryConfig


class Battery:
    """A battery that tries to keep the grid connection at 0 W.

    Attributes:
        power_w: Discharging +, charging -, W.
        energy_wh: Stored energy, Wh.
        charged_wh: Lifetime energy into the battery, Wh.
        discharged_wh: Lifetime energy out of the battery, Wh.
        charge_limit_w: Limit from outside (storage control), W; None = none.
        discharge_limit_w: Limit from outside (storage control), W; None = none.
    """

    def __init__(self, config: BatteryConfig) -> None:
        self.config = config
        self.power_w = 0.0
        self.energy_wh = config.capacity_wh * config.soc
        self.charged_wh = 1_000_000.0
        self.discharged_wh = 900_000.0
        self.charge_limit_w: float | None = None
        self.discharge_limit_w: float | None = None

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1."""
        return self.energy_wh / self.config.capacity_wh

    def step(self, dt: float, grid_w: float, pv_w: float, rated_w: float) -> None:
        """Follow the grid for `dt` seconds.

        Args:
            dt: Seconds.
            grid_w: Grid power with the battery's power so far, import +, W.
            pv_w: What the roof gives; the battery charges from the roof only, W.
            rated_w: AC rating of the inverter, which the sun fills first, W.
        """
        wanted = self.power_w + grid_w * (1 - math.exp(-dt / self.config.time_constant_s))
        room_wh = self.config.capacity_wh - self.energy_wh
        above_min_wh = max(0.0, self.energy_wh - self.config.capacity_wh * self.config.min_soc)
        lowest = -min(self._charge_max(), pv_w, room_wh * 3600 / dt)
        highest = min(self._discharge_max(), above_min_wh * 3600 / dt, max(0.0, rated_w - pv_w))
        self.power_w = min(highest, max(lowest, wanted))
        moved_wh = self.power_w * dt / 3600
        self.energy_wh -= moved_wh
        if moved_wh > 0:
            self.discharged_wh += moved_wh
        else:
            self.charged_wh -= moved_wh

    def _charge_max(self) -> float:
        limit = self.charge_limit_w
        return self.config.max_charge_w if limit is None else min(limit, self.config.max_charge_w)

    def _discharge_max(self) -> float:
        limit = self.discharge_limit_w
        return self.config.max_discharge_w if limit is None else min(limit, self.config.max_discharge_w)
