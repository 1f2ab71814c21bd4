"""The energy balance of the virtual home."""

from hypothesis import given, settings, strategies as st
import pytest

from simulator import (
    BatteryConfig,
    CarConfig,
    CarState,
    ChargerConfig,
    Home,
    HomeConfig,
    HouseConfig,
    InverterConfig,
    PvConfig,
)

_ROTATIONS = st.permutations((1, 2, 3)).map(lambda phases: (phases[0], phases[1], phases[2]))
_CHARGERS = st.builds(
    ChargerConfig,
    rotation=_ROTATIONS,
    mode=st.sampled_from((3, 4)),
    amp=st.integers(6, 16),
    psm=st.integers(0, 2),
    wired_phases=st.sampled_from((1, 3)),
    car=st.builds(CarConfig, phases=st.integers(1, 3), start_delay_s=st.floats(0, 10)),
)
_HOMES = st.builds(
    HomeConfig,
    pv=st.builds(PvConfig, peak_w=st.floats(0, 20_000), clouds=st.floats(0, 1)),
    house=st.builds(HouseConfig, base_w=st.floats(0, 8_000)),
    battery=st.none() | st.builds(BatteryConfig, soc=st.floats(0, 1)),
    inverter=st.builds(InverterConfig, phases=st.sampled_from((1, 3)), export_limit_w=st.none() | st.floats(0, 10_000)),
    chargers=st.tuples() | st.tuples(_CHARGERS) | st.tuples(_CHARGERS, _CHARGERS),
    seed=st.integers(0, 100),
)


@settings(max_examples=40, deadline=None)
@given(config=_HOMES, steps=st.lists(st.floats(0.05, 5), max_size=25))
def test_energy_is_conserved(config: HomeConfig, steps: list[float]) -> None:
    """At every step grid = house + cars - pv - battery, and every phase is balanced on its own."""
    home = Home(config)
    for dt in steps:
        flow = home.step(dt)
        assert flow.grid_w == pytest.approx(flow.house_w + flow.cars_w - flow.pv_w - flow.battery_w, abs=1e-6)
        for phase in range(3):
            expected = flow.house[phase] + flow.cars[phase] - flow.inverter[phase]
            assert flow.grid[phase] == pytest.approx(expected, abs=1e-6)
        assert flow.cars_w == pytest.approx(sum(charger.power_w for charger in home.chargers))
        assert flow.inverter_w <= config.inverter.rated_w + 1e-6 if config.inverter else True
        assert home.battery is None or -1e-6 <= home.battery.soc <= 1 + 1e-6


def test_the_same_seed_gives_the_same_day() -> None:
    """Two homes with one configuration go through the same values."""
    config = HomeConfig(pv=PvConfig(clouds=0.8), battery=BatteryConfig(), seed=7)
    first, second = Home(config), Home(config)
    assert [first.step(7) for _ in range(50)] == [second.step(7) for _ in range(50)]
    assert Home(HomeConfig(pv=PvConfig(clouds=0.8), seed=8)).step(7).pv_w != first.flow.pv_w


def test_rotation_puts_the_current_on_the_right_grid_phase() -> None:
    """A one-phase car behind the rotation 2, 3, 1 loads L2."""
    charger = ChargerConfig(mode=3, rotation=(2, 3, 1), car=CarConfig(phases=1))
    home = Home(HomeConfig(chargers=(charger,), pv=PvConfig(constant_w=0)))
    cars = home.step(30).cars
    assert cars[0] == cars[2] == 0
    assert cars[1] == pytest.approx(16 * 229, rel=0.02)


def test_a_car_starts_late_and_ramps() -> None:
    """After the permission the car waits, starts with 6 A and climbs to the offer."""
    home = Home(HomeConfig(chargers=(ChargerConfig(mode=3, amp=10),)))
    charger = home.chargers[0]
    home.step(4)
    assert charger.currents == (0, 0, 0)
    assert charger.car_state is CarState.WAITING
    home.step(1.5)
    assert 6 <= charger.currents[0] <= 8
    home.step(5)
    assert charger.currents == (10, 10, 10)
    assert charger.car_state is CarState.CHARGING


def test_a_full_car_is_complete() -> None:
    """A car that has what it wants stops and the charger says complete."""
    car = CarConfig(capacity_wh=1000, soc=0.95)
    home = Home(HomeConfig(chargers=(ChargerConfig(mode=3, car=car),)))
    home.step(60)
    assert home.chargers[0].currents == (0, 0, 0)
    assert home.chargers[0].car_state is CarState.COMPLETE


def test_a_car_with_a_high_minimum_waits() -> None:
    """A car that needs 10 A does not charge from an offer of 8 A."""
    home = Home(HomeConfig(chargers=(ChargerConfig(mode=3, amp=8, car=CarConfig(min_current=10)),)))
    home.step(60)
    assert home.chargers[0].power_w == 0
    home.chargers[0].write("amp", 11)
    home.step(20)
    assert home.chargers[0].currents == (11, 11, 11)


def test_the_battery_brings_the_grid_to_zero() -> None:
    """The battery covers what the roof does not give within a few time constants."""
    config = HomeConfig(
        pv=PvConfig(constant_w=500), house=HouseConfig(constant_w=2000), battery=BatteryConfig(), chargers=()
    )
    home = Home(config)
    home.step(30)
    assert home.flow.grid_w == pytest.approx(0, abs=5)
    assert home.flow.battery_w == pytest.approx(1500, abs=5)
    home.house_override = (100, 100, 100)
    home.step(30)
    assert home.flow.battery_w == pytest.approx(-200, abs=5)


def test_the_battery_takes_what_the_inverter_cannot() -> None:
    """Sun beyond the AC rating goes into a DC-coupled battery before it is lost."""
    config = HomeConfig(
        pv=PvConfig(constant_w=12_000),
        house=HouseConfig(constant_w=11_000),
        battery=BatteryConfig(),
        chargers=(),
    )
    flow = Home(config).step(30)
    assert flow.inverter_w == pytest.approx(10_000, abs=5)
    assert flow.pv_w + flow.battery_w == pytest.approx(flow.inverter_w)
    assert flow.pv_w > 10_500


def test_an_export_limit_throttles_the_sun() -> None:
    """The export stays at its limit and the inverter says that it could give more."""
    inverter = InverterConfig(export_limit_w=1000)
    config = HomeConfig(pv=PvConfig(constant_w=6000), house=HouseConfig(constant_w=500), inverter=inverter, chargers=())
    flow = Home(config).step(5)
    assert flow.grid_w == pytest.approx(-1000)
    assert flow.throttled


def test_one_phase_home() -> None:
    """In a home with one phase everything is on L1, and a three-phase charger is refused."""
    charger = ChargerConfig(mode=3, wired_phases=1)
    flow = Home(HomeConfig(phases=1, chargers=(charger,))).step(30)
    assert flow.grid[1:] == flow.voltages[1:] == (0, 0)
    assert flow.cars_w == pytest.approx(16 * 230, rel=0.03)
    with pytest.raises(ValueError, match="one phase"):
        Home(HomeConfig(phases=1))
