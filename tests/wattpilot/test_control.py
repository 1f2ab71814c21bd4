"""What has to be written to bring a charger to a target."""

from typing import Any, Literal

from hypothesis import given, strategies as st
import pytest

from custom_components.pv_load_manager.wattpilot import (
    FormerValues,
    Target,
    WattpilotStatus,
    Write,
    restore_writes,
    takeover_writes,
    writes_for,
)

type Pairs = list[tuple[str, Any]]
CHARGING3 = [230, 230, 230, 0, 10, 10, 10]


def status(**changes: Any) -> WattpilotStatus:
    """Return a managed charger that charges with 10 A on three phases."""
    values = {"amp": 10, "ama": 16, "frc": 0, "psm": 2, "lmo": 3, "fup": False, "car": 2, "nrg": CHARGING3, "acu": 10}
    return WattpilotStatus.of(values | changes)


def pairs(writes: tuple[Write, ...]) -> Pairs:
    """Return writes in short."""
    return [(write.key, write.value) for write in writes]


def wanted(
    present: WattpilotStatus, charge: bool, current: int = 0, phases: Literal[1, 3] | None = None, safe: int = 8
) -> Pairs:
    """Return what is written for a target."""
    return pairs(writes_for(Target(charge=charge, current_a=current, phases=phases), present, safe_current_a=safe))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"lmo": 4, "fup": True, "amp": 16, "acu": 9, "psm": 0}, [("amp", 9), ("lmo", 3), ("fup", False), ("psm", 2)]),
        ({"lmo": 4, "amp": 16, "acu": None, "car": 3}, [("amp", 6), ("lmo", 3)]),
        ({"fup": True, "amp": 16, "acu": 16, "car": 3}, [("amp", 6), ("fup", False)]),
        ({"psm": 0, "fsp": True}, [("psm", 1)]),
        ({"psm": 0, "pha": [False, False, False, True, False, False]}, [("psm", 1)]),
        ({"psm": 0, "pha": [False, False, False, True, True, True]}, [("psm", 2)]),
        ({"psm": 1}, []),
    ],
)
def test_takeover(changes: dict[str, Any], expected: Pairs) -> None:
    """The charger's own logic goes, and never lets the current jump when it does."""
    assert pairs(takeover_writes(status(**changes))) == expected


def test_takeover_leaves_unknown_keys_alone() -> None:
    """A charger without a surplus logic or phase switching is not asked to change it."""
    assert pairs(takeover_writes(WattpilotStatus.of({"lmo": 3, "amp": 16}))) == []


@pytest.mark.parametrize(
    ("changes", "charge", "current", "expected"),
    [
        # Stop: the current goes down first, to what is safe without us, never below 6 A and never up.
        ({"amp": 16}, False, 0, [("amp", 8), ("frc", 1)]),
        ({"amp": 6}, False, 0, [("frc", 1)]),
        ({"amp": 16, "frc": 1}, False, 0, [("amp", 8)]),
        ({"amp": 8, "frc": 1}, False, 0, []),
        ({"frc": 2, "amp": 8}, False, 0, [("frc", 1)]),
        ({"amp": 16}, True, 5, [("amp", 8), ("frc", 1)]),
        # Charge: up and down.
        ({}, True, 10, []),
        ({}, True, 7, [("amp", 7)]),
        ({}, True, 14, [("amp", 14)]),
        ({}, True, 32, [("amp", 16)]),
        ({"ama": 32, "amp": 32, "cll": {"temperatureCurrentLimit": 13}}, True, 32, [("amp", 13)]),
        ({"cll": {"accessControl": 0}}, True, 16, [("amp", 6)]),
        ({"ama": None}, True, 64, [("amp", 32)]),
        # Start: the current first.
        ({"frc": 1, "amp": 6, "car": 3}, True, 10, [("amp", 10), ("frc", 0)]),
        ({"frc": 1, "amp": 16, "car": 3}, True, 10, [("amp", 10), ("frc", 0)]),
        # The user forced it on: it charges already.
        ({"frc": 2}, True, 10, [("frc", 0)]),
        # Not known: written.
        ({"frc": None, "amp": None}, True, 10, [("amp", 10), ("frc", 0)]),
    ],
)
def test_current_and_force(changes: dict[str, Any], charge: bool, current: int, expected: Pairs) -> None:
    """Only changes are written, the safe one first."""
    assert wanted(status(**changes), charge, current) == expected


def test_safe_current_below_six_means_six() -> None:
    """A charger cannot promise less than 6 A."""
    assert wanted(status(amp=16), charge=False, safe=0) == [("amp", 6), ("frc", 1)]


ONE_PHASE = [230, 230, 230, 0, 10, 0, 0]


@pytest.mark.parametrize(
    ("changes", "current", "phases", "expected"),
    [
        # 1 -> 3: lower, then switch; a raise comes last.
        ({"psm": 1, "amp": 16, "nrg": ONE_PHASE}, 6, 3, [("amp", 6), ("psm", 2)]),
        ({"psm": 1, "amp": 10, "nrg": ONE_PHASE}, 12, 3, [("psm", 2), ("amp", 12)]),
        # 3 -> 1: switch; the raise waits until one phase is measured.
        ({}, 16, 1, [("psm", 1)]),
        ({"psm": 1}, 16, 1, []),
        ({"psm": 1}, 16, None, []),
        ({"psm": 1, "nrg": ONE_PHASE}, 16, 1, [("amp", 16)]),
        ({}, 6, 1, [("amp", 6), ("psm", 1)]),
        # Not charging: nothing flows that could rise on three phases.
        ({"frc": 1, "car": 3, "nrg": [230] * 3, "amp": 6}, 16, 1, [("psm", 1), ("amp", 16), ("frc", 0)]),
        # A charger that cannot switch.
        ({"psm": None}, 10, 1, []),
    ],
)
def test_phases(changes: dict[str, Any], current: int, phases: Literal[1, 3] | None, expected: Pairs) -> None:
    """A phase switch never makes a current flow that nobody granted."""
    assert wanted(status(**changes), charge=True, current=current, phases=phases) == expected


def test_phases_while_stopping_come_last() -> None:
    """The contactors move after the hold."""
    assert wanted(status(amp=16), charge=False, phases=1) == [("amp", 8), ("frc", 1), ("psm", 1)]


@given(
    charge=st.booleans(),
    current=st.integers(-5, 80),
    phases=st.sampled_from([None, 1, 3]),
    safe=st.integers(0, 32),
    amp=st.integers(6, 32),
    frc=st.sampled_from([0, 1, 2]),
    psm=st.sampled_from([0, 1, 2]),
    car=st.integers(0, 6),
)
def test_invariants(  # noqa: PLR0917 - hypothesis passes them by name
    charge: bool, current: int, phases: Literal[1, 3] | None, safe: int, amp: int, frc: int, psm: int, car: int
) -> None:
    """Whatever is wanted: allowed keys and values only, and the result is reached and stays."""
    present = {"amp": amp, "ama": 16, "frc": frc, "psm": psm, "lmo": 3, "car": car}
    target = Target(charge=charge, current_a=current, phases=phases)
    for _ in range(2):
        writes = pairs(writes_for(target, WattpilotStatus.of(present), safe_current_a=safe))
        keys = [key for key, _ in writes]
        assert len(keys) == len(set(keys))
        assert set(keys) <= {"amp", "frc", "psm"}
        assert ("frc", 2) not in writes
        assert 6 <= dict(writes).get("amp", 6) <= (16 if charge and current >= 6 else 32)
        if "amp" in keys and dict(writes)["amp"] < present["amp"]:
            assert keys[0] == "amp"
        present |= dict(writes)
    assert writes_for(target, WattpilotStatus.of(present), safe_current_a=safe) == ()
    assert (present["frc"] != 1) == (charge and current >= 6)


def test_former_values_survive_storage() -> None:
    """What is stored as JSON comes back the same; rubbish is forgotten."""
    former = FormerValues.from_status(status(lmo=4, fup=True))
    assert former == FormerValues(lmo=4, fup=True, frc=0, psm=2, amp=10)
    assert FormerValues.from_dict(former.as_dict()) == former
    assert FormerValues.from_dict({"lmo": "x", "amp": 99, "frc": 7, "psm": None, "extra": 1}) == FormerValues()


@pytest.mark.parametrize(
    ("former", "changes", "expected"),
    [
        (FormerValues(), {}, []),
        # Eco comes back before the current goes up, and the release is last.
        (
            FormerValues(lmo=4, fup=True, frc=0, psm=0, amp=16),
            {"frc": 1, "amp": 6},
            [("psm", 0), ("lmo", 4), ("fup", True), ("amp", 16), ("frc", 0)],
        ),
        # Down first, and a former hold at once.
        (FormerValues(lmo=3, fup=False, frc=1, psm=2, amp=6), {"amp": 16}, [("amp", 6), ("frc", 1)]),
        # Forced on is not restored.
        (FormerValues(frc=2), {"frc": 1}, [("frc", 0)]),
        (FormerValues(frc=2), {"frc": 0}, []),
    ],
)
def test_restore(former: FormerValues, changes: dict[str, Any], expected: Pairs) -> None:
    """The user gets the former values back, in an order without surprises."""
    assert pairs(restore_writes(former, status(**changes))) == expected
