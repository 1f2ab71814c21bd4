"""What can go wrong with a Wattpilot and with the inverter, by the names that the control endpoint uses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
import math
from typing import Any, Protocol

from tmodbus.exceptions import error_code_to_exception_map

from .faults import FaultError, FaultKind, Parameter, Parameters
from .register_faults import SENTINELS as REGISTER_SENTINELS
from .solaredge import SolarEdgeServer
from .wattpilot import WattpilotServer
from .wattpilot_distortion import MALFORMED, MEASURED, SENTINELS
from .wattpilot_keys import WRITABLE


class _OnNetwork(Protocol):
    """What all simulated devices share."""

    @property
    def faults(self) -> Any: ...

    def drop(self) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_keys(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_text(key) for key in value)


def _is_register(value: object) -> bool:
    return type(value) is int and 0 <= value <= 0xFFFF


def _is_blocks(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_block(block) for block in value)


def _is_block(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_register(word) for word in value) and value[1] > 0


def _is_slowness(value: Any) -> bool:
    span = value if isinstance(value, list) and len(value) == 2 else [value, value]
    return all(is_number(seconds) and seconds > 0 for seconds in span) and span[0] <= span[1]


def _one_of(choices: Iterable[str], default: str) -> Parameter:
    """Return a parameter that is one of a few words."""
    known = tuple(choices)
    return Parameter(what=f"one of: {', '.join(known)}", check=lambda value: value in known, default=default)


_YES = Parameter(what="true or false", check=lambda value: isinstance(value, bool), default=False)
_KEYS = Parameter(what="a list of keys of the status", check=_is_keys)
_SLOWNESS = Parameter(what="a number of seconds above 0, or a list of the least and the most", check=_is_slowness)
_SERIAL = Parameter(what="digits", check=lambda value: isinstance(value, str) and value.isdecimal())
_BLOCKS = Parameter(what="a list of [first register, count]", check=_is_blocks)


def _reset(device: _OnNetwork, attribute: str) -> None:
    """Give an attribute of a device's faults its default again."""
    (found,) = (entry for entry in fields(device.faults) if entry.name == attribute)
    value = found.default_factory() if found.default_factory is not MISSING else found.default
    setattr(device.faults, attribute, value)


def _reset_all(*attributes: str) -> Callable[[_OnNetwork], None]:
    """Return what gives attributes their defaults again."""

    def reset(device: _OnNetwork) -> None:
        for attribute in attributes:
            _reset(device, attribute)

    return reset


def _flag(attribute: str, what: str) -> FaultKind[Any]:
    """Return a fault that is nothing but an attribute that is true."""
    return FaultKind(
        what=what,
        start=lambda device, _: setattr(device.faults, attribute, True),
        end=lambda device: _reset(device, attribute),
    )


def _value(
    attribute: str,
    what: str,
    name: str,
    parameter: Parameter,
    convert: Callable[[Any], Any] = lambda value: value,
) -> FaultKind[Any]:
    """Return a fault that is an attribute with the value of its one parameter."""
    return FaultKind(
        what=what,
        start=lambda device, given: setattr(device.faults, attribute, convert(given[name])),
        end=lambda device: _reset(device, attribute),
        parameters={name: parameter},
    )


def _slow(what: str) -> FaultKind[Any]:
    """Return a fault that takes a time, or every time another one."""

    def start(device: Any, given: Parameters) -> None:
        seconds = given["seconds"]
        least, most = seconds if isinstance(seconds, list) else (seconds, 0.0)
        device.faults.slow_s, device.faults.slow_to_s = least, most

    end = _reset_all("slow_s", "slow_to_s")
    return FaultKind(what=what, start=start, end=end, parameters={"seconds": _SLOWNESS})


def _blocks(value: Iterable[tuple[int, int]]) -> list[range]:
    return [range(first, first + count) for first, count in value]


_NETWORK: dict[str, FaultKind[Any]] = {
    "refuse": _flag("refuse", "new connections are cut; those that exist stay"),
    "drop": FaultKind(
        what="all connections are cut, once; the next one works",
        start=lambda device, _: device.drop(),
        end=None,
    ),
    "offline": FaultKind(
        what="gone from the network: all connections are cut and the port is closed",
        start=lambda device, _: device.stop(),
        end=lambda device: device.start(),
    ),
}


def _go_deaf(server: WattpilotServer, *, deaf: bool) -> None:
    server.faults.deaf = deaf
    server.apply_deafness()


def _stick(server: WattpilotServer, given: Parameters) -> None:
    unknown = [key for key in given["keys"] if key not in server.status()]
    if unknown:
        raise FaultError(f"the status has no key {', '.join(unknown)}")
    server.stick(*given["keys"])


def _reject(server: WattpilotServer, given: Parameters) -> None:
    message: str = given["message"]
    server.faults.rejected_keys = dict.fromkeys(given["keys"], message)


def _set_error(server: WattpilotServer, code: int) -> None:
    server.charger.error = code


def _set_temperature(server: WattpilotServer, current: int) -> None:
    server.charger.temperature_current = current


def _malform(server: WattpilotServer, given: Parameters) -> None:
    server.faults.malformed, server.faults.malformed_beside = given["form"], given["beside"]


def _change_password(server: WattpilotServer, given: Parameters) -> None:
    server.faults.password = given["password"]
    server.drop()


_COMMANDS = Parameter(
    what="a list of keys that can be written (default: all)",
    check=lambda value: _is_keys(value) and all(key in WRITABLE for key in value),
    default=list(WRITABLE),
)

WATTPILOT_FAULTS: Mapping[str, FaultKind[WattpilotServer]] = _NETWORK | {
    "silence": _flag("silent", "sends nothing; the sockets stay open and answer pings"),
    "deaf": FaultKind[WattpilotServer](
        what="a half-open socket: sends nothing, reads nothing, answers no ping",
        start=lambda server, _: _go_deaf(server, deaf=True),
        end=lambda server: _go_deaf(server, deaf=False),
    ),
    "stuck_value": FaultKind[WattpilotServer](
        what="keys of the status keep their present values whatever happens",
        start=_stick,
        end=lambda server: _reset(server, "stuck"),
        parameters={"keys": _KEYS},
    ),
    "ignored_command": _value("ignored_keys", "writes succeed and do nothing", "keys", _COMMANDS, set),
    "rejected_command": FaultKind[WattpilotServer](
        what="writes are answered with a refusal",
        start=_reject,
        end=lambda server: _reset(server, "rejected_keys"),
        parameters={"keys": _COMMANDS, "message": Parameter(what="a text", check=_is_text, default="not now")},
    ),
    "no_response": _flag("no_response", "writes are applied and not answered"),
    "slow_answer": _slow("all that it sends comes late (home time), in order"),
    "reboot": FaultKind[WattpilotServer](
        what="reboots, once, as after a write of `rst`",
        start=lambda server, _: server.charger.reboot(),
        end=None,
    ),
    "error": FaultKind[WattpilotServer](
        what="the key `err`; it does not charge",
        start=lambda server, given: _set_error(server, given["code"]),
        end=lambda server: _set_error(server, 0),
        parameters={
            "code": Parameter(
                what="a whole number from 1 to 255", check=lambda code: _is_register(code) and 0 < code < 256
            )
        },
    ),
    "derating": FaultKind[WattpilotServer](
        what="too hot: the key `amt` is lower",
        start=lambda server, given: _set_temperature(server, given["current"]),
        end=lambda server: _set_temperature(server, 32),
        parameters={
            "current": Parameter(what="whole A from 0 to 32", check=lambda amps: _is_register(amps) and amps <= 32)
        },
    ),
    "wrong_password": _flag("wrong_password", "every login fails"),
    "half_snapshot": _flag("half_snapshot", "the last `fullStatus` of a snapshot never comes"),
    "delta_in_snapshot": _flag("delta_in_snapshot", "a `deltaStatus` comes inside a snapshot"),
    "fragmented": _flag("fragmented", "`fullStatus` comes in several WebSocket frames"),
    "unknown_messages": _flag("unknown_messages", "messages of an unknown type"),
    "identity": _value("serial", "another serial number", "serial", _SERIAL),
    "override": _value(
        "override",
        "values that take the place of the real ones",
        "values",
        Parameter(what="an object of keys and values", check=lambda value: isinstance(value, dict) and bool(value)),
        dict,
    ),
    "missing_keys": _value("missing_keys", "keys are left out of the status", "keys", _KEYS, set),
    "flood": _value(
        "flood",
        "so many more messages per second of home time",
        "count",
        Parameter(what="a whole number from 1 to 5000", check=lambda n: type(n) is int and 0 < n <= 5000, default=300),
    ),
    "malformed": FaultKind[WattpilotServer](
        what="broken messages instead of good ones, or beside them",
        start=_malform,
        end=_reset_all("malformed", "malformed_beside"),
        parameters={"form": _one_of(MALFORMED, "no_json"), "beside": _YES},
    ),
    "truncated": _flag("truncated", "each status ends in the middle of its frame, and so does the connection"),
    "bad_signatures": _flag("bad_signatures", "every signature is refused"),
    "password_changed": FaultKind[WattpilotServer](
        what="another password; all connections are cut",
        start=_change_password,
        end=lambda server: _reset(server, "password"),
        parameters={"password": Parameter(what="a text", check=_is_text, default="another-password")},
    ),
    "unknown_keys": _value(
        "unknown_keys",
        "so many keys that nobody knows, and codes that nobody knows",
        "count",
        Parameter(what="a whole number from 1 to 5000", check=lambda n: type(n) is int and 0 < n <= 5000, default=300),
    ),
    "text_numbers": _flag("text_numbers", "numbers come as text"),
    "sentinels": FaultKind[WattpilotServer](
        what="no numbers where numbers belong",
        start=lambda server, given: setattr(server.faults, "sentinels", dict.fromkeys(given["keys"], given["value"])),
        end=lambda server: _reset(server, "sentinels"),
        parameters={
            "value": _one_of(SENTINELS, "nan"),
            "keys": Parameter(what="a list of keys of the status", check=_is_keys, default=list(MEASURED)),
        },
    ),
    "clock_jump": _value(
        "clock_s",
        "its clock and its time since the boot jump",
        "seconds",
        Parameter(what="a number of seconds", check=is_number, default=3600.0),
    ),
}
"""What can go wrong with a Wattpilot."""


def _restart(server: SolarEdgeServer) -> None:
    server.faults.refuse = True
    server.drop()


def _except(server: SolarEdgeServer, given: Parameters) -> None:
    server.faults.exception, server.faults.exception_on = given["code"], _blocks(given["blocks"])


def _spoil(server: SolarEdgeServer, given: Parameters) -> None:
    server.faults.sentinel, server.faults.sentinel_on = given["value"], _blocks(given["blocks"])


_SOME_BLOCKS = Parameter(
    what=f"{_BLOCKS.what} (default: all)", check=lambda value: value == [] or _is_blocks(value), default=[]
)

INVERTER_FAULTS: Mapping[str, FaultKind[SolarEdgeServer]] = _NETWORK | {
    "silent": _flag("silent", "no request is answered"),
    "silent_blocks": _value("silent_blocks", "requests for these are not answered", "blocks", _BLOCKS, _blocks),
    "exception_blocks": _value("exception_blocks", "exception 2 for these", "blocks", _BLOCKS, _blocks),
    "broken_blocks": _value("broken_blocks", "exception 4 for these", "blocks", _BLOCKS, _blocks),
    "frozen_meter": FaultKind[SolarEdgeServer](
        what="the meters keep their present values",
        start=lambda server, _: server.freeze_meter(),
        end=lambda server: _reset(server, "frozen_meter"),
    ),
    "lost_meter": _flag("lost_meter", "the measured values of the meters are not implemented"),
    "slow": _slow("each answer takes this long (wall clock)"),
    "identity": _value("serial", "another serial number", "serial", Parameter(what="a text", check=_is_text)),
    "restart": FaultKind[SolarEdgeServer](
        what="a restart after new firmware: the connection is cut, and every new one until it ends",
        start=lambda server, _: _restart(server),
        end=lambda server: _reset(server, "refuse"),
    ),
    "exception": FaultKind[SolarEdgeServer](
        what="an exception instead of answers: 1 function, 2 address, 4 failure, 6 busy, 10 and 11 gateway",
        start=_except,
        end=_reset_all("exception", "exception_on"),
        parameters={
            "code": Parameter(
                what="1, 2, 3, 4, 5, 6, 8, 10 or 11",
                check=lambda code: type(code) is int and code in error_code_to_exception_map,
                default=4,
            ),
            "blocks": _SOME_BLOCKS,
        },
    ),
    "sentinels": FaultKind[SolarEdgeServer](
        what="no numbers where measured values belong",
        start=_spoil,
        end=_reset_all("sentinel", "sentinel_on"),
        parameters={"value": _one_of(REGISTER_SENTINELS, "int16"), "blocks": _SOME_BLOCKS},
    ),
    "sign_flip": _flag("sign_flip", "the meters count the wrong way round"),
    "truncated": _flag("truncated", "each answer ends in the middle, and so does the connection"),
}
"""What can go wrong with the inverter."""
