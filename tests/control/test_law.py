"""The law of surplus charging on numbers that can be worked out by hand."""

from itertools import pairwise

from hypothesis import assume, given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control import CloudFilter, Mode, Reason, Strategy, Timings, law
from custom_components.pv_load_manager.control.law import OFF, ONE, THREE, Offer, Sun, Verdict, Wear

from .house import house

ONE_OFFER, THREE_OFFER = Offer(1380.0, 3680.0), Offer(4140.0, 11040.0)
BOTH = (Offer(0.0, 0.0), ONE_OFFER, THREE_OFFER)
FRESH = Wear()
EXAMPLES = settings(max_examples=200, deadline=None, database=None, derandomize=True)


def sunny(watts: float) -> Sun:
    """Return the sun of a single charger that begins from its least power on."""
    return Sun(watts, watts, 1380.0)


@pytest.mark.parametrize(
    ("available_w", "expected"),
    [
        (2000.0, -2000.0),  # all of it is used
        (5000.0, -3680.0),  # more than it can take is nobody's fault
        (1000.0, law.GRID_WEIGHT * 380.0 - 1000.0),  # the grid adds 380 W
        (0.0, law.GRID_WEIGHT * 1380.0),
        (-700.0, law.GRID_WEIGHT * 1380.0),  # what the house imports anyway is not the car's
    ],
)
def test_sun_that_is_used_is_worth_a_watt_and_import_costs_more(available_w: float, expected: float) -> None:
    """One offer from 6 to 16 A on one phase, from much sun to none."""
    assert law.cost(ONE_OFFER, available_w) == pytest.approx(expected)


def test_small_powers_are_worth_less_when_their_losses_count() -> None:
    """At 1.4 kW 76 % arrive in the car and at 11 kW 90 %, as was measured."""
    small = -law.cost(Offer(1400.0, 1400.0), 1400.0, efficiency=True) / 1400.0 * law.EFFICIENCY
    large = -law.cost(Offer(11000.0, 11000.0), 11000.0, efficiency=True) / 11000.0 * law.EFFICIENCY
    assert small == pytest.approx(0.76, abs=0.005)
    assert large == pytest.approx(0.90, abs=0.005)


def test_nothing_is_impossible_twice() -> None:
    """A choice without an offer has no cost, and a charger without any offer can only be off."""
    assert law.costs((None, ONE_OFFER, None), sunny(2000.0), ONE) == [None, pytest.approx(-2000.0), None]
    assert law.costs((Offer(0.0, 0.0), None, None), sunny(2000.0), OFF) == [0.0, None, None]
    assert law.costs((Offer(0.0, 0.0), None, THREE_OFFER), sunny(5000.0), OFF) == [0.0, None, pytest.approx(-5000.0)]


@pytest.mark.parametrize(
    ("watts", "best"), [(500.0, OFF), (1300.0, ONE), (3600.0, ONE), (3900.0, ONE), (4200.0, THREE), (9000.0, THREE)]
)
def test_the_cheapest_choice_is_the_one_a_person_would_take(watts: float, best: int) -> None:
    """Off in the dusk, one phase in the morning, three at noon; in between what imports least counts."""
    costs = law.costs(BOTH, sunny(watts), ONE)
    known = [cost for cost in costs if cost is not None]
    assert costs.index(min(known)) == best


def test_a_charger_that_is_off_wants_the_whole_threshold_and_one_that_runs_does_not() -> None:
    """With a threshold of 2 kW 1.8 kW are no reason to begin, but none to stop either."""
    sun = Sun(1800.0, 1800.0, 2000.0)
    begin = law.costs(BOTH, sun, OFF)[ONE]
    go_on = law.costs(BOTH, sun, ONE)[ONE]
    assert begin == pytest.approx(law.GRID_WEIGHT * 200.0)
    assert go_on == pytest.approx(-1800.0)


def test_a_backup_from_the_grid_is_bounded() -> None:
    """With 500 W of backup 900 W of sun do for 1,380 W, and 800 W do not."""
    enough = law.costs(BOTH, Sun(900.0, 900.0, 880.0, 500.0), ONE)[ONE]
    short = law.costs(BOTH, Sun(800.0, 800.0, 880.0, 500.0), ONE)[ONE]
    assert enough is not None
    assert enough < 0.0
    assert short == pytest.approx(1380.0)  # as if nothing came from the roof: so it ends after the filter's window
    assert law.costs(BOTH, Sun(0.0, 0.0, 880.0, 0.0), ONE)[ONE] == pytest.approx(law.GRID_WEIGHT * 1380.0)


def prices(present: int, wear: Wear = FRESH, *, times: float = 1.0, one: bool = True, most: int = 10) -> law.Wh3:
    """Return the prices where the least power for the time of the filter is 100 Wh."""
    return law.prices(present, wear, base_wh=100.0, times=times, one=one, switches_per_day=most)


def test_every_change_has_its_price() -> None:
    """A start is cheap, a stop and a switch of phases are dear, and a stop from three phases is the dearest."""
    starting, running, wide = prices(OFF, Wear(set_to=ONE)), prices(ONE), prices(THREE)
    assert starting == pytest.approx((0.0, 100.0 * law.START, 100.0 * law.START_SWITCHED))
    assert running == pytest.approx((100.0 * law.STOP, 0.0, 100.0 * law.SWITCH))
    assert wide == pytest.approx((100.0 * law.STOP_FROM_THREE, 100.0 * law.SWITCH, 0.0))
    assert starting[ONE] < starting[THREE] < running[OFF] <= running[THREE]
    assert wide[ONE] < wide[OFF]


def test_a_start_is_cheapest_on_the_phases_that_are_set() -> None:
    """A charger that stands on three phases pays for one."""
    assert prices(OFF, Wear(set_to=THREE)) == pytest.approx((0.0, 100.0 * law.START_SWITCHED, 100.0 * law.START))


def test_a_charger_that_knows_only_three_phases_starts_and_stops_as_easily_as_any() -> None:
    """There is no cheaper choice to wait for."""
    assert prices(OFF, Wear(set_to=THREE), one=False)[THREE] == pytest.approx(100.0 * law.START)
    assert prices(THREE, one=False)[OFF] == pytest.approx(100.0 * law.STOP)


def test_what_is_switched_often_today_becomes_dearer() -> None:
    """Starts and stops cost twice as much after 20 starts, switches after 6 of the 10 of a day; neither falls."""
    after_starts = prices(ONE, Wear(starts=int(law.STARTS_PER_DAY)))
    assert after_starts[OFF] == pytest.approx(200.0 * law.STOP)
    assert after_starts[THREE] == pytest.approx(100.0 * law.SWITCH)
    after_switches = prices(ONE, Wear(switches=6))
    assert after_switches[THREE] == pytest.approx(200.0 * law.SWITCH)
    assert after_switches[OFF] == pytest.approx(100.0 * law.STOP)
    rising = [prices(ONE, Wear(switches=count))[THREE] for count in range(12)]
    assert all(one < two for one, two in pairwise(rising))
    assert prices(ONE, Wear(switches=3), most=0)[THREE] > 0.0


def test_a_stronger_filter_waits_longer() -> None:
    """None, weak, medium and strong are 10, 120, 240 and 480 s; adaptive begins at medium."""
    windows = [law.window(Strategy(cloud_filter=cloud), Timings()) for cloud in CloudFilter]
    assert dict(zip(CloudFilter, windows, strict=True)) == {
        CloudFilter.NONE: 10.0,
        CloudFilter.WEAK: 120.0,
        CloudFilter.MEDIUM: 240.0,
        CloudFilter.STRONG: 480.0,
        CloudFilter.ADAPTIVE: 240.0,
    }


def test_a_lively_sun_makes_everything_dearer_with_the_adaptive_filter_only() -> None:
    """Twice as dear when the surplus strays by 370 W, and never more than eight times."""
    adaptive = Strategy(cloud_filter=CloudFilter.ADAPTIVE)
    assert law.lively(adaptive, 0.0) == 1.0
    assert law.lively(adaptive, law.LIVELY_W) == 2.0
    assert law.lively(adaptive, 1e6) == law.LONGEST_ADAPTIVE
    assert law.lively(Strategy(cloud_filter=CloudFilter.STRONG), 1e6) == 1.0
    for present in (OFF, ONE, THREE):
        calm, wild = prices(present), prices(present, times=8.0)
        assert all(one < two for choice, (one, two) in enumerate(zip(calm, wild, strict=True)) if choice != present)


def weigh(present: int, regrets: law.Wh3, costs: list[float | None], prices_wh: law.Wh3, **more: float) -> Verdict:
    """Weigh one second with free phases, unless something else is said."""
    wear = Wear(
        rested_in=more.get("rested_in", 0.0),
        may_switch=bool(more.get("may_switch", 1.0)),
        set_to=int(more.get("set_to", present or THREE)),
    )
    return law.weigh(present, regrets, costs, prices_wh, wear, seconds=1.0)


def test_a_change_comes_when_the_regret_exceeds_its_price_and_not_before() -> None:
    """3,600 W lost are 1 Wh a second: with a price of 5 Wh the sixth second changes."""
    verdict = Verdict(ONE, law.NO_REGRET)
    seen = []
    for _ in range(6):
        verdict = weigh(ONE, verdict.regrets, [None, 0.0, -3600.0], (0.0, 0.0, 5.0))
        seen.append((verdict.choice, round(verdict.regret_wh, 6), round(verdict.seconds or 0.0, 6)))
    assert seen == [
        (ONE, 1.0, 4.0),
        (ONE, 2.0, 3.0),
        (ONE, 3.0, 2.0),
        (ONE, 4.0, 1.0),
        (ONE, 5.0, 0.0),
        (THREE, 6.0, 0),
    ]


def test_what_was_regretted_is_forgiven_when_it_turns_out_well_and_is_never_negative() -> None:
    """A cloud of 10 s costs 10 Wh, 8 s of sun give 8 of them back, 10 s more end at 0."""
    regrets = law.NO_REGRET
    for cost, seconds, expected in ((3600.0, 10, 10.0), (-3600.0, 8, 2.0), (-3600.0, 10, 0.0)):
        for _ in range(seconds):
            regrets = weigh(ONE, regrets, [0.0, cost, None], (99.0, 0.0, 99.0)).regrets
        assert regrets[OFF] == pytest.approx(expected)
    assert regrets[ONE] == 0.0


def test_a_switch_waits_for_the_dwell_time_and_for_the_day() -> None:
    """However large the regret: within the dwell time nothing is switched, and on a used up day nothing at all."""
    costs: list[float | None] = [0.0, -1000.0, -9000.0]
    dwelling = weigh(ONE, (0.0, 0.0, 500.0), costs, (50.0, 0.0, 100.0), rested_in=90.0)
    assert (dwelling.choice, dwelling.next, dwelling.seconds) == (ONE, THREE, 90.0)
    assert dwelling.blocked
    used_up = weigh(ONE, (0.0, 0.0, 500.0), costs, (50.0, 0.0, 100.0), may_switch=0.0)
    assert (used_up.choice, used_up.next, used_up.seconds) == (ONE, THREE, None)
    assert used_up.blocked
    free = weigh(ONE, (0.0, 0.0, 500.0), costs, (50.0, 0.0, 100.0))
    assert free.choice == THREE


def test_the_first_start_of_a_day_takes_the_phases_that_fit() -> None:
    """Three phases are set and 3.2 kW shine: three would be regretted at once, so it waits for the price of one."""
    costs = law.costs(BOTH, sunny(3200.0), OFF)
    known = (0.0, 6.0, 6.0)  # Wh: a start on three is due, one on one phase is not
    fresh, later = Wear(set_to=THREE), Wear(set_to=THREE, starts=1)
    assert law.weigh(OFF, known, costs, prices(OFF, fresh), fresh, seconds=1.0).choice == OFF
    assert law.weigh(OFF, known, costs, prices(OFF, later), later, seconds=1.0).choice == THREE
    due = (0.0, 21.0, 21.0)
    assert law.weigh(OFF, due, costs, prices(OFF, fresh), fresh, seconds=1.0).choice == ONE


def test_a_start_on_other_phases_need_not_rest() -> None:
    """A contactor without current wears nothing: neither the dwell time nor the day keeps a charger from starting."""
    verdict = weigh(
        OFF, (0.0, 0.0, 90.0), [0.0, -3680.0, -8000.0], (0.0, 500.0, 80.0), set_to=ONE, rested_in=120.0, may_switch=0.0
    )
    assert verdict.choice == THREE


def test_less_sun_that_is_enough_for_one_phase_is_no_reason_to_stop() -> None:
    """Where one phase is worth it a charger on three goes there instead of off; otherwise it stops."""
    regrets = (101.0, 50.0, 0.0)
    assert weigh(THREE, regrets, [0.0, -2000.0, 4000.0], (100.0, 300.0, 0.0)).choice == ONE
    assert weigh(THREE, regrets, [0.0, 500.0, 4000.0], (100.0, 300.0, 0.0)).choice == OFF


def test_a_change_that_costs_nothing_happens_at_once() -> None:
    """Where windows are 0 s every price is 0 Wh, and the first watt decides."""
    assert weigh(OFF, law.NO_REGRET, [0.0, -1000.0, None], law.NO_REGRET).choice == ONE
    assert weigh(ONE, law.NO_REGRET, [0.0, 1000.0, None], law.NO_REGRET).choice == OFF


def test_a_stop_needs_no_rest() -> None:
    """The dwell time is for the phases; no sun is a reason to stop all the same."""
    verdict = weigh(THREE, (99.0, 0.0, 0.0), [0.0, None, 5000.0], (90.0, 90.0, 0.0), rested_in=500.0, may_switch=0.0)
    assert verdict.choice == OFF


def test_what_became_impossible_is_left_at_once() -> None:
    """Three phases without an offer are left in the same step, whatever a switch costs."""
    verdict = weigh(THREE, law.NO_REGRET, [None, 200.0, None], (0.0, 300.0, 0.0))
    assert verdict.choice == ONE


def test_what_is_better_no_longer_is_not_done_however_much_it_was_regretted() -> None:
    """Sun that was missed during the dwell time is gone; what there is when it ends decides."""
    verdict = weigh(ONE, (0.0, 0.0, 500.0), [0.0, -1500.0, 6000.0], (50.0, 0.0, 100.0))
    assert verdict.choice == ONE


def is_better(one: float | None, other: float | None) -> bool:
    """Return whether a choice costs less than another."""
    return one is not None and other is not None and one < other


watts = st.floats(-12000.0, 12000.0).map(lambda value: round(value, 1))
regret = st.floats(0.0, 300.0).map(lambda value: round(value, 2))
price = st.floats(0.5, 300.0).map(lambda value: round(value, 2))


@EXAMPLES
@given(
    st.sampled_from([OFF, ONE, THREE]),
    st.tuples(regret, regret, regret),
    st.lists(st.one_of(st.none(), watts), min_size=3, max_size=3),
    st.tuples(price, price, price),
    st.sampled_from([ONE, THREE]),
    st.integers(0, 60),
    st.integers(0, 1),
)
def test_the_law_keeps_its_word(
    present: int,
    regrets: law.Wh3,
    costs: list[float | None],
    prices_wh: law.Wh3,
    set_to: int,
    rested_in: int,
    may_switch: int,
) -> None:
    """If nothing changes the predicted change comes at the predicted second, and no other comes before it."""
    assume(costs[present] is not None)
    set_to = present or set_to
    verdict = weigh(present, regrets, costs, prices_wh, set_to=set_to, rested_in=rested_in, may_switch=may_switch)
    assert min(verdict.regrets) >= 0.0
    assert verdict.regrets[present] == 0.0
    for choice in (OFF, ONE, THREE):
        over = is_better(costs[choice], costs[present]) and verdict.regrets[choice] > prices_wh[choice]
        free = OFF in {present, choice} or (may_switch and rested_in == 0)
        instead = (present, choice) == (THREE, ONE) and verdict.regrets[OFF] > prices_wh[OFF]  # of a stop
        if verdict.choice == choice and choice != present:
            assert over or instead
            assert free
        fits = present != OFF or costs[choice] == min(cost for cost in costs if cost is not None)  # the first of a day
        if over and free and fits:
            assert verdict.choice != present
    assume(verdict.choice == present and (verdict.seconds is None or verdict.seconds < 500.0))
    expected, coming = verdict.seconds, verdict.next
    changed_after = None
    for second in range(1, 520 if expected is not None else 100):
        left = max(0, rested_in - second)
        verdict = weigh(
            present, verdict.regrets, costs, prices_wh, set_to=set_to, rested_in=left, may_switch=may_switch
        )
        if verdict.choice != present:
            changed_after = second
            break
    if expected is None:
        assert changed_after is None
    else:
        assert changed_after is not None
        assert abs(changed_after - expected) <= 1.001
        assert verdict.choice == coming or (verdict.regrets[coming or 0] >= prices_wh[coming or 0] - 4.0)


@pytest.mark.parametrize(
    ("before_w", "after_w", "reason"),
    [
        (300.0, 2500.0, Reason.START_DELAY),
        (2500.0, 500.0, Reason.STOP_DELAY),
        (2500.0, 6500.0, Reason.MORE_PHASES_DELAY),
        (6500.0, 3000.0, Reason.FEWER_PHASES_DELAY),
    ],
)
def test_a_charger_changes_when_its_reason_said_it_would(before_w: float, after_w: float, reason: Reason) -> None:
    """Soon after the sun changed for good the reason names the second of the change, and it comes then."""
    home = house(mode=Mode.PV, fuse=63.0, surplus_w=lambda _: before_w)
    home.set(cloud_filter=CloudFilter.MEDIUM)
    home.run(2000)
    home.surplus_w = lambda _: after_w
    home.seconds_until(reason, 60)
    home.run(3)  # until the mean of the surplus has no old sample left
    explanation = home.explanation()
    assert explanation.reason is reason
    numbers = explanation.numbers
    assert 0.0 <= numbers["regret_wh"] < numbers["price_wh"]
    promised = explanation.next_change_at
    assert promised is not None
    switches, starts, stops = home.switches(), home.starts(), home.stops()
    while (home.switches(), home.starts(), home.stops()) == (switches, starts, stops):
        assert home.now < promised + 5.0
        home.step()
    assert promised - 2.0 <= home.now <= promised + 4.0
    assert home.state.chargers["a"].regrets == law.NO_REGRET
