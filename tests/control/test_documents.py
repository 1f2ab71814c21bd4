"""The low-level state in the words of WARP, along stories of a small house."""

from typing import Any

from custom_components.pv_load_manager.control import Mode, Plan, Reason
from custom_components.pv_load_manager.coordinators.documents import low_level_state, power_manager_state

from .house import House, house


def low_level(home: House) -> dict[str, Any]:
    """Return the document after the last step of a house."""
    return low_level_state(home.plan, home.config, home.state, home.snapshot, home.now)


def test_before_the_first_reading() -> None:
    """What nobody has measured is None, not 0."""
    home = house()
    state = low_level_state(Plan(), home.config, home.state, home.snapshot, home.now)
    assert {"power_at_meter", "power_at_meter_filtered", "power_available", "power_available_filtered"} <= {
        name for name, value in state.items() if value is None
    }
    assert state["max_current_limited"] is None
    assert state["uptime_past_hysteresis"] is False
    assert power_manager_state(Plan()) == {"config_error_flags": 0, "external_control": 1}


def test_a_start_that_waits() -> None:
    """While a start has to prove worth it, on is wanted from when it has a place, and the delay is counted down."""
    home = house(mode=Mode.PV, surplus_w=lambda now: 2000.0 if now > 1060.0 else 0.0)
    home.run(60)
    home.seconds_until(Reason.START_DELAY)
    state = low_level(home)
    assert state["on_state_change_blocked"] is True
    assert state["on_state_change_delay"] > 1000
    assert state["is_on_last"] is False
    home.run(5)
    assert low_level(home)["on_state_change_delay"] < state["on_state_change_delay"]
    home.seconds_until(Reason.CHARGING_SURPLUS)
    home.run(20)
    state = low_level(home)
    assert (state["is_on_last"], state["wants_on_last"], state["on_state_change_blocked"]) == (True, True, False)
    assert (state["is_3phase"], state["wants_3phase"]) == (False, False)
    assert state["power_available"] == 2000
    assert state["power_at_meter"] < 700
    assert state["overall_min_power"] == 1380


def test_a_switch_of_phases_blocks_the_next_one() -> None:
    """After a switch of a charging charger the next one has to wait for the rest of the dwell time."""
    home = house(mode=Mode.PV, surplus_w=lambda now: 2000.0 if now < 1600.0 else 9000.0)
    home.run(600)
    assert low_level(home)["is_3phase"] is False
    for _ in range(1800):
        home.step()
        if home.switches():
            break
    state = low_level(home)
    assert state["wants_3phase"] is True
    assert state["switching_state"] == 1
    assert state["phase_state_change_blocked"] is True
    assert state["phase_state_change_delay"] <= 1000 * home.config.timings.phase_dwell
    home.run(60)
    after = low_level(home)
    assert after["switching_state"] == 0
    assert after["phase_state_change_delay"] == state["phase_state_change_delay"] - 60_000
    assert after["is_3phase"] is True


def test_currents_and_blocks() -> None:
    """What the house connection leaves is told in mA; with its meter lost nobody may charge."""
    home = house(mode=Mode.FAST, load_a=(3.0, 12.0, 5.0))
    home.run(120)
    state = low_level(home)
    assert state["charge_manager_available_current"] == 35_000
    assert state["charge_manager_allocated_current"] == 16_000
    assert state["max_current_limited"] == 23_000
    assert state["charging_blocked"] == 0
    home.meter_alive = False
    home.run(200)
    assert home.reason() == "meter_lost"
    assert low_level(home)["charging_blocked"] == 1
