"""What is said about the findings of a check of the meter, and what could be stored."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control.findings import CheckResult, Findings, Outcome, Sign
from custom_components.pv_load_manager.coordinators.meter_report import as_dict, async_sentences, changes, meter_lag
from custom_components.pv_load_manager.shared import SHARED

SENSORS: dict[str, Any] = {"meter_source": "sensor", "meter_direction": "import_positive"}
INVERTER: dict[str, Any] = {"meter_source": "solaredge"}
ONE_PHASE: dict[str, Any] = {
    "sign": Sign.RIGHT,
    "lines": (0, 1, 0),
    "missing": 0,
    "own_phases": (1,),
    "rotation": (2, None, None),
    "likely_rotation": (2, 3, 1),
    "dead_time_s": 1.54,
    "dead_time_within_s": 0.5,
    "cadence_s": 2.0,
    "step_a": 10.0,
}
THREE_PHASES = {
    "lines": (1, 1, 1),
    "own_phases": (1, 2, 3),
    "rotation": (None, None, None),
    "likely_rotation": None,
}


def found(**other: Any) -> Findings:
    """Return findings."""
    return Findings(**{**ONE_PHASE, **other})


def entries(data: dict[str, Any], rotation: str | None = None) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Return the entries of a load manager and of a charger."""
    options = {} if rotation is None else {"rotation": rotation}
    return MockConfigEntry(domain=DOMAIN, data=data), MockConfigEntry(domain=DOMAIN, options=options)


async def sentences(
    hass: HomeAssistant, findings: Findings, data: dict[str, Any], rotation: str | None = None
) -> list[str]:
    """Return what is said after the first sentence."""
    result = CheckResult(outcome=Outcome.LEARNED, findings=findings)
    said = await async_sentences(hass, result, *entries(data, rotation))
    assert said[0] == "The meter sees the car and the household."
    return said[1:]


@pytest.mark.parametrize(
    ("rotation", "stored"),
    [
        (None, "l2_l3_l1"),
        ("unknown", "l2_l3_l1"),
        ("l1_l3_l2", "l2_l3_l1"),
        ("l2_l3_l1", None),
        ("l2_l1_l3", None),
    ],
)
async def test_rotation(hass: HomeAssistant, rotation: str | None, stored: str | None) -> None:
    """A rotation is offered where none is known or another one is set, and not where the set one may be right."""
    wanted = changes(found(), *entries(SENSORS, rotation))
    assert wanted.charger == ({} if stored is None else {"rotation": stored})
    assert bool(wanted) is (stored is not None)
    said = await sentences(hass, found(), SENSORS, rotation)
    assert "It shows a change 1.5 s after the charger, and speaks every 2.0 s." in said
    assert "L1 of the charger is L2 of the house." in said
    assert any("L2-L3-L1" in sentence for sentence in said) is (stored is not None)
    judged = {sentence for sentence in said if "that is set for the charger" in sentence}
    assert len(judged) == (0 if rotation == "unknown" else 1)
    assert any("does not fit" in sentence for sentence in judged) is (stored is not None and rotation != "unknown")


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        (SENSORS, {"meter_direction": "export_positive"}),
        ({"meter_source": "sensor"}, {"meter_direction": "export_positive"}),
        ({**SENSORS, "meter_direction": "export_positive"}, {"meter_direction": "import_positive"}),
        (
            {
                "meter_source": "sensor",
                "meter_direction": "separate",
                "meter_l1": "sensor.a",
                "meter_export_l1": "sensor.b",
            },
            {"meter_l1": "sensor.b", "meter_export_l1": "sensor.a"},
        ),
        (INVERTER, {}),
    ],
)
async def test_direction(hass: HomeAssistant, data: dict[str, Any], stored: dict[str, Any]) -> None:
    """The direction of sensors can be stored, that of a meter at an inverter is set elsewhere."""
    turned = found(sign=Sign.TURNED, lines=(0, -1, 0))
    assert changes(turned, *entries(data, "l2_l3_l1")).meter == stored
    assert changes(found(), *entries(data)).meter == {}
    said = await sentences(hass, turned, data)
    assert "The meter counts the wrong way round: more load looks like more export." in said
    assert any(sentence.startswith("The other direction") for sentence in said) is bool(stored)
    assert any(sentence.startswith("The meter belongs to an inverter") for sentence in said) is not bool(stored)


async def test_late_meter(hass: HomeAssistant) -> None:
    """A meter that is later than usual can be waited for."""
    assert changes(found(), *entries(SENSORS, "l2_l3_l1")).site == {}
    late = found(dead_time_s=6.0)
    assert changes(late, *entries(SENSORS)).site == {"meter_lag_s": 6.5}
    assert any("6.5 s can be stored" in sentence for sentence in await sentences(hass, late, SENSORS))


@pytest.mark.parametrize(
    ("stored", "dead_time", "wanted"),
    [(6.5, 6.0, None), (6.9, 6.0, None), (6.0, 6.0, 6.5), (6.5, 0.3, 3.0), (9.0, 6.0, 6.5), (3.0, 0.3, None)],
)
async def test_another_meter_is_faster(
    hass: HomeAssistant, stored: float, dead_time: float, wanted: float | None
) -> None:
    """What was stored for a late meter is offered again only where it does not fit, and ends with a faster one."""
    await async_setup_component(hass, DOMAIN, {})
    hass.data[SHARED].memory.set_site(meter_lag_s=stored)
    findings = found(dead_time_s=dead_time)
    assert meter_lag(hass) == stored
    site = changes(findings, *entries(SENSORS, "l2_l3_l1"), waits_s=meter_lag(hass)).site
    assert site == ({} if wanted is None else {"meter_lag_s": wanted})
    offers = [
        sentence for sentence in await sentences(hass, findings, SENSORS, "l2_l3_l1") if "can be stored" in sentence
    ]
    assert len(offers) == len(site)
    assert all(("longer than this meter needs" in sentence) is (stored > dead_time + 0.5) for sentence in offers)


async def test_phases(hass: HomeAssistant) -> None:
    """Single phases are named where they are known."""
    mixed = await sentences(hass, found(**THREE_PHASES | {"sign": Sign.MIXED, "lines": (1, -1, -1)}), INVERTER)
    assert "The meter counts these phases the wrong way round: L2, L3." in mixed
    assert any("turn it on L2, L3" in sentence for sentence in mixed)
    missing = await sentences(hass, found(**THREE_PHASES | {"missing": 1, "lines": (1, 0, 1)}), INVERTER)
    assert any("(1 missing)" in sentence and sentence.endswith(": L2.") for sentence in missing)
    assert any(
        "does not show the phase rotation" in text for text in await sentences(hass, found(**THREE_PHASES), SENSORS)
    )
    total = found(**THREE_PHASES | {"lines": (None, None, None)})
    assert any("knows only the total" in sentence for sentence in await sentences(hass, total, SENSORS))
    single = found(**THREE_PHASES | {"lines": (1, None, None)})
    assert len(await sentences(hass, single, SENSORS)) == 2
    assert not changes(None, *entries(SENSORS))


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.LEARNED])
async def test_other_ends(hass: HomeAssistant, outcome: Outcome) -> None:
    """Every other end has one plain sentence of its own."""
    (said,) = await async_sentences(hass, CheckResult(outcome=outcome), *entries(SENSORS))
    assert said.endswith(".")
    assert as_dict(CheckResult(outcome=outcome)) == {"result": outcome.value}
