"""What WARP's charge manager knows of one box that follows the sun."""

from dataclasses import dataclass
from math import inf

from benchmarks.plant import LEAST_A, BoxModel, BoxView, CarSays

UNREACHABLE = 32.0
WELCOME = 210.0
HYSTERESIS = 210.0
ENABLE_A = 9.0
"""The most for a car that does not draw yet."""
START_PHASE = 60.0
MARGIN_A = 3.0
MOST_A = 32.0
NOTICE = 30.0
DRAWS_A = 0.5
HIDDEN = 25.0
"""So long after a switch of phases the car's waiting counts as charging."""


@dataclass(slots=True)
class Member:
    """One box."""

    model: BoxModel
    view: BoxView
    phases: int = 0
    """Allocated and used, 0 = switched off."""
    connected: int = 0
    """What its contactors are told, also while it is off."""
    amps: float = 0.0
    told: tuple[float, float] = (0.0, 0.0)
    """The last order: the current in it, and what it stands for in mA steps."""
    told_before: tuple[float, float] = (0.0, 0.0)
    one_phase_car: bool = False
    switched_at: float = -inf
    on_since: float = 0.0
    plugged: bool | None = None
    plugged_at: float = 0.0
    welcome: bool = False
    stopped: bool = False
    charging_since: float | None = None
    hidden_until: float = -inf
    given_as: float = 0.0
    boost_until: float = -inf

    @property
    def switchable(self) -> bool:
        """Return whether it can be switched between one and three phases."""
        return self.model.wired == 3 and not self.one_phase_car

    @property
    def usable(self) -> int:
        """Return how many phases it can use at most."""
        return 1 if self.one_phase_car else self.model.wired

    @property
    def all_lines(self) -> tuple[int, ...]:
        """Return the grid phases that it could use."""
        return tuple(line - 1 for line in self.model.rotation)[: self.usable]

    @property
    def lines(self) -> tuple[int, ...]:
        """Return the grid phases that it is allocated."""
        return self.all_lines[: self.phases]

    @property
    def least_a(self) -> float:
        """Return the least that it needs over its phases."""
        return LEAST_A * self.phases

    @property
    def wants(self) -> bool:
        """Return whether it would charge."""
        return self.charging or (bool(self.plugged) and not self.stopped)

    @property
    def charging(self) -> bool:
        """Return whether its car charges, or is interrupted for a switch of phases."""
        return self.charging_since is not None

    def hear(self, now: float) -> None:
        """Take a second's packet in."""
        view = self.view
        self.given_as += self.amps * self.phases
        if not view.online:
            return
        if not self.connected:
            self.connected = view.phases
        plugged = view.car is not CarSays.NO_CAR
        if plugged and not self.plugged:
            # Only a car that was seen to come is welcomed, not one that was there before the manager.
            self.plugged_at, self.welcome = now, self.plugged is False
            self.given_as, self.stopped, self.one_phase_car = 0.0, False, False
        self.plugged = plugged
        self.stopped = plugged and (self.stopped or view.car is CarSays.COMPLETE)
        if view.switching:
            self.hidden_until = now + HIDDEN
        hidden = self.charging and not view.holding and now < self.hidden_until
        if view.car is not CarSays.CHARGING and not hidden:
            if self.charging and not view.holding:
                self.switched_at = now
            self.charging_since = None
        elif self.charging_since is None:
            self.charging_since = self.switched_at = now
        elif view.phases == 3 and now - self.charging_since > NOTICE and not hidden:
            self.one_phase_car |= view.currents_a[0] > DRAWS_A >= view.currents_a[1]

    def counted_a(self, now: float) -> float:
        """Return the current that counts as used over its phases: what it allows, not what the car draws."""
        view = self.view
        if view.car is not CarSays.CHARGING or view.switching or now - view.at > UNREACHABLE:
            return 0.0
        # The box allows mA; the whole amps in our order are what the car makes of them.
        allowed = view.setting_a
        if allowed == self.told[0]:
            allowed = self.told[1]
        elif allowed == self.told_before[0]:
            allowed = self.told_before[1]
        return allowed * min(view.phases, self.usable)

    def tell(self, amps: float) -> None:
        """Remember the current of an order."""
        if amps != self.told[0]:
            self.told_before = self.told
        self.told = (amps, self.amps)

    def greet(self, now: float) -> None:
        """Let a car that just came charge for a while, whatever the sun does."""
        if not self.welcome:
            return
        if not self.plugged or (self.phases and now - self.on_since > WELCOME):
            self.welcome = False
        elif not self.phases and now - self.view.at <= UNREACHABLE:
            self.switch_on(1 if self.switchable else self.usable, now)

    def average(self, now: float) -> float:
        """Return what it was given since its car came, by the time that this took, in A."""
        return self.given_as / max(1.0, now - self.plugged_at)

    def may_switch(self, now: float) -> bool:
        """Return whether its contactors rested long enough."""
        return now - self.switched_at > HYSTERESIS

    def starts_with(self, now: float) -> int:
        """Return the number of phases that it is switched on with: one where it can choose."""
        if not self.switchable:
            return self.usable
        if not self.model.rotation_known or (self.connected == 3 and not self.may_switch(now)):
            return 3
        return 1

    def switch_on(self, phases: int, now: float) -> None:
        """Let it charge."""
        self.phases, self.on_since = phases, now
        if self.switchable:
            self.connected = phases

    def requested(self, now: float) -> float:
        """Return what it could use per phase: from the start phase on, what it draws and a margin."""
        most, since = float(self.model.max_a), self.charging_since
        if since is None or now - since < START_PHASE or now < self.boost_until:
            return most
        drawn = max(self.view.currents_a)
        return min(most, max(LEAST_A, min(MOST_A, drawn + MARGIN_A))) if drawn > 0 else most

    def capacity(self, now: float) -> float:
        """Return the most that it is given per phase."""
        most = self.requested(now)
        return most if self.charging else min(most, ENABLE_A)

    def boost(self, now: float) -> None:
        """Measure it anew for a while if it gets less than it asks for."""
        if now >= self.boost_until and self.amps < self.requested(now):
            self.boost_until = now + START_PHASE

    def take(self, total_a: float, cap_a: float) -> float:
        """Take up to this much over its phases, up to a current per phase; return what was taken."""
        more = max(0.0, min(total_a / self.phases, cap_a - self.amps))
        self.amps += more
        return more * self.phases
