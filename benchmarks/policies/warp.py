"""The charge manager of WARP chargers in the parts that the scenarios need: fixed-phase boxes, no sun, no eco.

Every 10 s (at once after an overload or a newcomer, but 5 s apart) the boxes are shed, turned and switched on by
phases, then the current is shared. Any switch-on blocks every other one for 210 s. A box that stays silent is switched
off on paper, and as its last word still claims current, half a minute later it counts as disobedient and all stop.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.plant import LEAST_A, BoxModel, BoxView, CarSays, CircuitModel, Observation, Order, Site

from .warp_limits import measured, phases

ALLOCATION = 10.0
EARLY = 5.0
HYSTERESIS = 210.0
WELCOME = 210.0
ROTATION = 900.0
UNREACHABLE = 32.0
DISOBEDIENT = 32.0
START_PHASE = 60.0
MARGIN = 3.0
EPSILON = 1e-6


@dataclass(slots=True)
class Member:
    """What the manager knows of one box."""

    model: BoxModel
    view: BoxView
    lines: tuple[int, ...] = (0, 1, 2)
    phases: int = 0
    """0 = switched off."""
    amps: float = 0.0
    changed_at: float = 0.0
    on_since: float = 0.0
    plugged: bool = False
    plugged_at: float = 0.0
    welcome: bool = False
    stopped: bool = False
    charging_since: float | None = None
    given_as: float = 0.0
    boost_until: float = 0.0

    @property
    def wants(self) -> bool:
        """Return whether it would charge."""
        return self.view.car is CarSays.CHARGING or (self.plugged and not self.stopped)

    def average(self, now: float) -> float:
        """Return the current that it was given since its car came, by the time that this took."""
        return self.given_as / max(1.0, now - self.plugged_at)

    def requested(self, now: float) -> float:
        """Return what it is believed to need."""
        most = float(self.model.max_a)
        since = self.charging_since
        if since is None or now - since < START_PHASE or now < self.boost_until:
            return most
        drawn = max(self.view.currents_a)
        return min(most, max(LEAST_A, drawn + MARGIN)) if drawn > 0 else most


class Manager:
    """One charge manager with its boxes."""

    def __init__(self, boxes: Iterable[BoxModel], circuit: CircuitModel, *, most: float, dynamic: bool) -> None:
        self._boxes = tuple(boxes)
        self._circuit = circuit
        self._factor = 1.5 if dynamic else 1.0
        self._limits = phases(circuit.target_a, most, dynamic=dynamic)
        self._members: list[Member] = []
        self._ran_at = self._switched_at = float("-inf")
        self._slot: int | None = None

    def step(self, now: float, seen: Observation) -> dict[str, Order]:
        """Take a second's packets and meter values in, and return what every box is told."""
        if not self._members:
            self._members = [Member(model=box, view=seen.boxes[box.key]) for box in self._boxes]
        newcomer = False
        for member in self._members:
            newcomer |= self._hear(member, now)
        self._measure(now, seen)
        since = now - self._ran_at
        if since >= ALLOCATION or (since >= EARLY and (newcomer or any(limit.urgent for limit in self._limits))):
            self._ran_at = now
            self._allocate(now)
        if any(self._disobeys(member, now) for member in self._members):
            return {member.model.key: Order(charge=False) for member in self._members}
        return {member.model.key: Order(charge=member.amps >= LEAST_A, amps=member.amps) for member in self._members}

    def _hear(self, member: Member, now: float) -> bool:
        view = member.view
        member.given_as += member.amps * member.phases
        if not view.online:
            return False
        plugged = view.car is not CarSays.NO_CAR
        new = plugged and not member.plugged
        if new:
            member.plugged_at, member.welcome, member.given_as, member.stopped = now, True, 0.0, False
            member.lines = tuple(line - 1 for line in member.model.rotation)[: member.model.wired]
        member.plugged = plugged
        member.stopped = plugged and (member.stopped or view.car is CarSays.COMPLETE)
        if view.car is not CarSays.CHARGING:
            member.charging_since = None
        elif member.charging_since is None:
            member.charging_since = now
        elif now - member.charging_since > 30 and view.currents_a[1] <= 0.5 and member.model.rotation_known:
            member.lines = (member.model.rotation[0] - 1,)  # the box notices a car of one phase
        return new

    def _measure(self, now: float, seen: Observation) -> None:
        meter = seen.meters.get(self._circuit.circuit_id)
        currents = measured(meter.at, meter.currents_a, now) if meter is not None else None
        allocated = [0.0, 0.0, 0.0]
        for member in self._members:
            view = member.view
            if view.car is CarSays.CHARGING and now - view.at <= UNREACHABLE and not view.switching:
                for line in member.lines:
                    allocated[line] += view.setting_a
        for line, limit in enumerate(self._limits):
            limit.update(now, currents[line] if currents is not None else None, allocated[line])

    def _disobeys(self, member: Member, now: float) -> bool:
        view = member.view
        allowed = view.setting_a if view.car is CarSays.CHARGING and not view.holding else 0.0
        return allowed > member.amps + EPSILON and now - member.changed_at > DISOBEDIENT

    def _allocate(self, now: float) -> None:
        members = self._members
        before = {member.model.key: (member.phases, member.amps) for member in members}
        for member in members:
            if not member.wants or now - member.view.at > UNREACHABLE:
                member.phases = 0
        rested = now - self._switched_at > HYSTERESIS
        self._rotate(now, rested=rested)
        for member in sorted(members, key=lambda one: one.plugged_at):
            if member.welcome and member.plugged and member.phases == 0 and now - member.view.at <= UNREACHABLE:
                self._switch_on(member, now)
            elif member.welcome and now - member.plugged_at > WELCOME:
                member.welcome = False
        self._shed()
        if rested:
            self._start(now)
        self._share(now)
        for member in members:
            phases_before, amps_before = before[member.model.key]
            if member.phases and not phases_before:
                self._switched_at = now
            if member.amps != amps_before:
                member.changed_at = now

    def _switch_on(self, member: Member, now: float) -> None:
        member.phases, member.on_since = len(member.lines), now

    def _rotate(self, now: float, *, rested: bool) -> None:
        slot = int((now - 1) // ROTATION)
        due = self._slot is not None and slot != self._slot
        self._slot = slot
        if not due or not rested:
            return
        wanted = {
            line
            for member in self._members
            if member.wants and member.phases == 0 and now - member.plugged_at > ALLOCATION
            for line in member.lines
        }
        for member in self._members:
            if wanted.intersection(member.lines):
                member.phases = 0

    def _active(self) -> list[Member]:
        return [member for member in self._members if member.phases]

    def _shed(self) -> None:
        for line, limit in enumerate(self._limits):
            using = [member for member in self._active() if line in member.lines]
            using.sort(key=lambda one: (one.welcome, one.on_since))
            while len(using) * LEAST_A > limit.raw + EPSILON:
                out = using.pop(0)
                out.phases, out.welcome = 0, False

    def _start(self, now: float) -> None:
        waiting = [
            member
            for member in self._members
            if not member.phases and member.wants and now - member.view.at <= UNREACHABLE
        ]
        for member in sorted(waiting, key=lambda one: one.average(now)):
            if self._may_start(member, self._active(), now):
                self._switch_on(member, now)

    def _may_start(self, member: Member, active: Sequence[Member], now: float) -> bool:
        least = [sum(LEAST_A for one in active if line in one.lines) for line in range(3)]
        most = [sum(one.requested(now) for one in active if line in one.lines) for line in range(3)]
        cost = LEAST_A * (self._factor if active else 1.0)
        limits = self._limits
        if any(limits[line].minimum + EPSILON < self._factor * least[line] + cost for line in member.lines):
            return False
        spread = all(limits[line].spread + EPSILON >= self._factor * least[line] + cost for line in member.lines)
        return spread or any(most[line] < limits[line].minimum for line in member.lines)

    def _share(self, now: float) -> None:
        left = [limit.raw for limit in self._limits]
        active = sorted(self._active(), key=lambda one: (-len(one.lines), one.requested(now)))
        count = [sum(line in member.lines for member in active) for line in range(3)]
        for member in self._members:
            member.amps = 0.0
        for member in active:
            fair = min(left[line] / count[line] for line in member.lines)
            cap = member.requested(now)
            if member.view.car is not CarSays.CHARGING:
                cap = min(cap, LEAST_A * self._factor)
            _give(member, max(LEAST_A, min(fair, cap)), left)
            for line in member.lines:
                count[line] -= 1
        charging = [member for member in active if member.view.car is CarSays.CHARGING]
        for member in charging:
            _give(member, _room(member, member.requested(now), left), left)
        for member in charging:
            if member.amps < member.requested(now) - EPSILON and now >= member.boost_until:
                member.boost_until = now + START_PHASE
            _give(member, _room(member, float(member.model.max_a), left), left)


def _room(member: Member, cap: float, left: Sequence[float]) -> float:
    return max(0.0, min(cap - member.amps, *(left[line] for line in member.lines)))


def _give(member: Member, amps: float, left: list[float]) -> None:
    member.amps += amps
    for line in member.lines:
        left[line] -= amps


class Warp:
    """Managers for a site: one with the meter of the house, or one per circuit with a fixed share each."""

    def __init__(self, site: Site) -> None:
        root = site.circuits[0]
        below = site.circuits[1:]
        if not below:
            how = f"dynamic at the house connection, {root.limit_a:g} A" if root.metered else "static"
            self.setup = f"one manager, {how}"
            most = root.limit_a if root.metered else root.target_a
            self._managers = [Manager(site.boxes, root, most=most, dynamic=root.metered)]
            return
        # It knows no tree: what the house leaves at its worst is split by the ratings, as an electrician would.
        worst = sum(max(max(amps) for _, amps in circuit.load) for circuit in site.circuits)
        share = min(1.0, (root.target_a - worst) / sum(circuit.limit_a for circuit in below))
        limits = {}
        for circuit in below:
            own = max(max(amps) for _, amps in circuit.load)
            limits[circuit.circuit_id] = min(share * circuit.limit_a, circuit.target_a - own)
        self.setup = "one static manager per circuit: " + ", ".join(
            f"{name} {amps:.1f} A" for name, amps in limits.items()
        )
        self._managers = [
            Manager(
                (box for box in site.boxes if box.circuit_id == circuit.circuit_id),
                circuit,
                most=limits[circuit.circuit_id],
                dynamic=False,
            )
            for circuit in below
        ]

    def step(self, now: float, seen: Observation) -> Mapping[str, Order]:
        """Let every manager do its second."""
        orders: dict[str, Order] = {}
        for manager in self._managers:
            orders |= manager.step(now, seen)
        return orders
