"""The control core in mode fast under a limit of the quarter hour's mean, fed and obeyed as the integration does it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmarks.plant import START, Order
from benchmarks.policies.pv_ours import Ours
from benchmarks.pv.model import Day, PvSeen, PvSite
from custom_components.pv_load_manager.control import Mode, decide
from custom_components.pv_load_manager.control.peak import Peak
from custom_components.pv_load_manager.control.reserve import DAYS, STEP, House

MIDNIGHT = datetime(2007, 2, 1, tzinfo=UTC)


class Limited(Ours):
    """decide() in mode fast, every second."""

    def __init__(self, site: PvSite, day: Day, limit_w: float, house: House) -> None:
        super().__init__(site, mode=Mode.FAST, peak_limit_w=limit_w)
        self.state = replace(self.state, peak=Peak(house=house))
        self._begin = MIDNIGHT + timedelta(seconds=day.start_s)

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Decide on fresh readings."""
        moment = self._begin + timedelta(seconds=now - START)
        self.state, self.plan = decide(self.config, self.state, self.snapshot(now, seen), now, moment)
        return {
            key: Order(charge=plan.command.charge, amps=float(plan.command.current_a), phases=plan.command.phases)
            for key, plan in self.plan.chargers.items()
            if plan.command is not None
        }


def taught(day: Day) -> House:
    """Return what is known of a house that had nothing but days like this one for two weeks."""
    house = House()
    length = int(STEP)
    number = MIDNIGHT.toordinal() - DAYS
    for begin in range(0, day.seconds - length, length):
        net = sum(day.house_w[begin : begin + length]) - sum(day.pv_w[begin : begin + length])
        house = house.after(STEP, net / length, number)
    seen = house.days[-1]
    return House(days=tuple(seen._replace(number=number + later) for later in range(DAYS)))
