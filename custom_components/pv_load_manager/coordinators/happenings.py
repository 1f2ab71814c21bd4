"""What of all redistributions a person wants to be told: pure, time is an argument."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ..control import ChargerPlan, Command, Explanation, Plan, Reason, Stage
from ..control.causes import CAUSES, LIMITS, PASSING, Cause
from ..control.distribution import Redistribution

CALM: Final = 60.0  # s; what comes and goes must be away for so long before that is worth a word
WARM_UP: Final = 120.0  # s; a meter that was never heard since the start is lost only after that
UNKNOWN: Final = frozenset({Reason.STARTING_UP, Reason.UNREACHABLE})


class ChargerEvent(StrEnum):
    """What happens to a charger. The values are part of the stable interface."""

    STARTED = "started"
    STOPPED = "stopped"
    PHASES_CHANGED = "phases_changed"
    LIMITED = "limited"
    RELEASED = "released"
    OVERRIDE_STARTED = "override_started"
    OVERRIDE_ENDED = "override_ended"


class SiteEvent(StrEnum):
    """What happens to the house. The values are part of the stable interface."""

    WATCHDOG_EXPIRED = "watchdog_expired"
    WATCHDOG_CLEARED = "watchdog_cleared"
    DIMMING_STARTED = "dimming_started"
    DIMMING_ENDED = "dimming_ended"
    PEAK_LIMITED = "peak_limited"
    PEAK_RELEASED = "peak_released"
    METER_LOST = "meter_lost"
    METER_BACK = "meter_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One of them."""

    charger_id: str | None
    """None = the house."""
    event: ChargerEvent | SiteEvent
    cause: Cause
    explanation: Explanation | None
    """The reason of the charger; of the house that of one charger that it concerns, where there is one."""
    command: Command | None = None


@dataclass(slots=True)
class Toggle:
    """Something that is on or off; it goes on at once, and off when it was off for a while."""

    shown: bool = False
    off_since: float | None = None

    def follow(self, *, on: bool, now: float, calm: float = CALM) -> bool:
        """Take in how it is; return whether what is shown changed."""
        if on or not self.shown:
            self.off_since = None
        elif self.off_since is None:
            self.off_since = now
        if on == self.shown or (self.off_since is not None and now - self.off_since < calm):
            return False
        self.shown, self.off_since = on, None
        return True


@dataclass(slots=True)
class _Charger:
    """What was told of one charger."""

    known: bool = False
    """Whether it was seen to charge or not to; what it did before has not happened now."""
    charging: bool = False
    phases: int | None = None
    limited: Toggle = field(default_factory=Toggle)
    idle_since: float | None = None
    """Since when its car may charge and does not."""
    cause: Cause = Cause.START
    """What made it begin, or stop."""


_SITE: Final[Mapping[SiteEvent, tuple[SiteEvent, Cause, float]]] = {
    SiteEvent.WATCHDOG_EXPIRED: (SiteEvent.WATCHDOG_CLEARED, Cause.WATCHDOG, 0.0),
    SiteEvent.DIMMING_STARTED: (SiteEvent.DIMMING_ENDED, Cause.DIMMING, 0.0),
    SiteEvent.PEAK_LIMITED: (SiteEvent.PEAK_RELEASED, Cause.PEAK, CALM),
    SiteEvent.METER_LOST: (SiteEvent.METER_BACK, Cause.METER, 0.0),
}
"""What ends it, what is behind it, and how long it must be away."""


class Happenings:
    """Finds them in the plans, one after the other; what is so in the first plan has not happened."""

    def __init__(self) -> None:
        """Begin before the first plan."""
        self._began_at: float | None = None
        self._heard = False
        """Whether no meter was lost at any time since the start."""
        self._overrides: set[str] = set()
        self._chargers: dict[str, _Charger] = {}
        self._site = {event: Toggle() for event in _SITE}

    def follow(self, plan: Plan, change: Redistribution | None, now: float) -> list[Happening]:
        """Return what happened between the last plan and this one.

        Args:
            plan: the new plan.
            change: what it changed, None = nothing.
            now: monotonic seconds.
        """
        first = self._began_at is None
        self._began_at = now if self._began_at is None else self._began_at
        for item in change.changes if change is not None else ():
            if item.before is None or item.after is None or item.before.charge != item.after.charge:
                self._chargers.setdefault(item.charger_id, _Charger()).cause = item.cause
        # The plan of a core that failed knows nothing of the house; that nobody says so ends nothing.
        failed = any(charger.explanation.reason is Reason.INTERNAL_ERROR for charger in plan.chargers.values())
        found = [] if failed else [*self._of_site(plan, now, now - self._began_at), *self._of_overrides(plan)]
        for key, charger in plan.chargers.items():
            event = self._of_charger(self._chargers.setdefault(key, _Charger()), charger, now)
            if event is not None:
                found.append(_happening(key, event, charger, self._chargers[key].cause))
        for key in self._chargers.keys() - plan.chargers.keys():
            del self._chargers[key]
        return [] if first else found

    def _of_charger(self, told: _Charger, charger: ChargerPlan, now: float) -> ChargerEvent | None:
        command, reason = charger.command, charger.explanation.reason
        if command is None or reason in UNKNOWN:
            return None
        if reason is Reason.CAR_NOT_DRAWING and command.charge:
            told.idle_since = now if told.idle_since is None else told.idle_since
            stays = now - told.idle_since < CALM
        else:
            told.idle_since = None
            stays = reason in PASSING and command.charge
        if stays:
            return None
        known, told.known = told.known, True
        if not command.charge or reason in {Reason.CAR_FULL, Reason.CAR_NOT_DRAWING}:
            was, told.charging = told.charging, False
            return ChargerEvent.STOPPED if was else None
        if not told.charging:
            # That it is limited from the beginning is told with its reason.
            told.charging, told.phases, told.limited = True, command.phases, Toggle(shown=CAUSES[reason] in LIMITS)
            return ChargerEvent.STARTED if known else None
        if told.limited.follow(on=CAUSES[reason] in LIMITS, now=now):
            return ChargerEvent.LIMITED if told.limited.shown else ChargerEvent.RELEASED
        if command.phases != told.phases:
            told.phases = command.phases
            return ChargerEvent.PHASES_CHANGED
        return None

    def _of_site(self, plan: Plan, now: float, age: float) -> Iterator[Happening]:
        lost = any(circuit.stage >= Stage.FALLBACK for circuit in plan.circuits.values()) or any(
            charger.explanation.reason is Reason.SURPLUS_UNKNOWN for charger in plan.chargers.values()
        )
        self._heard = self._heard or not lost
        present = {
            SiteEvent.WATCHDOG_EXPIRED: plan.watchdog_expired,
            SiteEvent.DIMMING_STARTED: plan.dimmed,
            SiteEvent.PEAK_LIMITED: _explained(plan, Cause.PEAK) is not None,
            SiteEvent.METER_LOST: lost and (self._heard or age > WARM_UP),
        }
        for begins, (ends, cause, calm) in _SITE.items():
            toggle = self._site[begins]
            if toggle.follow(on=present[begins], now=now, calm=calm):
                event = begins if toggle.shown else ends
                explanation = _explained(plan, cause) if toggle.shown else None
                yield Happening(charger_id=None, event=event, cause=cause, explanation=explanation)

    def _of_overrides(self, plan: Plan) -> Iterator[Happening]:
        present = set(plan.overrides)
        for key in sorted((present ^ self._overrides) & plan.chargers.keys()):
            event = ChargerEvent.OVERRIDE_STARTED if key in present else ChargerEvent.OVERRIDE_ENDED
            yield _happening(key, event, plan.chargers[key], Cause.OVERRIDE)
        self._overrides = present


def _happening(key: str, event: ChargerEvent, charger: ChargerPlan, cause: Cause) -> Happening:
    reason = charger.explanation.reason
    if event in {ChargerEvent.LIMITED, ChargerEvent.RELEASED, ChargerEvent.PHASES_CHANGED} and reason in CAUSES:
        cause = CAUSES[reason]
    return Happening(charger_id=key, event=event, cause=cause, explanation=charger.explanation, command=charger.command)


def _explained(plan: Plan, cause: Cause) -> Explanation | None:
    """Return the reason of one charger behind which a cause stands."""
    explanations = (charger.explanation for charger in plan.chargers.values())
    return next((item for item in explanations if CAUSES.get(item.reason) is cause), None)
