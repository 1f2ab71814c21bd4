"""The control endpoint: a running home is watched and broken over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
import json
from typing import Any

from aiohttp import web

from .circuits import Circuit, check_load
from .cloud import CloudServer
from .config import CarConfig, PhaseValues
from .fault_kinds import is_number
from .faults import FaultBoard, NoSuchFaultError, Parameter
from .simulation import Simulation
from .solaredge import SolarEdgeServer
from .views import Json, charger_details, circuit_view, faults_view, flow_view, state_view
from .wattpilot import WattpilotServer

type _Board = FaultBoard[WattpilotServer] | FaultBoard[SolarEdgeServer] | FaultBoard[CloudServer]
type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MAX_ADVANCE_S = 86_400.0
_OURS = "No Such Thing"
"""Tells what is missing in the home from an address that does not exist."""

_AMPS = Parameter(what="A from 0 to 80", check=lambda value: is_number(value) and 0 <= value <= 80)
_RAMP = Parameter(what="A/s above 0", check=lambda value: is_number(value) and value > 0)
_PART = Parameter(what="a number from 0 to 1", check=lambda value: is_number(value) and 0 <= value <= 1)
_CAR = {
    "phases": Parameter(what="1, 2 or 3", check=lambda value: type(value) is int and 1 <= value <= 3),
    "max_current": _AMPS,
    "min_current": _AMPS,
    "ramp_up": _RAMP,
    "ramp_down": _RAMP,
    "start_delay_s": Parameter(what="s, not negative", check=lambda value: is_number(value) and value >= 0),
    "capacity_wh": Parameter(what="Wh above 0", check=lambda value: is_number(value) and value > 0),
    "soc": _PART,
    "target_soc": _PART,
}
_LOAD = Parameter(
    what="a list of three numbers, L1 to L3",
    check=lambda value: isinstance(value, list) and len(value) == 3 and all(is_number(part) for part in value),
)


class _BadRequestError(ValueError):
    """What was asked for cannot be; the text says what is allowed."""


class ControlServer:
    """Serves a running home over HTTP."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._advancing = asyncio.Lock()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> str:
        """Listen; return the address."""
        app = web.Application(middlewares=[_answer_errors])
        app.add_routes(
            [
                web.get("/state", self._state),
                web.get("/chargers/{serial}", self._charger),
                web.get("/chargers/{serial}/faults", self._charger_faults),
                web.post("/chargers/{serial}/faults", self._break_charger),
                web.delete("/chargers/{serial}/faults/{fault}", self._mend_charger),
                web.post("/chargers/{serial}/car", self._car),
                web.get("/inverter/faults", self._inverter_faults),
                web.post("/inverter/faults", self._break_inverter),
                web.delete("/inverter/faults/{fault}", self._mend_inverter),
                web.get("/cloud/faults", self._cloud_faults),
                web.post("/cloud/faults", self._break_cloud),
                web.delete("/cloud/faults/{fault}", self._mend_cloud),
                web.get("/circuits/{name}", self._circuit),
                web.delete("/circuits/{name}/over", self._forget_over),
                web.post("/house", self._house),
                web.post("/advance", self._advance),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(state_view(self._simulation))

    async def _charger(self, request: web.Request) -> web.Response:
        return web.json_response(charger_details(self._simulation, self._find_charger(request)))

    async def _charger_faults(self, request: web.Request) -> web.Response:
        return _faults_response(self._charger_board(request))

    async def _break_charger(self, request: web.Request) -> web.Response:
        return await self._break(self._charger_board(request), request)

    async def _mend_charger(self, request: web.Request) -> web.Response:
        return await _mend(self._charger_board(request), request)

    async def _inverter_faults(self, _request: web.Request) -> web.Response:
        return _faults_response(self._inverter_board())

    async def _break_inverter(self, request: web.Request) -> web.Response:
        return await self._break(self._inverter_board(), request)

    async def _mend_inverter(self, request: web.Request) -> web.Response:
        return await _mend(self._inverter_board(), request)

    async def _cloud_faults(self, _request: web.Request) -> web.Response:
        return _faults_response(self._cloud_board())

    async def _break_cloud(self, request: web.Request) -> web.Response:
        return await self._break(self._cloud_board(), request)

    async def _mend_cloud(self, request: web.Request) -> web.Response:
        return await _mend(self._cloud_board(), request)

    async def _car(self, request: web.Request) -> web.Response:
        server = self._find_charger(request)
        body = await _body(request)
        action = body.pop("action", None)
        charger = server.charger
        if action not in {"plug", "unplug", "full", "limits"}:
            raise _BadRequestError("'action' is plug, unplug, full or limits")
        if action in {"unplug", "full"} and body:
            raise _BadRequestError(f"action {action!r} takes nothing else")
        values = _take(body, _CAR)
        if action == "plug":
            charger.plug(CarConfig(**values) if values else None)
        elif action == "unplug":
            charger.unplug()
        elif charger.car is None:
            raise _BadRequestError("no car is plugged in")
        elif action == "full":
            charger.car.fill()
        elif values:
            charger.car.change(**values)
        else:
            raise _BadRequestError(f"'limits' needs at least one of: {', '.join(_CAR)}")
        return web.json_response(charger_details(self._simulation, server))

    async def _circuit(self, request: web.Request) -> web.Response:
        return web.json_response(circuit_view(self._simulation, self._find_circuit(request.match_info["name"])))

    async def _forget_over(self, request: web.Request) -> web.Response:
        circuit = self._find_circuit(request.match_info["name"])
        circuit.reset()
        return web.json_response(circuit_view(self._simulation, circuit))

    async def _house(self, request: web.Request) -> web.Response:
        home = self._simulation.home
        body = await _body(request)
        circuits = body.pop("circuits", {})
        power = Parameter(what="W, not negative, or null", check=lambda w: w is None or (is_number(w) and w >= 0))
        load = Parameter(what=f"{_LOAD.what}, or null", check=lambda value: value is None or _LOAD.check(value))
        values = _take(body, {"load_w": load, "pv_w": power})
        if not isinstance(circuits, dict):
            raise _BadRequestError("'circuits' needs an object of circuits")
        changes = [(self._named(name), self._loads(loads)) for name, loads in circuits.items()]
        house = self._phase_values(values["load_w"]) if values.get("load_w") else None
        # Everything is checked before anything changes.
        if "load_w" in values:
            home.house_override = house
        if "pv_w" in values:
            home.pv_override_w = values["pv_w"]
        for circuit, loads in changes:
            circuit.load_w = loads.get("load_w", circuit.load_w)
            circuit.load_a = loads.get("load_a", circuit.load_a)
        return web.json_response(flow_view(home))

    async def _advance(self, request: web.Request) -> web.Response:
        simulation = self._simulation
        allowed = Parameter(
            what=f"a number above 0, up to {_MAX_ADVANCE_S:g}",
            check=lambda value: is_number(value) and 0 < value <= _MAX_ADVANCE_S,
        )
        seconds = _take(await _body(request), {"seconds": allowed}, needed=True)["seconds"]
        if simulation.home.config.speed:
            raise _BadRequestError("time passes by itself here; only a home with speed 0 can be advanced")
        async with self._advancing:
            await simulation.advance(seconds)
        return web.json_response(state_view(simulation))

    async def _break(self, board: _Board, request: web.Request) -> web.Response:
        body = await _body(request)
        name, for_s = body.pop("fault", None), body.pop("for_s", None)
        if not isinstance(name, str):
            raise _BadRequestError(f"'fault' is one of: {', '.join(board.kinds)}")
        if for_s is not None and not (is_number(for_s) and for_s > 0):
            raise _BadRequestError("'for_s' is a number of seconds above 0")
        await board.start(name, body, now=self._simulation.home.now, for_s=for_s)
        return _faults_response(board)

    def _find_charger(self, request: web.Request) -> WattpilotServer:
        serial = request.match_info["serial"]
        by_serial = {server.charger.config.serial: server for server in self._simulation.chargers}
        if serial not in by_serial:
            raise _not_found(f"no charger {serial!r}; there are: {', '.join(by_serial) or 'none'}")
        return by_serial[serial]

    def _charger_board(self, request: web.Request) -> FaultBoard[WattpilotServer]:
        return self._simulation.charger_faults[self._find_charger(request).charger.config.serial]

    def _inverter_board(self) -> FaultBoard[SolarEdgeServer]:
        if self._simulation.inverter_faults is None:
            raise _not_found("this home has no inverter")
        return self._simulation.inverter_faults

    def _cloud_board(self) -> FaultBoard[CloudServer]:
        if self._simulation.cloud_faults is None:
            raise _not_found("this home has no cloud")
        return self._simulation.cloud_faults

    def _find_circuit(self, name: str) -> Circuit:
        try:
            return self._named(name)
        except _BadRequestError as error:
            raise _not_found(str(error)) from None

    def _named(self, name: str) -> Circuit:
        circuits = self._simulation.home.circuits
        if name not in circuits:
            raise _BadRequestError(f"no circuit {name!r}; there are: {', '.join(circuits)}")
        return circuits[name]

    def _loads(self, given: Any) -> dict[str, PhaseValues]:
        if not isinstance(given, dict):
            raise _BadRequestError("a circuit needs 'load_w', 'load_a' or both")
        values = _take(given, {"load_w": _LOAD, "load_a": _LOAD})
        return {key: self._phase_values(value) for key, value in values.items()}

    def _phase_values(self, given: list[float]) -> PhaseValues:
        first, second, third = (float(part) for part in given)
        check_load(self._simulation.home.config.phases, (first, second, third))
        return first, second, third


@web.middleware
async def _answer_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn every refusal into JSON with a message."""
    try:
        return await handler(request)
    except web.HTTPNotFound as error:
        text = error.text if error.reason == _OURS else f"there is no {request.path}; what there is: {_routes(request)}"
        return _error(HTTPStatus.NOT_FOUND, text or "")
    except web.HTTPMethodNotAllowed as error:
        return _error(HTTPStatus.METHOD_NOT_ALLOWED, f"allowed here: {', '.join(sorted(error.allowed_methods))}")
    except NoSuchFaultError as error:
        # In an address something is missing, in a body something is wrong.
        return _error(HTTPStatus.NOT_FOUND if request.method == "DELETE" else HTTPStatus.BAD_REQUEST, str(error))
    except ValueError as error:
        return _error(HTTPStatus.BAD_REQUEST, str(error))


def _not_found(text: str) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=text, reason=_OURS)


def _error(status: HTTPStatus, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _routes(request: web.Request) -> str:
    routes = ((route.method, route.resource) for route in request.app.router.routes())
    return ", ".join(f"{method} {resource.canonical}" for method, resource in routes if resource and method != "HEAD")


async def _body(request: web.Request) -> Json:
    """Return the JSON object that came with a request."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _BadRequestError("the body must be a JSON object")
    return body


def _take(body: Json, allowed: dict[str, Parameter], *, needed: bool = False) -> Json:
    """Return the values of a body, all of them allowed."""
    for key, value in body.items():
        if key not in allowed:
            raise _BadRequestError(f"unknown {key!r}; allowed: {', '.join(allowed)}")
        if not allowed[key].check(value):
            raise _BadRequestError(f"{key!r} needs {allowed[key].what}")
    for key, parameter in allowed.items():
        if needed and key not in body:
            raise _BadRequestError(f"{key!r} is missing: {parameter.what}")
    return body


def _faults_response(board: _Board) -> web.Response:
    possible = {
        name: {"what": kind.what, "parameters": {key: given.what for key, given in kind.parameters.items()}}
        for name, kind in board.kinds.items()
    }
    return web.json_response({"active": faults_view(board), "possible": possible})


async def _mend(board: _Board, request: web.Request) -> web.Response:
    await board.end(request.match_info["fault"])
    return _faults_response(board)
