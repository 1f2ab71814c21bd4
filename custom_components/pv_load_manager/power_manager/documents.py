"""The fields of all documents, in the order of WARP's documentation; ranges are those of our entities."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..control import SURPLUS_MODES, BatteryPriority, CloudFilter, Mode, PhasePolicy
from ..tables.numbers import BATTERY_NUMBERS, SITE_NUMBERS
from .fields import NO_METER, Changes, Document, Field, Kind, Seen, Target

MODES: Final = {0: Mode.FAST, 1: Mode.OFF, 2: Mode.PV, 3: Mode.MIN_PV}
POLICIES: Final = {0: PhasePolicy.AUTO, 1: PhasePolicy.ONE, 2: PhasePolicy.THREE, 4: PhasePolicy.ONE_FOR_PV}
FILTERS: Final = {0: CloudFilter.NONE, 1: CloudFilter.WEAK, 2: CloudFilter.MEDIUM, 3: CloudFilter.STRONG}
PRIORITIES: Final = {0: BatteryPriority.CHARGERS, 1: BatteryPriority.BATTERY}
RANGES: Final = {
    number.key: (round(number.native_min_value), round(number.native_max_value))
    for number in (*SITE_NUMBERS, *BATTERY_NUMBERS)
    if number.native_min_value is not None and number.native_max_value is not None
}


def _number(choices: Mapping[int, Any], choice: object, default: int) -> int:
    return next((number for number, known in choices.items() if known == choice), default)


def _mode_in_force(seen: Seen) -> int:
    """Return the site's mode; without charging from surplus the two that need it charge like fast."""
    strategy = seen.config.strategy
    mode = Mode.FAST if strategy.mode in SURPLUS_MODES and not strategy.excess_charging else strategy.mode
    return _number(MODES, mode, 0)


def _default_mode(seen: Seen) -> int:
    """Return the mode after a restart: what goes on as before is the mode in force."""
    return _number(MODES, seen.default_mode, _mode_in_force(seen))


def _phase_mode(seen: Seen) -> int:
    """Return what all chargers have, automatic where they differ."""
    policies = set(seen.phase_policies)
    return _number(POLICIES, policies.pop(), 0) if len(policies) == 1 else 0


def _phase_mode_refusal(seen: Seen, _value: int, _body: Mapping[str, Any]) -> str | None:
    return None if seen.config.chargers else "There is no charger whose phases could be set"


def _default_mode_refusal(seen: Seen, value: int, body: Mapping[str, Any]) -> str | None:
    excess = body.get("excess_charging_enable", seen.config.strategy.excess_charging)
    return None if excess or MODES[value] not in SURPLUS_MODES else _needs_excess(value)


def _mode_refusal(seen: Seen, value: int, _body: Mapping[str, Any]) -> str | None:
    excess = seen.config.strategy.excess_charging
    return None if excess or MODES[value] not in SURPLUS_MODES else _needs_excess(value)


def _needs_excess(value: int) -> str:
    return f"Mode {value} is only available while excess_charging_enable is true"


def _slot_refusal(serves: str) -> Callable[[Seen, int, Mapping[str, Any]], str | None]:
    """Return the check that a slot has a meter which serves a purpose."""

    def refusal(seen: Seen, value: int, _body: Mapping[str, Any]) -> str | None:
        meter = seen.meter(value)
        if value == NO_METER or (meter is not None and getattr(meter, serves)):
            return None
        return f"Slot {value} has no meter of this kind; the document meters lists those that there are"

    return refusal


def _grid_currents_slot(seen: Seen) -> int:
    return seen.grid_slot if seen.config.phase_currents else NO_METER


def _enabled(seen: Seen) -> bool:
    return seen.config.strategy.excess_charging or seen.config.dynamic


def _nothing(_value: object) -> Changes:
    return {}


def _saved(name: str, convert: Callable[[Any], Any]) -> Callable[[Any], Changes]:
    return lambda value: {name: convert(value)}


def _figure(name: str, kind: Kind, unit: str = "") -> Field:
    return Field(name=name, kind=kind, unit=unit, read=lambda seen: seen.low_level[name])


CONFIG: Final = Document(
    name="config",
    writable=True,
    admin=True,
    fields=(
        Field(
            name="enabled",
            kind=Kind.BOOL,
            read=_enabled,
            write=_nothing,
            note="Computed: excess charging or dynamic load management is on. A written value is ignored.",
        ),
        Field(
            name="default_mode",
            kind=Kind.INT,
            choices=tuple(MODES),
            read=_default_mode,
            write=_saved("default_mode", lambda value: MODES[value].value),
            check=_default_mode_refusal,
            meant=True,
            note="*Go on as before* reads as the mode in force.",
        ),
        Field(
            name="excess_charging_enable",
            kind=Kind.BOOL,
            read=lambda seen: seen.config.strategy.excess_charging,
            write=_saved("excess_charging", bool),
        ),
        Field(
            name="phase_switching_mode",
            kind=Kind.INT,
            choices=tuple(POLICIES),
            read=_phase_mode,
            write=_saved(Target.PHASE_POLICY, POLICIES.__getitem__),
            check=_phase_mode_refusal,
            meant=True,
            note="What all chargers have, 0 where they differ. Written, it is set for every managed charger.",
        ),
        Field(
            name="target_power_from_grid",
            kind=Kind.INT,
            unit="W",
            limits=RANGES["target_grid_power"],
            read=lambda seen: round(seen.config.strategy.target_grid_power_w),
            write=_saved("target_grid_power_w", float),
        ),
        Field(
            name="guaranteed_power",
            kind=Kind.INT,
            unit="W",
            limits=RANGES["guaranteed_power"],
            read=lambda seen: round(seen.config.strategy.guaranteed_power_w),
            write=_saved("guaranteed_power_w", float),
        ),
        Field(
            name="cloud_filter_mode",
            kind=Kind.INT,
            choices=tuple(FILTERS),
            read=lambda seen: _number(FILTERS, seen.config.strategy.cloud_filter, 2),
            write=_saved("cloud_filter", lambda value: FILTERS[value].value),
            note="*Adaptive* reads as 2: it is the medium filter on a calm day. Writing 2 leaves it as it is.",
        ),
        Field(
            name="meter_slot_grid_power",
            kind=Kind.INT,
            limits=(0, NO_METER),
            read=lambda seen: seen.grid_slot,
            write=_saved(Target.GRID_SLOT, int),
            check=_slot_refusal("grid_power"),
            note="A slot of the document `meters`; 255 = none.",
        ),
        Field(
            name="meter_slot_battery_power",
            kind=Kind.INT,
            limits=(0, NO_METER),
            read=lambda seen: seen.battery_slot,
            write=_saved(Target.BATTERY_SLOT, int),
            check=_slot_refusal("battery_power"),
            note="A slot of the document `meters`; 255 = none. "
            "The batteries of several inverters count together, as the slot of the first.",
        ),
        Field(
            name="battery_mode",
            kind=Kind.INT,
            choices=tuple(PRIORITIES),
            read=lambda seen: _number(PRIORITIES, seen.config.strategy.battery_priority, 1),
            write=_saved("battery_priority", lambda value: PRIORITIES[value].value),
            note="*Battery up to its target state of charge* reads as 1. Writing 1 leaves it as it is.",
        ),
        Field(
            name="battery_inverted",
            kind=Kind.BOOL,
            read=lambda seen: seen.battery_negative,
            write=_saved(Target.BATTERY_NEGATIVE, bool),
            depends=True,
            note="True = what the source says is negative while the battery charges. "
            "The option counts the other way round; sensors of the battery have a direction of their own.",
        ),
        Field(
            name="battery_deadzone",
            kind=Kind.INT,
            unit="W",
            limits=RANGES["battery_dead_zone"],
            read=lambda seen: round(seen.config.strategy.battery_dead_zone_w),
            write=_saved("battery_dead_zone_w", float),
        ),
    ),
)
DYNAMIC_LOAD_CONFIG: Final = Document(
    name="dynamic_load_config",
    fields=(
        Field(name="enabled", kind=Kind.BOOL, read=lambda seen: seen.config.dynamic),
        Field(
            name="meter_slot_grid_currents",
            kind=Kind.INT,
            read=_grid_currents_slot,
            note="The grid meter, where it knows the current of every phase; else 255.",
        ),
        Field(
            name="current_limit",
            kind=Kind.INT,
            unit="mA",
            read=lambda seen: round(1000 * seen.config.circuits[0].limit_a),
            note="The rating of the main fuse; the option is in A.",
        ),
        Field(
            name="largest_consumer_current",
            kind=Kind.INT,
            unit="mA",
            read=lambda seen: round(1000 * seen.largest_consumer_a),
            note="The option is in A.",
        ),
        Field(
            name="safety_margin_pct",
            kind=Kind.INT,
            unit="%",
            read=lambda seen: round(100 * seen.config.circuits[0].safety_margin),
        ),
    ),
)
STATE: Final = Document(
    name="state",
    fields=(
        Field(name="config_error_flags", kind=Kind.INT, read=lambda seen: seen.state["config_error_flags"]),
        Field(name="external_control", kind=Kind.INT, read=lambda seen: seen.state["external_control"]),
    ),
)
LOW_LEVEL_STATE: Final = Document(
    name="low_level_state",
    fields=(
        _figure("power_at_meter", Kind.NUMBER, "W"),
        _figure("power_at_meter_filtered", Kind.INT, "W"),
        _figure("power_available", Kind.INT, "W"),
        _figure("power_available_filtered", Kind.INT, "W"),
        _figure("overall_min_power", Kind.INT, "W"),
        _figure("threshold_3to1", Kind.INT, "W"),
        _figure("threshold_1to3", Kind.INT, "W"),
        _figure("charge_manager_available_current", Kind.INT, "mA"),
        _figure("charge_manager_allocated_current", Kind.INT, "mA"),
        _figure("max_current_limited", Kind.INT, "mA"),
        _figure("uptime_past_hysteresis", Kind.BOOL),
        _figure("is_3phase", Kind.BOOL),
        _figure("wants_3phase", Kind.BOOL),
        _figure("wants_3phase_last", Kind.BOOL),
        _figure("is_on_last", Kind.BOOL),
        _figure("wants_on_last", Kind.BOOL),
        _figure("phase_state_change_blocked", Kind.BOOL),
        _figure("phase_state_change_delay", Kind.INT, "ms"),
        _figure("on_state_change_blocked", Kind.BOOL),
        _figure("on_state_change_delay", Kind.INT, "ms"),
        _figure("charging_blocked", Kind.INT),
        _figure("switching_state", Kind.INT),
    ),
)
CHARGE_MODE: Final = Document(
    name="charge_mode",
    writable=True,
    short=True,
    fields=(
        Field(
            name="mode",
            kind=Kind.INT,
            choices=tuple(MODES),
            read=_mode_in_force,
            write=_saved(Target.MODE, MODES.__getitem__),
            check=_mode_refusal,
            meant=True,
            note="Of the site. A charger with a mode of its own keeps it, except that 1 (off) stops everybody.",
        ),
    ),
)
EXTERNAL_CONTROL: Final = Document(
    name="external_control",
    writable=True,
    short=True,
    fields=(
        Field(
            name="phases_wanted",
            kind=Kind.INT,
            choices=(0, 1, 3),
            read=lambda seen: seen.config.strategy.phases_wanted or 0,
            write=_saved(Target.PHASES_WANTED, int),
            meant=True,
            note="0, too, where nothing was requested yet. Written only while `external_control` of `state` is 0.",
        ),
    ),
)
METERS: Final = Document(
    name="meters",
    fields=(
        Field(
            name="meters",
            kind=Kind.LIST,
            read=lambda seen: [
                {
                    "slot": meter.slot,
                    "name": meter.name,
                    "grid_power": meter.grid_power,
                    "grid_currents": meter.grid_currents,
                    "battery_power": meter.battery_power,
                }
                for meter in seen.meters
            ],
            note="Ours: the meters that are configured, and what the number of each slot can be used for.",
        ),
    ),
)
DOCUMENTS: Final = {
    document.name: document
    for document in (
        CONFIG,
        DYNAMIC_LOAD_CONFIG,
        STATE,
        LOW_LEVEL_STATE,
        CHARGE_MODE,
        EXTERNAL_CONTROL,
        METERS,
    )
}
