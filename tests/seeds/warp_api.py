"""WARP's Power Manager: every field of its HTTP API."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from custom_components.pv_load_manager.control import (
    BatteryPriority,
    CloudFilter,
    ConfigError,
    ExternalPhases,
    Mode,
    PhasePolicy,
    Reason,
    Strategy,
)
from custom_components.pv_load_manager.coordinators.documents import WITHOUT_MEANING

from .model import (
    Action,
    Behaviour,
    Diagnostics,
    Entity,
    Json,
    Nowhere,
    Number,
    Option,
    Owner,
    Place,
    Row,
    Table,
    Value,
    Write,
)

CHARGE_MODE = Entity(platform="select", key="charge_mode", text="site_charge_mode")
DEFAULT_MODE = Entity(platform="select", key="default_mode")
EXCESS_CHARGING = Entity(platform="switch", key="excess_charging")
PHASE_POLICY = Entity(platform="select", key="phase_policy", owner=Owner.CHARGER)
TARGET = Entity(platform="number", key="target_grid_power")
GUARANTEED = Entity(platform="number", key="guaranteed_power")
CLOUD_FILTER = Entity(platform="select", key="cloud_filter")
METER = Option(flow="config", step="grid_meter", field="meter")
BATTERY_PRIORITY = Entity(platform="select", key="battery_priority")
BATTERY_INVERTED = Option(flow="options", step="solar", field="battery_inverted")
DEAD_ZONE = Entity(platform="number", key="battery_dead_zone")
DYNAMIC = Entity(platform="switch", key="dynamic_load_management")
DYNAMIC_OPTION = Option(flow="config", step="protection", field="dynamic")
MAIN_FUSE = Option(flow="config", step="connection", field="main_fuse")
LARGEST = Option(flow="config", step="protection", field="largest_consumer")
MARGIN = Option(flow="config", step="protection", field="safety_margin")
ERROR_FLAGS = Entity(platform="sensor", key="error_flags")
EXTERNAL_STATE = Entity(platform="sensor", key="external_control")
EXTERNAL_SWITCH = Entity(platform="switch", key="external_phases")
PHASE_REQUEST = Entity(platform="select", key="phase_request")
REQUEST_PHASES = Action(name="request_phases", field="phases")
GRID_POWER = Entity(platform="sensor", key="grid_power", owner=Owner.INVERTER)
BATTERY_POWER = Entity(platform="sensor", key="battery_power", owner=Owner.INVERTER)
REASON = Entity(platform="sensor", key="reason", owner=Owner.CHARGER)
SURPLUS = Entity(platform="sensor", key="surplus")
OBEYED = Behaviour(tests=("control/test_external.py::test_all_obey_in_safe_order",))
REFUSED = Behaviour(tests=("integration/test_actions.py::test_request_phases",))

NEEDS_SURPLUS = "Not offered while surplus charging is off: a mode that was chosen before charges like Fast then."


def restart(option: str, mode: Mode) -> tuple[Write, ...]:
    """Return what the charge mode after a restart does."""
    return (Write(through=DEFAULT_MODE, value=option, told="after a restart: strategy.mode", expected=mode),)


def write(through: Entity | Option, told: str, *values: Any) -> tuple[Write, ...]:
    """Return settings; each value is either told as it is, or a pair of what is set and what is told."""
    pairs = [value if isinstance(value, tuple) else (value, value) for value in values]
    return tuple(Write(through=through, value=value, told=told, expected=expected) for value, expected in pairs)


def low_level(name: str, says: str, *places: Place, note: str = "") -> Row:
    """Return the row of a figure of ``low_level_state``."""
    figure = Diagnostics(path=f"low_level_state.{name}")
    nowhere = (Nowhere(because=WITHOUT_MEANING[name]),) if name in WITHOUT_MEANING else ()
    return Row(keys=(f"low_level_state.{name}",), says=says, places=(figure, *places, *nowhere), note=note)


def bit(number: int, error: ConfigError, says: str, test: str, *, note: str = "") -> Row:
    """Return the row of a bit of the mask, with the test that raises and mends it."""
    key = (error.name or "").lower()
    return Row(
        keys=(f"state.config_error_flags={number}",),
        says=says,
        places=(
            Value(member=error),
            Entity(platform="binary_sensor", key=key),
            Behaviour(tests=(f"integration/test_flags.py::{test}",)),
        ),
        note=note,
        numbers=(Number(text=f"0x{number:08x}", meaning="the same bit", same=int(error)),),
    )


def mode_rows(field: str, through: Entity) -> Sequence[Row]:
    """Return the rows of the four modes."""
    modes = (
        (0, Mode.FAST, "As fast as possible, from the grid too", ""),
        (1, Mode.OFF, "Nobody charges", "Stops every charger at once, those with a mode of their own too."),
        (2, Mode.PV, "From surplus only", NEEDS_SURPLUS),
        (3, Mode.MIN_PV, "At least the guaranteed power, more with more sun", NEEDS_SURPLUS),
    )
    return [
        Row(
            keys=(f"{field}={number}",),
            says=says,
            places=(through,),
            note=f"Option `{mode.value}`. {note if through is CHARGE_MODE else ''}".strip(),
            writes=restart(mode.value, mode)
            if through is DEFAULT_MODE
            else write(through, "strategy.mode", (mode.value, mode)),
        )
        for number, mode, says, note in modes
    ]


CONFIG = (
    Row(
        keys=("config.enabled",),
        says="Whether the manager runs at all; obsolete, set by the other switches",
        places=(Nowhere(because="Obsolete in the document itself. The load manager runs while its entry is enabled."),),
        note="The JSON says whether the sun decides or dynamic load management is on, and ignores what is written.",
    ),
    Row(
        keys=("config.default_mode",),
        says="Charge mode after a restart",
        places=(DEFAULT_MODE,),
        note="One more choice, and the default: go on as before.",
    ),
    *mode_rows("config.default_mode", DEFAULT_MODE),
    Row(
        keys=("config.excess_charging_enable",),
        says="Whether the sun decides; off = as much as the supply lines carry",
        places=(
            EXCESS_CHARGING,
            Behaviour(tests=("integration/test_surplus_settings.py::test_without_excess_charging",)),
        ),
        writes=write(EXCESS_CHARGING, "strategy.excess_charging", False, True),
    ),
    Row(
        keys=("config.phase_switching_mode",),
        says="How many phases are used",
        places=(PHASE_POLICY,),
        note="Of each charger, not of the site: every Wattpilot switches its own phases.",
    ),
    Row(
        keys=("config.phase_switching_mode=0",),
        says="Switched automatically; needs the contactor",
        places=(PHASE_POLICY,),
        note="`contactor_installed` has no meaning here: the contactors are inside the Wattpilot.",
        writes=write(PHASE_POLICY, "chargers.0.phase_policy", ("one", PhasePolicy.ONE), ("auto", PhasePolicy.AUTO)),
    ),
    Row(
        keys=("config.phase_switching_mode=1",),
        says="Always one phase",
        places=(PHASE_POLICY,),
        writes=write(PHASE_POLICY, "chargers.0.phase_policy", ("one", PhasePolicy.ONE)),
    ),
    Row(
        keys=("config.phase_switching_mode=2",),
        says="Always three phases",
        places=(PHASE_POLICY,),
        writes=write(PHASE_POLICY, "chargers.0.phase_policy", ("three", PhasePolicy.THREE)),
    ),
    Row(
        keys=("config.phase_switching_mode=4",),
        says="One phase for the sun, three for fast",
        places=(
            PHASE_POLICY,
            Behaviour(tests=("integration/test_surplus_settings.py::test_one_phase_for_pv_three_for_fast",)),
        ),
        writes=write(PHASE_POLICY, "chargers.0.phase_policy", ("one_for_pv", PhasePolicy.ONE_FOR_PV)),
    ),
    Row(
        keys=("config.target_power_from_grid",),
        says="What the grid shall give (+) or take (-) while the sun decides, in W",
        places=(TARGET, Behaviour(tests=("control/test_day_stories.py::test_the_grid_comes_to_its_target",))),
        writes=write(TARGET, "strategy.target_grid_power_w", 200, -500),
    ),
    Row(
        keys=("config.guaranteed_power",),
        says="Least power of the mode with a minimum, in W",
        places=(
            GUARANTEED,
            Behaviour(
                tests=("control/test_stories.py::test_min_pv_charges_with_its_guaranteed_power_without_sun",),
                reasons=(Reason.CHARGING_GUARANTEED,),
            ),
        ),
        note="For each charger.",
        numbers=(
            Number(text="1380", meaning="W of the example; the default here", same=Strategy().guaranteed_power_w),
        ),
        writes=write(GUARANTEED, "strategy.guaranteed_power_w", 2000, 0),
    ),
    Row(
        keys=("config.cloud_filter_mode",),
        says="Against overreactions to passing clouds",
        places=(CLOUD_FILTER,),
        note="One more choice, and the default: adaptive.",
    ),
    *(
        Row(
            keys=(f"config.cloud_filter_mode={number}",),
            says=says,
            places=(CLOUD_FILTER,),
            writes=write(CLOUD_FILTER, "strategy.cloud_filter", (choice.value, choice)),
        )
        for number, choice, says in (
            (0, CloudFilter.NONE, "None"),
            (1, CloudFilter.WEAK, "Weak"),
            (2, CloudFilter.MEDIUM, "Medium"),
            (3, CloudFilter.STRONG, "Strong"),
        )
    ),
    Row(
        keys=("config.meter_slot_grid_power",),
        says="Which meter is that of the grid",
        places=(METER, Option(flow="config", step="grid_sensor", field="meter_entity")),
        note="The meter of an inverter, or sensors of Home Assistant, instead of a slot's number; "
        "for the JSON they are numbered.",
        writes=write(METER, "has_power_meter", ("none", False)),
    ),
    Row(
        keys=("config.meter_slot_battery_power",),
        says="Which meter is that of the battery",
        places=(
            BATTERY_POWER,
            Option(flow="options", step="source_sensors", field="battery_sensors"),
            Behaviour(tests=("integration/test_power_manager_meters.py::test_battery_slot",)),
        ),
        note="The sensors that were chosen for it, else the batteries of the inverters, all together; "
        "for the JSON they are numbered.",
    ),
    Row(
        keys=("config.battery_mode",),
        says="Who goes first, the battery or the chargers",
        places=(BATTERY_PRIORITY,),
        note="One more choice: the battery first, until it has its target state of charge.",
    ),
    Row(
        keys=("config.battery_mode=0",),
        says="The chargers first",
        places=(
            BATTERY_PRIORITY,
            Behaviour(tests=("control/test_battery.py::test_a_charging_battery_gives_way_to_the_car",)),
        ),
        writes=write(
            BATTERY_PRIORITY,
            "strategy.battery_priority",
            ("target_soc", BatteryPriority.TARGET_SOC),
            ("chargers", BatteryPriority.CHARGERS),
        ),
    ),
    Row(
        keys=("config.battery_mode=1",),
        says="The battery first",
        places=(
            BATTERY_PRIORITY,
            Behaviour(
                tests=("control/test_battery.py::test_the_battery_first_leaves_the_car_what_it_cannot_take",),
                reasons=(Reason.BATTERY_FIRST,),
            ),
        ),
        writes=write(BATTERY_PRIORITY, "strategy.battery_priority", ("battery", BatteryPriority.BATTERY)),
    ),
    Row(
        keys=("config.battery_inverted",),
        says="True where the battery's power is negative while it charges",
        places=(BATTERY_INVERTED,),
        note="The option counts the other way round: with the document's *true*, which is what a SolarEdge battery "
        "gives here, it stays off; with *false* (positive while charging) it is on.",
        writes=write(BATTERY_INVERTED, "battery_inverted", True, False),
    ),
    Row(
        keys=("config.battery_deadzone",),
        says="Import and export that a working battery may cause without being judged, in W",
        places=(DEAD_ZONE, Behaviour(tests=("control/test_battery.py::test_a_working_battery_has_a_dead_zone",))),
        numbers=(Number(text="1.5", meaning="times the battery's own inaccuracy: how to choose the value, here too"),),
        writes=write(DEAD_ZONE, "strategy.battery_dead_zone_w", 150),
    ),
)

DYNAMIC_LOAD = (
    Row(
        keys=("dynamic_load_config.enabled",),
        says="Turns dynamic load management on",
        places=(DYNAMIC_OPTION, DYNAMIC),
        note="The form says whether there is any; the switch turns it off and on while the house runs.",
        writes=write(DYNAMIC, "dynamic", False, True),
    ),
    Row(
        keys=("dynamic_load_config.meter_slot_grid_currents",),
        says="Which meter knows the currents of the grid",
        places=(METER, Option(flow="config", step="grid_phase_current", field="meter_l1")),
        note="The same meter as for the power; it serves where it knows every phase, by current or by power.",
    ),
    Row(
        keys=("dynamic_load_config.current_limit",),
        says="Most current of the connection, as a rule the rating of the fuse, in mA",
        places=(MAIN_FUSE,),
        note="In A.",
        writes=write(MAIN_FUSE, "circuits.0.limit_a", 25),
    ),
    Row(
        keys=("dynamic_load_config.largest_consumer_current",),
        says="Current of the largest single consumer that is no charger, in mA",
        places=(
            LARGEST,
            Behaviour(tests=("control/test_protection.py::test_the_fuse_target_keeps_room_for_the_largest_consumer",)),
        ),
        note="In A.",
        writes=write(LARGEST, "circuits.0.largest_consumer_a", 20),
    ),
    Row(
        keys=("dynamic_load_config.safety_margin_pct",),
        says="Part of the limit that stays free, in %",
        places=(MARGIN,),
        writes=write(MARGIN, "circuits.0.safety_margin", (10, 0.1)),
    ),
)

STATE = (
    Row(
        keys=("state.config_error_flags",),
        says="What is wrong with the configuration, as a mask of bits",
        places=(ERROR_FLAGS, Diagnostics(path="state.config_error_flags")),
        note="Each bit is a problem binary sensor and a repair, too; there are more of them here.",
    ),
    Row(keys=("state.config_error_flags=0",), says="Nothing", places=(ERROR_FLAGS,)),
    bit(
        1,
        ConfigError.PHASE_SWITCHING,
        "Phase switching or its contactor is not set up",
        "test_three_phases_of_one",
        note="A charger is asked for phases that it can never have.",
    ),
    bit(
        2,
        ConfigError.MAXIMUM_CURRENT,
        "No maximum total current",
        "test_maximum_current",
        note="Or one that is too small for any charger.",
    ),
    bit(4, ConfigError.NO_CHARGERS, "No chargers", "test_no_chargers"),
    bit(8, ConfigError.NO_POWER_METER, "Surplus charging without a meter", "test_no_power_meter"),
    Row(
        keys=("state.external_control",),
        says="Whether phases can be requested from outside",
        places=(
            EXTERNAL_STATE,
            Diagnostics(path="state.external_control"),
            Behaviour(tests=("control/test_external.py::test_four_states",)),
        ),
    ),
    Row(
        keys=("state.external_control=0",),
        says="Ready",
        places=(Value(member=ExternalPhases.READY),),
    ),
    Row(
        keys=("state.external_control=1",),
        says="Turned off",
        places=(Value(member=ExternalPhases.DISABLED), EXTERNAL_SWITCH),
    ),
    Row(
        keys=("state.external_control=2",),
        says="On, but not possible now: contactor fault, charger lost or unable, blocked by an input",
        places=(Value(member=ExternalPhases.UNAVAILABLE),),
        note="The sensor's attribute `cause` says which: no charger, one that does not answer, one that cannot change.",
        numbers=(Number(text="3", meaning="an input of WARP's hardware: nothing of the kind here"),),
    ),
    Row(
        keys=("state.external_control=3",),
        says="Phases are being switched; requests are ignored",
        places=(Value(member=ExternalPhases.SWITCHING),),
        note="Requests are refused, and say why.",
    ),
)

LOW_LEVEL = (
    low_level("power_at_meter", "Power at the meter", GRID_POWER),
    low_level("power_at_meter_filtered", "The same, filtered"),
    low_level("power_available", "Power for the chargers"),
    low_level("power_available_filtered", "The same, filtered", SURPLUS),
    low_level("overall_min_power", "Least power of any charger"),
    low_level("threshold_3to1", "Power below which one phase is used"),
    low_level("threshold_1to3", "Power above which three phases are used"),
    low_level(
        "charge_manager_available_current",
        "Current that may be shared, in mA",
        Entity(platform="number", key="available_current"),
    ),
    low_level(
        "charge_manager_allocated_current",
        "Current that is shared, in mA",
        Entity(platform="sensor", key="allocated_current", text="total_allocated_current"),
    ),
    low_level("max_current_limited", "Current that the connection leaves, in mA"),
    low_level(
        "uptime_past_hysteresis",
        "Whether the first wait after the start is over",
        note="Here: whether all chargers were heard.",
    ),
    low_level("is_3phase", "Whether three phases are used", note="By any charger that charges."),
    low_level("wants_3phase", "Whether three phases are wanted", note="By any charger."),
    low_level("wants_3phase_last", "The same, one step before"),
    low_level("is_on_last", "Whether anybody charges", Entity(platform="sensor", key="state", text="site_state")),
    low_level("wants_on_last", "Whether anybody should"),
    low_level(
        "phase_state_change_blocked",
        "Whether phases must not change yet",
        Entity(platform="number", key="phase_dwell"),
        Behaviour(
            tests=("control/test_day_stories.py::test_two_switches_are_ten_minutes_apart_and_the_reason_counts_down",),
            reasons=(Reason.PHASE_DWELL,),
        ),
        note="Of any charger; each has its own wait.",
    ),
    low_level(
        "phase_state_change_delay", "For how long, in ms", REASON, note="The reason's `next_change` per charger."
    ),
    low_level(
        "on_state_change_blocked",
        "Whether nobody may start or stop yet",
        Behaviour(
            tests=("control/test_law.py::test_a_charger_changes_when_its_reason_said_it_would",),
            reasons=(Reason.START_DELAY, Reason.STOP_DELAY),
        ),
    ),
    low_level("on_state_change_delay", "For how long, in ms", REASON, note="The reason's `next_change` per charger."),
    low_level("charging_blocked", "Whether something keeps all from charging", REASON),
    low_level("switching_state", "Which step of a phase switch is under way", note="0 none, 1 any charger switches."),
)

CONTROL = (
    Row(
        keys=("charge_mode.mode",),
        says="The charge mode, to be read and written",
        places=(
            CHARGE_MODE,
            Entity(platform="select", key="charge_mode", owner=Owner.CHARGER, text="charger_charge_mode"),
        ),
        note="Of the site; a charger can have its own until its car leaves.",
    ),
    *mode_rows("charge_mode.mode", CHARGE_MODE),
    Row(
        keys=("charge_mode abbreviated",),
        says="Written as a bare number over HTTP",
        places=(CHARGE_MODE,),
        numbers=(Number(text="2", meaning="PV"),),
    ),
    Row(
        keys=("line 248",),
        says="A request is taken only while external control is ready",
        places=(PHASE_REQUEST, REQUEST_PHASES, EXTERNAL_STATE, REFUSED),
        note="Else it is refused with the state and its cause.",
        numbers=(Number(text="0", meaning="ready", same=int(ExternalPhases.READY)),),
    ),
    Row(
        keys=("external_control.phases_wanted",),
        says="The number of phases that is requested",
        places=(
            PHASE_REQUEST,
            REQUEST_PHASES,
            EXTERNAL_SWITCH,
            Behaviour(tests=("control/test_external.py::test_switched_off_it_says_nothing",)),
        ),
        note="For all chargers; turning the switch off forgets it.",
        writes=write(EXTERNAL_SWITCH, "strategy.external_phases", True, False),
    ),
    Row(
        keys=("external_control abbreviated",),
        says="Written as a bare number over HTTP",
        places=(REQUEST_PHASES,),
        numbers=(Number(text="1", meaning="one phase"),),
    ),
    Row(
        keys=("external_control.phases_wanted=0",),
        says="No phases, no current",
        places=(
            PHASE_REQUEST,
            Behaviour(
                tests=("control/test_external.py::test_zero_phases_stop_everybody",),
                reasons=(Reason.EXTERNAL_NO_PHASES,),
            ),
        ),
        writes=write(PHASE_REQUEST, "strategy.phases_wanted", ("0", 0)),
    ),
    Row(
        keys=("external_control.phases_wanted=1",),
        says="One phase",
        places=(PHASE_REQUEST, OBEYED),
        writes=write(PHASE_REQUEST, "strategy.phases_wanted", ("1", 1)),
    ),
    Row(
        keys=("external_control.phases_wanted=3",),
        says="Three phases",
        places=(PHASE_REQUEST, OBEYED),
        writes=write(PHASE_REQUEST, "strategy.phases_wanted", ("3", 3)),
    ),
)


def with_json(row: Row) -> Row:
    """Return a row with the field of our JSON, which has the same name."""
    fields = [key.removesuffix(" abbreviated") for key in row.keys if "=" not in key and not key.startswith("line ")]
    paths = [SHORT.get(field, field) for field in fields]
    return replace(row, places=(*row.places, *(Json(path=path) for path in paths)))


SHORT = {"charge_mode": "charge_mode.mode", "external_control": "external_control.phases_wanted"}
"""The field that is meant by a bare number."""
WARP_API = Table(
    title="WARP Power Manager (HTTP API)",
    file="warp_power_manager_api.txt",
    digest="29226a825f5c22441e2db9611f98e4b72f91a207fa277a5686da4c303830ef1e",
    rows=tuple(with_json(row) for row in (*CONFIG, *DYNAMIC_LOAD, *STATE, *LOW_LEVEL, *CONTROL)),
)
