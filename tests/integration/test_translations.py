"""Every text that the code asks for exists in every language, and none too many."""

import ast
from datetime import UTC, datetime
import string
from typing import Any

from homeassistant.helpers import entity_registry as er
import probatio
import pytest

from custom_components.pv_load_manager.const import (
    PRIORITIES,
    ROTATION_UNKNOWN,
    ROTATIONS,
    VEHICLE_NONE,
    VEHICLE_OWN,
    VEHICLES,
    BatteryDirection,
    EntryType,
    MeterDirection,
    MeterKind,
    MeterSource,
)
from custom_components.pv_load_manager.control import ROOT_CIRCUIT, ChargerMode, ConfigError, Reason
from custom_components.pv_load_manager.control.causes import Cause
from custom_components.pv_load_manager.control.findings import Outcome
from custom_components.pv_load_manager.control.session import End, Session
from custom_components.pv_load_manager.coordinators.issues import FIXABLE, ISSUES, MORE
from custom_components.pv_load_manager.coordinators.meter_report import Sentence
from custom_components.pv_load_manager.coordinators.rotation_check import Learned
from custom_components.pv_load_manager.flows import (
    circuit,
    forms,
    live,
    load_manager_options,
    meter_check,
    meter_forms,
    protection_forms,
    solaredge_cloud,
    solaredge_options,
    source_forms,
    wattpilot,
    wattpilot_options,
)
from custom_components.pv_load_manager.tables.charger_sessions import session_attributes
from simulator import BatteryConfig, ChargerConfig, HomeConfig, InverterConfig

from .code import ROOT, called, flat, keyword_texts, load, nodes
from .conftest import BuildSite
from .test_circuits import METERED, add_circuit

EN = load("translations/en.json")
CIRCUIT = EN["config_subentries"]["circuit"]
FLOWS = ("config_flow.py", "flows")
SESSION = session_attributes(Session(began=datetime(2026, 6, 1, tzinfo=UTC)))
FROM_HOME_ASSISTANT = {"already_configured", "already_in_progress", "reauth_successful", "reconfigure_successful"}


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def languages(folder: str) -> list[str]:
    """Return the languages of a folder but English."""
    return sorted(path.stem for path in (ROOT / folder).glob("*.json") if path.stem != "en")


@pytest.mark.parametrize("folder", ["translations", "texts"])
def test_languages_are_equal(folder: str) -> None:
    """Every language has the same keys in the same order and the same placeholders as English."""
    assert "de" in languages(folder)
    english = flat(load(f"{folder}/en.json"))
    for language in languages(folder):
        texts = flat(load(f"{folder}/{language}.json"))
        assert list(texts) == list(english), language
        for key, text in texts.items():
            assert placeholders(text) == placeholders(english[key]), (language, key)
            assert text.strip() == text != "", (language, key)


@pytest.mark.usefixtures("all_enabled")
async def test_entities(build_site: BuildSite, entity_registry: er.EntityRegistry) -> None:
    """Every entity has a name, every option of it too, and no name is left over."""
    meters = InverterConfig(meters=("Export+Import", "Consumption"))
    site = await build_site(HomeConfig(battery=BatteryConfig(), inverter=meters, chargers=(ChargerConfig(),)))
    manager = site.manager_entry()
    add_circuit(site.hass, manager, "Garage", **METERED)
    await site.set_up(site.inverter_entry(), site.charger_entry(), manager)
    used: dict[str, dict[str, Any]] = {}
    icons = load("icons.json")["entity"]
    for entry in entity_registry.entities.values():
        state = site.hass.states.get(entry.entity_id)
        assert state is not None
        if entry.translation_key is None:
            assert state.attributes["device_class"], entry.entity_id
            continue
        texts = EN["entity"][entry.domain][entry.translation_key]
        expected: dict[str, Any] = {"name": texts.get("name")}
        if options := state.attributes.get("options"):
            expected["state"] = dict.fromkeys(options)
            assert set(texts["state"]) == set(options), entry.entity_id
        if types := state.attributes.get("event_types"):
            expected["state_attributes"] = None
            assert set(texts["state_attributes"]["event_type"]["state"]) == set(types), entry.entity_id
            assert set(texts["state_attributes"]["cause"]["state"]) == set(Cause), entry.entity_id
        if entry.translation_key == "last_session":
            expected["state_attributes"] = None
            assert set(texts["state_attributes"]) == set(SESSION)
            assert set(texts["state_attributes"]["ended_by"]["state"]) == set(End)
        assert set(texts) == set(expected), entry.entity_id
        if state.attributes.get("device_class") in {None, "enum"}:
            assert entry.translation_key in icons[entry.domain], entry.entity_id
        used.setdefault(entry.domain, {})[entry.translation_key] = expected
    assert {domain: set(keys) for domain, keys in EN["entity"].items()} == {
        domain: set(keys) for domain, keys in used.items()
    }


def test_exceptions() -> None:
    """Every exception that is raised with a translation has its text, and no text is left over."""
    raised = {
        keyword.value.value
        for call in nodes(ast.Call)
        if any(keyword.arg == "translation_domain" for keyword in call.keywords)
        for keyword in call.keywords
        if keyword.arg == "translation_key" and isinstance(keyword.value, ast.Constant)
    }
    refusals = [call.args[0] for call in nodes(ast.Call) if called(call) == "refused"]
    assert all(isinstance(key, ast.Constant) for key in refusals)
    raised |= {key.value for key in refusals if isinstance(key, ast.Constant)}
    assert raised == set(EN["exceptions"])


def errors_in(*files: str) -> set[object]:
    """Return every error that the code of forms can give."""
    found: set[object] = set()
    for assignment in nodes(ast.Assign, *files):
        (target,) = assignment.targets
        name = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(name, ast.Name) and name.id in {"error", "errors"} and isinstance(assignment.value, ast.Constant):
            found.add(assignment.value.value)
    for pairs in nodes(ast.Dict, *files):
        for key, value in zip(pairs.keys, pairs.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "base" and isinstance(value, ast.Constant):
                found.add(value.value)
    return found


def test_errors_in_forms() -> None:
    """Every error of a form has its text, and no text is left over."""
    of_circuit = errors_in("flows/circuit.py")
    of_presets = errors_in("flows/presets.py")
    of_options = errors_in("flows/wattpilot_options.py", "flows/load_manager_options.py", "flows/source_forms.py")
    of_options |= of_presets | errors_in("flows/solaredge_options.py", "flows/meter_check.py")
    shared = errors_in("flows/meter_forms.py", "flows/protection_forms.py") | of_presets
    everything = errors_in(*FLOWS)
    assert (everything - of_circuit - of_options) | shared == set(EN["config"]["error"])
    assert of_options == set(EN["options"]["error"])
    # A circuit is protected by its own meter or not at all; nobody is asked.
    assert of_circuit | shared - {"no_phase_currents"} == set(CIRCUIT["error"])


def test_aborts() -> None:
    """Every end of a flow has its text, and no text is left over."""
    kinds = ("load_manager", "solaredge", "solaredge_cloud", "wattpilot")
    reasons = keyword_texts("reason", "config_flow.py", *(f"flows/{kind}.py" for kind in kinds))
    # What may be wrong with an inverter that was discovered; nobody is there to try again.
    of_discovery = {"cannot_connect_inverter", "ev_charger", "modbus_in_use", "not_an_inverter"}
    assert of_discovery <= errors_in("flows/probe.py")
    assert reasons | of_discovery | FROM_HOME_ASSISTANT == set(EN["config"]["abort"])


def test_steps() -> None:
    """Every form has its texts, a description for every field, and no text is left over."""
    schemas: dict[str, probatio.Schema] = {
        "connection": forms.connection_schema(1),
        "grid_meter": forms.meter_schema({}),
        "grid_sensor": meter_forms.sensors_schema(MeterKind.TOTAL_POWER, 3),
        "grid_phase_power": meter_forms.sensors_schema(MeterKind.PHASE_POWER, 3),
        "grid_phase_current": meter_forms.sensors_schema(MeterKind.PHASE_CURRENT, 3),
        "grid_export": meter_forms.export_schema(MeterKind.TOTAL_POWER, 3).extend(
            meter_forms.export_schema(MeterKind.PHASE_POWER, 3).schema
        ),
        "protection": protection_forms.protection_schema(limit=35, phases=3, sees_phases=True),
        "confirm": live.question("meter_right", "grid", 0.0, reversible=True),
        "confirm_sensor": live.question("meter_right", "grid", 0.0, reversible=True),
        "confirm_surplus_only": live.question("meter_right", "grid", 0.0, reversible=True),
        "confirm_no_meter": forms.EMPTY,
        "confirm_static": live.question("meter_right", "grid", 0.0, reversible=True),
        "solaredge": forms.inverter_schema(),
        "wattpilot": forms.charger_schema(),
        "solaredge_cloud": solaredge_cloud.FORM,
        "reauth_solaredge_cloud": solaredge_cloud.SECRET_FORM,
        "wattpilot_cloud": wattpilot.CLOUD_FORM,
        "solaredge_confirm": forms.EMPTY,
        "zeroconf_confirm": forms.PASSWORD,
        "reauth_confirm": forms.PASSWORD,
    }
    steps = EN["config"]["step"]
    assert set(steps) == {"user", "reconfigure_wattpilot", *schemas}
    assert set(steps["user"]["menu_options"]) == {*EntryType, "solaredge_cloud", "wattpilot_cloud"}
    assert set(steps["reconfigure_wattpilot"]["menu_options"]) == {"wattpilot", "wattpilot_cloud"}
    assert keyword_texts("step_id", "config_flow.py") <= set(steps)
    options = {
        "init": wattpilot_options.init_schema({}),
        "own_currents": wattpilot_options.OWN_CURRENTS,
        "solar": load_manager_options.SOLAR,
        "grid_operator": load_manager_options.GRID_OPERATOR,
        "check_meter": meter_check.charger_schema({"10000001": "Garage"}),
        "check_result": meter_check.STORE,
        "inverter": solaredge_options.inverter_options_schema(3),
        "sources": source_forms.choice_schema(()),
        "source_sensors": source_forms.SENSORS,
        "source_check": source_forms.check_schema({}, None),
    }
    assert set(EN["options"]["step"]) == {"site", *options}
    assert set(EN["options"]["step"]["site"]) == {"title", "menu_options"}
    assert set(EN["options"]["step"]["site"]["menu_options"]) == {"solar", "sources", "grid_operator", "check_meter"}
    for step, schema in (*schemas.items(), *options.items()):
        texts = (EN["options"]["step"] if step in options else steps)[step]
        fields = {str(key) for key in schema.schema}
        assert set(texts.get("data", {})) == fields, step
        assert set(texts.get("data_description", {})) == fields, step
        assert texts["title"]


def test_steps_of_a_circuit() -> None:
    """Every form of a circuit has its texts, a description for every field, and no text is left over."""
    schemas = {
        "circuit": circuit.circuit_schema({}, 3),
        "phase_power": meter_forms.sensors_schema(MeterKind.PHASE_POWER, 3, total=False),
        "phase_current": meter_forms.sensors_schema(MeterKind.PHASE_CURRENT, 3, total=False),
        "export": meter_forms.export_schema(MeterKind.PHASE_POWER, 3),
        "reserve": circuit.RESERVE,
    }
    assert set(CIRCUIT["step"]) == set(schemas)
    for step, schema in schemas.items():
        texts = CIRCUIT["step"][step]
        fields = {str(key) for key in schema.schema}
        assert set(texts["data"]) == set(texts["data_description"]) == fields, step
        assert texts["title"]
    assert set(CIRCUIT["abort"]) == {"reconfigure_successful"}
    assert set(CIRCUIT["initiate_flow"]) == {"user", "reconfigure"}


def test_issues() -> None:
    """The repairs of a configuration have their texts, and these use what the code gives."""
    given = {key: set(repair.placeholders) for key, repair in ISSUES.items()}
    given |= {"phase_requests": {"chargers"}, "meter_sign_cloud": {"meter"}}
    given |= {"charger_above_circuit": {"chargers"}, "watchdog_trips": set()}
    assert {*ISSUES, *MORE, *FIXABLE} <= set(given)
    for key, names in given.items():
        texts = EN["issues"][key]
        if key in FIXABLE:
            assert set(texts) == {"title", "fix_flow"}
            assert set(texts["fix_flow"]) == {"step", "abort"}
            assert set(texts["fix_flow"]["step"]) == keyword_texts("step_id", "repairs.py")
            assert set(texts["fix_flow"]["abort"]) == keyword_texts("reason", "repairs.py")
            shown = names | ({"now", "afterwards"} if key == "meter_sign" else set())
            assert placeholders(texts["fix_flow"]["step"]["confirm"]["description"]) == shown, key
        else:
            assert set(texts) == {"title", "description"}
            assert placeholders(texts["description"]) == names, key
    assert [repair.error for repair in ISSUES.values()] == list(ConfigError)


def test_no_issue_is_left_over() -> None:
    """Every text of a repair is one that the code asks for."""
    constants = {node.value for node in nodes(ast.Constant, "coordinators") if isinstance(node.value, str)}
    assert set(EN["issues"]) <= constants


def test_selectors() -> None:
    """Every choice has its text."""
    options = {
        "phases": {"1", "3"},
        "meter": {*forms.SENSOR_KINDS, MeterSource.NONE.value},
        "meter_direction": {direction.value for direction in MeterDirection},
        "circuit_meter": set(circuit.METERS),
        "sources": {source_forms.FROM_INVERTERS, source_forms.OWN_SENSORS},
        "battery_direction": {direction.value for direction in BatteryDirection},
        "grid_silent": set(live.Answer) - {live.Answer.REVERSED},
        "battery_silent": set(live.Answer) - {live.Answer.REVERSED},
        **{f"{about}_{flow}": set(live.Answer) for about in ("grid", "battery") for flow in ("in", "out")},
        "rotation": {*ROTATIONS, ROTATION_UNKNOWN},
        "circuit": {ROOT_CIRCUIT},
        "priority": set(PRIORITIES),
        "vehicle": {VEHICLE_NONE, *VEHICLES, VEHICLE_OWN},
        "meter_check": {*Outcome, *Sentence},
        "requested_phases": {"0", "1", "3"},
        "charge_mode": {mode.value for mode in ChargerMode},
        "rotation_check": set(Learned),
        "meter_role": set(solaredge_options.ROLES),
        "access": set(solaredge_cloud.ACCESSES),
    }
    assert {key: set(texts["options"]) for key, texts in EN["selector"].items()} == options


def test_reasons() -> None:
    """Every reason has a sentence, and the numbers in it are numbers that the control core gives."""
    texts = load("texts/en.json")
    assert set(texts) == {reason.value for reason in Reason} | {"countdown", "decimal", "root_circuit"}
    assert placeholders(texts.pop("countdown")) == {"seconds"}
    given = {
        key.value
        for pairs in nodes(ast.Dict, "control")
        for key in pairs.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    } | {
        node.slice.value
        for node in nodes(ast.Subscript, "control")
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    }
    for reason, text in texts.items():
        assert placeholders(text) <= given, reason
        unitless = {"phases", "stops", "circuit", "soc", "switches", "switches_per_day"}
        assert all(name in unitless or name.endswith(("_w", "_a", "_s", "_wh")) for name in placeholders(text)), reason


def test_placeholders_of_forms() -> None:
    """The braces in the texts of the flows are filled by the code."""
    given = {"min_fuse", "max_fuse", "max_chargers", "low", "high", "maximum", "name", "host"}
    given |= {*protection_forms.PROTECTION_RANGES, *meter_forms.METER_RANGES, "limit"}
    given |= {*load_manager_options.SOLAR_RANGES, *load_manager_options.DIMMING_RANGES}
    given |= {"findings", "refusal", "charger"}
    given |= {*solaredge_options.RANGES, "disabled", *source_forms.check_placeholders(None, None)}
    confirm = {"fuse", "phases", "chargers", "meter", "power"}
    for key, text in flat({"config": EN["config"], "options": EN["options"]}).items():
        allowed = confirm if ".step.confirm" in key else given
        assert placeholders(text) <= allowed, key
    for key, text in flat(CIRCUIT).items():
        assert placeholders(text) <= {*circuit.RANGES, *meter_forms.METER_RANGES, "limit", "disabled", "power"}, key


def test_icons() -> None:
    """All icons are Material Design icons of entities that exist."""
    icons = load("icons.json")["entity"]
    for domain, entities in icons.items():
        assert set(entities) <= set(EN["entity"][domain])
    assert all(icon.startswith("mdi:") for icon in flat(icons).values())


def test_exceptions_name_the_device() -> None:
    """Texts of exceptions name the device and its address, so that several of a kind can be told apart."""
    for key in ("charger_unreachable", "wrong_password", "inverter_unreachable", "wrong_charger", "wrong_inverter"):
        assert {"name", "host"} <= placeholders(EN["exceptions"][key]["message"]), key
