"""The control core of this project, fed and obeyed as the integration does it."""

from collections.abc import Mapping

from benchmarks.plant import START, VOLTS, BoxView, CarSays, Observation, Order, Site
from custom_components.pv_load_manager.control import (
    CarState,
    ChargerConfig,
    ChargerReading,
    CircuitConfig,
    Configuration,
    ControlState,
    GridReading,
    Mode,
    PhasePolicy,
    Plan,
    Snapshot,
    Strategy,
    decide,
)

STATES = {
    CarSays.NO_CAR: CarState.NO_CAR,
    CarSays.WAITING: CarState.WAITING,
    CarSays.CHARGING: CarState.CHARGING,
    CarSays.COMPLETE: CarState.COMPLETE,
}
VOLTAGES = (VOLTS, VOLTS, VOLTS)


def configuration(site: Site) -> Configuration:
    """Return the core's configuration of a site in mode fast; the number of phases is fixed as it is with the peers."""
    root = site.circuits[0]
    return Configuration(
        circuits=tuple(
            CircuitConfig(
                circuit_id=circuit.circuit_id,
                parent_id=circuit.parent_id,
                limit_a=circuit.limit_a,
                metered=circuit.metered,
                largest_consumer_a=circuit.largest_a,
            )
            for circuit in site.circuits
        ),
        chargers=tuple(
            ChargerConfig(
                charger_id=box.key,
                circuit_id=box.circuit_id,
                rotation=box.rotation if box.rotation_known else None,
                wired_phases=box.wired,
                phase_policy=PhasePolicy.THREE if box.wired == 3 else PhasePolicy.ONE,
                max_current_a=box.max_a,
            )
            for box in site.boxes
        ),
        strategy=Strategy(mode=Mode.FAST, maximum_total_current_a=root.limit_a, available_current_a=root.limit_a),
    )


def charger_reading(view: BoxView) -> ChargerReading:
    """Return what the core is told of a charger."""
    return ChargerReading(
        at=view.at,
        online=view.online,
        car=STATES[view.car],
        holding=view.holding,
        setting_a=int(view.setting_a),
        phases=view.phases,
        currents_a=view.currents_a,
        voltages_v=VOLTAGES,
        power_w=sum(view.currents_a) * VOLTS,
        switching=view.switching,
    )


class Ours:
    """decide() in mode fast."""

    def __init__(self, site: Site, *, every_s: int = 1) -> None:
        self.config = configuration(site)
        self.state = ControlState(started_at=START)
        self.plan = Plan()
        self.setup = f"the tree as it is, mode fast, a decision every {every_s} s and when a car comes or goes"
        self._every_s = every_s
        self._cadence = {circuit.circuit_id: float(circuit.interval_s) for circuit in site.circuits}
        self._root = site.circuits[0].circuit_id
        self._meters: dict[str, GridReading] = {}
        self._cars: list[CarSays] = []
        self._steps = 0

    def step(self, now: float, seen: Observation) -> Mapping[str, Order]:
        """Decide on fresh readings."""
        self._steps += 1
        cars = [view.car for view in seen.boxes.values()]
        if self._steps % self._every_s and cars == self._cars:
            return {}
        self._cars = cars
        self.state, self.plan = decide(self.config, self.state, self.snapshot(seen), now)
        return self.orders()

    def orders(self) -> Mapping[str, Order]:
        """Return what the present plan tells the chargers."""
        return {
            key: Order(charge=plan.command.charge, amps=float(plan.command.current_a), phases=plan.command.phases)
            for key, plan in self.plan.chargers.items()
            if plan.command is not None
        }

    def snapshot(self, seen: Observation) -> Snapshot:
        """Return what the core is told of an observation."""
        for name, meter in seen.meters.items():
            known = self._meters.get(name)
            if known is None or known.at != meter.at:
                self._meters[name] = GridReading(
                    at=meter.at,
                    power_w=sum(meter.currents_a) * VOLTS,
                    currents_a=meter.currents_a,
                    voltages_v=VOLTAGES,
                    cadence_s=self._cadence[name],
                )
        return Snapshot(
            grid=self._meters.get(self._root),
            circuits={name: reading for name, reading in self._meters.items() if name != self._root},
            chargers={key: charger_reading(view) for key, view in seen.boxes.items()},
        )
