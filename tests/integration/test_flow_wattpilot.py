"""The config flow and the options flow of a charger."""

from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_ZEROCONF, ConfigEntryState, ConfigFlowResult, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, EntryType
from custom_components.pv_load_manager.control import ChargerConfig as CoreConfig
from custom_components.pv_load_manager.shared import SHARED
from simulator import ChargerConfig

from .conftest import BuildSite, sunny
from .flows import aborts, answer, begin, creates, reconfigure, shows, suggested
from .site import Site, eventually

SERIAL = "10000001"


def typed(site: Site, index: int = 0, **changes: object) -> dict[str, object]:
    """Return what a user types."""
    charger = site.home.chargers[index]
    return {"host": "127.0.0.1", "port": charger.port, "password": charger.charger.config.password, **changes}


def announcement(site: Site, *addresses: str, port: int | None = None, **properties: str) -> ZeroconfServiceInfo:
    """Return what a charger announces."""
    shown = {"devicefamily": "wattpilot", "serial": SERIAL, "friendly_name": "Garage"} | properties
    found = [ip_address(address) for address in addresses or ("127.0.0.1",)]
    return ZeroconfServiceInfo(
        ip_address=found[0],
        ip_addresses=found,
        port=site.home.chargers[0].port if port is None else port,
        hostname=f"Wattpilot_{SERIAL}.local.",
        type="_http._tcp.local.",
        name="Garage._http._tcp.local.",
        properties={key: value for key, value in shown.items() if value},
    )


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> ConfigFlowResult:
    """Let Home Assistant hear an announcement."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info)


async def test_ok(site: Site) -> None:
    """The charger takes the password and says who it is; nobody else stays connected to it."""
    result = await begin(site.hass, EntryType.WATTPILOT)
    shows(result, "wattpilot")
    result = await answer(site.hass, result, typed(site))
    creates(result, "Garage", typed(site) | {"entry_type": "wattpilot", "serial": SERIAL})
    assert result["result"].unique_id == f"wattpilot_{SERIAL}"
    await site.hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    await eventually(lambda: site.home.chargers[0].clients == 1)


async def test_wrong_password(site: Site) -> None:
    """A refused password is not shown again, and the right one goes on."""
    result = await begin(site.hass, EntryType.WATTPILOT)
    result = await answer(site.hass, result, typed(site, password="guess"))
    shows(result, "wattpilot", {"base": "invalid_auth"})
    assert suggested(result) == {"host": "127.0.0.1", "port": site.home.chargers[0].port}
    result = await answer(site.hass, result, typed(site))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_unreachable(site: Site) -> None:
    """Nothing answers; when the charger is on, the same form goes on."""
    await site.home.chargers[0].stop()
    result = await begin(site.hass, EntryType.WATTPILOT)
    result = await answer(site.hass, result, typed(site))
    shows(result, "wattpilot", {"base": "cannot_connect_charger"})
    await site.home.chargers[0].start()
    result = await answer(site.hass, result, typed(site))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_another_kind_of_device(hass: HomeAssistant, other_server: int) -> None:
    """A WebSocket server that is no Wattpilot does not see the password."""
    result = await begin(hass, EntryType.WATTPILOT)
    result = await answer(hass, result, {"host": "127.0.0.1", "port": other_server, "password": "secret"})
    shows(result, "wattpilot", {"base": "not_a_wattpilot"})


async def test_half_snapshot(site: Site) -> None:
    """A charger that never tells its whole status gets its own message."""
    site.home.chargers[0].faults.half_snapshot = True
    result = await begin(site.hass, EntryType.WATTPILOT)
    result = await answer(site.hass, result, typed(site))
    shows(result, "wattpilot", {"base": "incomplete_status"})


@pytest.mark.parametrize(("auth", "flex"), [("bcrypt", False), ("bcrypt", True), ("omit", True)])
async def test_flex(build_site: BuildSite, auth: str, *, flex: bool) -> None:
    """A Wattpilot Flex has another kind of login, and may not say so."""
    site = await build_site(sunny(ChargerConfig(auth=auth, flex=flex)))
    result = await begin(site.hass, EntryType.WATTPILOT)
    result = await answer(site.hass, result, typed(site))
    creates(result, "Garage", typed(site) | {"entry_type": "wattpilot", "serial": SERIAL})


async def test_unsupported(build_site: BuildSite) -> None:
    """A login that nobody knows yet is named as not supported."""
    site = await build_site(sunny(ChargerConfig(auth="argon2")))
    result = await begin(site.hass, EntryType.WATTPILOT)
    result = await answer(site.hass, result, typed(site))
    shows(result, "wattpilot", {"base": "unsupported"})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("host", "", "invalid_host"),
        ("host", "ws://10.0.0.1/ws", "invalid_host"),
        ("port", 0, "port_out_of_range"),
        ("port", 65536, "port_out_of_range"),
    ],
)
async def test_invalid_address(site: Site, field: str, value: object, error: str) -> None:
    """What cannot be an address is refused without asking the network."""
    result = await begin(site.hass, EntryType.WATTPILOT)
    result = await answer(site.hass, result, typed(site, **{field: value}))
    shows(result, "wattpilot", {field: error})


async def test_duplicate_updates_the_address(site: Site) -> None:
    """A charger that is set up already is not added again, but found at its new address."""
    charger = site.charger_entry(host="localhost", port=1)
    await site.fail_to_set_up(charger)
    result = await begin(site.hass, EntryType.WATTPILOT)
    aborts(await answer(site.hass, result, typed(site)), "already_configured")
    assert charger.data["host"] == "127.0.0.1"
    await eventually(lambda: charger.state is ConfigEntryState.LOADED)


async def test_zeroconf(site: Site) -> None:
    """A discovered charger needs only its password."""
    result = await discover(site.hass, announcement(site))
    shows(result, "zeroconf_confirm")
    assert result["description_placeholders"] == {"name": "Garage", "host": "127.0.0.1"}
    (progress,) = site.hass.config_entries.flow.async_progress()
    assert progress["context"]["title_placeholders"] == {"name": "Garage"}
    result = await answer(site.hass, result, {"password": "wrong"})
    shows(result, "zeroconf_confirm", {"base": "invalid_auth"})
    result = await answer(site.hass, result, {"password": "virtual-home"})
    creates(result, "Garage", typed(site) | {"entry_type": "wattpilot", "serial": SERIAL})
    assert result["result"].unique_id == f"wattpilot_{SERIAL}"


@pytest.mark.parametrize(
    ("addresses", "host"),
    [
        (("fe80::1", "192.0.2.7"), "192.0.2.7"),
        (("169.254.3.4", "192.0.2.7"), "192.0.2.7"),
        (("2001:db8::7",), "2001:db8::7"),
        (("169.254.3.4",), "169.254.3.4"),
    ],
)
async def test_zeroconf_prefers_ipv4(site: Site, addresses: tuple[str, ...], host: str) -> None:
    """The first announced address may be one that does not work; a usable IPv4 address is better."""
    result = await discover(site.hass, announcement(site, *addresses))
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["host"] == host


async def test_zeroconf_again(site: Site) -> None:
    """A second announcement of a charger in discovery starts nothing."""
    await discover(site.hass, announcement(site))
    aborts(await discover(site.hass, announcement(site)), "already_in_progress")


async def test_by_hand_goes_ahead_of_what_was_discovered(site: Site) -> None:
    """Who adds a charger by hand does not have to look for its discovery first, which ends with that."""
    shows(await discover(site.hass, announcement(site)), "zeroconf_confirm")
    result = await answer(site.hass, await begin(site.hass, EntryType.WATTPILOT), typed(site))
    creates(result, "Garage", typed(site) | {"entry_type": "wattpilot", "serial": SERIAL})
    assert site.hass.config_entries.flow.async_progress() == []
    await site.hass.async_block_till_done()


async def test_zeroconf_updates_the_address(site: Site) -> None:
    """A configured charger that announces itself elsewhere is followed there."""
    charger = site.charger_entry(host="localhost", port=1)
    await site.fail_to_set_up(charger)
    aborts(await discover(site.hass, announcement(site)), "already_configured")
    assert (charger.data["host"], charger.data["port"]) == ("127.0.0.1", site.home.chargers[0].port)
    await eventually(lambda: charger.state is ConfigEntryState.LOADED)


async def test_zeroconf_shortens_the_wait(site: Site) -> None:
    """A charger that could not be set up is tried at once when it announces itself, also at the same address."""
    faults = site.home.chargers[0].faults
    faults.half_snapshot = True
    charger = site.charger_entry()
    await site.fail_to_set_up(charger)
    faults.half_snapshot = False
    aborts(await discover(site.hass, announcement(site)), "already_configured")
    await eventually(lambda: charger.state is ConfigEntryState.LOADED)


async def test_zeroconf_without_port_or_name(site: Site) -> None:
    """An announcement may lack the port and the name."""
    result = await discover(site.hass, announcement(site, "192.0.2.7", port=0, friendly_name=""))
    assert result["description_placeholders"] == {"name": f"Wattpilot {SERIAL}", "host": "192.0.2.7"}


async def test_zeroconf_without_serial(site: Site) -> None:
    """An announcement without a serial number identifies nobody."""
    aborts(await discover(site.hass, announcement(site, serial="")), "not_a_wattpilot")


async def test_zeroconf_wrong_charger(site: Site) -> None:
    """The password is not shown to another charger that has the address meanwhile."""
    result = await discover(site.hass, announcement(site, serial="10000099"))
    result = await answer(site.hass, result, {"password": "virtual-home"})
    shows(result, "zeroconf_confirm", {"base": "wrong_charger"})


async def test_reauth(site: Site) -> None:
    """A new password is tried before it is stored, and then the charger works again."""
    charger = site.charger_entry(password="old")
    await site.hass.config_entries.async_setup(charger.entry_id)
    await site.hass.async_block_till_done()
    assert charger.state is ConfigEntryState.SETUP_ERROR
    (flow,) = site.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    result = await site.hass.config_entries.flow.async_configure(flow["flow_id"])
    shows(result, "reauth_confirm")
    assert result["description_placeholders"] == {"name": "Garage", "host": "127.0.0.1"}
    result = await answer(site.hass, result, {"password": "wrong"})
    shows(result, "reauth_confirm", {"base": "invalid_auth"})
    assert charger.data["password"] == "old"
    aborts(await answer(site.hass, result, {"password": "virtual-home"}), "reauth_successful")
    await site.hass.async_block_till_done()
    assert charger.data["password"] == "virtual-home"
    assert charger.state is ConfigEntryState.LOADED


async def test_reauth_at_another_charger(site: Site) -> None:
    """A new password is not shown to a charger that is not the one."""
    charger = site.charger_entry(serial="10000099")
    result = await charger.start_reauth_flow(site.hass)
    result = await answer(site.hass, result, {"password": "virtual-home"})
    shows(result, "reauth_confirm", {"base": "wrong_charger"})


async def test_reconfigure(site: Site) -> None:
    """A loaded charger can get another address; the stored password is never shown."""
    charger = site.charger_entry()
    await site.set_up(charger)
    result = await reconfigure(site.hass, charger, "wattpilot")
    shows(result, "wattpilot")
    assert suggested(result) == {"host": "127.0.0.1", "port": site.home.chargers[0].port}
    aborts(await answer(site.hass, result, typed(site, host="localhost")), "reconfigure_successful")
    await site.hass.async_block_till_done()
    assert charger.data["host"] == "localhost"
    assert charger.state is ConfigEntryState.LOADED


async def test_reconfigure_to_another_charger(build_site: BuildSite) -> None:
    """Another charger does not take the place of the one that is set up."""
    site = await build_site(sunny(ChargerConfig(), ChargerConfig(serial="10000002", name="Carport")))
    charger = site.charger_entry()
    await site.set_up(charger)
    result = await reconfigure(site.hass, charger, "wattpilot")
    aborts(await answer(site.hass, result, typed(site, 1)), "wrong_device")
    assert charger.data["port"] == site.home.chargers[0].port


OPTIONS: dict[str, Any] = {
    "managed": True,
    "circuit": "root",
    "wired_phases": "3",
    "rotation": "l2_l3_l1",
    "vehicle": "none",
    "limit_current_without_ha": True,
    "current_without_ha": 8,
}


async def options_of(site: Site, charger: MockConfigEntry) -> ConfigFlowResult:
    """Open the options of a charger."""
    return await site.hass.config_entries.options.async_init(charger.entry_id)


async def choose(site: Site, result: ConfigFlowResult, user_input: dict[str, Any]) -> ConfigFlowResult:
    """Fill in a page of the options and return what comes next."""
    result = await site.hass.config_entries.options.async_configure(result["flow_id"], user_input)
    await site.hass.async_block_till_done()
    return result


def config_of(site: Site) -> CoreConfig:
    """Return what the control core is told about the only charger."""
    manager = site.hass.data[SHARED].load_manager
    assert manager is not None
    (charger,) = manager.configuration().chargers
    return charger


def circuit_in(site: Site, manager: MockConfigEntry, name: str) -> str:
    """Add a circuit to the load manager and return its id."""
    data = {"name": name, "parent": "root", "limit": 20}
    subentry = ConfigSubentry(data=MappingProxyType(data), subentry_type="circuit", title=name, unique_id=None)
    assert site.hass.config_entries.async_add_subentry(manager, subentry)
    return subentry.subentry_id


def circuits_shown(result: ConfigFlowResult) -> dict[str, str]:
    """Return the circuits that can be chosen: id and title."""
    schema = result["data_schema"]
    assert schema is not None
    return {option["value"]: option["label"] for option in schema.schema["circuit"].config["options"]}


async def test_options(site: Site) -> None:
    """The options of a charger are stored and in force after a reload that leaves the car alone."""
    charger = site.charger_entry()
    await site.set_up(charger)
    result = await options_of(site, charger)
    shows(result, "init")
    assert result["description_placeholders"] == {"low": "6", "high": "32", "maximum": "16"}
    result = await choose(site, result, OPTIONS)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert charger.options == OPTIONS
    assert charger.state is ConfigEntryState.LOADED
    assert site.writes() == []
    assert suggested(await options_of(site, charger)) == OPTIONS


async def test_options_reach_the_core(site: Site) -> None:
    """What is chosen is what the control core is told."""
    charger, manager = site.charger_entry(), site.manager_entry()
    await site.set_up(charger, manager)
    circuit = circuit_in(site, manager, "Garage")
    await site.hass.async_block_till_done()
    result = await choose(site, await options_of(site, charger), OPTIONS | {"circuit": circuit, "vehicle": "renault"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    told = config_of(site)
    assert (told.circuit_id, told.rotation, told.wired_phases) == (circuit, (2, 3, 1), 3)
    assert told.current_without_ha_a == 8
    assert (told.min_current_a, told.min_current_three_a) == (6, 10)
    await choose(
        site,
        await options_of(site, charger),
        OPTIONS | {"rotation": "unknown", "limit_current_without_ha": False},
    )
    told = config_of(site)
    assert (told.circuit_id, told.rotation) == ("root", None)
    assert (told.min_current_a, told.min_current_three_a, told.current_without_ha_a) == (6, None, None)


async def test_options_of_before(site: Site) -> None:
    """Options that were stored before there were circuits, priorities and cars mean what they meant."""
    before = {"managed": True, "wired_phases": "1", "rotation": "l1_l3_l2", "phase_policy": "auto"}
    charger, manager = site.charger_entry(options=before), site.manager_entry()
    await site.set_up(charger, manager)
    assert config_of(site) == CoreConfig(charger_id=SERIAL, rotation=(1, 3, 2), wired_phases=1)
    result = await options_of(site, charger)
    shows(result, "init")
    assert suggested(result) == {key: value for key, value in before.items() if key != "phase_policy"}


async def test_options_show_circuits(site: Site) -> None:
    """Circuits are shown by their titles, below the house connection."""
    charger, manager = site.charger_entry(), site.manager_entry()
    await site.set_up(charger, manager)
    garage, yard = (circuit_in(site, manager, name) for name in ("Garage", "Yard"))
    await site.hass.async_block_till_done()
    shown = circuits_shown(await options_of(site, charger))
    assert shown == {"root": "root", garage: "Garage", yard: "Yard"}
    assert next(iter(shown)) == "root"


async def test_options_circuit_gone(site: Site) -> None:
    """A circuit that was removed is reported at its field and has to be chosen anew."""
    charger = site.charger_entry(options=OPTIONS | {"circuit": "gone"})
    manager = site.manager_entry()
    await site.set_up(charger, manager)
    result = await options_of(site, charger)
    shows(result, "init", {"circuit": "circuit_missing"})
    assert suggested(result) == {key: value for key, value in OPTIONS.items() if key != "circuit"}
    assert circuits_shown(result) == {"root": "root"}
    for missing in ({}, {"circuit": "gone"}):
        with pytest.raises(InvalidData):
            await choose(site, result, {key: OPTIONS[key] for key in OPTIONS if key != "circuit"} | missing)
    result = await choose(site, result, OPTIONS)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert charger.options["circuit"] == "root"


async def test_options_own_currents(site: Site) -> None:
    """The least currents of a car that is no preset are asked for on a page of their own, and shown again there."""
    charger, manager = site.charger_entry(), site.manager_entry()
    await site.set_up(charger, manager)
    result = await choose(site, await options_of(site, charger), OPTIONS | {"vehicle": "own"})
    shows(result, "own_currents")
    result = await choose(site, result, {"min_current": 8, "min_current_three": 12})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert charger.options == OPTIONS | {"vehicle": "own", "min_current": 8, "min_current_three": 12}
    assert (config_of(site).min_current_a, config_of(site).min_current_three_a) == (8, 12)
    result = await choose(site, await options_of(site, charger), OPTIONS | {"vehicle": "own"})
    assert suggested(result) == {"min_current": 8, "min_current_three": 12}


@pytest.mark.parametrize(
    ("currents", "errors"),
    [
        ((5, 6), {"min_current": "minimum_out_of_range"}),
        ((6, 33), {"min_current_three": "minimum_out_of_range"}),
        ((7.5, 6), {"min_current": "minimum_out_of_range"}),
        ((17, 6), {"min_current": "minimum_above_maximum"}),
        ((5, 20), {"min_current": "minimum_out_of_range", "min_current_three": "minimum_above_maximum"}),
    ],
)
async def test_options_own_currents_refused(site: Site, currents: tuple[float, float], errors: dict[str, str]) -> None:
    """A least current that no charger offers, or that is more than this one may draw, is refused at its field."""
    charger = site.charger_entry()
    await site.set_up(charger)
    result = await choose(site, await options_of(site, charger), OPTIONS | {"vehicle": "own"})
    typed = dict(zip(("min_current", "min_current_three"), currents, strict=True))
    result = await choose(site, result, typed)
    shows(result, "own_currents", errors)
    assert suggested(result) == typed
    result = await choose(site, result, {"min_current": 16, "min_current_three": 16})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_options_car_that_needs_more_than_the_maximum(site: Site) -> None:
    """A car whose preset needs more than the charger's maximum is refused, with the maximum in the text."""
    _, charger, _ = await site.set_up_all()
    await site.set_number(charger, "maximum_current", 9)
    result = await choose(site, await options_of(site, charger), OPTIONS | {"vehicle": "renault"})
    shows(result, "init", {"vehicle": "minimum_above_maximum"})
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["maximum"] == "9"
    assert suggested(result)["vehicle"] == "renault"
    await site.set_number(charger, "maximum_current", 10)
    result = await choose(site, result, OPTIONS | {"vehicle": "renault"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("current", [-1, 3, 5, 33, 7.5])
async def test_options_current_out_of_range(site: Site, current: float) -> None:
    """A current that no charger can offer is refused; 0 means stopped."""
    charger = site.charger_entry()
    await site.set_up(charger)
    flows = site.hass.config_entries.options
    result = await flows.async_init(charger.entry_id)
    result = await flows.async_configure(result["flow_id"], OPTIONS | {"current_without_ha": current})
    shows(result, "init", {"current_without_ha": "current_out_of_range"})
    assert suggested(result)["current_without_ha"] == current
    result = await flows.async_configure(result["flow_id"], OPTIONS | {"current_without_ha": 0})
    assert result["type"] is FlowResultType.CREATE_ENTRY
