"""What a field of a document is: its type and range, how it is read, and what writing it means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ..control import Configuration, PhasePolicy

NO_METER: Final = 255
"""The number of a meter slot that says that there is none."""

ANY: Final = (-(2**31), 2**31 - 1)
"""The limits of a number of which nothing more is known."""

type Changes = dict[str, Any]
"""What a write asks for: saved settings of the site by name, and what is no such setting by its target."""


class Kind(StrEnum):
    """The type of a field, with the name that the documentation has for it."""

    BOOL = "bool"
    INT = "int"
    NUMBER = "number"
    LIST = "list"


class Target(StrEnum):
    """What is changed other than as a saved setting of the site."""

    MODE = "target:mode"
    PHASES_WANTED = "target:phases_wanted"
    PHASE_POLICY = "target:phase_policy"
    """Of every charger that the load manager commands."""
    GRID_SLOT = "target:grid_slot"
    BATTERY_SLOT = "target:battery_slot"
    BATTERY_NEGATIVE = "target:battery_negative"
    """Whether the battery's source is negative while charging."""


class Refused(Exception):  # noqa: N818 - it says what was done, as Home Assistant's own Unauthorized does
    """A request that changes nothing."""

    def __init__(self, message: str, field: str | None = None, *, conflict: bool = False) -> None:
        """Keep why.

        Args:
            message: for people, in English.
            field: whose fault it is.
            conflict: whether the same request may be right at another time.
        """
        super().__init__(message)
        self.message, self.field, self.conflict = message, field, conflict


@dataclass(frozen=True, kw_only=True)
class Meter:
    """A meter that is configured, with the number of its slot."""

    slot: int
    name: str
    grid_power: bool = False
    grid_currents: bool = False
    """Whether it knows the current of every phase of the house."""
    battery_power: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the documents are made of, at one moment."""

    config: Configuration
    state: Mapping[str, Any]
    """The document ``state``."""
    low_level: Mapping[str, Any]
    """The document ``low_level_state``."""
    default_mode: str
    phase_policies: frozenset[PhasePolicy]
    """What was chosen for the chargers, whatever a test of their wiring asks of them now."""
    meters: tuple[Meter, ...]
    grid_slot: int
    battery_slot: int
    battery_negative: bool
    largest_consumer_a: float

    def meter(self, slot: int) -> Meter | None:
        """Return the meter of a slot."""
        return next((meter for meter in self.meters if meter.slot == slot), None)


def _nothing_against(_seen: Seen, _value: Any, _body: Mapping[str, Any]) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a document."""

    name: str
    kind: Kind
    read: Callable[[Seen], Any]
    write: Callable[[Any], Changes] | None = None
    """What a new value changes; None = it can only be read."""
    unit: str = ""
    choices: tuple[int, ...] = ()
    """The numbers that there are, where there are a few."""
    limits: tuple[int, int] = ANY
    """The least and the largest number."""
    check: Callable[[Seen, Any, Mapping[str, Any]], str | None] = _nothing_against
    """Why a value that is in range is not possible now, from what is seen, the value and all that is written."""
    meant: bool = False
    """Whether the number that is read counts, too, where it is written alone."""
    depends: bool = False
    """Whether what is read depends on another field, so that it always counts."""
    note: str = ""
    """How it is meant here, for the documentation."""

    def refuse_wrong(self, value: object) -> None:
        """Refuse what is no value of this field.

        Raises:
            Refused: it has another type, or is out of range.
        """
        if self.kind is Kind.BOOL:
            right = isinstance(value, bool)
        else:
            right = isinstance(value, int) and not isinstance(value, bool) and self._in_range(value)
        if not right:
            raise Refused(f"{self.name} must be {self.range_text}", self.name)

    @property
    def range_text(self) -> str:
        """Return what is allowed, in words."""
        if self.kind is Kind.BOOL:
            return "true or false"
        if self.choices:
            return f"one of {', '.join(map(str, self.choices))}"
        return f"a whole number from {self.limits[0]} to {self.limits[1]}"

    def _in_range(self, value: int) -> bool:
        return value in self.choices if self.choices else self.limits[0] <= value <= self.limits[1]


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document: its name in the address, and its fields."""

    name: str
    fields: tuple[Field, ...]
    writable: bool = False
    admin: bool = False
    """Whether only an administrator may write it."""
    short: bool = False
    """Whether its only field can be written without its name."""

    def read(self, seen: Seen) -> dict[str, Any]:
        """Return the whole document."""
        return {field.name: field.read(seen) for field in self.fields}

    def changes(self, body: object, seen: Seen) -> Changes:
        """Return what a write asks for.

        Args:
            body: as it came.
            seen: what the document says now.

        Raises:
            Refused: any part of it is wrong; then nothing of it counts.
        """
        wanted = self._object(body)
        fields = {field.name: field for field in self.fields}
        for name, value in wanted.items():
            if name not in fields:
                raise Refused(f"{self.name} has no field {name}", name)
            fields[name].refuse_wrong(value)
        changes: Changes = {}
        for name, value in wanted.items():
            field = fields[name]
            counts = field.depends or (field.meant and len(wanted) == 1) or value != field.read(seen)
            if field.write is None or not counts:
                continue
            if (why := field.check(seen, value, wanted)) is not None:
                raise Refused(why, name)
            changes |= field.write(value)
        return changes

    def _object(self, body: object) -> Mapping[str, Any]:
        """Return what was sent by the names of the fields."""
        first = self.fields[0].name
        if isinstance(body, Mapping):
            if self.short and first not in body:
                names: Sequence[str] = [name for name in body if name != first]
                raise Refused(f"{self.name} needs {first}", names[0] if names else first)
            return body
        if self.short:
            return {first: body}
        raise Refused(f"{self.name} takes a JSON object")
