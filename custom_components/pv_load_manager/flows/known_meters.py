"""How other integrations call the sensors of meters, roofs and batteries, and which direction they count as positive.

The keys are the ends of unique ids, as of Home Assistant 2026.11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..const import BatteryDirection, MeterDirection, MeterKind


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """How the sensors of a meter are called inside an integration."""

    kind: MeterKind
    direction: MeterDirection
    imports: tuple[str, ...]
    """Ends of unique ids: one for a total, three for phases."""
    exports: tuple[str, ...] = ()
    voltages: tuple[str, ...] = ()
    """Taken where they are enabled."""


@dataclass(frozen=True, kw_only=True)
class MeterFamily:
    """The meters of one integration."""

    name: str
    group: str
    """What a unique id is made of before its key: entities with the same are one meter."""
    patterns: tuple[Pattern, ...]
    """The first that is there and enabled counts."""
    no_meters: tuple[str, ...] = ()
    """Models that are asked for the same, but sit at no line of the house."""


@dataclass(frozen=True, kw_only=True)
class SiteFamily:
    """Production and batteries as one integration tells them, for all of its devices in one entry."""

    name: str
    pv: str
    """Pattern of whole unique ids; the sum of their powers is the production."""
    battery: str
    charging: str = ""
    charge_level: str
    direction: BatteryDirection


def _phased(key: str) -> tuple[str, ...]:
    """Return a key for each of three phases."""
    return tuple(key.format(line=line, letter=letter) for line, letter in ((1, "a"), (2, "b"), (3, "c")))


def _phases(
    imports: str, *, exports: str = "", voltages: str = "", direction: MeterDirection = MeterDirection.IMPORT_POSITIVE
) -> Pattern:
    return Pattern(
        kind=MeterKind.PHASE_POWER,
        direction=MeterDirection.SEPARATE if exports else direction,
        imports=_phased(imports),
        exports=_phased(exports) if exports else (),
        voltages=_phased(voltages) if voltages else (),
    )


def _total(imports: str, *, exports: str = "", direction: MeterDirection = MeterDirection.IMPORT_POSITIVE) -> Pattern:
    return Pattern(
        kind=MeterKind.TOTAL_POWER,
        direction=MeterDirection.SEPARATE if exports else direction,
        imports=(imports,),
        exports=(exports,) if exports else (),
    )


METERS: Final[Mapping[str, tuple[MeterFamily, ...]]] = {
    "solaredge_modbus": (
        MeterFamily(
            name="SolarEdge Modbus",
            group=r".+_meter_.+_",
            patterns=(
                _phases(
                    "ac_power_phase_{letter}",
                    voltages="ac_voltage_phase_{letter}n",
                    direction=MeterDirection.EXPORT_POSITIVE,
                ),
                _total("ac_power", direction=MeterDirection.EXPORT_POSITIVE),
            ),
        ),
    ),
    "fronius": (
        # Its power flow is asked for every 10 s, its meters only once a minute: too slow for a fuse.
        MeterFamily(
            name="Fronius",
            group=r".+-power_flow-",
            patterns=(_total("power_grid"), _total("power_grid_import", exports="power_grid_export")),
        ),
        MeterFamily(
            name="Fronius",
            group=r"(?!.*(?:-modbus-|-power_flow-)).+-",
            patterns=(_phases("power_real_phase_{line}", voltages="voltage_ac_phase_{line}"),),
        ),
    ),
    "shelly": (
        MeterFamily(
            name="Shelly",
            group=r".+-em:\d+-",
            patterns=(_phases("{letter}_act_power", voltages="{letter}_voltage"), _total("total_act_power")),
        ),
        MeterFamily(
            name="Shelly",
            group=r".+-(?=emeter_\d)",
            patterns=(
                Pattern(
                    kind=MeterKind.PHASE_POWER,
                    direction=MeterDirection.IMPORT_POSITIVE,
                    imports=tuple(f"emeter_{index}-power" for index in range(3)),
                    voltages=tuple(f"emeter_{index}-voltage" for index in range(3)),
                ),
                _total("emeter_0-power"),
            ),
        ),
        MeterFamily(
            name="Shelly",
            group=r".+-(?=em1:\d)",
            patterns=(
                Pattern(
                    kind=MeterKind.PHASE_POWER,
                    direction=MeterDirection.IMPORT_POSITIVE,
                    imports=tuple(f"em1:{index}-power_em1" for index in range(3)),
                    voltages=tuple(f"em1:{index}-voltage_em1" for index in range(3)),
                ),
                _total("em1:0-power_em1"),
            ),
        ),
    ),
    "homewizard": (
        MeterFamily(
            name="HomeWizard",
            group=r".+_",
            no_meters=("HWE-SKT", "HWE-BAT"),
            patterns=(_phases("active_power_l{line}_w", voltages="active_voltage_l{line}_v"), _total("active_power_w")),
        ),
    ),
    "dsmr": (
        MeterFamily(
            name="DSMR",
            group=r".+_",
            patterns=(
                _phases(
                    "instantaneous_active_power_l{line}_positive",
                    exports="instantaneous_active_power_l{line}_negative",
                    voltages="instantaneous_voltage_l{line}",
                ),
                _total("current_electricity_usage", exports="current_electricity_delivery"),
            ),
        ),
    ),
    "tibber": (MeterFamily(name="Tibber", group=r".+_rt_", patterns=(_total("power", exports="powerProduction"),)),),
    "p1_monitor": (
        MeterFamily(
            name="P1 Monitor",
            group=r".+_phases_",
            patterns=(
                _phases(
                    "power_consumed_phase_l{line}",
                    exports="power_produced_phase_l{line}",
                    voltages="voltage_phase_l{line}",
                ),
            ),
        ),
        MeterFamily(
            name="P1 Monitor",
            group=r".+_smartmeter_",
            patterns=(_total("power_consumption", exports="power_production"),),
        ),
    ),
}
"""By integration. Where a meter knows power per phase that is taken: its currents have no sign."""

SITES: Final = {
    "solaredge_modbus": SiteFamily(
        name="SolarEdge Modbus",
        # Behind a hybrid inverter the roof makes what the inverter takes from its DC side plus what the battery takes.
        pv=r"[^_]+_dc_power|.+_battery_.+_dc_power",
        battery=r".+_battery_.+_dc_power",
        charge_level=r".+_battery_.+_state_of_energy",
        direction=BatteryDirection.CHARGE_POSITIVE,
    ),
    "fronius": SiteFamily(
        name="Fronius",
        pv=r".+-power_flow-power_photovoltaics",
        battery=r".+-power_flow-power_battery_discharge",
        charging=r".+-power_flow-power_battery_charge",
        charge_level=r".+-state_of_charge",
        direction=BatteryDirection.SEPARATE,
    ),
}
"""By integration."""
