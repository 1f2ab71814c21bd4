"""One row of the table: a field, a sentence or a line of a document, and where it is here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from custom_components.pv_load_manager.control import ConfigError, ExternalPhases, Reason


class Owner(StrEnum):
    """Whose entity it is."""

    MANAGER = "load manager"
    CHARGER = "charger"
    INVERTER = "inverter"
    CIRCUIT = "circuit"


@dataclass(frozen=True, kw_only=True)
class Entity:
    """An entity; a site with an inverter, a battery, a circuit and a charger has it."""

    platform: str
    key: str
    """Of the unique id, behind that of the owner; of a circuit the part before the circuit."""
    owner: Owner = Owner.MANAGER
    text: str | None = None
    """Its translation key; None = its key."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """A field of a form."""

    flow: str
    """``config``, ``options`` or ``circuit``."""
    step: str
    field: str


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action of the integration, with one of its fields."""

    name: str
    field: str | None = None


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """A figure in the diagnostics of the load manager."""

    path: str
    """Keys, joined by dots."""


@dataclass(frozen=True, kw_only=True)
class Json:
    """A field of our JSON over HTTP."""

    path: str
    """``document.field``."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Something that is done, and the tests that show it."""

    tests: tuple[str, ...]
    """``file::function``, below ``tests``."""
    reasons: tuple[Reason, ...] = ()
    """What a charger says about it."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value of an enumeration of the control core that has the document's number."""

    member: ConfigError | ExternalPhases


@dataclass(frozen=True, kw_only=True)
class Nowhere:
    """Why it has no meaning here."""

    because: str


type Place = Entity | Option | Action | Diagnostics | Json | Behaviour | Value | Nowhere


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number that a document names, and what it is here."""

    text: str
    """As the document writes it."""
    meaning: str
    same: float | None = None
    """The number of our code, where it has to be the same one."""
    within: tuple[float, float] | None = None
    """The range of our code, where it has to lie within it."""

    @property
    def value(self) -> float:
        """Return the number; in German texts a comma stands before the decimals."""
        return float(int(self.text, 16) if self.text.startswith("0x") else self.text.replace(",", "."))


@dataclass(frozen=True, kw_only=True)
class Write:
    """Something that a document says can be written, and what the control core is told then."""

    through: Entity | Option
    value: Any
    """In the unit of the entity or of the form."""
    told: str
    """Path into the configuration."""
    expected: Any
    """In the unit of the core."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row."""

    keys: tuple[str, ...]
    """What of the document it is about: names of fields, ``field=value``, or ``line N``."""
    says: str
    """What the document says about it, in our words."""
    places: tuple[Place, ...]
    note: str = ""
    """How it is meant here."""
    numbers: tuple[Number, ...] = ()
    writes: tuple[Write, ...] = ()


def lines(*numbers: int | tuple[int, int]) -> tuple[str, ...]:
    """Return the keys of lines; a pair is the first and the last of several."""
    spans = [(number, number) if isinstance(number, int) else number for number in numbers]
    return tuple(f"line {line}" for first, last in spans for line in range(first, last + 1))


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of one document."""

    title: str
    file: str
    """In the folder of the seeds."""
    digest: str
    """SHA-256 of the file that was read; another text has to be read anew."""
    rows: tuple[Row, ...]
