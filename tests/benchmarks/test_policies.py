"""The peers behave as their descriptions say."""

from benchmarks import load, scenarios
from benchmarks.plant import BoxModel, BoxView, CarModel, CarSays, CircuitModel, MeterView, Observation
from benchmarks.policies.evcc import INTERVAL, Evcc
from benchmarks.policies.ours import configuration
from benchmarks.policies.warp_limits import PhaseLimit, SlidingMinimum

from .sites import even, plug, site


def test_warp_drops_all_four_boxes_and_takes_minutes_to_recover() -> None:
    """All boxes go off although one fits; they are back one by one, when 4 min and then 210 s each have passed."""
    figures = load.heater_step("warp")
    assert figures["chargers_possible"] == 1
    assert figures["chargers_kept"] == 0
    watch, _ = load.run(scenarios.heater_step(), "warp")
    given = [sum(amps > 0 for amps in now) for now in watch.given]
    back = [next(second for second in range(1230, 3600) if given[second] >= count) for count in (1, 2, 3)]
    for second, described in zip(back, (1460, 1680, 1900), strict=True):
        assert abs(second - described) <= 60


def test_warp_stops_the_group_after_a_loss() -> None:
    """Some 80 s after the last word of a box that charged all are off, until it is back."""
    watch, _ = load.run(scenarios.lost_charger(), "warp")
    stopped = next(second for second in range(scenarios.LOST, scenarios.FOUND) if not any(watch.given[second - 1][1:]))
    assert 60 <= stopped - scenarios.LOST <= 90
    assert not any(any(now) for now in watch.given[stopped : scenarios.FOUND - 1])


def test_warp_remembers_a_dip_for_four_minutes() -> None:
    """The minimum forgets after its window, not before."""
    least = SlidingMinimum(240.0)
    least.add(0.0, 5.0)
    assert least.add(1.0, 50.0) == 5.0
    assert least.add(240.0, 50.0) == 5.0
    assert least.add(241.0, 50.0) == 50.0


def test_warp_controls_its_limit_by_the_error() -> None:
    """Nothing allocated: what is free; below the target half of the error is added; above nearly all is taken away."""
    free = PhaseLimit(50.0, 63.0)
    free.update(0.0, 10.0, 0.0)
    assert free.raw == 40.0
    below = PhaseLimit(50.0, 63.0)
    below.update(0.0, 40.0, 20.0)
    assert below.raw == 25.0
    above = PhaseLimit(50.0, 63.0)
    above.update(0.0, 70.0, 40.0)
    assert above.urgent
    assert above.raw == 40.0 - 20.0 * 15 / 16
    above.update(1.0, None, 40.0)
    assert above.raw == 0.0


def observed(now: float, currents: dict[str, tuple[float, float, float]], meter: MeterView | None) -> Observation:
    """Return what evcc sees of chargers whose cars charge with these currents, or wait."""
    return Observation(
        meters={"root": meter} if meter is not None else {},
        boxes={
            key: BoxView(at=now, car=CarSays.CHARGING if max(own) > 0 else CarSays.WAITING, currents_a=own)
            for key, own in currents.items()
        },
    )


def turn(policy: Evcc, now: float, seen: Observation) -> dict[str, float]:
    """Return what the next loadpoint in line gets."""
    orders = {}
    for second in range(INTERVAL):
        orders |= policy.step(now + second, seen)
    return {key: order.amps for key, order in orders.items()}


def test_evcc_serves_one_loadpoint_per_interval_and_nobody_gives_way() -> None:
    """The first takes its maximum; what is left is too little for the second."""
    circuit = CircuitModel(limit_a=20.0)
    home = site(BoxModel(key="a"), BoxModel(key="b"), circuits=(circuit,))
    policy = Evcc(home)
    assert turn(policy, 0.0, observed(0.0, {"a": even(0.0), "b": even(0.0)}, None)) == {"a": 16.0}
    assert turn(policy, 30.0, observed(30.0, {"a": even(16.0), "b": even(0.0)}, None)) == {"b": 0.0}


def test_evcc_counts_the_largest_phase_and_takes_a_silent_meter_for_full() -> None:
    """Cars on different phases are added up; after 60 s without a value nobody gets anything more."""
    home = site(BoxModel(key="a"), BoxModel(key="b"), circuits=(CircuitModel(limit_a=30.0),))
    seen = observed(0.0, {"a": (0.0, 0.0, 0.0), "b": (16.0, 0.0, 0.0)}, None)
    assert turn(Evcc(home), 0.0, seen) == {"a": 14.0}
    metered = site(BoxModel(key="a"), circuits=(CircuitModel(limit_a=30.0, metered=True),))
    fresh = observed(0.0, {"a": even(10.0)}, MeterView(at=0.0, currents_a=(12.0, 28.0, 10.0)))
    assert turn(Evcc(metered), 0.0, fresh) == {"a": 12.0}
    assert turn(Evcc(metered), 100.0, fresh) == {"a": 0.0}


def test_rotation_that_nobody_knows_is_not_told() -> None:
    """Ours gets no phase rotation where the site says so."""
    boxes = (BoxModel(key="a", rotation=(2, 3, 1), rotation_known=False), BoxModel(key="b", rotation=(2, 3, 1)))
    config = configuration(site(*boxes, events=(plug("a", CarModel()),)))
    assert [charger.rotation for charger in config.chargers] == [None, (2, 3, 1)]
