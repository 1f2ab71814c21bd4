"""Reading and making frames."""

import ast
import json
from pathlib import Path
import sys
from typing import Any

import pytest

from custom_components.pv_load_manager import wattpilot
from custom_components.pv_load_manager.wattpilot import Timings, WattpilotProtocolError
from custom_components.pv_load_manager.wattpilot.backoff import Backoff
from custom_components.pv_load_manager.wattpilot.protocol import (
    command_frame,
    frame_type,
    parse_frame,
    parse_hello,
    printable_type,
    refusal,
    response_id,
)

from .scripted import hello


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '"x"', "[" * 100_000, "9" * 5000], ids=len)
def test_nonsense_is_no_frame(text: str) -> None:
    """Anything but a JSON object is nothing, also what exhausts the parser."""
    assert parse_frame(text) is None


def test_frame_types() -> None:
    """A type is text, and only harmless text gets into a log."""
    assert frame_type({"type": "hello"}) == "hello"
    assert frame_type({"type": 3}) == frame_type({}) == ""
    assert printable_type({"type": "clearSmips"}) == "clearSmips"
    assert printable_type({"type": "a b\n"}) == printable_type({"type": "x" * 99}) == printable_type({}) == "unnamed"


def test_hello_of_the_oldest_firmware() -> None:
    """Firmware 36.3 has no device family."""
    frame = hello(devicetype="wattpilot", version="36.3")
    del frame["devicefamily"], frame["proto"]
    greeting = parse_hello(frame)
    assert greeting.secured
    assert greeting.info.device_type == greeting.info.model == "wattpilot"
    assert (greeting.info.firmware, greeting.info.protocol, greeting.info.name) == ("36.3", 2, "Garage")


def test_hello_with_little_in_it() -> None:
    """Only the serial and the type are needed."""
    greeting = parse_hello({"type": "hello", "serial": 123, "devicetype": "wattpilot_V2", "protocol": "x"})
    assert greeting.info.serial == "123"
    assert greeting.info.name == "Wattpilot 123"
    assert greeting.info.protocol is None
    assert greeting.info.hostname is None
    assert not greeting.secured


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "auth_required", "ha_version": "2026.10"},
        hello(serial=None),
        hello(serial=""),
        hello(serial="x" * 99),
        hello(serial="1 2"),
        hello(devicetype="go-eCharger", devicefamily="go-eCharger"),
        hello(devicetype=None, devicefamily=None),
    ],
)
def test_not_a_wattpilot(frame: dict[str, Any]) -> None:
    """Another device is told apart, also one that speaks the same language."""
    with pytest.raises(WattpilotProtocolError):
        parse_hello(frame)


def test_plain_command() -> None:
    """Without a key the command goes out as it is."""
    assert json.loads(command_frame(7, "dwo", None, None)) == {
        "type": "setValue",
        "requestId": 7,
        "key": "dwo",
        "value": None,
    }


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("7", 7), (7, 7), ("7sm", 7), ("x", None), (None, None), (True, None), ("", None), ("9" * 30, None)],
)
def test_response_id(raw: Any, expected: int | None) -> None:
    """The number of a request comes back in several forms."""
    assert response_id({"requestId": raw}) == expected


def test_refusal_text() -> None:
    """A short printable reason is passed on, nothing else."""
    assert refusal({"message": "out of range"}) == "out of range"
    for message in ("a\nb", "x" * 500, "", 3, None):
        assert refusal({"message": message}) == "the charger gave no reason"


def test_backoff_grows_to_its_limit_and_starts_again() -> None:
    """Waits double up to the limit, which the random part does not exceed."""
    backoff = Backoff(Timings())
    delays = [backoff.delay() for _ in range(2000)]
    for delay, base in zip(delays, (1, 2, 4, 8, 16, 32), strict=False):
        assert base * 0.8 <= delay <= base * 1.2
    assert max(delays) <= 45 and min(delays[6:]) >= 36  # noqa: PT018 - one statement about one range
    assert len(set(delays[10:30])) > 1
    assert 36 <= backoff.slow() <= 45
    backoff.reset()
    assert backoff.delay() <= 1.2


def test_flex_gets_more_time() -> None:
    """Only the Flex gets longer limits, and never shorter ones."""
    timings = Timings()
    assert timings.for_device("wattpilot_V2") is timings.for_device(None) is timings
    assert (timings.for_device("wattpilot_flex").snapshot, timings.for_device("wattpilot_flex").connect) == (60, 60)
    assert Timings(snapshot=90).for_device("wattpilot_flex").snapshot == 90


def test_package_does_not_know_home_assistant() -> None:
    """The client imports the standard library, the libraries for WebSocket and bcrypt, and itself, nothing else."""
    package = Path(wattpilot.__file__).parent
    for path in package.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path
                names = [] if node.level else [node.module or ""]
            for name in names:
                assert name.partition(".")[0] in sys.stdlib_module_names | {"bcrypt", "websockets"}, f"{path}: {name}"
