"""A charger with the counters of the recordings, and somebody who follows its sessions."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from custom_components.pv_load_manager.control.counters import Counters, Parts
from custom_components.pv_load_manager.control.session import Session
from custom_components.pv_load_manager.control.sessions import UNCOMMANDED, Circumstances, Given, Sessions

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass(kw_only=True)
class Charger:
    """The counters of a charger as the recordings show them, and what each car really got."""

    tells_arrival: bool = True
    forgets_session: bool = False
    """Whether a restart takes the counter of the session with it."""
    begins_at_energy: bool = True
    """Whether that counter begins anew with the first energy only, as firmware 42.5 does, or with the car."""
    now: datetime = NOON
    booted: datetime = NOON - timedelta(days=3)
    reboots: int = 48
    mute: bool = False
    """Whether it tells no number that can be used."""
    plugged: bool = False
    fresh: bool = False
    came: datetime | None = None
    wh: float = 7123.4
    eto: float = 2_680_803.6
    etop: float = 2_680_790.0
    truth: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def plug(self) -> None:
        """Bring a car."""
        self.plugged, self.fresh, self.came = True, True, self.now
        self.truth.append(0.0)
        if not self.begins_at_energy:
            self.wh = 0.0

    def unplug(self) -> None:
        """Take the car away."""
        self.plugged = False
        self.wait(1)

    def charge(self, energy: float) -> None:
        """Give the car energy in Wh."""
        if self.fresh:
            self.fresh, self.wh = False, 0.0
        self.wh += energy
        self.eto += energy
        self.truth[-1] += energy
        if self.eto - self.etop > 25:
            self.etop = float(int(self.eto))

    def reboot(self) -> None:
        """Restart as after a power failure."""
        self.reboots += 1
        self.booted, self.eto = self.now, self.etop
        self.wait(20)
        if self.came is not None:
            self.came = self.now
        if self.forgets_session:
            self.wh = 0.0

    def counters(self, dip: float = 0.0, *, charging: bool = False) -> Counters:
        """Return what it says."""
        came = (self.came - self.booted).total_seconds() if self.came is not None else None
        return Counters(
            plugged=self.plugged,
            charging=charging,
            charged=self.plugged and not self.fresh,
            session_wh=None if self.mute else max(0.0, self.wh - dip),
            lifetime_wh=None if self.mute else float(int(self.eto)),
            uptime_s=(self.now - self.booted).total_seconds(),
            reboots=self.reboots,
            plugged_at_s=came if self.tells_arrival else None,
        )


@dataclass(kw_only=True)
class Watch:
    """Somebody who looks at a charger, and notes what ended."""

    charger: Charger
    sessions: Sessions = field(default_factory=Sessions)
    finished: list[Session] = field(default_factory=list)
    changes: int = 0
    given: list[Given] = field(default_factory=list)

    def look(
        self,
        *,
        away: bool = False,
        sources: Parts | None = None,
        dip: float = 0.0,
        told: Circumstances = UNCOMMANDED,
        **more: Any,
    ) -> None:
        """Look at the charger; a look after a time away is one of a Home Assistant that was restarted."""
        if away:
            self.sessions = Sessions.from_dict(json.loads(json.dumps(self.sessions.as_dict())))
        counters = replace(self.charger.counters(dip, charging=self.charger.plugged), **more)
        step = self.sessions.after(counters, self.charger.now, sources=sources, circumstances=told, away=away)
        self.sessions = step.sessions
        self.given.append(step.sessions.given)
        self.finished += step.finished
        self.changes += step.another_car

    def charge(self, energy: float, looks: int = 10, **how: Any) -> None:
        """Let the car be given energy in Wh before its eyes."""
        self.charger.charge(energy / 1000)
        self.look(**how)
        energy -= energy / 1000
        for _ in range(looks):
            self.charger.wait(20)
            self.charger.charge(energy / looks)
            self.look(**how)

    @property
    def energies(self) -> list[float]:
        """Return the energy of all sessions in Wh, that of the running one last."""
        running = self.sessions.session
        open_ones = [running] if running is not None and running.ended is None else []
        return [session.energy_wh for session in (*self.finished, *open_ones)]


def watched(**charger: bool) -> Watch:
    """Return somebody who saw the charger before any car came."""
    watch = Watch(charger=Charger(**charger))
    watch.look()
    return watch
