"""The holding registers of a SolarEdge inverter with its meters and battery (0-based wire addresses).

SunSpec area (40000 on): big-endian, value = raw * 10^scale factor. Proprietary area (0xE000 on): low word first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math
import struct

from .battery import Battery
from .config import InverterConfig, PhaseValues
from .home import Flow, Home

METER_STRIDE = 174
METER_COMMON = 40121
METER_MODEL = 40188
BATTERY = 57600
SITE_CONTROL = 57344
POWER_CONTROL = 61440

MPPT_COMMON = 10
MPPT_UNIT = 20

_NO_INT16 = 0x8000
_NO_UINT16 = 0xFFFF
_NO_FLOAT = math.nan
_FLOAT_MAX = struct.unpack(">f", b"\xff\x7f\xff\xff")[0]


class Registers:
    """A register image; reading a hole raises KeyError."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}

    def fill(self, address: int, count: int, word: int = 0) -> None:
        """Set `count` registers to one word."""
        self.words.update(dict.fromkeys(range(address, address + count), word))

    def u16(self, address: int, *values: int) -> None:
        """Set unsigned or signed 16-bit words."""
        for offset, value in enumerate(values):
            self.words[address + offset] = value & 0xFFFF

    def u32(self, address: int, value: int) -> None:
        """Set a 32-bit word, high word first."""
        self.u16(address, value >> 16, value)

    def text(self, address: int, count: int, value: str) -> None:
        """Set a string, padded with zeros."""
        raw = value.encode()[: 2 * count].ljust(2 * count, b"\0")
        self.u16(address, *struct.unpack(f">{count}H", raw))

    def scaled(self, address: int, values: Sequence[float | None], scale_at: int, finest: int) -> None:
        """Set signed values with a shared scale factor, the finest one that all of them fit.

        A real inverter changes its scale factors at run time, too. None becomes "not implemented".
        """
        scale = finest
        while any(value is not None and abs(value) > 32000 * 10.0**scale for value in values):
            scale += 1
        for offset, value in enumerate(values):
            self.u16(address + offset, _NO_INT16 if value is None else round(value / 10.0**scale))
        self.u16(scale_at, scale)

    def f32(self, address: int, *values: float) -> None:
        """Set 32-bit floats, low word first."""
        for offset, value in enumerate(values):
            raw = b"\x7f\xc0\x00\x00" if math.isnan(value) else struct.pack(">f", value)
            high, low = struct.unpack(">HH", raw)
            self.u16(address + 2 * offset, low, high)

    def u64(self, address: int, value: int) -> None:
        """Set a 64-bit word, low word first."""
        self.u16(address, *(value >> shift for shift in (0, 16, 32, 48)))


@dataclass(frozen=True, kw_only=True)
class MeterReading:
    """What one meter shows: power and current export +.

    Attributes:
        watts: Per phase, W.
        exported: Per phase, Wh.
        imported: Per phase, Wh.
    """

    watts: PhaseValues
    exported: PhaseValues
    imported: PhaseValues


def meter_shift(config: InverterConfig) -> int:
    """Return how many registers model 160 of a Synergy inverter moves the meters up by."""
    return MPPT_COMMON + MPPT_UNIT * config.synergy_units if config.synergy_units else 0


def build_follower(home: Home, config: InverterConfig, number: int) -> Registers:
    """Return the image of the registers of follower 0, 1, ... at the home's present moment."""
    image = Registers()
    alone = replace(config, unit_id=config.unit_id + 1 + number, meters=())
    _identity(image, alone, config.followers[number])
    energy = home.energies.inverter / (1 + len(config.followers))
    _inverter(image, alone, _share(home.flow, config, leader=False), energy, grid_phases=home.config.phases)
    image.u16(METER_COMMON, 0xFFFF, 0)
    return image


def build(home: Home, config: InverterConfig, serial: str) -> Registers:
    """Return the image of all registers at the home's present moment."""
    image = Registers()
    flow = _share(home.flow, config, leader=True)
    _identity(image, config, serial)
    energy = home.energies.inverter / (1 + len(config.followers))
    _inverter(image, config, flow, energy, grid_phases=home.config.phases)
    shift = meter_shift(config)
    if config.synergy_units:
        image.fill(METER_COMMON, shift)
        image.u16(METER_COMMON, 160, shift - 2)
        image.u16(METER_COMMON + 8, config.synergy_units)
    for slot, option in enumerate(config.meters):
        _meter(image, shift + METER_STRIDE * slot, option, reading(home, option), home, f"{serial}{slot + 1}")
    end = METER_COMMON + shift + METER_STRIDE * len(config.meters)
    if config.end_marker:
        image.u16(end, 0xFFFF, 0)
    _control(image, battery=home.battery)
    if home.battery is not None:
        _battery(image, home.battery, serial)
    return image


def reading(home: Home, option: str) -> MeterReading:
    """Return what a meter with this option string shows."""
    flow = home.flow
    if "Export" in option and "Import" in option:
        first, second, third = (-watts for watts in flow.grid)
        exported, imported = home.energies.exported, home.energies.imported
        return MeterReading(
            watts=(first, second, third),
            exported=(exported[0], exported[1], exported[2]),
            imported=(imported[0], imported[1], imported[2]),
        )
    nothing: PhaseValues = (0.0, 0.0, 0.0)
    if "Production" in option:
        return MeterReading(watts=flow.inverter, exported=nothing, imported=nothing)
    first, second, third = (-(flow.house[phase] + flow.cars[phase]) for phase in range(3))
    return MeterReading(watts=(first, second, third), exported=nothing, imported=nothing)


def _identity(image: Registers, config: InverterConfig, serial: str) -> None:
    """The first common block (40000 to 40068)."""
    _common(image, 40000, "SolarEdge", f"SE{config.rated_w / 1000:.0f}K-RWS48BEN4", serial)
    image.u32(40000, 0x53756E53)
    image.text(40044, 8, "0004.0023.0029")
    image.u16(40068, config.unit_id)


def _share(flow: Flow, config: InverterConfig, *, leader: bool) -> Flow:
    """Return what one of several inverters makes; the battery is the leader's."""
    count = 1 + len(config.followers)
    if count == 1:
        return flow
    whole = sum(flow.inverter) or 1.0
    part = max(0.0, sum(flow.inverter) - flow.battery_w) / count
    own = part + flow.battery_w if leader else part
    first, second, third = (watts * own / whole for watts in flow.inverter)
    battery_w = flow.battery_w if leader else 0.0
    return replace(flow, inverter=(first, second, third), pv_w=flow.pv_w / count, battery_w=battery_w)


def _common(image: Registers, base: int, manufacturer: str, model: str, serial: str) -> None:
    """A SunSpec common block (model 1, length 65) whose model header is at `base` + 2."""
    image.fill(base + 2, 67)
    image.u16(base + 2, 1, 65)
    image.text(base + 4, 16, manufacturer)
    image.text(base + 20, 16, model)
    image.text(base + 52, 16, serial)


def _inverter(image: Registers, config: InverterConfig, flow: Flow, energy_wh: float, *, grid_phases: int) -> None:
    """Model 101 or 103 with SolarEdge's extension up to the meters (40069 to 40120)."""
    single = config.phases == 1 or grid_phases == 1
    image.fill(40069, 52)
    image.u16(40069, 101 if single else 103, 50)
    watts = flow.inverter_w
    amps = [abs(part) / volt if volt else 0.0 for part, volt in zip(flow.inverter, flow.voltages, strict=True)]
    used = 1 if single else 3
    image.scaled(40071, [sum(amps), *amps], 40075, -2)
    image.u16(40072 + used, *[_NO_UINT16] * (3 - used))
    linked = [volt * math.sqrt(3) for volt in flow.voltages]
    image.scaled(40076, [*linked, *flow.voltages], 40082, -1)
    if single:
        image.u16(40076, flow_volt := round(flow.voltages[0] * 10), _NO_UINT16, _NO_UINT16)
        image.u16(40079, flow_volt, _NO_UINT16, _NO_UINT16)
    image.scaled(40083, [watts], 40084, -1)
    image.scaled(40085, [flow.frequency], 40086, -2)
    image.scaled(40087, [abs(watts)], 40088, -1)
    image.scaled(40089, [0.0], 40090, -2)
    image.scaled(40091, [100.0 if watts else 0.0], 40092, -2)
    image.u32(40093, int(energy_wh))
    image.u16(40095, 0)
    dc_volt = 750.0
    image.scaled(40096, [abs(watts) / dc_volt], 40097, -3)
    image.scaled(40098, [dc_volt], 40099, -1)
    image.scaled(40100, [flow.pv_w + flow.battery_w], 40101, -1)
    image.scaled(40102, [None, 41.7, None, None], 40106, -2)
    image.u16(40107, _inverter_status(flow))
    image.u32(40113, 0)


def _inverter_status(flow: Flow) -> int:
    """2 sleeping, 4 producing, 5 throttled."""
    if flow.throttled:
        return 5
    return 4 if flow.pv_w > 0 or abs(flow.battery_w) > 1 else 2


def _meter(image: Registers, shift: int, option: str, shown: MeterReading, home: Home, serial: str) -> None:
    """Common block and model 203 (201 in a home with one phase) of one meter, `shift` after the first place."""
    flow, single = home.flow, home.config.phases == 1
    _common(image, METER_COMMON - 2 + shift, "SolarEdge", "SE-MTR-3Y-400V-A", serial)
    image.text(METER_COMMON + 34 + shift, 8, option)
    image.text(METER_COMMON + 42 + shift, 8, "75")
    base = METER_MODEL + shift
    image.fill(base, 107)
    image.u16(base, 201 if single else 203, 105)
    amps = [part / volt if volt else 0.0 for part, volt in zip(shown.watts, flow.voltages, strict=True)]
    image.scaled(base + 2, [sum(amps), *_own(amps, single=single)], base + 6, -2)
    average = sum(flow.voltages) / home.config.phases
    volts = [average, *_own(flow.voltages, single=single)]
    image.scaled(base + 7, [*volts, None, None, None, None], base + 15, -2)
    image.scaled(base + 16, [flow.frequency], base + 17, -2)
    watts = [sum(shown.watts), *_own(shown.watts, single=single)]
    image.scaled(base + 18, watts, base + 22, -1)
    image.scaled(base + 23, watts, base + 27, -1)
    image.scaled(base + 28, [None if part is None else 0.0 for part in watts], base + 32, -1)
    image.scaled(base + 33, [None if part is None else 100.0 for part in watts], base + 37, -2)
    for start, counters in ((base + 38, shown.exported), (base + 46, shown.imported)):
        for offset, counter in enumerate((sum(counters), *counters)):
            image.u32(start + 2 * offset, int(counter))


def _own(values: Sequence[float], *, single: bool) -> list[float | None]:
    """Phases that do not exist are "not implemented"."""
    return [values[0], None, None] if single else list(values)


def _battery(image: Registers, battery: Battery, serial: str) -> None:
    """Battery 1 (57600 to 57735)."""
    config = battery.config
    image.fill(BATTERY, 136)
    image.text(BATTERY, 16, "SolarEdge")
    image.text(BATTERY + 16, 16, "Virtual battery")
    image.text(BATTERY + 32, 16, "1.0.0")
    image.text(BATTERY + 48, 16, f"B{serial}")
    image.u16(BATTERY + 64, 15)
    limits = (config.max_charge_w, config.max_discharge_w)
    image.f32(BATTERY + 66, config.capacity_wh, *limits, *limits)
    charging_w = -battery.power_w
    volt = 400.0
    # On a real one the current has the opposite sign of the power.
    image.f32(BATTERY + 108, 25.0, 26.0, volt, -charging_w / volt, charging_w)
    image.u64(BATTERY + 118, int(battery.discharged_wh))
    image.u64(BATTERY + 122, int(battery.charged_wh))
    image.f32(BATTERY + 126, config.capacity_wh, battery.energy_wh, 100.0, 100 * battery.soc)
    image.u16(BATTERY + 134, _battery_status(charging_w), 0)


def _battery_status(charging_w: float) -> int:
    """3 charging, 4 discharging, 7 idle."""
    if abs(charging_w) < 1:
        return 7
    return 3 if charging_w > 0 else 4


def _control(image: Registers, battery: Battery | None) -> None:
    """Export control, storage control and power control with the defaults of a real inverter."""
    image.fill(SITE_CONTROL, 20)
    image.f32(SITE_CONTROL + 2, _FLOAT_MAX)
    image.u16(SITE_CONTROL + 4, 1 if battery else 0, 1)
    image.u16(SITE_CONTROL + 11, 3600, 0)
    image.u16(SITE_CONTROL + 13, 0xFFFF)
    image.f32(SITE_CONTROL + 14, 5000.0, 5000.0)
    image.fill(POWER_CONTROL, 4)
    image.u16(POWER_CONTROL + 1, 100)
    image.f32(POWER_CONTROL + 2, 1.0)
