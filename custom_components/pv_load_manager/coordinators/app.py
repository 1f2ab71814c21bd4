"""What somebody wants who changes a charger past the load manager: in its app, or at the charger itself.

Pure: time is an argument. A charger does not say who changed a value. It was somebody else where none of these
explains it: a write of ours, also one that shows late or was superseded meanwhile; a new connection or a restart, after
which a charger tells what it has; a limit that came down and took ``amp`` with it; a car that is not there.
"""

from dataclasses import dataclass
from typing import Final

from ..control import HIGHEST_CURRENT, LOWEST_CURRENT, Override, OverrideSource
from ..wattpilot import CarState, WattpilotStatus, Write

NEUTRAL: Final = 0
STOPPED: Final = 1
FORCED: Final = 2


@dataclass(frozen=True, kw_only=True)
class AppTimings:
    """Times in seconds."""

    echo: float = 3.0
    """So long after a write was seen the charger may still tell what it had before: it reports once a second."""
    late: float = 60.0
    """So long a write may take until it is seen."""
    boot: float = 30.0
    """So long after a restart a charger tells what it has, and nobody wants anything by it."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A change by somebody else that is to be followed."""

    key: str
    """What was changed."""
    current_a: int | None
    """The current per phase that was chosen, 0 = the car shall not charge; None = what was stopped may go on."""


@dataclass(kw_only=True)
class _Written:
    """A write of ours that the charger may still echo."""

    value: object
    before: object
    """What the charger had before it."""
    at: float
    seen_at: float | None = None


class AppWatch:
    """Tells the wishes of others from the echoes of our own writes, for one charger."""

    def __init__(self, timings: AppTimings) -> None:
        """Begin with a charger that nothing is known of."""
        self._timings = timings
        self._amp: int | None = None
        self._force: int | None = None
        self._uptime: int | None = None
        self._booting_until = 0.0
        self._written: dict[str, list[_Written]] = {"amp": [], "frc": []}

    def adopt(self, status: WattpilotStatus, now: float) -> None:
        """Take what the charger has for its state and nobody's wish; for a new connection."""
        for written in self._written.values():
            written.clear()
        self._follow(status, now)

    def sent(self, write: Write, now: float) -> None:
        """Note a write of ours that goes out."""
        if write.key in self._written:
            before = self._amp if write.key == "amp" else self._force
            # What the charger has already does not show: nothing is to be waited for then.
            seen_at = now if write.value == before else None
            written = _Written(value=write.value, before=before, at=now, seen_at=seen_at)
            self._written[write.key] = [*self._pending(write.key, now), written]

    def heard(
        self, status: WattpilotStatus, now: float, *, in_charge: bool, charge: bool, override: Override | None
    ) -> Wish | None:
        """Take over a status; return what somebody else wants by it.

        Args:
            status: everything that the charger says.
            now: monotonic seconds.
            in_charge: whether the load manager commands this charger, and has written to it before.
            charge: whether it lets the car charge.
            override: what somebody chose before.
        """
        amp, force = self._amp, self._force
        clamped = _clamped([amp, *(write.value for write in self._pending("amp", now))], status)
        self._follow(status, now)
        amp_changed = amp != status.amp and not self._is_ours("amp", status.amp, now) and not clamped
        force_changed = force != status.force_state and not self._is_ours("frc", status.force_state, now)
        if not in_charge or now < self._booting_until or status.car_state is CarState.NO_CAR:
            return None
        wish = None
        if force_changed:
            wish = _wish_by_force(status.force_state, charge=charge, override=override)
        stopped = override is not None and override.current_a == 0
        if wish is None and amp_changed and not stopped and _is_current(status.amp):
            wish = Wish(key="amp", current_a=status.amp)
        if wish is not None:
            self._forget_before(wish.key)
        return wish

    def _follow(self, status: WattpilotStatus, now: float) -> None:
        self._amp, self._force = status.amp, status.force_state
        uptime, before = status.uptime_ms, self._uptime
        self._uptime = uptime
        # Not every frame tells the uptime, so what comes after a restart is counted here.
        if uptime is not None and (before is None or uptime < before):
            self._booting_until = now + self._timings.boot - uptime / 1000

    def _pending(self, key: str, now: float) -> list[_Written]:
        """Return the writes that may still have an echo, the oldest first."""
        times = self._timings
        return [
            write
            for write in self._written[key]
            if (now - write.at < times.late if write.seen_at is None else now - write.seen_at < times.echo)
        ]

    def _is_ours(self, key: str, value: object, now: float) -> bool:
        """Return whether a value is an echo, and forget the writes that cannot have one any more."""
        self._written[key] = written = self._pending(key, now)
        shown = [index for index, write in enumerate(written) if write.value == value]
        if shown:
            # A charger takes writes in order: those before this one have shown as well, or never will.
            for write in written[: shown[-1] + 1]:
                write.seen_at = now if write.seen_at is None else write.seen_at
        return bool(shown) or any(write.before is not None and write.before == value for write in written)

    def _forget_before(self, key: str) -> None:
        """What was before somebody's wish is over; who goes back to it wants that."""
        for write in self._written[key]:
            write.before = None


def _clamped(before: list[object], status: WattpilotStatus) -> bool:
    """Return whether a limit came down and took the current with it, one that was set or one that was on its way."""
    limit = status.current_limit_a
    return limit is not None and status.amp == limit and any(isinstance(amp, int) and limit < amp for amp in before)


def _is_current(amp: int | None) -> bool:
    return amp is not None and LOWEST_CURRENT <= amp <= HIGHEST_CURRENT


def _wish_by_force(force: int | None, *, charge: bool, override: Override | None) -> Wish | None:
    """Return what a changed force state means; neutral means something only where it takes a stop back."""
    if force == STOPPED and charge:
        return Wish(key="frc", current_a=0)
    if force == FORCED:
        return Wish(key="frc", current_a=HIGHEST_CURRENT)
    by_app = override is not None and override.source is OverrideSource.APP and override.current_a == 0
    return Wish(key="frc", current_a=None) if force == NEUTRAL and by_app else None
