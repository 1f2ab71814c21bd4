"""The control endpoint: what it shows and what it changes."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import ClientSession
import pytest

from simulator import (
    BatteryConfig,
    CarConfig,
    ChargerConfig,
    CircuitConfig,
    HomeConfig,
    HouseConfig,
    PvConfig,
    running_home,
)
from tests.simulator.control import Control
from tests.simulator.raw import logged_in

_CONFIG = HomeConfig(
    pv=PvConfig(constant_w=0),
    house=HouseConfig(constant_w=0),
    chargers=(
        ChargerConfig(mode=3, circuit="garage", car=CarConfig(phases=1)),
        ChargerConfig(serial="10000002", rotation=(2, 3, 1), plugged=False),
    ),
    circuits=(CircuitConfig(name="garage", limit_a=10), CircuitConfig(name="shed", parent="garage", metered=False)),
    main_fuse_a=35.0,
    speed=0,
    control_port=0,
)


@pytest.fixture(name="control")
async def control_fixture() -> AsyncIterator[Control]:
    """Run a home whose time stands still, with a client of its control endpoint."""
    async with running_home(_CONFIG) as simulation, ClientSession() as session:
        yield Control(simulation, session)


async def test_state(control: Control) -> None:
    """The state shows time, flows, circuits, chargers with their cars, and the inverter."""
    state = await control.post("/advance", seconds=20)
    assert state == await control.get("/state")
    assert (state["at_s"], state["speed"]) == (pytest.approx(20), 0)
    assert state["local_time"].startswith("2026-06-21T11:00:20")
    flow = control.simulation.home.flow
    assert state["flow"]["grid_w"] == pytest.approx(flow.grid_w)
    assert state["flow"]["grid_currents_a"] == pytest.approx([16, 0, 0])
    assert list(state["circuits"]) == ["house", "garage", "shed"]
    assert state["circuits"]["house"]["limit_a"] == 35
    first, second = state["chargers"]
    assert (first["serial"], first["circuit"], first["currents_a"]) == ("10000001", "garage", [16, 0, 0])
    assert first["car"] | {"plugged": True, "state": "CHARGING", "phases": 1, "max_current": 16} == first["car"]
    assert (second["car"], second["rotation"]) == ({"plugged": False, "state": "IDLE"}, [2, 3, 1])
    assert state["inverter"]["port"] == control.simulation.inverter.port
    assert state["inverter"]["faults"] == first["faults"] == []


async def test_charger(control: Control) -> None:
    """A charger shows its settings and what was written to it."""
    async with logged_in(control.simulation.chargers[0]) as client:
        await client.write("amp", 9)
    shown = await control.get("/chargers/10000001")
    assert (shown["writes"], shown["settings"]["amp"]) == (1, 9)
    assert shown["write_log"] == [{"at": 0, "key": "amp", "value": 9}]
    (listed, _) = (await control.get("/state"))["chargers"]
    assert listed["writes"] == 1


async def test_circuit(control: Control) -> None:
    """A circuit shows its currents, its limit and how long it was above; that can be forgotten."""
    await control.post("/advance", seconds=30)
    shown = await control.get("/circuits/garage")
    circuit = control.simulation.home.circuits["garage"]
    assert shown["currents_a"] == shown["meter_a"] == [16, 0, 0]
    assert (shown["parent"], shown["limit_a"], shown["chargers"]) == ("house", 10, ["10000001"])
    assert shown["over_s"][0] == circuit.over_s[0] > 20
    assert shown["over_as"][0] == pytest.approx(circuit.over_as[0])
    assert shown["peak_a"] == 16
    assert (await control.get("/circuits/shed"))["meter_a"] is None
    assert (await control.call("DELETE", "/circuits/garage/over"))["over_s"] == [0, 0, 0]
    assert circuit.over_s == [0, 0, 0]


async def test_house(control: Control) -> None:
    """Household, sun and the loads of circuits are set, and given back to their profiles."""
    await control.post(
        "/house",
        load_w=[230, 460, 0],
        pv_w=690,
        circuits={"garage": {"load_a": [0, 0, 3]}, "shed": {"load_w": [0, 0, 230], "load_a": [0, 0, 1]}},
    )
    flow = (await control.post("/advance", seconds=1))["flow"]
    assert flow["grid_currents_a"] == pytest.approx([0, 1, 4], abs=0.02)
    assert (await control.get("/circuits/garage"))["currents_a"] == pytest.approx([0, 0, 5], abs=0.02)
    assert (await control.get("/circuits/shed"))["load_w"] == [0, 0, 230]
    await control.post("/house", load_w=None, pv_w=None, circuits={"garage": {"load_a": [0, 0, 0]}})
    flow = (await control.post("/advance", seconds=1))["flow"]
    assert (flow["pv_w"], flow["house_w"]) == (0, pytest.approx(460, abs=2))


async def test_cars(control: Control) -> None:
    """Cars come, change what they can, get full and leave."""
    simulation, path = control.simulation, "/chargers/10000001/car"
    charger = simulation.chargers[0].charger
    await simulation.advance(20)
    await control.post(path, action="limits", max_current=7)
    await simulation.advance(5)
    assert charger.currents == (7, 0, 0)
    await control.post(path, action="full")
    await simulation.advance(5)
    shown = await control.get("/chargers/10000001")
    assert (shown["car"]["state"], shown["car"]["full"], shown["power_w"]) == ("COMPLETE", True, 0)
    await control.post(path, action="limits", soc=0.5, phases=2)
    await simulation.advance(20)
    assert charger.currents == (7, 7, 0)
    shown = await control.post(path, action="unplug")
    assert shown["car"] == {"plugged": False, "state": "IDLE"}
    await control.post(path, action="plug", phases=3, max_current=11, start_delay_s=0)
    await simulation.advance(10)
    assert charger.currents == (11, 11, 11)
    await control.post("/chargers/10000002/car", action="plug")
    assert simulation.chargers[1].charger.car is simulation.chargers[1].charger.spare_car


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/nowhere", {}, 404, "what there is: GET /state"),
        ("/state", {}, 405, "GET"),
        ("/chargers/1/car", {"action": "full"}, 404, "no charger '1'; there are: 10000001, 10000002"),
        ("/chargers/10000001/car", {}, 400, "must be a JSON object"),
        ("/chargers/10000001/car", {"action": "wash"}, 400, "plug, unplug, full or limits"),
        ("/chargers/10000001/car", {"action": "plug"}, 400, "a car is plugged in already"),
        ("/chargers/10000001/car", {"action": "full", "soc": 1}, 400, "takes nothing else"),
        ("/chargers/10000001/car", {"action": "limits"}, 400, "at least one of: phases, max_current"),
        ("/chargers/10000001/car", {"action": "limits", "phases": 4}, 400, "'phases' needs 1, 2 or 3"),
        ("/chargers/10000001/car", {"action": "limits", "wheels": 4}, 400, "unknown 'wheels'; allowed: phases"),
        ("/chargers/10000002/car", {"action": "full"}, 400, "no car is plugged in"),
        ("/chargers/10000001/faults", {"for_s": 1}, 400, "'fault' is one of: refuse, drop"),
        ("/chargers/10000001/faults", {"fault": "rust"}, 400, "unknown fault 'rust'; there are: refuse"),
        ("/chargers/10000001/faults", {"fault": "silence", "for_s": 0}, 400, "'for_s' is a number"),
        ("/chargers/10000001/faults", {"fault": "drop", "for_s": 5}, 400, "over at once"),
        ("/chargers/10000001/faults", {"fault": "silence", "keys": ["amp"]}, 400, "it takes: none"),
        ("/chargers/10000001/faults", {"fault": "stuck_value"}, 400, "needs 'keys': a list of keys"),
        ("/chargers/10000001/faults", {"fault": "stuck_value", "keys": ["x"]}, 400, "no key x"),
        ("/chargers/10000001/faults", {"fault": "slow_answer", "seconds": True}, 400, "a number of seconds"),
        ("/chargers/10000001/faults", {"fault": "ignored_command", "keys": ["nrg"]}, 400, "can be written"),
        ("/inverter/faults", {"fault": "silent_blocks", "blocks": [[1]]}, 400, "[first register, count]"),
        ("/house", {"load_w": [1, 2]}, 400, "three numbers"),
        ("/house", {"pv_w": -1}, 400, "not negative"),
        ("/house", {"gas_w": 1}, 400, "allowed: load_w, pv_w"),
        ("/house", {"circuits": {"x": {}}}, 400, "no circuit 'x'; there are: house, garage, shed"),
        ("/house", {"circuits": {"garage": {"load_w": "much"}}}, 400, "three numbers"),
        ("/house", {"circuits": {"garage": 5}}, 400, "'load_w', 'load_a' or both"),
        ("/house", {"circuits": 5}, 400, "object of circuits"),
        ("/advance", {"seconds": "1"}, 400, "'seconds' needs a number"),
        ("/advance", {"minutes": 1}, 400, "unknown 'minutes'; allowed: seconds"),
    ],
)
async def test_bad_requests(control: Control, path: str, body: dict[str, Any], status: int, text: str) -> None:
    """What cannot be is refused with a message that says what is allowed, and changes nothing."""
    before = await control.get("/state")
    answer = await control.call("POST", path, expect=status, **body)
    assert text in answer["error"]
    assert await control.get("/state") == before


async def test_bad_addresses(control: Control) -> None:
    """What does not exist is named together with what does."""
    answer = await control.call("GET", "/circuits/x", expect=404)
    assert answer == {"error": "no circuit 'x'; there are: house, garage, shed"}
    answer = await control.call("DELETE", "/chargers/10000001/faults/silence", expect=404)
    assert answer == {"error": "fault 'silence' is not active; active: none"}
    answer = await control.call("DELETE", "/chargers/10000001/faults/rust", expect=404)
    assert "there are: refuse" in answer["error"]


async def test_half_a_request_changes_nothing(control: Control) -> None:
    """A mistake anywhere in a request keeps all of it from happening."""
    await control.call("POST", "/house", expect=400, pv_w=500, load_w=[1, 1, 1], circuits={"x": {"load_w": [1, 1, 1]}})
    home = control.simulation.home
    assert home.pv_override_w is home.house_override is None


async def test_time_that_passes_cannot_be_advanced() -> None:
    """Where time passes by itself, or there is no inverter, the endpoint says so."""
    config = HomeConfig(chargers=(), inverter=None, battery=BatteryConfig(), speed=1, control_port=0)
    async with running_home(config) as simulation, ClientSession() as session:
        control = Control(simulation, session)
        answer = await control.call("POST", "/advance", expect=400, seconds=1)
        assert "passes by itself" in answer["error"]
        answer = await control.call("POST", "/inverter/faults", expect=404, fault="silent")
        assert answer == {"error": "this home has no inverter"}
        state = await control.get("/state")
        assert (state["inverter"], state["flow"]["battery_soc"]) == (None, pytest.approx(0.5, abs=0.01))
        assert "no charger '1'; there are: none" in (await control.call("GET", "/chargers/1", expect=404))["error"]


async def test_one_phase_home() -> None:
    """In a home with one phase loads are on L1."""
    config = HomeConfig(phases=1, chargers=(), speed=0, control_port=0)
    async with running_home(config) as simulation, ClientSession() as session:
        control = Control(simulation, session)
        answer = await control.call("POST", "/house", expect=400, load_w=[0, 1, 0])
        assert "L1 only" in answer["error"]


async def test_no_endpoint_unless_asked_for() -> None:
    """A home has a control endpoint only where the configuration says so, on this machine only; it ends with it."""
    async with running_home(HomeConfig(chargers=(), speed=0)) as simulation:
        assert simulation.control_url is None
    async with running_home(_CONFIG, host="0.0.0.0") as simulation:  # noqa: S104 - the devices, not the endpoint
        url = simulation.control_url or ""
        assert url.startswith("http://127.0.0.1:")
    async with ClientSession() as session:
        with pytest.raises(OSError, match="Cannot connect"):
            await session.get(f"{url}/state")


async def test_two_chargers_with_one_serial() -> None:
    """On the network every charger needs its own serial number."""
    with pytest.raises(ValueError, match="10000001, 10000001"):
        async with running_home(HomeConfig(chargers=(ChargerConfig(), ChargerConfig()))):
            pytest.fail("started")


def _names(active: list[Mapping[str, Any]]) -> list[str]:
    return [fault["fault"] for fault in active]


async def test_faults_are_listed(control: Control) -> None:
    """The faults of a device are listed with their parameters and their end, next to all that could be."""
    path = "/chargers/10000001/faults"
    await control.post(path, fault="refuse")
    answer = await control.post(path, fault="rejected_command", keys=["amp"], for_s=30)
    assert _names(answer["active"]) == ["refuse", "rejected_command"]
    assert answer["active"][1] == {
        "fault": "rejected_command",
        "parameters": {"keys": ["amp"], "message": "not now"},
        "ends_at_s": 30,
    }
    assert answer == await control.get(path)
    assert answer["possible"]["slow_answer"]["parameters"]["seconds"].startswith("a number of seconds above 0")
    assert _names((await control.get("/state"))["chargers"][0]["faults"]) == ["refuse", "rejected_command"]
    await control.post(path, fault="rejected_command", keys=["frc"], for_s=1)
    assert control.simulation.chargers[0].faults.rejected_keys == {"frc": "not now"}
    await control.post("/advance", seconds=0.9)
    assert len((await control.get(path))["active"]) == 2
    await control.post("/advance", seconds=0.1)
    assert _names((await control.get(path))["active"]) == ["refuse"]
    assert control.simulation.chargers[0].faults.rejected_keys == {}
