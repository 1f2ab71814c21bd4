"""A meter made of Home Assistant sensors: every kind, direction and unit, and how old its reading is."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.control import GridReading
from custom_components.pv_load_manager.coordinators.meter import SensorMeter
from custom_components.pv_load_manager.coordinators.meter_config import MeterConfig
from custom_components.pv_load_manager.coordinators.meter_sensors import BURST

from .conftest import OURS
from .site import eventually

POWERS = ("sensor.power_l1", "sensor.power_l2", "sensor.power_l3")
EXPORTS = ("sensor.export_l1", "sensor.export_l2", "sensor.export_l3")
CURRENTS = ("sensor.current_l1", "sensor.current_l2", "sensor.current_l3")
VOLTAGES = ("sensor.voltage_l1", "sensor.voltage_l2", "sensor.voltage_l3")
TOTAL: dict[str, Any] = {"meter_kind": "total_power", "meter_entity": "sensor.grid"}
PHASE_POWER: dict[str, Any] = {
    "meter_kind": "phase_power",
    **{f"meter_l{line}": entity for line, entity in enumerate(POWERS, start=1)},
}
PHASE_CURRENT: dict[str, Any] = {
    "meter_kind": "phase_current",
    **{f"meter_l{line}": entity for line, entity in enumerate(CURRENTS, start=1)},
}
WITH_EXPORT: dict[str, Any] = {
    "meter_direction": "separate",
    "meter_export_entity": "sensor.export",
    **{f"meter_export_l{line}": entity for line, entity in enumerate(EXPORTS, start=1)},
}
WITH_VOLTAGES: dict[str, Any] = {f"meter_voltage_l{line}": entity for line, entity in enumerate(VOLTAGES, start=1)}


def quick_life_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sensor need a sibling soon after its own word."""
    monkeypatch.setattr(f"{OURS}.coordinators.meter_sensors.LIFE_SIGN", 0.05)
    monkeypatch.setattr(f"{OURS}.coordinators.meter.LIFE_SIGN", 0.05)


class Heard:
    """A running meter, and how often it had something new to say."""

    def __init__(self, hass: HomeAssistant, data: Mapping[str, Any], phases: int) -> None:
        """Prepare the meter."""
        self.hass = hass
        self.count = 0
        config = MeterConfig.from_data(data, phases)
        assert config is not None
        self.config = config
        self.meter = SensorMeter(hass, config, self._heard)

    def _heard(self) -> None:
        self.count += 1

    @property
    def reading(self) -> GridReading:
        """Return the reading, which has to be there."""
        reading = self.meter.reading()
        assert reading is not None
        return reading

    @property
    def age(self) -> float:
        """Return the age of the reading in s."""
        return self.hass.loop.time() - self.reading.at


@contextmanager
def listening(hass: HomeAssistant, data: Mapping[str, Any], phases: int = 3) -> Iterator[Heard]:
    """Run a meter."""
    heard = Heard(hass, data, phases)
    stop = heard.meter.async_start()
    yield heard
    stop()


def say(hass: HomeAssistant, entity_id: str, value: object, unit: str = "W", *, ago: float = 0.0) -> None:
    """Let a sensor speak."""
    hass.states.async_set(entity_id, str(value), {"unit_of_measurement": unit}, timestamp=time.time() - ago)


def say_all(hass: HomeAssistant, entities: tuple[str, ...], values: tuple[float, ...], unit: str) -> None:
    """Let the sensors of one poll speak."""
    for entity_id, value in zip(entities, values, strict=True):
        say(hass, entity_id, value, unit)


@pytest.mark.parametrize(("unit", "factor"), [("W", 1.0), ("kW", 1e-3), ("MW", 1e-6)])
@pytest.mark.parametrize(
    ("direction", "shown"), [("import_positive", 2300.0), ("export_positive", -2300.0), ("separate", 2500.0)]
)
async def test_total_power(hass: HomeAssistant, direction: str, shown: float, unit: str, factor: float) -> None:
    """A total power in any unit and direction serves the surplus, and tells nothing of three phases."""
    with listening(hass, TOTAL | WITH_EXPORT | {"meter_direction": direction}) as heard:
        assert heard.meter.reading() is None
        say(hass, "sensor.export", 200 * factor, unit)
        say(hass, "sensor.grid", shown * factor, unit)
        assert heard.reading.power_w == pytest.approx(2300)
        assert heard.reading.currents_a == (None, None, None)
        assert not heard.config.protects
        assert heard.count == 1


@pytest.mark.parametrize(("unit", "factor"), [("W", 1.0), ("kW", 1e-3)])
@pytest.mark.parametrize("direction", ["import_positive", "export_positive", "separate"])
async def test_power_of_each_phase(hass: HomeAssistant, direction: str, unit: str, factor: float) -> None:
    """Powers of the phases become directional currents of 230 V, and their sum is the total."""
    wanted = (2300.0, -460.0, 0.0)
    sign = -1.0 if direction == "export_positive" else 1.0
    with listening(hass, PHASE_POWER | WITH_EXPORT | {"meter_direction": direction}) as heard:
        if direction == "separate":
            say_all(hass, POWERS, tuple(max(power, 0.0) * factor for power in wanted), unit)
            say_all(hass, EXPORTS, tuple(max(-power, 0.0) * factor for power in wanted), unit)
        else:
            say_all(hass, POWERS, tuple(sign * power * factor for power in wanted), unit)
        assert heard.reading.currents_a == pytest.approx((10.0, -2.0, 0.0))
        assert heard.reading.power_w == pytest.approx(1840)
        assert heard.config.protects
        assert heard.count == 1


@pytest.mark.parametrize(("unit", "factor"), [("A", 1.0), ("mA", 1000.0)])
@pytest.mark.parametrize(("direction", "sign"), [("import_positive", 1.0), ("export_positive", -1.0)])
async def test_current_of_each_phase(
    hass: HomeAssistant, direction: str, sign: float, unit: str, factor: float
) -> None:
    """Currents are taken as they are, and the power is computed from them."""
    with listening(hass, PHASE_CURRENT | {"meter_direction": direction}) as heard:
        say_all(hass, CURRENTS, tuple(sign * amps * factor for amps in (10.0, -2.0, 0.5)), unit)
        assert heard.reading.currents_a == pytest.approx((10.0, -2.0, 0.5))
        assert heard.reading.power_w == pytest.approx(8.5 * 230)


async def test_one_phase(hass: HomeAssistant) -> None:
    """In a house with one phase the total power is the power of the phase."""
    for data, entity, value, unit in (
        (TOTAL, "sensor.grid", 2300, "W"),
        (PHASE_POWER, POWERS[0], 2300, "W"),
        (PHASE_CURRENT, CURRENTS[0], 10, "A"),
    ):
        with listening(hass, data, phases=1) as heard:
            say(hass, entity, value, unit)
            assert heard.reading.currents_a == (pytest.approx(10), None, None)
            assert heard.reading.power_w == pytest.approx(2300)
            assert heard.config.protects


async def test_missing_sensors(hass: HomeAssistant) -> None:
    """A meter that lost a sensor, for example since the house has three phases, says nothing rather than half."""
    one = {"meter_kind": "phase_power", "meter_l1": POWERS[0]}
    for data in (one, PHASE_POWER | {"meter_direction": "separate", "meter_export_l1": EXPORTS[0]}):
        with listening(hass, data) as heard:
            say_all(hass, (*POWERS, *EXPORTS), (100.0,) * 6, "W")
            await asyncio.sleep(BURST + 0.05)
            assert heard.meter.reading() is None
            assert not heard.config.protects
    assert MeterConfig.from_data({"meter_kind": "phase_power"}, 3) is None
    assert MeterConfig.from_data({}, 3) is None


async def test_old_configuration(hass: HomeAssistant) -> None:
    """A meter stored before there were kinds is a signed total power."""
    with listening(hass, {"meter_entity": "sensor.grid"}) as heard:
        say(hass, "sensor.grid", -1.5, "kW")
        assert heard.reading.power_w == -1500
        assert heard.config.max_age_s is None


async def test_voltages(hass: HomeAssistant) -> None:
    """A measured voltage counts; one that cannot be is ignored, and one that is lost stays what it was."""
    with listening(hass, PHASE_POWER | WITH_VOLTAGES) as heard:
        say_all(hass, VOLTAGES, (240.0, 0.0, 0.2), "V")
        say_all(hass, POWERS, (2400.0, 2300.0, 2300.0), "W")
        await eventually(lambda: heard.count)
        assert heard.reading.currents_a == pytest.approx((10.0, 10.0, 10.0))
        assert heard.reading.voltages_v == (240.0, None, None)
        say_all(hass, VOLTAGES, (0.25, 100.0, 231.0), "kV")
        await eventually(lambda: heard.reading.voltages_v == (250.0, None, None))
        hass.states.async_set(VOLTAGES[0], "unavailable")
        say_all(hass, POWERS, (2500.0, 2300.0, 2300.0), "W")
        assert heard.reading.currents_a == pytest.approx((10.0, 10.0, 10.0))


async def test_total_power_next_to_currents(hass: HomeAssistant) -> None:
    """The total power serves the surplus; while it says nothing, the power is computed from the currents."""
    with listening(
        hass, PHASE_CURRENT | {"meter_entity": "sensor.grid", "meter_direction": "export_positive"}
    ) as heard:
        say(hass, "sensor.grid", 3.0, "kW")
        say_all(hass, CURRENTS, (-1.0, 8.0, 6.0), "A")
        assert heard.reading.power_w == -3000
        assert heard.reading.currents_a == (1.0, -8.0, -6.0)
        assert heard.count == 1
        say(hass, "sensor.grid", "unavailable", "kW")
        say_all(hass, CURRENTS, (-2.0, 8.0, 6.0), "A")
        await eventually(lambda: heard.count == 2)
        assert heard.reading.power_w == pytest.approx(-12 * 230)


@pytest.mark.parametrize("value", ["unavailable", "unknown", "nan", "inf", "lots", "1e12"])
async def test_useless_value(hass: HomeAssistant, value: str) -> None:
    """A value that means nothing is never 0: the reading stays and grows old."""
    with listening(hass, PHASE_POWER) as heard:
        say_all(hass, POWERS, (2300.0, 2300.0, 2300.0), "W")
        before = heard.reading
        say(hass, POWERS[1], value)
        await asyncio.sleep(BURST + 0.05)
        assert heard.reading == before
        say(hass, POWERS[0], 4600)
        say(hass, POWERS[2], 0)
        await eventually(lambda: heard.count == 2)
        assert heard.reading.currents_a == pytest.approx((20.0, 10.0, 0.0))
        assert heard.age > BURST, "it is as old as its oldest part"
        say(hass, POWERS[1], 0)
        await eventually(lambda: heard.count == 3)
        assert heard.reading.currents_a == pytest.approx((20.0, 0.0, 0.0))


@pytest.mark.parametrize("unit", ["kWh", "A", ""])
async def test_other_unit(hass: HomeAssistant, unit: str) -> None:
    """A sensor that changes to a unit that is no power says nothing."""
    with listening(hass, TOTAL) as heard:
        say(hass, "sensor.grid", 100)
        before = heard.reading
        say(hass, "sensor.grid", 200, unit)
        assert heard.reading == before
        say(hass, "sensor.grid", 0.2, "kW")
        assert heard.reading.power_w == 200


async def test_removed_sensor(hass: HomeAssistant) -> None:
    """A sensor that is removed says nothing more."""
    with listening(hass, TOTAL) as heard:
        say(hass, "sensor.grid", 100)
        before = heard.reading
        hass.states.async_remove("sensor.grid")
        assert heard.reading == before


async def test_burst(hass: HomeAssistant) -> None:
    """Three phases of one poll make one reading, never a half new sum."""
    with listening(hass, PHASE_POWER) as heard:
        say_all(hass, POWERS, (100.0, 100.0, 100.0), "W")
        assert heard.count == 1
        say(hass, POWERS[0], 1100)
        say(hass, POWERS[1], 1100)
        await asyncio.sleep(0.05)
        assert heard.reading.power_w == 300
        say(hass, POWERS[2], 1100)
        assert heard.count == 2
        assert heard.reading.power_w == 3300
        await asyncio.sleep(BURST + 0.05)
        assert heard.count == 2


async def test_burst_without_a_phase(hass: HomeAssistant) -> None:
    """A phase that does not speak, because nothing changed, keeps an overload on another one for no quarter second."""
    with listening(hass, PHASE_CURRENT) as heard:
        say_all(hass, CURRENTS, (1.0, 1.0, 1.0), "A")
        begin = hass.loop.time()
        say(hass, CURRENTS[1], 40, "A")
        await eventually(lambda: heard.count == 2)
        assert hass.loop.time() - begin < 0.25
        assert heard.reading.currents_a == (1.0, 40.0, 1.0)


async def test_a_new_part_is_a_new_reading(hass: HomeAssistant) -> None:
    """A change is a reading of its own also while another part is old; the core drops what it knows already."""
    with listening(hass, PHASE_CURRENT) as heard:
        say_all(hass, CURRENTS, (1.0, 1.0, 1.0), "A")
        first = heard.reading
        await asyncio.sleep(0.3)
        say(hass, CURRENTS[1], 40, "A")
        await eventually(lambda: heard.count == 2)
        second = heard.reading
        assert first.at < second.at < first.at + 0.1
        say(hass, CURRENTS[1], 41, "A")
        await eventually(lambda: heard.count == 3)
        assert second.at < heard.reading.at < first.at + 0.1


async def test_reported_value_is_alive(hass: HomeAssistant) -> None:
    """A sensor that repeats its value is alive."""
    with listening(hass, TOTAL) as heard:
        say(hass, "sensor.grid", 100)
        changed = hass.states.get("sensor.grid")
        await asyncio.sleep(0.2)
        assert heard.age > 0.19
        say(hass, "sensor.grid", 100)
        assert hass.states.get("sensor.grid") is changed
        assert heard.age < 0.05
        assert heard.count == 2


def add_sensor(hass: HomeAssistant, name: str, *, device: str | None, platform: str = "meters") -> str:
    """Add a sensor to the registries, on a device or on none; return its entity id."""
    entries = [entry for entry in hass.config_entries.async_entries(platform) if entry.title == device]
    entry = entries[0] if entries else MockConfigEntry(domain=platform, title=str(device))
    if not entries:
        entry.add_to_hass(hass)
    device_id = None
    if device is not None:
        registry = dr.async_get(hass)
        device_id = registry.async_get_or_create(config_entry_id=entry.entry_id, identifiers={("meters", device)}).id
    domain, _, object_id = name.partition(".")
    return (
        er.async_get(hass)
        .async_get_or_create(
            domain,
            platform,
            object_id,
            suggested_object_id=object_id,
            config_entry=entry,
            device_id=device_id,
            original_device_class=object_id if object_id in {"energy", "signal_strength"} else "power",
        )
        .entity_id
    )


@pytest.mark.parametrize(
    ("sibling", "device", "value", "alive"),
    [
        ("sensor.energy", "A", "17", True),
        ("sensor.energy", "B", "17", False),
        ("sensor.energy", None, "17", False),
        ("sensor.energy", "A", "unavailable", False),
        ("sensor.energy", "A", "unknown", False),
        ("switch.relay", "A", "on", False),
        ("sensor.signal_strength", "A", "-60", False),
    ],
)
async def test_sibling(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    sibling: str,
    device: str | None,
    value: str,
    alive: bool,
) -> None:
    """A sensor that only speaks on change is alive while another sensor of its device speaks, no other entity."""
    quick_life_signs(monkeypatch)
    assert add_sensor(hass, "sensor.grid", device="A") == "sensor.grid"
    add_sensor(hass, sibling, device=device)
    with listening(hass, TOTAL) as heard:
        say(hass, "sensor.grid", 100)
        await asyncio.sleep(0.1)
        say(hass, sibling, value, "kWh")
        await asyncio.sleep(BURST + 0.05)
        assert (heard.count == 2) is alive
        assert (heard.age < 0.3) is alive
        assert heard.reading.power_w == 100


async def test_sibling_of_a_silent_sensor(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sensor that says itself that it is not available is not alive because of a sibling."""
    quick_life_signs(monkeypatch)
    add_sensor(hass, "sensor.grid", device="A")
    add_sensor(hass, "sensor.energy", device="A")
    with listening(hass, TOTAL) as heard:
        say(hass, "sensor.grid", 100)
        before = heard.reading
        say(hass, "sensor.grid", "unavailable")
        await asyncio.sleep(0.1)
        say(hass, "sensor.energy", 5, "kWh")
        await asyncio.sleep(BURST + 0.05)
        assert heard.reading == before


async def test_other_integration_on_the_device(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another integration computes for the device is no sign of life: it may run without it."""
    quick_life_signs(monkeypatch)
    grid = add_sensor(hass, "sensor.grid", device="A")
    registry = er.async_get(hass)
    entry = registry.async_get(grid)
    assert entry is not None
    helper = registry.async_get_or_create("sensor", "statistics", "x", device_id=entry.device_id).entity_id
    with listening(hass, TOTAL) as heard:
        say(hass, grid, 100)
        await asyncio.sleep(0.1)
        say(hass, helper, 5)
        await asyncio.sleep(BURST + 0.05)
        assert heard.count == 1


async def test_phases_of_one_device_keep_each_other_alive(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the loaded phase changes, the others are as young as it is."""
    quick_life_signs(monkeypatch)
    for entity_id in CURRENTS:
        add_sensor(hass, entity_id, device="A")
    with listening(hass, PHASE_CURRENT) as heard:
        say_all(hass, CURRENTS, (1.0, 0.0, 0.0), "A")
        await asyncio.sleep(0.3)
        say(hass, CURRENTS[0], 2, "A")
        await eventually(lambda: heard.count == 2)
        assert heard.age < 0.29


async def test_age_at_the_start(hass: HomeAssistant) -> None:
    """At the start a value is as old as the sensor's last word, or that of a sibling."""
    add_sensor(hass, "sensor.grid", device="A")
    add_sensor(hass, "sensor.energy", device="A")
    say(hass, "sensor.grid", 100, ago=3600)
    with listening(hass, TOTAL) as heard:
        assert heard.age == pytest.approx(3600, abs=1)
    say(hass, "sensor.energy", 1, "kWh", ago=60)
    with listening(hass, TOTAL) as heard:
        assert heard.age == pytest.approx(60, abs=1)


async def test_clock_on_the_wall_jumps(hass: HomeAssistant) -> None:
    """A clock that jumps makes no value young or old: what arrives now is now."""
    say(hass, "sensor.grid", 100, ago=-3600)
    with listening(hass, TOTAL) as heard:
        assert 0 <= heard.age < 1
        for hours in (-5, 5):
            say(hass, "sensor.grid", hours, ago=hours * 3600.0)
            assert 0 <= heard.age < 0.1


async def test_cadence(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace of a meter is learned from its readings; one outage does not change it."""
    quick_life_signs(monkeypatch)
    say(hass, "sensor.grid", 0, ago=1000)
    with listening(hass, TOTAL) as heard:
        for pause in (0.1, 0.1):
            assert heard.reading.cadence_s is None
            await asyncio.sleep(pause)
            say(hass, "sensor.grid", heard.count)
        assert heard.reading.cadence_s is None
        await asyncio.sleep(0.1)
        say(hass, "sensor.grid", heard.count)
        assert heard.reading.cadence_s == pytest.approx(0.1, abs=0.05)
        for pause in (0.6, 0.1):
            await asyncio.sleep(pause)
            say(hass, "sensor.grid", heard.count)
        assert heard.reading.cadence_s == pytest.approx(0.1, abs=0.05)
        monkeypatch.setattr(f"{OURS}.coordinators.meter.LONGEST_CADENCE", 0.01)
        await asyncio.sleep(0.1)
        say(hass, "sensor.grid", heard.count)
        assert heard.reading.cadence_s == 0.01


async def test_nothing_is_heard_after_the_stop(hass: HomeAssistant) -> None:
    """A stopped meter is silent, also in the middle of a burst."""
    with listening(hass, PHASE_POWER) as heard:
        say_all(hass, POWERS, (1.0, 1.0, 1.0), "W")
        say(hass, POWERS[0], 2)
    await asyncio.sleep(BURST + 0.05)
    say_all(hass, POWERS, (3.0, 3.0, 3.0), "W")
    assert heard.count == 1
