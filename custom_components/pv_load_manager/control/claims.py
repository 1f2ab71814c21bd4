"""Who may charge: turns modes, cars and surplus into claims, with start and stop hysteresis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from . import phases
from .allocation import EPSILON, Claim, Kind, fits
from .electrics import NOTHING, add, grid_phases, spread, subtract, voltage
from .model import CarState, ChargerConfig, ChargerMode, ChargerReading, Configuration, Mode, Snapshot, Three
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


def collect(
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    surplus: Surplus,
    present: Mapping[str, Three],
    room_a: Three,
    now: float,
) -> Claims:
    """Return the claims of all chargers.

    Args:
        config: the configuration.
        state: the state, the current snapshot taken in.
        snapshot: what is known of the chargers.
        surplus: the surplus for all.
        present: what every charger can draw now, per grid phase in A.
        room_a: what all chargers may draw together now, per grid phase in A.
        now: monotonic seconds.
    """
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
    for key in explanations:  # they ask for nothing, but may still draw
        room_a = subtract(room_a, present[key])
    contest = Contest(config=config, surplus=surplus, budget_w=budget, room_a=room_a, candidates=candidates, now=now)
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
        reserved = own.reserved_a if own.reserved_a is not None else float(charger.max_current_a)
        return Explanation(reason=Reason.UNREACHABLE, numbers={"reserved_a": round(reserved, 1)})
    mode, from_site = effective_mode(config, charger)
    if own.command is None:
        kind = Kind.UNTOUCHED
    elif mode is Mode.OFF:
        return Explanation(reason=Reason.SITE_OFF if from_site else Reason.CHARGER_OFF)
    elif mode is Mode.FAST:
        kind = Kind.FAST
    else:
        guaranteed = mode is Mode.MIN_PV and config.strategy.guaranteed_power_w > 0
        kind = Kind.GUARANTEED if guaranteed else Kind.SURPLUS
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

    def __init__(
        self,
        *,
        config: Configuration,
        surplus: Surplus,
        budget_w: float | None,
        room_a: Three,
        candidates: Sequence[Candidate],
        now: float,
    ) -> None:
        """Begin with the whole budget, and with the room that the minimum currents of running chargers leave."""
        self._config = config
        self._surplus = surplus
        self._left_w = budget_w
        self._now = now
        self._room_a = room_a
        self._others_w = sum(self._least_power(candidate) for candidate in candidates)
        for candidate in candidates:
            self._room_a = subtract(self._room_a, self._held(candidate))

    def enter(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        """Return the candidate's claim (None = it has to wait), its new state, and why it waits."""
        self._room_a = add(self._room_a, self._held(candidate))
        self._others_w -= self._least_power(candidate)
        claim, state, explanation = self._enter(candidate)
        if claim is not None:
            self._room_a = subtract(self._room_a, spread(claim.floor_a, claim.lines))
        return claim, state, explanation

    def _least_power(self, candidate: Candidate) -> float:
        """Return the least surplus with which a candidate can charge; who comes later must not be forgotten."""
        if candidate.kind is not Kind.SURPLUS or candidate.state.full:
            return 0.0
        return phases.Options.of(self._config, candidate.charger, candidate.state).least_power(candidate.volts)

    def _held(self, candidate: Candidate) -> Three:
        """Return the minimum current of a running candidate on the phases it uses now."""
        if not candidate.running:
            return NOTHING
        options = phases.Options.of(self._config, candidate.charger, candidate.state)
        command = candidate.state.command
        count = command.phases if command is not None and command.phases is not None else 3
        return spread(options.floor(count), self._lines(candidate, options, count))

    def _lines(self, candidate: Candidate, options: phases.Options, count: int) -> tuple[int, ...]:
        return grid_phases(candidate.charger, self._config.phases, options.used(count))

    def _enter(self, candidate: Candidate) -> tuple[Claim | None, ChargerState, Explanation | None]:
        options = phases.Options.of(self._config, candidate.charger, candidate.state)
        if candidate.kind is Kind.SURPLUS:
            return self._enter_surplus(candidate, options)
        state = candidate.state
        if candidate.kind is Kind.UNTOUCHED:
            amps = candidate.reading.setting_a or candidate.charger.max_current_a
            count = options.reading(candidate.reading)
            return self._claim(candidate, count, floor=min(options.floor(count), amps), cap=amps), state, None
        guaranteed_w, wished_w = 0.0, float("inf")
        if candidate.kind is Kind.GUARANTEED:
            guaranteed_w = self._config.strategy.guaranteed_power_w
            wished_w = max(guaranteed_w, self._left_w or 0.0)
        count, state = self._choose(options, candidate, state, wished_w)
        floor = options.floor(count)
        guaranteed = int(guaranteed_w / (candidate.volts * options.used(count)) + EPSILON)
        claim = self._claim(candidate, count, floor=floor, guaranteed=guaranteed)
        if candidate.kind is Kind.GUARANTEED and not candidate.state.full:
            self._take(claim.guaranteed_a * claim.watts_per_amp)
        return claim, replace(state, enough_since=None, short_since=None), None

    def _enter_surplus(
        self, candidate: Candidate, options: phases.Options
    ) -> tuple[Claim | None, ChargerState, Explanation | None]:
        needed_w = self._least_power(candidate)
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
        count, state = self._choose(options, candidate, state, left)
        claim = self._claim(candidate, count, floor=options.floor(count))
        self._take(0.0 if candidate.state.full else claim.floor_a * claim.watts_per_amp)
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
        count, state = self._choose(options, candidate, state, left)
        claim = self._claim(candidate, count, floor=options.floor(count))
        # Whoever comes after needs this much more.
        self._take(0.0 if candidate.state.full else claim.floor_a * claim.watts_per_amp)
        if now - since < timings.start_delay:
            return (
                None,
                state,
                _missing(Reason.START_DELAY, left, needed_w, until=since + timings.start_delay),
            )
        return claim, state, None

    def _choose(
        self, options: phases.Options, candidate: Candidate, state: ChargerState, available_w: float | None
    ) -> tuple[int, ChargerState]:
        if candidate.kind is not Kind.FAST and self._surplus.trust is Trust.STALE:
            available_w = None
        if candidate.kind is Kind.SURPLUS and available_w is not None:
            available_w -= self._others_w  # three phases for one must not cost another one its minimum
        wanted = spread(options.floor(3), self._lines(candidate, options, 3))
        return phases.choose(
            options,
            state,
            candidate.reading,
            volts=candidate.volts,
            available_w=available_w,
            fits_three=fits(wanted, self._room_a),
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
        charger, state = candidate.charger, candidate.state
        options = phases.Options.of(self._config, charger, state)
        if cap is None:
            cap = min(charger.max_current_a, candidate.reading.limit_a or charger.max_current_a)
            if state.full:
                cap = min(cap, floor)
            if self._surplus.trust is Trust.STALE and candidate.kind in {Kind.GUARANTEED, Kind.SURPLUS}:
                cap = min(cap, max(floor, guaranteed, state.command.current_a if state.command is not None else 0))
        measured = None
        if candidate.kind in {Kind.FAST, Kind.UNTOUCHED} or state.full:
            measured = 0.0  # the budget already is without what these draw
        command = state.command
        return Claim(
            charger_id=charger.charger_id,
            kind=candidate.kind,
            floor_a=floor,
            guaranteed_a=min(max(guaranteed, floor), cap) if candidate.kind is Kind.GUARANTEED else 0,
            cap_a=cap,
            phases=count,
            lines=self._lines(candidate, options, count),
            watts_per_amp=candidate.volts * options.used(count),
            present_a=command.current_a if command is not None else cap,
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
