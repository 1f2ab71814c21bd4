"""Who may charge: turns modes, cars and surplus into claims, with start and stop hysteresis."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from . import phases
from .allocation import Claim, Kind
from .electrics import grid_phases, voltage
from .model import CarState, ChargerConfig, ChargerMode, ChargerReading, Configuration, Mode, Snapshot
from .reasons import Explanation, Reason
from .state import ChargerState, ControlState
from .surplus import Surplus, Trust


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A charger that may charge, before the surplus is asked."""

    charger: ChargerConfig
    state: ChargerState
    reading: ChargerReading
    kind: Kind
    mode: Mode
    volts: float

    @property
    def chosen_anew(self) -> bool:
        """Whether somebody just chose another mode: then nobody wants to wait for a delay."""
        return self.state.mode is not None and self.state.mode is not self.mode

    @property
    def running(self) -> bool:
        """Whether it is told to charge."""
        return self.state.command is not None and self.state.command.charge


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What everybody asks for, and why the others ask for nothing."""

    claims: tuple[Claim, ...]
    explanations: Mapping[str, Explanation]
    """Of chargers without a claim, and of claims that wait for time to pass."""
    states: Mapping[str, ChargerState]
    budget_w: float | None
    """Surplus in W that is left for pv and min+pv chargers."""
    share_w: float | None
    """What they may share; without limit while the surplus is stale, because then all keep what they have."""


def effective_mode(config: Configuration, charger: ChargerConfig) -> tuple[Mode, bool]:
    """Return the mode a charger charges by, and whether it is the site's."""
    if config.strategy.mode is Mode.OFF:
        return Mode.OFF, True  # the site's off stops every charger
    if charger.mode is ChargerMode.FOLLOW_SITE:
        return config.strategy.mode, True
    return Mode(charger.mode.value), False


def collect(config: Configuration, state: ControlState, snapshot: Snapshot, surplus: Surplus, now: float) -> Claims:
    """Return the claims of all chargers."""
    explanations: dict[str, Explanation] = {}
    states: dict[str, ChargerState] = dict(state.chargers)
    candidates: list[Candidate] = []
    for charger in config.chargers:
        found = _candidate(config, charger, state, snapshot, now)
        if isinstance(found, Candidate):
            candidates.append(found)
        else:
            explanations[charger.charger_id] = found
            states[charger.charger_id] = replace(
                state.chargers[charger.charger_id],
                enough_since=None,
                short_since=None,
                other_phases_since=None,
                mode=None,
            )
    budget = _budget(state, surplus, candidates)
    contest = Contest(config=config, surplus=surplus, budget_w=budget, now=now)
    claims: list[Claim] = []
    # Running chargers keep what they have before another one starts; guaranteed ones are served before pv.
    for candidate in sorted(candidates, key=lambda item: (item.kind, not item.running)):
        claim, charger_state, explanation = contest.enter(candidate)
        states[candidate.charger.charger_id] = replace(charger_state, mode=candidate.mode)
        if explanation is not None:
            explanations[candidate.charger.charger_id] = explanation
        if claim is not None:
            claims.append(claim)
    share = float("inf") if surplus.trust is Trust.STALE else budget
    return Claims(claims=tuple(claims), explanations=explanations, states=states, budget_w=budget, share_w=share)


def _candidate(
    config: Configuration, charger: ChargerConfig, state: ControlState, snapshot: Snapshot, now: float
) -> Candidate | Explanation:
    reading = snapshot.chargers.get(charger.charger_id)
    own = state.chargers[charger.charger_id]
    if reading is None or not reading.online:
        if reading is None and now - state.started_at < config.timings.hear_all:
            return Explanation(reason=Reason.STARTING_UP, next_change_at=state.started_at + config.timings.hear_all)
        numbers = {"reserved_a": round(own.reserved_a, 1)} if own.reserved_a is not None else {}
        return Explanation(reason=Reason.UNREACHABLE, numbers=numbers)
    mode, from_site = effective_mode(config, charger)
    if own.command is None:
        kind = Kind.UNTOUCHED
    elif mode is Mode.OFF:
        return Explanation(reason=Reason.SITE_OFF if from_site else Reason.CHARGER_OFF)
    else:
        kind = {Mode.FAST: Kind.FAST, Mode.MIN_PV: Kind.GUARANTEED, Mode.PV: Kind.SURPLUS}[mode]
    if reading.car is CarState.NO_CAR:
        return Explanation(reason=Reason.NO_CAR)
    if reading.car in {CarState.ERROR, CarState.UNKNOWN}:
        return Explanation(reason=Reason.CHARGER_ERROR)
    if kind is Kind.SURPLUS and not config.has_power_meter:
        return Explanation(reason=Reason.NO_POWER_METER)
    volts = voltage(reading, snapshot.grid)
    return Candidate(charger=charger, state=own, reading=reading, kind=kind, mode=mode, volts=volts)


def _budget(state: ControlState, surplus: Surplus, candidates: list[Candidate]) -> float | None:
    """Surplus that is left when fast, untouched and silent chargers took theirs."""
    if surplus.watts is None or surplus.trust is Trust.DEAD:
        return None
    sharing = {item.charger.charger_id for item in candidates if item.kind in {Kind.GUARANTEED, Kind.SURPLUS}}
    others = sum(
        charger.draws[-1].power_w for key, charger in state.chargers.items() if key not in sharing and charger.draws
    )
    return surplus.watts - others


class Contest:
    """Hands the surplus to one candidate after the other; built for one step and thrown away."""

    def __init__(self, *, config: Configuration, surplus: Surplus, budget_w: float | None, now: float) -> None:
        """Begin with the whole budget."""
        self._config = config
        self._surplus = surplus
        self._left_w = budget_w
        self._now = now

    def enter(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        """Return the candidate's claim (None = it has to wait), its new state, and why it waits."""
        options = phases.Options.of(self._config, candidate.charger, candidate.state)
        if candidate.kind is Kind.SURPLUS:
            return self._enter_surplus(candidate, options)
        state = candidate.state
        if candidate.kind is Kind.UNTOUCHED:
            amps = candidate.reading.setting_a or candidate.charger.max_current_a
            count = options.reading(candidate.reading)
            return self._claim(candidate, count, floor=min(options.floor(count), amps), cap=amps), state, None
        guaranteed_w = 0.0
        if candidate.kind is Kind.GUARANTEED:
            guaranteed_w = self._config.strategy.guaranteed_power_w
            if guaranteed_w <= 0:
                return self._enter_surplus(candidate, options)
        wished_w = float("inf") if candidate.kind is Kind.FAST else max(guaranteed_w, self._left_w or 0.0)
        count, state = self._choose(options, candidate, state, wished_w)
        floor = options.floor(count)
        if candidate.kind is Kind.GUARANTEED:
            floor = max(floor, int(guaranteed_w / (candidate.volts * options.used(count)) + 1e-6))
        claim = self._claim(candidate, count, floor=floor)
        if candidate.kind is Kind.GUARANTEED:
            self._take(claim.floor_a * claim.watts_per_amp)
        return claim, replace(state, enough_since=None, short_since=None), None

    def _enter_surplus(
        self, candidate: Candidate, options: phases.Options
    ) -> tuple[Claim | None, ChargerState, Explanation | None]:
        needed_w = 0.0 if candidate.state.full else options.least_power(candidate.volts)
        if self._surplus.trust is Trust.DEAD:
            state = replace(candidate.state, enough_since=None, short_since=None)
            return (
                None,
                state,
                Explanation(reason=Reason.SURPLUS_UNKNOWN, numbers={"age_s": round(self._surplus.age_s)}),
            )
        if candidate.running:
            return self._go_on(candidate, options, needed_w)
        return self._start(candidate, options, needed_w)

    def _go_on(
        self, candidate: Candidate, options: phases.Options, needed_w: float
    ) -> tuple[Claim | None, ChargerState, Explanation | None]:
        timings, now = self._config.timings, self._now
        left = self._left_w
        short = left is not None and left < needed_w
        since = (candidate.state.short_since or now) if short else None
        state = replace(candidate.state, short_since=since, enough_since=None)
        explanation = None
        if since is not None and left is not None:
            if candidate.chosen_anew or now - since >= timings.stop_delay:
                state = replace(state, short_since=None)
                return None, state, _missing(Reason.WAITING_FOR_SURPLUS, left, needed_w)
            explanation = _missing(Reason.STOP_DELAY, left, needed_w, until=since + timings.stop_delay)
        count, state = self._choose(options, candidate, state, left or 0.0)
        claim = self._claim(candidate, count, floor=options.floor(count))
        self._take(0.0 if candidate.state.full else min(needed_w, claim.floor_a * claim.watts_per_amp))
        return claim, state, explanation

    def _start(
        self, candidate: Candidate, options: phases.Options, needed_w: float
    ) -> tuple[Claim | None, ChargerState, Explanation | None]:
        timings, now = self._config.timings, self._now
        left = self._left_w
        state = replace(candidate.state, short_since=None)
        if left is None or self._surplus.trust is not Trust.FRESH:
            numbers = {"needed_w": round(needed_w), "age_s": round(self._surplus.age_s)}
            return (
                None,
                replace(state, enough_since=None),
                Explanation(reason=Reason.SURPLUS_UNKNOWN, numbers=numbers),
            )
        if left < needed_w:
            return (
                None,
                replace(state, enough_since=None),
                _missing(Reason.WAITING_FOR_SURPLUS, left, needed_w),
            )
        since = state.enough_since or now
        state = replace(state, enough_since=since)
        self._take(needed_w)  # whoever comes after needs this much more
        if now - since < timings.start_delay:
            return (
                None,
                state,
                _missing(Reason.START_DELAY, left, needed_w, until=since + timings.start_delay),
            )
        count, state = self._choose(options, candidate, state, left)
        return self._claim(candidate, count, floor=options.floor(count)), state, None

    def _choose(
        self, options: phases.Options, candidate: Candidate, state: ChargerState, available_w: float
    ) -> tuple[int, ChargerState]:
        return phases.choose(
            options,
            state,
            candidate.reading,
            volts=candidate.volts,
            available_w=available_w,
            timings=self._config.timings,
            now=self._now,
        )

    def _take(self, power_w: float) -> None:
        if self._left_w is not None:
            self._left_w -= power_w

    def _claim(self, candidate: Candidate, count: int, *, floor: int, cap: int | None = None) -> Claim:
        config, charger, state = self._config, candidate.charger, candidate.state
        options = phases.Options.of(config, charger, state)
        if cap is None:
            cap = min(charger.max_current_a, candidate.reading.limit_a or charger.max_current_a)
            if state.full:
                cap = min(cap, floor)
            if self._surplus.trust is Trust.STALE and candidate.kind in {Kind.GUARANTEED, Kind.SURPLUS}:
                cap = min(cap, max(floor, state.command.current_a if state.command is not None else 0))
        measured = None
        if candidate.kind in {Kind.FAST, Kind.UNTOUCHED} or state.full:
            measured = 0.0  # the budget already is without what these draw
        command = state.command
        return Claim(
            charger_id=charger.charger_id,
            kind=candidate.kind,
            floor_a=min(floor, cap) if candidate.kind is Kind.GUARANTEED else floor,
            cap_a=cap,
            phases=count,
            lines=grid_phases(charger, config.phases, options.used(count)),
            watts_per_amp=candidate.volts * options.used(count),
            present_a=command.current_a if command is not None else candidate.reading.setting_a or 0,
            used_w=measured,
        )


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
