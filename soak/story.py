"""What happens in a day: cars come and go, the mode changes, devices fail, entries are reloaded; all by a seed."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState

from simulator import ActiveFault, CarConfig, FaultBoard, WattpilotServer
from simulator.car import Car

from .findings import Findings, clock
from .ledger import Ledger
from .stage import Stage

RECOVERY = 60.0  # s; a loaded entry works again so soon after a fault
RETRY_RECOVERY = 180.0  # s; one that failed to load waits for Home Assistant's next try
UNAVAILABLE = 35.0  # s; silent so long, a device is unavailable
QUIET = 75.0  # s; so long after its last fault a device is as good as new
LONGEST = 300.0  # s; of a fault
REBOOT = 30.0  # s
PATIENCE = 1800.0  # s
MOST_LINES = 4
"""A fault is told once; a reload, or the commands that a charger does not take, may add to that."""

_METER = [[40188, 105]]

type Draw = Callable[[Random], dict[str, Any]]

PARAMETERS: dict[str, Draw] = {
    "stuck_value": lambda _: {"keys": ["nrg"]},
    "missing_keys": lambda _: {"keys": ["nrg"]},
    "override": lambda _: {"values": {"car": 99}},
    "error": lambda random: {"code": random.randint(1, 20)},
    "derating": lambda random: {"current": random.randint(6, 14)},
    "slow_answer": lambda random: {"seconds": random.uniform(2.0, 15.0)},
    "silent_blocks": lambda _: {"blocks": _METER},
    "exception_blocks": lambda _: {"blocks": _METER},
    "broken_blocks": lambda _: {"blocks": _METER},
    "slow": lambda random: {"seconds": random.uniform(0.5, 2.0)},
    "identity": lambda _: {"serial": "7E0BAD01"},
}
"""What a fault needs to know. One that needs more than is given here does not happen."""
CHARGER_LEFT_OUT = frozenset({"identity", "wrong_password", "password", "password_changed"})
"""These end in a dialogue with the user."""
SILENT = frozenset({"offline", "silence", "silent", "deaf", "half_open"})
"""A device that does one of these is unavailable soon."""


class Story:
    """Lets things happen, and looks whether they end well."""

    def __init__(
        self, stage: Stage, findings: Findings, *, seed: int, pause: float, only: frozenset[str] | None = None
    ) -> None:
        """Prepare; between two faults of a device there is a pause in s, on average. All else happens at its pace."""
        self._stage = stage
        self._findings = findings
        self._seed = seed
        self._pause = pause
        self._only = only
        self._loop = stage.hass.loop
        self._disturbed: dict[str, float] = {}
        """When each device, or its entry, was disturbed last, by entry id; loop time in s."""
        self._happened: dict[str, list[str]] = defaultdict(list)
        """What happened to each device, or its entry, since somebody looked last, by entry id."""

    def _random(self, name: str) -> Random:
        return Random(f"{self._seed} {name}")  # noqa: S311 (no secret)

    def start(self, ledger: Ledger) -> list[asyncio.Task[None]]:
        """Let everything happen at the same time, until it is cancelled."""
        stage, home = self._stage, self._stage.home
        chargers = range(len(home.chargers))
        happenings = [
            *(self._cars(index, ledger) for index in chargers),
            *(
                self._break(stage.charger(index).entry_id, home.charger_faults[server.charger.config.serial])
                for index, server in enumerate(home.chargers)
            ),
            self._modes(),
            self._reloads(),
        ]
        if home.inverter_faults is not None:
            happenings.append(self._break(stage.inverter.entry_id, home.inverter_faults))
        return [self._loop.create_task(happening) for happening in happenings]

    def meter_alive(self) -> bool:
        """Whether nothing disturbed the inverter or the load manager lately."""
        now = self._loop.time()
        return all(
            now - self._disturbed.get(entry.entry_id, now - QUIET) >= QUIET
            for entry in (self._stage.inverter, self._stage.manager)
        )

    async def calm(self) -> None:
        """End all faults and wait until everything works again."""
        home = self._stage.home
        boards: list[FaultBoard[Any]] = [*home.charger_faults.values()]
        if home.inverter_faults is not None:
            boards.append(home.inverter_faults)
        for board in boards:
            for name in list(board.active):
                await board.end(name)
        await asyncio.sleep(RETRY_RECOVERY)
        for entry in self._stage.entries[:-1]:
            if not self._works(entry.entry_id):
                self._findings.violation(f"{entry.title} does not work after all is over: {entry.state}")

    async def _cars(self, index: int, ledger: Ledger) -> None:
        random = self._random(f"cars {index}")
        server, entry = self._stage.home.chargers[index], self._stage.charger(index)
        server.unplug()
        while True:
            await asyncio.sleep(random.uniform(0.0, 2.0) * self._pause)
            await self._quiet(entry.entry_id)
            server.plug(_car(random))
            self._note(entry.entry_id, "plugged")
            car = _plugged(server)
            before = car.energy_wh
            await asyncio.sleep(random.uniform(2.0, 13.0) * self._pause)
            server.unplug()
            self._note(entry.entry_id, "unplugged")
            taken = car.energy_wh - before
            await self._quiet(entry.entry_id)
            ledger.compare(index, taken, ", ".join(self._happened.pop(entry.entry_id)))

    async def _quiet(self, entry_id: str) -> None:
        """Wait until a device works and was not disturbed for a while, and its last figures are published."""
        end = self._loop.time() + PATIENCE
        while self._loop.time() <= end:
            if self._at_rest(entry_id):
                await asyncio.sleep(10.0)
                if self._at_rest(entry_id):
                    return
            await asyncio.sleep(2.0)
        self._findings.violation(f"{self._title(entry_id)} did not come to rest")

    def _at_rest(self, entry_id: str) -> bool:
        return self._loop.time() - self._disturbed.get(entry_id, -QUIET) >= QUIET and self._works(entry_id)

    async def _break(self, entry_id: str, board: FaultBoard[Any]) -> None:
        random = self._random(f"faults {self._title(entry_id)}")
        left_out = frozenset() if entry_id == self._stage.inverter.entry_id else CHARGER_LEFT_OUT
        names = [name for name in board.kinds if name not in left_out and _can(board, name)]
        names = [name for name in names if self._only is None or name in self._only]
        while names:
            await asyncio.sleep(QUIET + random.expovariate(1 / self._pause))
            name = random.choice(names)
            parameters = PARAMETERS[name](random) if name in PARAMETERS else {}
            lasting = board.kinds[name].end is not None
            for_s = random.uniform(20.0, min(LONGEST, 2 * self._pause)) if lasting else None
            self._findings.faults[name] += 1
            self._note(entry_id, f"{name} {parameters or ''}{'' if for_s is None else f'for {for_s:.0f} s'}")
            lines = self._findings.lines[self._title(entry_id)]
            self._disturbed[entry_id] = self._loop.time() + (REBOOT if for_s is None else for_s)
            await board.start(name, parameters, now=self._stage.home.home.now, for_s=for_s)
            if for_s is not None:
                await self._while_broken(entry_id, name, board)
            elif name == "reboot":
                await asyncio.sleep(REBOOT)
            self._disturbed[entry_id] = self._loop.time()
            await self._recovered(entry_id, name)
            lines = self._findings.lines[self._title(entry_id)] - lines
            if lines > MOST_LINES:
                self._findings.violation(f"{self._title(entry_id)}: {lines} warnings in the log for one {name}")

    async def _while_broken(self, entry_id: str, name: str, board: FaultBoard[Any]) -> None:
        """Wait for the end of a fault, and see to it that a silent device is unavailable meanwhile."""
        began, fault = self._loop.time(), board.active.get(name)
        while _still(board, name, fault):
            await asyncio.sleep(1.0)
            silent = name in SILENT and self._loop.time() - began > UNAVAILABLE
            if silent and _still(board, name, fault) and self._works(entry_id):
                self._findings.violation(f"{self._title(entry_id)} is available with {name} for {UNAVAILABLE:.0f} s")
                return

    async def _recovered(self, entry_id: str, name: str) -> None:
        """Wait for a device to work again after a fault."""
        began, entry = self._loop.time(), self._entry(entry_id)
        patience = RECOVERY
        while not self._works(entry_id):
            if entry.state is not ConfigEntryState.LOADED:
                patience = RETRY_RECOVERY
            if self._loop.time() - began > patience:
                self._findings.violation(
                    f"{entry.title} does not work {patience:.0f} s after {name}: {entry.state.value} {entry.reason}"
                )
                return
            await asyncio.sleep(1.0)
        if patience == RECOVERY:
            self._findings.recovered_s = max(self._findings.recovered_s, self._loop.time() - began)

    async def _modes(self) -> None:
        random = self._random("modes")
        while True:
            # A user cannot choose the sun while nobody knows a meter, nor anything while the load manager is reloaded.
            if self._stage.alive(self._stage.manager, "surplus") and self._works(self._stage.inverter.entry_id):
                await self._stage.select(self._stage.manager, random.choice(("fast", "fast", "pv", "min_pv")))
            await asyncio.sleep(random.uniform(1.5, 6.5) * self._pause)

    async def _reloads(self) -> None:
        random, config_entries = self._random("reloads"), self._stage.hass.config_entries
        while True:
            await asyncio.sleep(random.expovariate(1 / (4 * self._pause)))
            entry = random.choice(self._stage.entries)
            self._note(entry.entry_id, "reload")
            self._findings.reloads += 1
            self._disturbed[entry.entry_id] = self._loop.time()
            if entry.state in {ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY}:
                # The end of the story is no reason to leave an entry half set up.
                await asyncio.shield(self._loop.create_task(config_entries.async_reload(entry.entry_id)))
            self._disturbed[entry.entry_id] = max(self._disturbed[entry.entry_id], self._loop.time())

    def _note(self, entry_id: str, what: str) -> None:
        self._happened[entry_id].append(f"{what} at {clock(self._findings.now)}")

    def _works(self, entry_id: str) -> bool:
        """Whether a device is connected and what it measures is known."""
        key = "grid_power" if entry_id == self._stage.inverter.entry_id else "power"
        return self._stage.alive(self._entry(entry_id), key)

    def _entry(self, entry_id: str) -> ConfigEntry:
        return self._stage.hass.config_entries.async_get_known_entry(entry_id)

    def _title(self, entry_id: str) -> str:
        return self._entry(entry_id).title


def _plugged(server: WattpilotServer) -> Car:
    """Return the car at a charger."""
    if server.charger.car is None:
        raise LookupError("no car is there")
    return server.charger.car


def _can(board: FaultBoard[Any], name: str) -> bool:
    """Whether a fault can be without more than is known here."""
    needed = (key for key, parameter in board.kinds[name].parameters.items() if parameter.default is None)
    given = PARAMETERS[name](Random(0)) if name in PARAMETERS else {}  # noqa: S311 (no secret)
    return all(key in given for key in needed)


def _still(board: FaultBoard[Any], name: str, fault: ActiveFault | None) -> bool:
    return fault is not None and board.active.get(name) is fault


def _car(random: Random) -> CarConfig:
    """Return some car; many are full before they leave."""
    return CarConfig(
        phases=random.choice((1, 2, 3, 3)),
        max_current=random.choice((10.0, 16.0, 16.0, 32.0)),
        ramp_up=random.choice((0.5, 2.0, 8.0)),
        ramp_down=random.choice((4.0, 8.0, 16.0)),
        start_delay_s=random.uniform(1.0, 25.0),
        capacity_wh=random.choice((20_000.0, 60_000.0)),
        soc=random.uniform(0.2, 0.9),
    )
