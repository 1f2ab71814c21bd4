"""A home whose devices are broken by name, and what Home Assistant says of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
import logging
from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.control import ROOT_CIRCUIT
from custom_components.pv_load_manager.control.protection import Stage
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import Timings as ClientTimings, WattpilotClient
from simulator import ChargerConfig, HomeConfig, Timings as HomeTimings

from .conftest import OURS, sunny
from .site import CONTROL_TIMINGS, Site, eventually

SCALE: Final = 12.0
"""Everything that has to do with faults is so much faster here than in a house."""
SLACK: Final = 0.5
"""A busy machine may be late by so much, s."""
GONE_WITHIN: Final = 30 / SCALE + SLACK
"""Entities are unavailable by then, s."""
TOLD_WITHIN: Final = 15 / SCALE + SLACK
"""The control core knows by then, s."""
BACK_WITHIN: Final = 60 / SCALE + SLACK
"""Everything works again by then without help, s."""
SPEED: Final = 10.0

CLIENT: Final = ClientTimings()
SCALED_CLIENT: Final = replace(
    CLIENT,
    **{
        name: getattr(CLIENT, name) / SCALE
        for name in (
            "connect",
            "authenticate",
            "snapshot",
            "command",
            "silence",
            "steady",
            "backoff_start",
            "backoff_max",
        )
    },
    close=0.2,
)

type Fault = tuple[str, Mapping[str, Any]]
"""The name of a fault and its parameters."""


def scale_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale every wait that has to do with a fault by the same factor."""
    client = partial(WattpilotClient, timings=SCALED_CLIENT)
    monkeypatch.setattr(f"{OURS}.coordinators.clients.WattpilotClient", client)
    monkeypatch.setattr(f"{OURS}.coordinators.outage.STEADY", 10 / SCALE)
    module = f"{OURS}.coordinators.solaredge"
    monkeypatch.setattr(f"{module}.GRID_INTERVAL", 2 / SCALE)
    monkeypatch.setattr(f"{module}.SLOW_INTERVAL", 10 / SCALE)
    monkeypatch.setattr(f"{module}.ANSWER_TIMEOUT", 10 / SCALE)
    monkeypatch.setattr(f"{OURS}.tables.inverter.STALE", 30 / SCALE)
    timings = replace(
        CONTROL_TIMINGS,
        protection_stale=10 / SCALE,
        protection_fallback=30 / SCALE,
        protection_dead=120 / SCALE,
        surplus_stale=30 / SCALE,
    )
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)


def faulty_home(*chargers: ChargerConfig, **settings: float) -> HomeConfig:
    """Describe a home for faults: a reboot takes as long as the rest is scaled to."""
    home = sunny(*chargers, speed=SPEED, **settings)
    return replace(home, timings=HomeTimings(reboot_drop_s=17 * SPEED / SCALE, reboot_down_s=3))


@dataclass(kw_only=True)
class Log:
    """What was logged about the devices since a moment."""

    caplog: pytest.LogCaptureFixture
    begun: int = 0

    def forget(self) -> None:
        """Begin anew."""
        self.begun = len(self.caplog.records)

    def lines(self, *levels: int, about: str = "") -> list[str]:
        """Return what our own loggers said at some levels."""
        return [
            record.getMessage()
            for record in self.caplog.records[self.begun :]
            if record.name.startswith(OURS) and record.levelno in levels and about in record.getMessage()
        ]

    def down(self, about: str = "") -> list[str]:
        """Return the lines that say that something is wrong; one that only says what it looks like is none."""
        lines = self.lines(logging.WARNING, logging.ERROR, logging.CRITICAL, about=about)
        nonsense = [line for line in lines if line.startswith("Ignored ")]
        assert len(nonsense) == len(set(nonsense)), nonsense
        return [line for line in lines if line not in nonsense]

    def up(self, about: str = "") -> list[str]:
        """Return the lines that say that something is well again."""
        return self.lines(logging.INFO, about=about)

    def check_no_exception(self) -> None:
        """Check that nothing was raised that nobody expected, in our code or anywhere in Home Assistant."""
        for record in self.caplog.records:
            if record.name.startswith(("websockets.server", "tmodbus", "simulator")):
                continue  # the other side of the socket
            text = record.getMessage()
            assert record.exc_info is None or record.levelno < logging.WARNING, (record.name, text, record.exc_text)
            assert "Traceback" not in text, text
            assert "never retrieved" not in text, text
            assert "Exception in" not in text, text
            assert record.levelno < logging.ERROR or record.name.startswith(OURS), (record.name, text)


@dataclass(kw_only=True)
class Faulty:
    """A home with one charger (or more), an inverter and the load manager in Home Assistant; the car charges."""

    site: Site
    inverter: MockConfigEntry
    charger: MockConfigEntry
    manager: MockConfigEntry
    log: Log

    @classmethod
    async def charging(cls, site: Site, caplog: pytest.LogCaptureFixture, *, mode: str = "fast") -> Faulty:
        """Set everything up, let the car charge, and begin to listen to the log."""
        caplog.set_level(logging.INFO)
        inverter, charger, *_, manager = await site.set_up_all()
        faulty = cls(site=site, inverter=inverter, charger=charger, manager=manager, log=Log(caplog=caplog))
        await site.select(manager, mode)
        await eventually(lambda: faulty.draws() > 5 and site.value(charger, "reason").startswith("charging_"))
        faulty.log.forget()
        return faulty

    async def breaks(self, *faults: Fault, device: int | str = 0) -> None:
        """Let things go wrong with a charger, by its index, or with the inverter."""
        for name, parameters in faults:
            await self._board(device).start(name, dict(parameters), now=self.site.home.home.now)

    async def mends(self, *faults: Fault, device: int | str = 0) -> None:
        """Make good what does not end by itself."""
        board = self._board(device)
        for name, _ in faults:
            if name in board.active:
                await board.end(name)

    def draws(self, index: int = 0) -> float:
        """Return what a car really draws, A."""
        return max(self.site.home.chargers[index].charger.currents)

    def available(self) -> bool:
        """Return whether the charger's entities are available."""
        return self.site.value(self.charger, "power") != "unavailable"

    def meter_available(self) -> bool:
        """Return whether the entities of the grid meter are available."""
        return self.site.value(self.inverter, "grid_power") != "unavailable"

    def told(self, entry: MockConfigEntry | None = None) -> str | None:
        """Return the reason that the control core has for a charger; its sensor may say it later."""
        manager = self.site.hass.data[SHARED].load_manager
        assert manager is not None
        found = manager.data.chargers.get((entry or self.charger).data["serial"])
        return None if found is None else str(found.explanation.reason)

    def meter_trusted(self) -> bool:
        """Return whether the control core takes the grid meter for a living one."""
        manager = self.site.hass.data[SHARED].load_manager
        assert manager is not None
        return manager.data.circuits[ROOT_CIRCUIT].stage is Stage.FRESH

    def flows(self) -> Sequence[Mapping[str, Any]]:
        """Return the flows that wait for the user."""
        return self.site.hass.config_entries.flow.async_progress()

    def follows(self, amps: int) -> Callable[[], bool]:
        """Return whether the charger is set to a current and the car draws it."""
        return lambda: self.site.settings()["amp"] == amps and abs(self.draws() - amps) < 1

    async def works(self, *, within: float = BACK_WITHIN) -> None:
        """Check that the charger can be commanded, and that everything that is shown is true."""
        amps = 9 if self.site.settings()["amp"] != 9 else 11
        await self.site.set_number(self.manager, "available_current", amps)
        await eventually(self.follows(amps), within=within)
        power = self.site.home.chargers[0].charger
        await eventually(
            lambda: abs((self.site.number(self.charger, "power") or 0.0) - power.power_w) < 300, within=within
        )

    def _board(self, device: int | str) -> Any:
        home = self.site.home
        if isinstance(device, str):
            assert home.inverter_faults is not None
            return home.inverter_faults
        return home.charger_faults[home.chargers[device].charger.config.serial]
