"""Hands room and surplus to the candidates, one after the other, with start and stop hysteresis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import phases
from .allocation import Claim, Kind
from .chargers import is_switching
from .circuits import Tree
from .electrics import grid_phases, phase_count
from .filling import EPSILON
from .model import ChargerConfig, ChargerReading, Configuration, Mode
from .ranking import Group, Turn, is_overdue, is_promised
from .reasons import Explanation, Reason
from .state import ChargerState
from .surplus import Surplus, Trust


@dataclass(kw_only=True, slots=True)  # not frozen: there is one per charger and step, and a frozen one costs more
class Candidate:
    """A charger that may charge, before the surplus is asked."""

    charger: ChargerConfig
    state: ChargerState
    reading: ChargerReading
    kind: Kind
    mode: Mode
    volts: float
    options: phases.Options
    rank: tuple[float, ...]

    @property
    def chosen_anew(self) -> bool:
        """Whether somebody just chose another mode: then nobody wants to wait for a delay."""
        return self.state.mode is not None and self.state.mode is not self.mode

    @property
    def idle(self) -> bool:
        """Return whether its car takes nothing although it may."""
        return self.rank[2] == Group.IDLE

    @property
    def running(self) -> bool:
        """Whether it is told to charge."""
        return self.state.command is not None and self.state.command.charge


class Contest:
    """Hands room and surplus to one candidate after the other; built for one step and thrown away."""

    def __init__(
        self,
        *,
        config: Configuration,
        tree: Tree,
        surplus: Surplus,
        budget_w: float | None,
        room: Sequence[float],
        candidates: Sequence[Candidate],
        turn: Turn,
        now: float,
    ) -> None:
        """Begin with the whole budget, and with the room that the minimum currents of running chargers leave."""
        self._config = config
        self._tree = tree
        self._surplus = surplus
        self._budget_w = self._left_w = budget_w
        self._turn = turn
        self._now = now
        self._room = list(room)
        self._others_w = sum(self._least_power(candidate) for candidate in candidates)
        self._running_w = sum(self._least_power(candidate) for candidate in candidates if candidate.running)
        self._replaced = False
        self.contested: set[str] = set()
        self._held = {
            candidate.charger.charger_id: held
            for candidate in candidates
            if (held := self._hold(candidate)) is not None
        }

    def enter(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        """Return the candidate's claim (None = it has to wait), its new state, and why it waits."""
        held = self._held.get(candidate.charger.charger_id)
        if held is not None:
            self._reserve(*held)
        least_w = self._least_power(candidate)
        self._others_w -= least_w
        if candidate.running:
            self._running_w -= least_w
        claim, state, explanation = self._enter(candidate)
        if claim is not None and not candidate.running:
            claim, state, pause = self._after_fuse_stops(claim, state)
            explanation = pause or explanation
        if claim is not None:
            self._reserve(claim.bounds, claim.power_bounds, claim.floor_a, claim.watts_per_amp)
        return claim, state, explanation

    def _least_power(self, candidate: Candidate) -> float:
        """Return the least surplus with which a candidate can charge; who comes later must not be forgotten."""
        if candidate.kind is not Kind.SURPLUS or candidate.idle:
            return 0.0
        return candidate.options.least_power(candidate.volts)

    def _hold(self, candidate: Candidate) -> tuple[tuple[int, ...], tuple[int, ...], float, float] | None:
        """Reserve the minimum current of a candidate that runs or is about to, on its phases; return what that is."""
        command = candidate.state.command
        if command is None or not (command.charge or is_promised(self._config, candidate.state, self._now)):
            return None
        options = candidate.options
        count = command.phases or 3
        bounds, power_bounds = self._bounds(candidate, count)
        floor, watts = options.floor(count), candidate.volts * options.used(count)
        self._reserve(bounds, power_bounds, floor, watts)
        return bounds, power_bounds, -floor, watts

    def _reserve(
        self, bounds: Sequence[int], power_bounds: Sequence[int], current_a: float, watts_per_amp: float
    ) -> None:
        for bound in bounds:
            self._room[bound] -= current_a
        for bound in power_bounds:
            self._room[bound] -= current_a * watts_per_amp

    def _has_room(
        self, bounds: Sequence[int], power_bounds: Sequence[int], current_a: float, watts_per_amp: float
    ) -> bool:
        room = self._room
        return all(room[bound] >= current_a - EPSILON for bound in bounds) and all(
            room[bound] >= current_a * watts_per_amp - EPSILON for bound in power_bounds
        )

    def _lines(self, candidate: Candidate, count: int) -> tuple[int, ...]:
        used, state = candidate.options.used(count), candidate.state
        if phase_count(candidate.reading) > used and not is_switching(self._config, state, self._now):
            used = candidate.charger.wired_phases  # it draws on more phases than it was told: so it is there
        return grid_phases(candidate.charger, self._config.phases, used, state.first_line)

    def _bounds(self, candidate: Candidate, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self._tree.bounds(
            candidate.charger.circuit_id, self._lines(candidate, count), balanced=candidate.options.used(count) == 3
        )

    def _after_fuse_stops(
        self, claim: Claim, state: ChargerState
    ) -> tuple[Claim | None, ChargerState, Explanation | None]:
        """Let a charger that its circuit stopped again and again wait until the room lasts.

        The first time it may restart at once; then the wait doubles with every stop within the hour, so that an oven
        does not wear out contactors (DESIGN.md 3.1).
        """
        timings, now, stops = self._config.timings, self._now, len(state.fuse_stops)
        if stops < 2:
            return claim, state if state.room_since is None else replace(state, room_since=None), None
        wait = min(timings.fuse_wait * 2 ** (stops - 2), timings.fuse_wait_longest)
        since = state.room_since
        if is_overdue(self._config, state, now):
            since = now - wait  # its turn has come: one more opening is better than a car that is forgotten
        elif not self._has_room(claim.bounds, claim.power_bounds, claim.floor_a, claim.watts_per_amp):
            since = None
        elif since is None:
            since = now
        if since is not None and now - since >= wait:
            return claim, state if since == state.room_since else replace(state, room_since=since), None
        self.contested.add(claim.charger_id)
        numbers = {"stops": float(stops), "wait_s": round(wait), "needed_a": float(claim.floor_a)}
        until = None if since is None else since + wait
        return (
            None,
            replace(state, room_since=since),
            Explanation(reason=Reason.FUSE_PAUSE, numbers=numbers, next_change_at=until),
        )

    def _enter(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        options = candidate.options
        if candidate.kind is Kind.SURPLUS:
            return self._enter_surplus(candidate)
        state = candidate.state
        if candidate.kind is Kind.UNTOUCHED:
            amps = candidate.reading.setting_a or candidate.charger.max_current_a
            count = options.reading(candidate.reading)
            return self._claim(candidate, count, floor=min(options.floor(count), amps), cap=amps), state, None
        guaranteed_w, wished_w = 0.0, float("inf")
        if candidate.kind is Kind.GUARANTEED:
            guaranteed_w = self._config.strategy.guaranteed_power_w
            wished_w = max(guaranteed_w, self._left_w or 0.0)
        count, state = self._choose(candidate, state, wished_w)
        floor = options.floor(count)
        guaranteed = int(guaranteed_w / (candidate.volts * options.used(count)) + EPSILON)
        claim = self._claim(candidate, count, floor=floor, guaranteed=guaranteed)
        if candidate.kind is Kind.GUARANTEED and not candidate.idle:
            self._take(claim.guaranteed_a * claim.watts_per_amp)
        if state.enough_since is not None or state.short_since is not None:
            state = replace(state, enough_since=None, short_since=None)
        return claim, state, None

    def _enter_surplus(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        needed_w = self._least_power(candidate)
        if self._surplus.trust is Trust.DEAD:
            state = replace(candidate.state, enough_since=None, short_since=None)
            return (
                None,
                state,
                Explanation(reason=Reason.SURPLUS_UNKNOWN, numbers={"age_s": round(self._surplus.age_s)}),
            )
        if candidate.running:
            return self._go_on(candidate, needed_w)
        return self._start(candidate, needed_w)

    def _go_on(self, candidate: Candidate, needed_w: float) -> tuple[Claim | None, ChargerState, Explanation | None]:
        timings, now = self._config.timings, self._now
        left = self._left_w
        short = left is not None and left < needed_w
        since = (candidate.state.short_since or now) if short else None
        state = candidate.state
        if since != state.short_since or state.enough_since is not None:
            state = replace(state, short_since=since, enough_since=None)
        explanation = None
        if since is not None and left is not None:
            replaced = self._replaced and self._suffices(needed_w)
            if replaced:
                self.contested.add(candidate.charger.charger_id)
            if candidate.chosen_anew or replaced or now - since >= timings.stop_delay:
                return None, replace(state, short_since=None), self._waits(left, needed_w)
            explanation = _missing(Reason.STOP_DELAY, left, needed_w, until=since + timings.stop_delay)
        count, state = self._choose(candidate, state, left)
        claim = self._claim(candidate, count, floor=candidate.options.floor(count))
        self._take(0.0 if candidate.idle else claim.floor_a * claim.watts_per_amp)
        return claim, state, explanation

    def _start(self, candidate: Candidate, needed_w: float) -> tuple[Claim | None, ChargerState, Explanation | None]:
        timings, now = self._config.timings, self._now
        left, state = self._left_w, candidate.state
        if left is None or self._surplus.trust is not Trust.FRESH:
            numbers = {"needed_w": round(needed_w), "age_s": round(self._surplus.age_s)}
            return None, _not_enough(state), Explanation(reason=Reason.SURPLUS_UNKNOWN, numbers=numbers)
        if left < needed_w:
            if self._suffices(needed_w):
                self.contested.add(candidate.charger.charger_id)
            return None, _not_enough(state), self._waits(left, needed_w)
        since = state.enough_since or now
        if self._turn.changes and left - self._running_w < needed_w:
            # It takes the turn of one that charges: the surplus is the same, so there is nothing to wait for.
            self._replaced = True
            since = now - timings.start_delay
        if since != state.enough_since or state.short_since is not None:
            state = replace(state, enough_since=since, short_since=None)
        count, state = self._choose(candidate, state, left)
        claim = self._claim(candidate, count, floor=candidate.options.floor(count))
        # Whoever comes after needs this much more.
        self._take(0.0 if candidate.idle else claim.floor_a * claim.watts_per_amp)
        if now - since < timings.start_delay:
            return (
                None,
                state,
                _missing(Reason.START_DELAY, left, needed_w, until=since + timings.start_delay),
            )
        return claim, state, None

    def _suffices(self, needed_w: float) -> bool:
        """Return whether the surplus would do, were it not for others."""
        return self._budget_w is not None and self._budget_w >= needed_w

    def _waits(self, left_w: float, needed_w: float) -> Explanation:
        if self._suffices(needed_w):
            return _missing(Reason.WAITING_FOR_TURN_PV, left_w, needed_w, until=self._turn.ends_at)
        return _missing(Reason.WAITING_FOR_SURPLUS, left_w, needed_w)

    def _choose(self, candidate: Candidate, state: ChargerState, available_w: float | None) -> tuple[int, ChargerState]:
        options = candidate.options
        if candidate.kind is not Kind.FAST and self._surplus.trust is Trust.STALE:
            available_w = None
        if candidate.kind is Kind.SURPLUS and available_w is not None:
            available_w -= self._others_w  # three phases for one must not cost another one its minimum
        if len(options.allowed) == 1:
            return options.allowed[0], state if state.other_phases_since is None else replace(
                state, other_phases_since=None
            )
        bounds, power_bounds = self._bounds(candidate, 3)
        watts = candidate.volts * options.used(3)
        return phases.choose(
            options,
            state,
            candidate.reading,
            volts=candidate.volts,
            available_w=available_w,
            fits_three=self._has_room(bounds, power_bounds, options.floor(3), watts),
            at_once=candidate.kind is Kind.FAST,
            timings=self._config.timings,
            now=self._now,
        )

    def _take(self, power_w: float) -> None:
        if self._left_w is not None:
            self._left_w -= power_w

    def _claim(
        self, candidate: Candidate, count: int, *, floor: int, guaranteed: int = 0, cap: int | None = None
    ) -> Claim:
        charger, state, options = candidate.charger, candidate.state, candidate.options
        if cap is None:
            cap = charger.max_current_a
            if candidate.reading.limit_a is not None:
                cap = min(cap, candidate.reading.limit_a)
            if state.full:
                cap = min(cap, floor)
            if self._surplus.trust is Trust.STALE and candidate.kind in {Kind.GUARANTEED, Kind.SURPLUS}:
                cap = min(cap, max(floor, guaranteed, state.command.current_a if state.command is not None else 0))
        measured = None
        if candidate.kind in {Kind.FAST, Kind.UNTOUCHED} or candidate.idle:
            measured = 0.0  # the budget already is without what these draw
        command = state.command
        bounds, power_bounds = self._bounds(candidate, count)
        return Claim(
            charger_id=charger.charger_id,
            circuit_id=charger.circuit_id,
            kind=candidate.kind,
            priority=charger.priority,
            floor_a=floor,
            demand_a=cap if state.demand_a is None or candidate.kind is Kind.UNTOUCHED else state.demand_a,
            guaranteed_a=min(max(guaranteed, floor), cap) if candidate.kind is Kind.GUARANTEED else 0,
            cap_a=cap,
            phases=count,
            lines=self._lines(candidate, count),
            watts_per_amp=candidate.volts * options.used(count),
            present_a=command.current_a if command is not None else cap,
            idle=candidate.idle and candidate.kind is not Kind.UNTOUCHED,
            excess_a=state.excess_a,
            used_w=measured,
            bounds=bounds,
            power_bounds=power_bounds,
        )


def _not_enough(state: ChargerState) -> ChargerState:
    if state.enough_since is None and state.short_since is None:
        return state
    return replace(state, enough_since=None, short_since=None)


def _missing(reason: Reason, surplus_w: float, needed_w: float, until: float | None = None) -> Explanation:
    return Explanation(
        reason=reason,
        numbers={
            "surplus_w": round(surplus_w),
            "needed_w": round(needed_w),
            "missing_w": round(max(needed_w - surplus_w, 0.0)),
        },
        next_change_at=until,
    )
