"""The charge manager of WARP chargers following the sun: all boxes in mode "PV", no fuse to protect.

Every 10 s the boxes are shed, switched on, switched to three phases, and the current is shared; the cloud filter is the
minimum of a window for switching on and its maximum for switching off, the current itself follows unfiltered. Any
switch to more phases blocks the next one for 210 s. Left out: eco, waking of full cars, the unreachable box.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import floor, inf
from typing import TYPE_CHECKING

from benchmarks.plant import LEAST_A, VOLTS, Order

from .pv_warp_limits import METER_STALE, PvLimit, with_battery
from .pv_warp_member import UNREACHABLE, Member

if TYPE_CHECKING:  # the package of the benchmark imports the policies
    from benchmarks.pv.model import PvSeen, PvSite

ALLOCATION = 10.0
HYSTERESIS = 210.0
ROTATION = 900.0
FACTOR = 1.5
"""How many times the least current has to be there for one box more; the first one needs it once."""
ROUNDING = 1e-6
NOBODY: Mapping[str, Order] = {}


class Warp:
    """One manager with its boxes.

    Args:
        site: the chargers.
        cloud_filter: ``none``, ``weak``, ``medium`` (the default of the product) or ``strong``.
        target_w: grid power that is aimed at (import +).
        whole_amps: whether cars follow whole amps only; what they are allowed is in mA all the same, and that counts.
        cars_first: whether what the house battery charges counts as surplus.
        box_a: what a box could allow where that is more than its model says (a box of 32 A for a car of 16 A).
    """

    def __init__(
        self,
        site: PvSite,
        cloud_filter: str = "medium",
        *,
        target_w: float = 0.0,
        whole_amps: bool = True,
        cars_first: bool = True,
        box_a: int = 0,
    ) -> None:
        self.setup = f"cloud filter {cloud_filter}, target {target_w:g} W, boxes of at least {box_a} A"
        self._boxes = tuple(replace(box, max_a=max(box.max_a, box_a)) for box in site.boxes)
        self._target_w, self._whole, self._cars_first = target_w, whole_amps, cars_first
        self.limit = PvLimit(cloud_filter)
        self._members: list[Member] = []
        self._run_at = self._switched_at = -inf
        self._slot: int | None = None

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Take a second's packets and meter values in; tell the boxes every 10 s what they may do."""
        if not self._members:
            self._members = [Member(model=box, view=seen.boxes[box.key]) for box in self._boxes]
        used_a = 0.0
        for member in self._members:
            member.hear(now)
            used_a += member.counted_a(now)
        self.limit.update(now, self._error(now, seen), used_a * VOLTS)
        if now < self._run_at:
            return NOBODY
        self._run_at = now + ALLOCATION
        self._allocate(now)
        return {member.model.key: self._order(member) for member in self._members}

    def _error(self, now: float, seen: PvSeen) -> float | None:
        if now - seen.grid_at > METER_STALE:
            return None
        grid_w = seen.grid_w
        if seen.battery_w is not None:
            grid_w = with_battery(grid_w, seen.battery_w, cars_first=self._cars_first)
        return self._target_w - grid_w

    def _order(self, member: Member) -> Order:
        if not member.phases:
            return Order(charge=False)
        told = float(floor(member.amps + ROUNDING)) if self._whole else round(member.amps, 3)
        member.tell(told)
        return Order(charge=True, amps=told, phases=member.connected if member.switchable else None)

    def _allocate(self, now: float) -> None:
        members = self._members
        before = [(member.phases, member.connected) for member in members]
        for member in members:
            if not member.wants or now - member.view.at > UNREACHABLE:
                member.phases = 0
            elif member.phases:
                member.phases = min(member.phases, member.usable)
        rested = now - self._switched_at > HYSTERESIS
        self._rotate(now, rested=rested)
        for member in sorted(members, key=lambda one: one.plugged_at):
            member.greet(now)
        self._shed(rested=rested)
        fresh = self._start(now) if rested else set()
        self._widen(now, fresh, rested=rested)
        share(members, self.limit.raw, now)
        for member, (phases, connected) in zip(members, before, strict=True):
            if member.phases > phases or (member.phases and member.connected != connected):
                self._switched_at = now
            if member.connected != connected:
                member.switched_at = now

    def _rotate(self, now: float, *, rested: bool) -> None:
        """Let those go who hold what others wait for, once per quarter of an hour."""
        slot = int((now - 1) // ROTATION)
        due = self._slot is not None and slot != self._slot
        self._slot = slot
        if not due or not rested:
            return
        waiting = [0, 0, 0]
        for member in self._members:
            if member.wants and not member.phases and now - member.plugged_at > ALLOCATION:
                for line in member.all_lines:
                    waiting[line] += 1
        for member in self._members:
            lines = member.lines
            # A box on one phase goes only where exactly one other waits for it: with two, they wait on.
            if (len(lines) == 1 and waiting[lines[0]] == 1) or (len(lines) > 1 and any(waiting[at] for at in lines)):
                member.phases = 0

    def _active(self) -> list[Member]:
        return [member for member in self._members if member.phases]

    def _shed(self, *, rested: bool) -> None:
        """Switch off while even the best of the window does not carry the least currents; longest on first."""
        limit = self.limit
        active = sorted(self._active(), key=lambda one: one.on_since)
        for member in active:
            least = sum(one.least_a for one in active if one.phases)
            if least <= limit.raw or not rested or least < limit.maximum:
                return
            if not member.welcome:
                member.phases = 0

    def _start(self, now: float) -> set[str]:
        """Switch on who waits, least served first; return who was."""
        waiting = [
            member
            for member in self._members
            if not member.phases and member.wants and now - member.view.at <= UNREACHABLE
        ]
        fresh = set()
        for member in sorted(waiting, key=lambda one: one.average(now)):
            phases = member.starts_with(now)
            if self._fits(LEAST_A * phases, self._active(), now, waived=not self._active()):
                member.switch_on(phases, now)
                fresh.add(member.model.key)
        return fresh

    def _widen(self, now: float, fresh: set[str], *, rested: bool) -> None:
        """Switch from one to three phases."""
        for member in self._active():
            may = rested or member.model.key in fresh
            if member.phases != 1 or not member.switchable or not may or not member.may_switch(now):
                continue
            active = self._active()
            if self._fits(2 * LEAST_A, active, now, waived=len(active) == 1):
                member.phases = member.connected = 3

    def _fits(self, more_a: float, active: Sequence[Member], now: float, *, waived: bool) -> bool:
        """Tell whether the window's worst carries the least currents of all and this much more."""
        factor = 1.0 if waived else FACTOR
        least = sum(one.least_a for one in active)
        if self.limit.minimum + ROUNDING < factor * (least + more_a):
            return False
        most = sum(one.requested(now) * one.phases for one in active)
        return most < self.limit.minimum or self.limit.spread + ROUNDING >= factor * (least + more_a)


def share(members: Sequence[Member], raw_a: float, now: float) -> None:
    """Give every active box its least current, then equal parts of the rest, then what the others leave.

    The rest is divided per box whatever its phases: equal watts, not equal amps.
    """
    active = sorted((one for one in members if one.phases), key=lambda one: (-one.phases, one.requested(now)))
    for member in members:
        member.amps = LEAST_A if member.phases else 0.0
    left = raw_a - sum(member.least_a for member in active)
    for at, member in enumerate(active):
        left -= member.take(left / (len(active) - at), member.capacity(now))
    charging = [member for member in active if member.charging]
    for member in charging:
        left -= member.take(left, member.capacity(now))
    for member in charging:
        member.boost(now)
        left -= member.take(left, float(member.model.max_a))
