"""The control core in a loop with the simulator's physics, faster than time: no sockets, no Home Assistant.

Between them stand the delays of the real path: the grid meter is read every 2 s, battery and PV every 10 s, a charger
tells its state every second and takes a command a second later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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
from custom_components.pv_load_manager.coordinators.translate import charger_reading, charger_target
from custom_components.pv_load_manager.wattpilot import WattpilotStatus, takeover_writes, writes_for
from simulator import Charger, Home, HomeConfig, WattpilotServer

GRID_EVERY = 2
SLOW_EVERY = 10


def configuration(home: HomeConfig, *, mode: Mode, fuse_a: float = 35.0) -> Configuration:
    """Return the core's configuration for a simulated home."""
    return Configuration(
        phases=home.phases,
        has_power_meter=home.inverter is not None,
        has_battery=home.battery is not None,
        circuits=(CircuitConfig(limit_a=fuse_a, metered=True),),
        chargers=tuple(
            ChargerConfig(charger_id=charger.serial, rotation=charger.rotation, max_current_a=charger.max_current)
            for charger in home.chargers
        ),
        strategy=Strategy(mode=mode, maximum_total_current_a=fuse_a, available_current_a=fuse_a),
    )


@dataclass
class Rig:
    """One home under control."""

    home: Home
    config: Configuration
    state: ControlState = field(default_factory=lambda: ControlState(started_at=0.0))
    plan: Plan = field(default_factory=Plan)
    commands: int = 0
    _servers: tuple[WattpilotServer, ...] = ()
    _grid: GridReading | None = None
    _battery: BatteryReading | None = None

    def __post_init__(self) -> None:
        """Stand servers beside the chargers; they are never started, only asked what they would say."""
        self._servers = tuple(WattpilotServer(self.home, charger, "127.0.0.1") for charger in self.home.chargers)

    def run(self, seconds: int, each: Callable[[Rig], None] | None = None) -> None:
        """Let time pass, second by second."""
        for second in range(seconds):
            self.step(second)
            if each is not None:
                each(self)

    def step(self, second: int) -> None:
        """One second: physics, readings, a decision, its writes."""
        flow = self.home.step(1.0)
        now = self.home.now
        if second % SLOW_EVERY == 0 and self.config.has_battery:
            self._battery = BatteryReading(at=now, power_w=flow.battery_w)
        if second % GRID_EVERY == 0:
            self._grid = GridReading(
                at=now,
                power_w=flow.grid_w,
                currents_a=flow.grid_currents,
                voltages_v=flow.voltages,
                cadence_s=GRID_EVERY,
            )
        statuses = self._statuses()
        self.decide(self.snapshot(statuses))
        for charger in self.home.chargers:
            self._write(charger, statuses[charger.config.serial])

    def snapshot(self, statuses: Mapping[str, WattpilotStatus] | None = None) -> Snapshot:
        """Return what the core would be told now."""
        statuses = statuses or self._statuses()
        return Snapshot(
            grid=self._grid,
            battery=self._battery,
            chargers={serial: charger_reading(status, at=self.home.now) for serial, status in statuses.items()},
        )

    def decide(self, snapshot: Snapshot) -> None:
        """Take one step of the core."""
        self.state, self.plan = decide(self.config, self.state, snapshot, self.home.now)

    def _statuses(self) -> dict[str, WattpilotStatus]:
        return {server.serial: WattpilotStatus.of(server.status()) for server in self._servers}

    def _write(self, charger: Charger, status: WattpilotStatus) -> None:
        plan = self.plan.chargers[status.serial or ""]
        if plan.command is None:
            return
        target = charger_target(plan.command)
        for write in (*takeover_writes(status), *writes_for(target, status, safe_current_a=plan.safe_current_a)):
            charger.write(write.key, write.value)
            self.commands += 1
