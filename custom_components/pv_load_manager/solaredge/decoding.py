"""What the registers of an inverter mean: from the library's parts to the project's units and signs.

Sources: SolarEdge "Technical Note - SunSpec Logging in SolarEdge Inverters" and "Power Control Open Protocol".
"""

from collections.abc import Mapping, Sequence
import math

from solaredged import Battery, BatteryStatus, Inverter, InverterStatus, Meter, SunSpecDID

from .models import BatteryData, GridData, MaybeThree, MeterData, MeterRole, MeterSetting, PvData

THREE_PHASE_METERS = frozenset({SunSpecDID.THREE_PHASE_WYE_METER, SunSpecDID.THREE_PHASE_DELTA_METER})
# What is beyond these was never measured at a house; scale factors and floats can make any number.
MAX_W = 1e6
MAX_A = 5e3
MAX_V = 1e3
MAX_WH = 1e12
UNKNOWN: MaybeThree = (None, None, None)


def meter_roles(meters: Sequence[Meter], settings: Mapping[int, MeterSetting]) -> list[MeterRole]:
    """Return the role of every meter: what the user says (``settings`` by slot from 1), else what its option says.

    There is one grid meter: the one chosen, else the first whose option names both directions, else an only meter
    without any option, because that is how SolarEdge delivers it.
    """
    chosen = [settings[slot].role if slot in settings else None for slot in range(1, len(meters) + 1)]
    told = [_told_role(meter, only=len(meters) == 1) for meter in meters]
    roles = [role or said for role, said in zip(chosen, told, strict=True)]
    grid = (chosen if MeterRole.GRID in chosen else roles).index(MeterRole.GRID) if MeterRole.GRID in roles else None
    return [MeterRole.UNKNOWN if role is MeterRole.GRID and index != grid else role for index, role in enumerate(roles)]


def has_three_phases(meter: Meter) -> bool:
    """Return whether the meter measures three phases."""
    return meter.did in THREE_PHASE_METERS


def grid_data(meter: Meter, at: float, *, inverted: bool = False) -> GridData:
    """Return what the grid meter says, import +."""
    shown = meter_data(meter, at, MeterRole.GRID, inverted=inverted)
    return GridData(
        at=at,
        power_w=shown.power_w,
        currents_a=shown.currents_a,
        voltages_v=shown.voltages_v,
        imported_wh=shown.imported_wh,
        exported_wh=shown.exported_wh,
    )


def meter_data(meter: Meter, at: float, role: MeterRole, *, inverted: bool = False) -> MeterData:
    """Turn the meter's signs to those of its role: it says export +, and so do its phases.

    The direction of a phase current follows the power of its own phase, because some firmware leaves the current
    unsigned; the total current is a sum over phases and says nothing about a breaker.
    """
    if says_nothing(meter):
        return MeterData(
            at=at, power_w=None, currents_a=UNKNOWN, voltages_v=UNKNOWN, imported_wh=None, exported_wh=None
        )
    # Where a direction is not known the current counts as import (as production), the safe reading.
    sign = 1.0 if role.produces != inverted else -1.0
    powers = [_within(power, MAX_W) for power in (meter.ac_power_a, meter.ac_power_b, meter.ac_power_c)]
    sizes = [_within(amps, MAX_A) for amps in (meter.ac_current_a, meter.ac_current_b, meter.ac_current_c)]
    total = _within(meter.ac_power, MAX_W)
    currents = [_directed(size, power, sign) for size, power in zip(sizes, powers, strict=True)]
    if meter.did == SunSpecDID.SPLIT_PHASE_METER and None not in currents[:2]:
        # Two lines with one breaker each: the one that is nearer to its breaker counts.
        currents = [max(line for line in currents[:2] if line is not None), None, None]
    elif not has_three_phases(meter):
        size = sizes[0] if sizes[0] is not None else _within(meter.ac_current, MAX_A)
        currents = [_directed(size, total, sign), None, None]
    exported, imported = _counter(meter.energy_exported), _counter(meter.energy_imported)
    voltages = (
        meter.ac_voltage_an if meter.ac_voltage_an is not None else meter.ac_voltage_ln,
        meter.ac_voltage_bn,
        meter.ac_voltage_cn,
    )
    return MeterData(
        at=at,
        power_w=_signed(total, sign),
        currents_a=_three(currents),
        voltages_v=_three([_within(volts, MAX_V) for volts in voltages]),
        imported_wh=exported if inverted else imported,
        exported_wh=imported if inverted else exported,
    )


def says_nothing(meter: Meter) -> bool:
    """Return whether the inverter has lost the meter.

    Then all that it measures is "not implemented", or the registers are full of 0xFFFF (no voltage is below zero), or
    of 0: where there is no voltage nobody would ask.
    """
    volts = (meter.ac_voltage_ln, meter.ac_voltage_an, meter.ac_voltage_bn, meter.ac_voltage_cn)
    known_volts = [volt for volt in volts if volt is not None]
    flows = (meter.ac_power, meter.ac_current, meter.ac_current_a, meter.ac_current_b, meter.ac_current_c)
    if all(flow is None for flow in flows) or any(volt < 0 for volt in known_volts):
        return True
    return bool(known_volts) and not any(known_volts) and not any(flows)


def pv_data(inverter: Inverter, batteries: Sequence[Battery], at: float) -> PvData:
    """PV = DC power + battery charging on a hybrid, AC power else (SolarEdge: the battery sits on the DC side)."""
    power = _within(inverter.dc_power if batteries else inverter.ac_power, MAX_W)
    for battery in batteries:
        stored = battery_power(battery)
        power = None if power is None or stored is None else power + stored
    if power is None and inverter.status is InverterStatus.SLEEPING:
        power = 0.0  # some firmware has no figures at night
    return PvData(
        at=at,
        power_w=None if power is None else max(power, 0.0),
        energy_wh=_counter(inverter.ac_energy),
        status=None if inverter.status is None else inverter.status.name.lower(),
    )


def battery_power(battery: Battery) -> float | None:
    """Return what goes into a battery in W, charging +; a battery that starts up says anything."""
    return None if battery.status is BatteryStatus.INIT else _within(battery.dc_power, MAX_W)


def battery_data(batteries: Sequence[Battery], at: float) -> BatteryData:
    """Return all batteries as one, discharging +."""
    powers = [battery_power(battery) for battery in batteries]
    charges = [
        (battery.state_of_energy, max(_within(battery.rated_energy, MAX_WH) or 0.0, 1.0))
        for battery in batteries
        if battery.state_of_energy is not None and battery.status is not BatteryStatus.INIT
    ]
    capacity = sum(rated for _, rated in charges)
    ratings = [_within(battery.rated_energy, MAX_WH) for battery in batteries]
    return BatteryData(
        at=at,
        power_w=None if any(power is None for power in powers) else 0.0 - sum(power or 0.0 for power in powers),
        state_of_charge=sum(charge * rated for charge, rated in charges) / capacity if charges else None,
        capacity_wh=sum(rating or 0.0 for rating in ratings) if all(ratings) else None,
    )


def _told_role(meter: Meter, *, only: bool) -> MeterRole:
    option = (meter.option or "").strip().lower()
    if "export" in option and "import" in option:
        return MeterRole.GRID
    if "external" in option:  # production; the registers have room for 16 letters
        return MeterRole.EXTERNAL_PRODUCTION
    if "production" in option:
        return MeterRole.PRODUCTION
    if "consumption" in option:
        return MeterRole.CONSUMPTION
    return MeterRole.GRID if only and not option else MeterRole.UNKNOWN


def _within(value: float | None, limit: float) -> float | None:
    """Return a value that can be: finite, and no larger than anything at a house."""
    return value if value is not None and math.isfinite(value) and abs(value) <= limit else None


def _counter(value: float | None) -> float | None:
    """Return a counter in Wh; one that stands at 0 counts nothing or was just reset."""
    return value if _within(value, MAX_WH) and value is not None and value > 0 else None


def _signed(value: float | None, sign: float) -> float | None:
    return None if value is None else 0.0 + sign * value  # never -0.0


def _directed(current: float | None, power: float | None, sign: float) -> float | None:
    """Return a current from its size and the raw power (export +) of its phase."""
    if current is None:
        return None
    if power is None:
        return abs(current)
    return 0.0 + math.copysign(abs(current), sign * power if power else 1.0)


def _three(values: Sequence[float | None]) -> MaybeThree:
    return (values[0], values[1], values[2])
