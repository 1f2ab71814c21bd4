"""The charging logic of a Wattpilot."""

from typing import Any

import pytest

from simulator import CarConfig, CarState, Charger, ChargerConfig, Home, HomeConfig, Model, RefusedWriteError, Timings


def _home(**charger: Any) -> tuple[Home, Charger]:
    home = Home(HomeConfig(chargers=(ChargerConfig(**{"mode": 3} | charger),)))
    return home, home.chargers[0]


def test_default_mode_charges_at_plug_in() -> None:
    """In mode Default a car charges by itself, in Eco without a paired inverter it does not."""
    home, charger = _home()
    home.step(20)
    assert charger.car_state is CarState.CHARGING
    assert charger.model is Model.FALLBACK_DEFAULT
    home, charger = _home(mode=4)
    home.step(20)
    assert charger.car_state is CarState.WAITING
    assert charger.model is Model.FALLBACK_ECO
    assert charger.offered is None


def test_force_states() -> None:
    """`frc` 1 stops, 2 charges also in Eco, 0 leaves it to the mode."""
    home, charger = _home(mode=4)
    charger.write("frc", 2)
    home.step(20)
    assert charger.currents == (16, 16, 16)
    charger.write("frc", 1)
    home.step(5)
    assert charger.power_w == 0
    assert charger.model is Model.FORCE_OFF
    assert charger.car_state is CarState.COMPLETE
    charger.write("amp", 10)
    home.step(20)
    assert charger.power_w == 0
    charger.write("frc", 0)
    charger.write("lmo", 3)
    home.step(20)
    assert charger.currents == (10, 10, 10)


def test_a_setting_works_a_second_later() -> None:
    """The logic runs once per second: an offer follows the write within one."""
    home, charger = _home()
    home.step(20.2)
    charger.write("frc", 1)
    home.step(0.1)
    assert charger.allowed
    home.step(1.0)
    assert not charger.allowed


def test_unplugging_clears_force_and_authorisation() -> None:
    """`frc` and `trx` are gone with the car, the settings stay."""
    home, charger = _home(access=1)
    charger.write("trx", 0)
    charger.write("frc", 1)
    charger.write("amp", 9)
    home.step(2)
    charger.unplug()
    assert (charger.settings["frc"], charger.settings["trx"], charger.settings["amp"]) == (0, None, 9)
    assert charger.car_state is CarState.IDLE
    assert [write.key for write in charger.writes] == ["trx", "frc", "amp"]


def test_session_energy_survives_unplugging() -> None:
    """`wh` keeps its value after the car has left and starts over with the next one."""
    home, charger = _home()
    home.step(120)
    charger.unplug()
    home.step(10)
    assert charger.session_wh > 100
    charger.plug()
    home.step(1)
    assert charger.session_wh == 0


def test_phase_change_pauses() -> None:
    """Changing the phases while charging pauses for `psmd`, then the car negotiates anew."""
    home, charger = _home()
    home.step(20)
    charger.write("psm", 1)
    home.step(5)
    assert charger.model is Model.PHASE_SWITCH
    assert charger.power_w == 0
    home.step(5)
    assert charger.model is Model.PHASE_SWITCH
    home.step(15)
    assert charger.currents == (16, 0, 0)
    assert charger.contactor_phases == 1
    charger.write("psm", 2)
    home.step(40)
    assert charger.currents == (16, 16, 16)


def test_phase_change_without_charging_is_free() -> None:
    """A charger that does not charge takes the other phases at its next start."""
    home, charger = _home()
    charger.write("frc", 1)
    home.step(5)
    charger.write("psm", 1)
    home.step(5)
    charger.write("frc", 0)
    home.step(12)
    assert charger.currents == (16, 0, 0)


def test_timings_scale_the_pause() -> None:
    """Tests can shorten the pause around a phase change."""
    config = HomeConfig(chargers=(ChargerConfig(mode=3),), timings=Timings(pause_scale=0.1))
    home = Home(config)
    home.step(20)
    home.chargers[0].write("psm", 1)
    home.step(12)
    assert home.chargers[0].currents == (16, 0, 0)


def test_the_lowest_limit_rules() -> None:
    """The offer is the lowest of all limits, and less than 6 A is no offer."""
    home, charger = _home(max_current=32, variant=22, unsymmetry_current=20, psm=1, car=CarConfig(max_current=32))
    home.step(20)
    assert charger.currents == (20, 0, 0)
    charger.temperature_current = 8
    home.step(5)
    assert charger.offered == 8
    charger.temperature_current = 5
    home.step(5)
    assert charger.offered is None


def test_temporary_limit_falls_back() -> None:
    """`tcl` limits without touching `amp` and is gone when it is not refreshed."""
    home, charger = _home()
    charger.write("tcl", 8)
    home.step(30)
    assert charger.currents == (8, 8, 8)
    home.step(600)
    assert charger.settings["tcl"] is None
    assert charger.currents == (16, 16, 16)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("amp", 5),
        ("amp", 17),
        ("amp", 10.0),
        ("amp", "10"),
        ("frc", 3),
        ("frc", True),
        ("lmo", 1),
        ("nrg", 1),
        ("x", 1),
    ],
)
def test_refused_writes(key: str, value: Any) -> None:
    """Wrong types, values outside the bounds and keys that cannot be written are refused."""
    _, charger = _home()
    with pytest.raises(RefusedWriteError):
        charger.write(key, value)
    assert charger.writes == []


def test_access_control_waits_for_authorisation() -> None:
    """With `acs` 1 nothing is charged before `trx` is written."""
    home, charger = _home(access=1)
    home.step(20)
    assert charger.model is Model.ACCESS_WAIT
    assert charger.limits()["accessControl"] == 0
    charger.write("trx", 0)
    home.step(20)
    assert charger.power_w > 0


def test_energy_limit() -> None:
    """`dwo` ends the session at its energy."""
    home, charger = _home()
    charger.write("dwo", 100)
    home.step(120)
    assert charger.model is Model.ENERGY_LIMIT
    assert 100 <= charger.session_wh < 115


def test_reboot() -> None:
    """A reboot comes late, stops the car, counts up, clears the force state and loses unsaved energy."""
    home, charger = _home()
    home.step(61)
    charger.write("frc", 2)
    charger.write("rst", 1)
    home.step(16)
    assert charger.online
    before, saved = charger.lifetime_wh, charger.saved_wh
    home.step(3)
    assert not charger.online
    assert charger.power_w == 0
    home.step(7)
    assert charger.online
    assert charger.reboots == 49
    assert charger.settings["frc"] == 0
    assert saved <= charger.lifetime_wh <= before + 60
    assert charger.lifetime_wh == charger.saved_wh


def test_phase_count_comes_late() -> None:
    """`pnp` follows a start only after a while and stays until the car leaves."""
    home, charger = _home()
    home.step(15)
    assert charger.pnp == 1
    home.step(30)
    assert charger.pnp == 3
    charger.unplug()
    assert charger.pnp == 0


def test_plugging() -> None:
    """One car at a time, and there has to be one."""
    _, charger = _home()
    with pytest.raises(ValueError, match="already"):
        charger.plug()
    _, charger = _home(car=None)
    with pytest.raises(ValueError, match="no car"):
        charger.plug()
    charger.plug(CarConfig(phases=1))
    assert charger.car_state is CarState.WAITING
