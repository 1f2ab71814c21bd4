"""How the arguments of the command line are read."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
import json
import math
import re

from .config import CarConfig, CircuitConfig, FaultConfig

_SPANS = r"\d+(?:-\d+)?(?:\+\d+(?:-\d+)?)*"
_CIRCUIT = re.compile(rf"(?P<name>[^:@,]+)(?:@(?P<parent>[^:@,]+))?:(?P<limit>[\d.]+)(?::(?P<chargers>{_SPANS}))?")


@dataclass(frozen=True, kw_only=True)
class CircuitOption:
    """A circuit of the command line.

    Attributes:
        circuit: The circuit.
        chargers: Numbers of the Wattpilots on it, from 1.
    """

    circuit: CircuitConfig
    chargers: tuple[int, ...]


def fault(text: str) -> FaultConfig:
    """Read `DEVICE:NAME` or `DEVICE:NAME:{JSON object of its parameters}`; `for_s` among them ends it."""
    device, _, rest = text.partition(":")
    name, _, given = rest.partition(":")
    try:
        parameters = json.loads(given or "{}")
    except ValueError:
        parameters = None
    if not device or not name or not isinstance(parameters, dict):
        raise argparse.ArgumentTypeError(f"not DEVICE:NAME or DEVICE:NAME:JSON: {text}")
    for_s = parameters.pop("for_s", None)
    if for_s is not None and not (isinstance(for_s, int | float) and for_s > 0):
        raise argparse.ArgumentTypeError(f"'for_s' is a number of seconds above 0: {text}")
    return FaultConfig(device=device, name=name, parameters=parameters, for_s=for_s)


def clock(text: str) -> time:
    """Read a time of day."""
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a time of day: {text}") from None


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"not a number above 0: {text}")
    return value


def part(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"not a number from 0 to 1: {text}")
    return value


def count(text: str) -> int:
    """Read how many."""
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"not a number from 1 to 1000: {text}")
    return int(text)


def port(text: str) -> int:
    """Read a port; 0 = any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"not a port: {text}")
    return int(text)


def ports(text: str) -> list[int]:
    """Read the port of each Wattpilot."""
    return [port(part) for part in text.split(",")]


def cars(text: str) -> list[CarConfig | None]:
    """Read the car of each Wattpilot; None = no car."""
    return [None if part == "none" else _car(part) for part in text.split(",")]


def _car(text: str) -> CarConfig:
    phases, _, current = text.partition("x")
    if phases not in {"1", "2", "3"} or not current.isdecimal() or not 6 <= int(current) <= 32:
        raise argparse.ArgumentTypeError(f"not a car (for example 3x16 or none): {text}")
    return CarConfig(phases=int(phases), max_current=float(current))


def wired(text: str) -> list[int]:
    """Read the phases of each connection."""
    if any(part not in {"1", "3"} for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"not 1 or 3 phases each: {text}")
    return [int(part) for part in text.split(",")]


def circuits(text: str) -> list[CircuitOption]:
    """Read circuits."""
    return [_circuit(part) for part in text.split(",")]


def _circuit(text: str) -> CircuitOption:
    found = _CIRCUIT.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"not a circuit (for example left@garage:32:1-8): {text}")
    circuit = CircuitConfig(name=found["name"], parent=found["parent"], limit_a=positive(found["limit"]))
    numbers: list[int] = []
    for span in found["chargers"].split("+") if found["chargers"] else []:
        first, _, last = span.partition("-")
        if int(last or first) < int(first):
            raise argparse.ArgumentTypeError(f"a span of Wattpilots runs upwards: {span}")
        numbers += range(int(first), int(last or first) + 1)
    return CircuitOption(circuit=circuit, chargers=tuple(numbers))


def charger_circuits(options: Sequence[CircuitOption], count: int) -> dict[int, str]:
    """Return the circuit of each Wattpilot that has one, by its number; ValueError where that cannot be."""
    places: dict[int, str] = {}
    for option in options:
        for number in option.chargers:
            if not 1 <= number <= count:
                raise ValueError(f"circuit {option.circuit.name}: there is no Wattpilot {number} of {count}")
            if number in places:
                raise ValueError(f"Wattpilot {number} is on two circuits: {places[number]} and {option.circuit.name}")
            places[number] = option.circuit.name
    return places
