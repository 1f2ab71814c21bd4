"""Faults by name, with parameters and an end: how a running home is broken from outside."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
import inspect
import math
from typing import Any

type Check = Callable[[Any], bool]
type Parameters = dict[str, Any]


class FaultError(ValueError):
    """A fault that cannot be; the text says what is allowed."""


class NoSuchFaultError(FaultError):
    """A fault that is not active, or that nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a fault wants to know.

    Attributes:
        what: What is allowed, for people.
        check: Whether a value is allowed.
        default: Taken where nothing is given; None = must be given.
    """

    what: str
    check: Check
    default: Any = None


@dataclass(frozen=True, kw_only=True)
class FaultKind[Device]:
    """Something that can go wrong with a device.

    Attributes:
        what: What happens, for people.
        start: Lets it happen.
        end: Makes it good again; None = it is over at once.
        parameters: By name.
    """

    what: str
    start: Callable[[Device, Parameters], Awaitable[None] | None]
    end: Callable[[Device], Awaitable[None] | None] | None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ActiveFault:
    """A fault under way.

    Attributes:
        name: Which one.
        parameters: As given, with the defaults.
        ends_at: Home time at which it ends by itself, s; None = never.
    """

    name: str
    parameters: Parameters
    ends_at: float | None


class FaultBoard[Device]:
    """The faults of one device.

    Attributes:
        kinds: What can go wrong, by name.
        active: What does go wrong, by name.
    """

    def __init__(self, device: Device, kinds: Mapping[str, FaultKind[Device]]) -> None:
        self.kinds = kinds
        self.active: dict[str, ActiveFault] = {}
        self._device = device

    @property
    def next_end(self) -> float:
        """Home time at which the next fault ends by itself, s; infinite where none does."""
        return min((fault.ends_at for fault in self.active.values() if fault.ends_at is not None), default=math.inf)

    async def start(self, name: str, parameters: Parameters, *, now: float, for_s: float | None = None) -> None:
        """Let something go wrong; a fault under way starts over with the new parameters.

        Raises:
            FaultError: There is no such fault, or it does not take these parameters.
        """
        kind = self._kind(name)
        checked = _checked(name, kind, parameters)
        if for_s is not None and kind.end is None:
            raise FaultError(f"fault {name!r} is over at once, it takes no 'for_s'")
        if name in self.active:
            await self.end(name)
        begun = kind.start(self._device, checked)
        if inspect.isawaitable(begun):
            await begun
        if kind.end is not None:
            ends_at = None if for_s is None else now + for_s
            self.active[name] = ActiveFault(name=name, parameters=checked, ends_at=ends_at)

    async def end(self, name: str) -> None:
        """Make something good again; raises NoSuchFaultError where it was not wrong."""
        kind = self._kind(name)
        if name not in self.active or kind.end is None:
            active = ", ".join(self.active) or "none"
            raise NoSuchFaultError(f"fault {name!r} is not active; active: {active}")
        del self.active[name]
        ended = kind.end(self._device)
        if inspect.isawaitable(ended):
            await ended

    async def end_due(self, now: float) -> None:
        """End what was to end by home time `now`."""
        for name, fault in list(self.active.items()):
            if fault.ends_at is not None and fault.ends_at <= now + 1e-9:
                await self.end(name)

    def _kind(self, name: str) -> FaultKind[Device]:
        if name not in self.kinds:
            raise NoSuchFaultError(f"unknown fault {name!r}; there are: {', '.join(self.kinds)}")
        return self.kinds[name]


def _checked(name: str, kind: FaultKind[Any], parameters: Parameters) -> Parameters:
    """Return the parameters with their defaults, or say what is wrong with them."""
    for key in parameters:
        if key not in kind.parameters:
            raise FaultError(
                f"fault {name!r} has no parameter {key!r}; it takes: {', '.join(kind.parameters) or 'none'}"
            )
    checked = {key: parameter.default for key, parameter in kind.parameters.items()} | parameters
    for key, parameter in kind.parameters.items():
        if key not in parameters and parameter.default is not None:
            continue
        if not parameter.check(checked[key]):
            raise FaultError(f"fault {name!r} needs {key!r}: {parameter.what}")
    return checked
