"""Hands room and surplus to the candidates, one after the other."""

from collections.abc import Sequence
from dataclasses import replace

from . import phases, solar
from .allocation import Claim, Kind
from .candidates import Candidate
from .chargers import is_switching
from .circuits import Tree
from .filling import EPSILON
from .law import NO_REGRET, OFF, ONE, PHASES, THREE, Verdict
from .model import BatteryPriority, Configuration
from .places import Places, watts_per_amp
from .ranking import Turn, is_overdue
from .reasons import Explanation, Reason
from .state import ChargerState
from .sunshares import Part, shares
from .surplus import Surplus, Trust

SOLAR = frozenset({Kind.GUARANTEED, Kind.SURPLUS})


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
        seconds: float,
        now: float,
    ) -> None:
        """Begin with the whole budget, and with the room that the minimum currents of running chargers leave."""
        self._config = config
        self._surplus = surplus
        self._sun_w = self._left_w = budget_w
        self._turn = turn
        self._seconds = seconds
        self._now = now
        self._places = Places(config, tree, room, candidates, now)
        self._running_w = sum(_solar_power(candidate) for candidate in candidates)
        """The minimum of those that run and were not asked yet, in W."""
        self._running_three_w = sum(_three_power(candidate) for candidate in candidates)
        """The part of it that is on three phases."""
        self._shares = self._fair_shares(candidates)
        for candidate in candidates:
            if candidate.kind is Kind.GUARANTEED and not candidate.idle:
                count = candidate.phases if candidate.running else candidate.options.allowed[0]
                if candidate.running or self._places.fits(candidate, count):
                    self._take(self._guaranteed_w(candidate, count))
        self._budget_w = self._left_w
        self._replaced = False
        self._switching = {
            candidate.charger.charger_id
            for candidate in candidates
            if candidate.running and is_switching(config, candidate.state, now)
        }
        self.contested: set[str] = set()

    def enter(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        """Return the candidate's claim (None = it has to wait), its new state, and why it waits."""
        self._places.release(candidate)
        self._running_w -= _solar_power(candidate)
        self._running_three_w -= _three_power(candidate)
        before = self._left_w, self._replaced
        claim, state, explanation = self._enter(self._narrowed(candidate))
        if claim is not None and not candidate.running:
            if not self._places.is_open(claim):
                self._left_w, self._replaced = before  # it cannot begin: the sun is for those after it
            claim, state, pause = self._after_fuse_stops(claim, state)
            if pause is not None:
                self._left_w, self._replaced = before
            explanation = pause or explanation
        if claim is not None:
            self._places.take(candidate, claim)
        return claim, state, explanation

    def _fair_shares(self, candidates: Sequence[Candidate]) -> dict[str, float]:
        """Return the part of the surplus that each would have if it could take any power, in W."""
        budget = self._sun_w
        if budget is None:
            return {}
        asking = [
            item for item in candidates if item.kind in SOLAR and not item.idle and not self._places.is_blocked(item)
        ]
        parts = [self._part(item) for item in asking]
        found = shares(parts, budget)
        # Who is on three phases compares that with one phase, where it would take from the others what they have there.
        apart: dict[tuple[int, ...], list[float]] = {}
        for index, item in enumerate(asking):
            if len(item.options.allowed) == 1 or solar.choice_of(item) != THREE or not self._places.fits(item, 1):
                continue
            joining = self._places.bounds(item, 1)[0]
            if joining not in apart:
                beside = [self._part(other, joining) for other in asking]
                apart[joining] = found if beside == parts else shares(beside, budget)
            found[index] = apart[joining][index]
        return {item.charger.charger_id: share for item, share in zip(asking, found, strict=True)}

    def _part(self, candidate: Candidate, joining: Sequence[int] = ()) -> Part:
        """Return what a candidate takes of the surplus; ``joining`` are the limits that one more on one phase loads."""
        possible = solar.offers(
            candidate,
            one_a=self._places.one_a(candidate, joining),
            fits_three=True,
            may_stop=False,
            margin_a=self._config.strategy.demand_margin_a,
        )
        least, most = 0.0, max(offer.most_w for offer in possible if offer is not None)
        present = possible[solar.choice_of(candidate)]
        if present is not None:
            least, most = present
        return Part(candidate.charger.priority, least, most)

    def _share(self, candidate: Candidate) -> float:
        return self._shares.get(candidate.charger.charger_id, self._left_w or 0.0)

    def _narrowed(self, candidate: Candidate) -> Candidate:
        """Return a candidate as one for three phases only, where the circuits have no place for it on one.

        It would wait for the place of another one while there is sun for three phases that nobody uses.
        """
        options = candidate.options
        if candidate.kind not in SOLAR or len(options.allowed) == 1 or solar.choice_of(candidate) == ONE:
            return candidate
        if self._places.fits(candidate, 1) or not self._places.fits(candidate, 3):
            return candidate
        narrowed = replace(candidate, options=options.only(3))
        if candidate.kind is Kind.SURPLUS:
            later = self._running_w - (self._running_three_w if self._turn.changes else 0.0)
            enough = candidate.running or self._leaves(solar.needed_power(self._config, narrowed) + later)
            return narrowed if enough else candidate
        more = 0.0 if candidate.running else self._guaranteed_w(candidate, 3)
        if self._config.strategy.guaranteed_power_w < options.power(3, candidate.volts) and not self._leaves(more):
            return candidate
        self._take(more)
        return narrowed

    def _leaves(self, power_w: float) -> bool:
        """Return whether so much of the surplus is left by those that came before."""
        return self._left_w is not None and self._left_w >= power_w

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
        elif not self._places.is_free(claim):
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
            claim = self._claim(candidate, count, floor=min(options.floor(count), amps), cap=amps)
            cap = amps if candidate.power_cap_w is None else min(amps, candidate.cap_a(count))
            return replace(claim, cap_a=cap, dimmed=cap < amps or candidate.narrowed), state, None
        if candidate.kind is Kind.GUARANTEED:
            return self._enter_guaranteed(candidate)
        count, state = self._phases_for_fast(candidate)
        return self._claim(candidate, count, floor=candidate.floor_a(count)), _without_regrets(state), None

    def _enter_guaranteed(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        options, state, explanation = candidate.options, candidate.state, None
        guaranteed_w = self._config.strategy.guaranteed_power_w
        count = candidate.phases
        if not candidate.running or self._surplus.trust is not Trust.STALE:
            share = max(guaranteed_w, self._share(candidate) if self._left_w is not None else 0.0)
            verdict = solar.consider_phases(
                self._config,
                self._surplus,
                candidate,
                available_w=share,
                one_a=self._places.one_a(candidate),
                fits_three=self._places.fits(candidate, 3),
                seconds=self._seconds,
                now=self._now,
            )
            count, state = self._phases_in_turn(candidate, verdict), solar.remember(state, verdict)
            if candidate.running and self._left_w is not None:
                explanation = self._running_reason(candidate, verdict, share)
        claim = self._claim(
            candidate, count, floor=options.floor(count), guaranteed=self._guaranteed_a(candidate, count)
        )
        return claim, state, explanation

    def _guaranteed_a(self, candidate: Candidate, count: int) -> int:
        """Return the current of the guaranteed power in A per phase, at least the charger's minimum."""
        amps = int(self._config.strategy.guaranteed_power_w / watts_per_amp(candidate, count) + EPSILON)
        return min(
            max(amps, candidate.options.floor(count)), max(candidate.cap_a(count), candidate.options.floor(count))
        )

    def _guaranteed_w(self, candidate: Candidate, count: int) -> float:
        return self._guaranteed_a(candidate, count) * watts_per_amp(candidate, count)

    def _enter_surplus(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        state, left = candidate.state, self._left_w
        numbers = {"age_s": round(self._surplus.age_s)}
        if self._surplus.trust is Trust.DEAD:
            return None, _without_regrets(state), Explanation(reason=Reason.SURPLUS_UNKNOWN, numbers=numbers)
        needed_w = solar.needed_power(self._config, candidate)
        if left is None or self._surplus.trust is not Trust.FRESH:
            if candidate.running:
                return self._solar_claim(candidate, candidate.phases), state, None
            numbers["needed_w"] = round(needed_w)
            return None, _without_regrets(state), Explanation(reason=Reason.SURPLUS_UNKNOWN, numbers=numbers)
        verdict = solar.consider(
            self._config,
            self._surplus,
            candidate,
            left_w=left,
            share_w=self._share(candidate) if candidate.running else min(self._share(candidate), left),
            one_a=self._places.one_a(candidate),
            fits_three=self._places.fits(candidate, 3),
            seconds=self._seconds,
            now=self._now,
        )
        state = solar.remember(state, verdict)
        if candidate.running:
            return self._go_on(candidate, state, verdict, left)
        return self._start(candidate, state, verdict, left, needed_w)

    def _go_on(
        self, candidate: Candidate, state: ChargerState, verdict: Verdict, left: float
    ) -> tuple[Claim | None, ChargerState, Explanation | None]:
        needed_w = candidate.least_power
        short = left < needed_w and not solar.helped_by_battery(self._config, self._surplus, candidate)
        replaced = short and self._replaced and self._suffices(needed_w)
        if replaced:
            self.contested.add(candidate.charger.charger_id)
        if verdict.choice == OFF or replaced or (short and candidate.chosen_anew):
            return None, state, self._waits(candidate, left, needed_w)
        explanation = self._running_reason(candidate, verdict, self._share(candidate))
        return self._solar_claim(candidate, self._phases_in_turn(candidate, verdict)), state, explanation

    def _phases_in_turn(self, candidate: Candidate, verdict: Verdict) -> int:
        """Return the phases of a verdict, the present ones while another charger switches.

        The shares of the others are another thing then; all who decide at the same moment would decide the same.
        """
        count = PHASES[verdict.choice]
        if not candidate.running or count == candidate.phases:
            return count
        if self._switching - {candidate.charger.charger_id}:
            return candidate.phases
        self._switching.add(candidate.charger.charger_id)
        return count

    def _running_reason(self, candidate: Candidate, verdict: Verdict, share_w: float) -> Explanation | None:
        return solar.running_reason(
            self._config,
            self._surplus,
            candidate,
            verdict,
            left_w=self._left_w or 0.0,
            share_w=share_w,
            now=self._now,
        )

    def _start(
        self, candidate: Candidate, state: ChargerState, verdict: Verdict, left: float, needed_w: float
    ) -> tuple[Claim | None, ChargerState, Explanation | None]:
        helped = solar.helped_by_battery(self._config, self._surplus, candidate)
        if left < needed_w and not helped:
            if self._suffices(needed_w):
                self.contested.add(candidate.charger.charger_id)
            return None, state, self._waits(candidate, left, needed_w)
        takes_turn = self._turn.changes and left - self._running_w < needed_w and not helped
        if takes_turn:
            # It takes the turn of one that charges: the surplus is the same, so there is nothing to wait for.
            self._replaced = True
        count = PHASES[verdict.choice]
        if verdict.choice == OFF:
            count = candidate.options.allowed[0]
        # Whoever comes after needs this much more.
        claim = self._solar_claim(candidate, count)
        if takes_turn:
            return replace(claim, is_turn=True), state, None
        if verdict.choice == OFF:
            until = None if verdict.seconds is None else self._now + verdict.seconds
            numbers = {"regret_wh": round(verdict.regret_wh, 1), "price_wh": round(verdict.price_wh, 1)}
            return None, state, _missing(Reason.START_DELAY, left, needed_w, until=until, **numbers)
        return claim, state, None

    def _solar_claim(self, candidate: Candidate, count: int) -> Claim:
        """Return the claim of a pv charger; its minimum is gone for those after it."""
        claim = self._claim(candidate, count, floor=candidate.options.floor(count))
        if not candidate.idle:
            self._take(claim.floor_a * claim.watts_per_amp)
        return claim

    def _suffices(self, needed_w: float) -> bool:
        """Return whether the surplus would do, were it not for others."""
        return self._budget_w is not None and self._budget_w >= needed_w

    def _waits(self, candidate: Candidate, left_w: float, needed_w: float) -> Explanation:
        if self._suffices(needed_w) and left_w < (self._budget_w or 0.0):
            return _missing(Reason.WAITING_FOR_TURN_PV, left_w, needed_w, until=self._turn.ends_at)
        surplus = self._surplus
        charging = -(surplus.battery_w or 0.0)
        if surplus.battery_first and left_w + charging >= needed_w:
            numbers = {"battery_w": round(charging)}
            if surplus.soc is not None:
                numbers["soc"] = round(surplus.soc)
                if self._config.strategy.battery_priority is BatteryPriority.TARGET_SOC:
                    numbers["target_soc"] = round(self._config.strategy.battery_target_soc)
            return _missing(Reason.BATTERY_FIRST, left_w, needed_w, **numbers)
        return _missing(Reason.WAITING_FOR_SURPLUS, left_w, needed_w)

    def _phases_for_fast(self, candidate: Candidate) -> tuple[int, ChargerState]:
        options, state = candidate.options, candidate.state
        if len(options.allowed) == 1:
            return options.allowed[0], state if state.other_phases_since is None else replace(
                state, other_phases_since=None
            )
        return phases.choose(
            options,
            state,
            candidate.reading,
            fits_three=self._places.fits(candidate, 3),
            timings=self._config.timings,
            now=self._now,
        )

    def _margin(self, candidate: Candidate) -> int:
        if candidate.state.demand_a is None or candidate.kind not in {Kind.GUARANTEED, Kind.SURPLUS}:
            return 0
        return int(self._config.strategy.demand_margin_a)

    def _take(self, power_w: float) -> None:
        if self._left_w is not None:
            self._left_w -= power_w

    def _claim(
        self, candidate: Candidate, count: int, *, floor: int, guaranteed: int = 0, cap: int | None = None
    ) -> Claim:
        charger, state = candidate.charger, candidate.state
        if cap is None:
            cap = candidate.cap_a(count)
            if state.full:
                cap = min(cap, floor)
            if self._surplus.trust is Trust.STALE and candidate.kind in {Kind.GUARANTEED, Kind.SURPLUS}:
                cap = min(cap, max(floor, guaranteed, state.command.current_a if state.command is not None else 0))
        measured = None
        if candidate.kind in {Kind.FAST, Kind.UNTOUCHED} or candidate.idle:
            measured = 0.0  # the budget already is without what these draw
        command = state.command
        bounds, power_bounds = self._places.bounds(candidate, count)
        return Claim(
            charger_id=charger.charger_id,
            circuit_id=charger.circuit_id,
            kind=candidate.kind,
            priority=charger.priority,
            floor_a=floor,
            demand_a=cap if state.demand_a is None or candidate.kind is Kind.UNTOUCHED else state.demand_a,
            margin_a=self._margin(candidate),
            guaranteed_a=min(max(guaranteed, floor), cap) if candidate.kind is Kind.GUARANTEED else 0,
            cap_a=cap,
            phases=count,
            lines=self._places.lines(candidate, count),
            watts_per_amp=watts_per_amp(candidate, count),
            present_a=command.current_a if command is not None else cap,
            dimmed=candidate.is_dimmed(count),
            idle=candidate.idle and candidate.kind is not Kind.UNTOUCHED,
            excess_a=state.excess_a,
            used_w=measured,
            bounds=bounds,
            power_bounds=power_bounds,
        )


def _solar_power(candidate: Candidate) -> float:
    """Return the surplus below which a candidate cannot go while its phases stay; 0 where it needs none."""
    if candidate.kind is not Kind.SURPLUS or candidate.idle or not candidate.running:
        return 0.0
    return candidate.options.power(candidate.phases, candidate.volts)


def _three_power(candidate: Candidate) -> float:
    return _solar_power(candidate) if solar.choice_of(candidate) == THREE else 0.0


def _without_regrets(state: ChargerState) -> ChargerState:
    return state if state.regrets == NO_REGRET else replace(state, regrets=NO_REGRET)


def _missing(
    reason: Reason, surplus_w: float, needed_w: float, until: float | None = None, **more: float
) -> Explanation:
    return Explanation(
        reason=reason,
        numbers={
            "surplus_w": round(surplus_w),
            "needed_w": round(needed_w),
            "missing_w": round(max(needed_w - surplus_w, 0.0)),
            **more,
        },
        next_change_at=until,
    )
