"""What is wrong with a configuration: each flag with its cause, and without it when it is mended."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import (
    ChargerConfig,
    ChargerReading,
    CircuitConfig,
    ConfigError,
    Configuration,
    ControlState,
    Mode,
    PhasePolicy,
    Snapshot,
    cannot_switch,
    config_errors,
    overloadable_circuits,
    stop_plan,
)
from custom_components.pv_load_manager.control.flags import PATIENCE
from custom_components.pv_load_manager.control.meter_sign import NOTHING_SEEN

from .house import house

SOUND = house("a", "b", mode=Mode.PV).config
FIRST, SECOND = SOUND.chargers
GARAGE = CircuitConfig(circuit_id="garage", parent_id="root", limit_a=20)


def strategy(config: Configuration = SOUND, **changes: object) -> Configuration:
    """Return a configuration with other settings of the user."""
    return replace(config, strategy=replace(config.strategy, **changes))  # type: ignore[arg-type]


def charger(config: Configuration = SOUND, **changes: object) -> Configuration:
    """Return a configuration whose first charger is another."""
    return replace(config, chargers=(replace(FIRST, **changes), SECOND))  # type: ignore[arg-type]


CAUSES: Mapping[str, tuple[Configuration, ConfigError]] = {
    "three phases in a house of one": (
        replace(charger(phase_policy=PhasePolicy.THREE), phases=1),
        ConfigError.PHASE_SWITCHING,
    ),
    "three phases at a charger of one": (
        charger(phase_policy=PhasePolicy.THREE, wired_phases=1),
        ConfigError.PHASE_SWITCHING,
    ),
    "requests for a charger of one phase": (
        charger(strategy(external_phases=True), wired_phases=1),
        ConfigError.PHASE_SWITCHING,
    ),
    "requests for a charger with a fixed number": (
        charger(strategy(external_phases=True), phase_policy=PhasePolicy.ONE),
        ConfigError.PHASE_SWITCHING,
    ),
    "no maximum current": (strategy(maximum_total_current_a=0.0), ConfigError.MAXIMUM_CURRENT),
    "maximum current below a car": (strategy(maximum_total_current_a=5.9), ConfigError.MAXIMUM_CURRENT),
    "no chargers": (replace(SOUND, chargers=(), expected_chargers=2), ConfigError.NO_CHARGERS),
    "surplus without meter": (replace(SOUND, has_power_meter=False), ConfigError.NO_POWER_METER),
    "phases not measured": (replace(SOUND, dynamic=True, phase_currents=False), ConfigError.NO_PHASE_CURRENTS),
    "two of three": (replace(SOUND, expected_chargers=3), ConfigError.FEWER_CHARGERS),
    "circuit in the air": (
        replace(SOUND, circuits=(*SOUND.circuits, replace(GARAGE, parent_id="gone"))),
        ConfigError.CIRCUITS,
    ),
    "circuit in a loop": (
        replace(SOUND, circuits=(*SOUND.circuits, replace(GARAGE, parent_id="garage"))),
        ConfigError.CIRCUITS,
    ),
    "circuit too small": (replace(SOUND, circuits=(*SOUND.circuits, replace(GARAGE, limit_a=6))), ConfigError.CIRCUITS),
    "circuit of a charger gone": (charger(circuit_id="gone"), ConfigError.CIRCUITS),
    "minimum above maximum": (charger(min_current_a=10, max_current_a=8), ConfigError.CURRENTS),
    "minimum of the site above maximum": (strategy(minimum_current_a=20), ConfigError.CURRENTS),
    "twice": (replace(SOUND, chargers=(FIRST, SECOND, FIRST)), ConfigError.DUPLICATE_CHARGER),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_raises_its_flag_alone(cause: str) -> None:
    """A sound configuration has no flag; each mistake raises its own and no other."""
    assert config_errors(SOUND) == 0
    config, error = CAUSES[cause]
    assert config_errors(config) == error


def test_values_are_an_interface() -> None:
    """The first four are those of WARP; none of the values may ever change."""
    assert {error.name: error.value for error in ConfigError} == {
        "PHASE_SWITCHING": 0x1,
        "MAXIMUM_CURRENT": 0x2,
        "NO_CHARGERS": 0x4,
        "NO_POWER_METER": 0x8,
        "NO_PHASE_CURRENTS": 0x10,
        "FEWER_CHARGERS": 0x20,
        "INSTALLER_LIMITS": 0x40,
        "METER_SIGN": 0x80,
        "CIRCUITS": 0x100,
        "CURRENTS": 0x200,
        "DUPLICATE_CHARGER": 0x400,
    }


def test_flags_add_up() -> None:
    """Any combination can occur."""
    config = strategy(replace(SOUND, has_power_meter=False, expected_chargers=3), maximum_total_current_a=3.0)
    assert config_errors(config) == 0x2 | 0x8 | 0x20


def test_what_has_no_flag() -> None:
    """What works is no error: fewer phases where they may be chosen, a fixed number without requests, more chargers."""
    assert config_errors(replace(SOUND, phases=1)) == 0
    assert config_errors(charger(wired_phases=1, phase_policy=PhasePolicy.ONE)) == 0
    assert config_errors(strategy(external_phases=True)) == 0
    assert config_errors(strategy(replace(SOUND, has_power_meter=False), mode=Mode.FAST)) == 0
    assert config_errors(strategy(replace(SOUND, has_power_meter=False), excess_charging=False)) == 0
    for expected in (None, 1, 2):
        assert config_errors(replace(SOUND, expected_chargers=expected)) == 0


def test_names_the_charger_that_cannot_switch() -> None:
    """Only the one that cannot is named."""
    config = charger(strategy(external_phases=True), wired_phases=1)
    assert [cannot_switch(config, item) for item in config.chargers] == [True, False]


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (replace(SOUND, chargers=()), ConfigError.NO_CHARGERS),
        (replace(SOUND, expected_chargers=3), ConfigError.FEWER_CHARGERS),
    ],
)
def test_missing_chargers_have_a_minute(config: Configuration, error: ConfigError) -> None:
    """Nobody nags while chargers are still being added."""
    state = ControlState(started_at=500.0)
    assert config_errors(config, Snapshot(), state, 500.0) == 0
    assert config_errors(config, Snapshot(), state, 499.0 + PATIENCE) == 0
    assert config_errors(config, Snapshot(), state, 500.0 + PATIENCE) == error


def test_missing_chargers_in_control() -> None:
    """The plan has the flag after a minute, and no more from the step on in which the last charger is there."""
    home = house("a")
    home.config = replace(home.config, expected_chargers=2)
    home.run(50)
    assert home.plan.errors == 0
    home.run(20)
    assert home.plan.errors == ConfigError.FEWER_CHARGERS
    home.config = replace(home.config, chargers=(*home.config.chargers, ChargerConfig(charger_id="b")))
    home.run(1)
    assert home.plan.errors == 0


def said(config: Configuration, *amps: int | None) -> Snapshot:
    """Return what the chargers say the installer allows them; None = one says nothing of it."""
    chargers = zip(config.chargers, amps, strict=True)
    return Snapshot(
        chargers={
            item.charger_id: ChargerReading(at=0.0, online=False, installer_limit_a=limit) for item, limit in chargers
        }
    )


def with_garage(first: ChargerConfig, second: ChargerConfig, limit: float = 20) -> Configuration:
    """Return a house of 35 A with a circuit for chargers."""
    garage = replace(GARAGE, limit_a=limit)
    return replace(SOUND, circuits=(*SOUND.circuits, garage), chargers=(first, second))


def test_installer_limits_of_the_house() -> None:
    """16 A twice fit a fuse of 35 A, 20 and 16 A do not; who never said it is not counted."""
    assert overloadable_circuits(SOUND, said(SOUND, 16, 16)) == {}
    assert overloadable_circuits(SOUND, said(SOUND, 20, 15)) == {}
    assert overloadable_circuits(SOUND, said(SOUND, 20, 16)) == {"root": ("a", "b")}
    assert overloadable_circuits(SOUND, said(SOUND, 32, None)) == {}
    assert overloadable_circuits(SOUND, Snapshot()) == {}
    assert config_errors(SOUND, said(SOUND, 20, 16)) == ConfigError.INSTALLER_LIMITS
    assert config_errors(SOUND, said(SOUND, 16, 16)) == 0


def test_installer_limits_of_a_circuit() -> None:
    """Every circuit counts, with all that hangs below it."""
    inside = [replace(item, circuit_id="garage") for item in (FIRST, SECOND)]
    both = with_garage(inside[0], inside[1])
    assert overloadable_circuits(both, said(both, 16, 16)) == {"garage": ("a", "b")}
    assert overloadable_circuits(both, said(both, 10, 10)) == {}
    assert overloadable_circuits(both, said(both, 32, 32)) == {"root": ("a", "b"), "garage": ("a", "b")}
    one = with_garage(inside[0], SECOND)
    assert overloadable_circuits(one, said(one, 16, 16)) == {}
    assert overloadable_circuits(one, said(one, 32, 2)) == {"garage": ("a",)}


def test_installer_limits_by_phase() -> None:
    """Two chargers of one phase each on different phases do not add up; where the phase is not known they may."""
    first, second = (replace(item, wired_phases=1, circuit_id="garage") for item in (FIRST, SECOND))
    apart = with_garage(first, replace(second, rotation=(2, 3, 1)))
    assert overloadable_circuits(apart, said(apart, 16, 16)) == {}
    together = with_garage(first, second)
    assert overloadable_circuits(together, said(together, 16, 16)) == {"garage": ("a", "b")}
    unknown = with_garage(first, replace(second, rotation=None))
    assert overloadable_circuits(unknown, said(unknown, 16, 16)) == {"garage": ("a", "b")}
    house_of_one = replace(apart, phases=1)
    assert overloadable_circuits(house_of_one, said(house_of_one, 16, 16)) == {"garage": ("a", "b")}


def test_installer_limit_of_a_charger_without_circuit() -> None:
    """Wherever it hangs, the house connection feeds it."""
    config = charger(circuit_id="gone")
    assert overloadable_circuits(config, said(config, 20, 16)) == {"root": ("a", "b")}


def test_meter_sign_is_a_flag() -> None:
    """What was observed of the meter counts, and only that."""
    wrong = replace(NOTHING_SEEN, votes=(False,) * 3)
    assert config_errors(SOUND, Snapshot(), ControlState(started_at=0.0, sign=wrong), 100.0) == ConfigError.METER_SIGN
    for votes in ((), (False, False), (False, False, True)):
        state = ControlState(started_at=0.0, sign=replace(NOTHING_SEEN, votes=votes))
        assert config_errors(SOUND, Snapshot(), state, 100.0) == 0


def test_plan_of_a_failed_step_has_its_flags() -> None:
    """What the configuration alone says is known without any device."""
    assert stop_plan(strategy(maximum_total_current_a=3.0)).errors == ConfigError.MAXIMUM_CURRENT
