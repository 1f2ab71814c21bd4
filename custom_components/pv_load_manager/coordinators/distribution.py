"""Keeps the distribution log: the last redistributions, and with its switch on everything of a day."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
import json
import string
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..control import Configuration, Plan, Reason
from ..control.distribution import (
    Figures,
    Redistribution,
    Seen,
    as_json,
    command_as_json,
    compare,
    merged,
    modes,
)
from .happenings import Happenings
from .record_store import Copy, RecordStore

RING: Final = 1000
"""So many redistributions are always kept."""
DAY: Final = 86_400.0  # s
LONGEST: Final = 10 * 1024 * 1024
"""The log is never longer, in bytes of text, whatever happens in the house: about a tenth of it in memory.

Home Assistant writes a download within its event loop, so a longer one would block that for too long.
"""

type Encode = Callable[[Any], bytes]


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """The log of one moment; it may be read in another thread."""

    complete: bool
    start: Mapping[str, Any]
    records: Copy
    closing: bytes | None
    """What differs now and is no record of its own (yet)."""
    ring: int

    def as_dict(self) -> dict[str, Any]:
        """Return the download: the allocation before the records, the records as lines of JSON, the oldest first."""
        lines, start = self.records.lines(), dict(self.start)
        surplus = 0 if self.complete else max(0, len(lines) - self.ring)
        for line in lines[:surplus]:
            start |= {change["charger"]: change["after"] for change in json.loads(line)["changes"]}
        lines = lines[surplus:]
        if self.closing is not None:
            lines.append(self.closing)
        return {
            "complete": self.complete,
            "start": {key: command for key, command in start.items() if command is not None},
            "records": [line.decode() for line in lines],
        }

    def of(self, charger_ids: Iterable[str], most: int) -> dict[str, list[dict[str, Any]]]:
        """Return the last records about some chargers, the newest first, each with the charger's own change alone."""
        found: dict[str, list[dict[str, Any]]] = {key: [] for key in charger_ids}
        lines = [*self.records.lines(), *(() if self.closing is None else (self.closing,))]
        for line in reversed(lines):
            wanted = [key for key, records in found.items() if len(records) < most]
            if not wanted:
                break
            if any(key.encode() in line for key in wanted):  # most of a long log is about others
                record = json.loads(line)
                for change in record.pop("changes"):
                    if change["charger"] in wanted:
                        found[change["charger"]].append({**record, **change})
        return found


class DistributionLog:
    """Every redistribution as data.

    Where not everything is recorded, small changes of current that go on as before are summed up in one record before
    the next one that people care about, so that the log replays without a gap all the same.
    """

    def __init__(self, figures: Figures | None = None, *, encode: Encode = json_bytes, ring: int = RING) -> None:
        """Begin empty.

        Args:
            figures: which numbers of each reason are kept; None = all.
            encode: makes JSON.
            ring: how many redistributions are kept at least.
        """
        self.complete = False
        """Whether everything is recorded, and kept for a day."""
        self._figures, self._encode, self._ring = figures, encode, ring
        self._store = RecordStore()
        self._start: dict[str, Any] = {}
        self._seen = Seen()
        self._pending: Redistribution | None = None

    @property
    def count(self) -> int:
        """Return the number of records."""
        return self._store.count

    @property
    def size(self) -> int:
        """Return what they take in memory, in bytes."""
        return self._store.size

    @property
    def length(self) -> int:
        """Return how long they are as text, in bytes."""
        return self._store.length

    def follow(self, plan: Plan, config: Configuration, now: float, moment: datetime) -> Redistribution | None:
        """Take the next plan in; return what changed.

        Args:
            plan: the new plan.
            config: what it was made with.
            now: monotonic seconds.
            moment: the same, aware.
        """
        self._seen, record = compare(self._seen, plan, modes(config), now, moment)
        if record is None:
            return None
        if record.routine and not self.complete:
            self._pending = record if self._pending is None else merged(self._pending, record)
            return record
        self._flush()
        self._append(record)
        return record

    def excerpt(self) -> Excerpt:
        """Return the log as it is now."""
        pending = self._pending
        closing = None if pending is None or not pending.changes else self._encode(as_json(pending, self._figures))
        return Excerpt(
            complete=self.complete,
            start=dict(self._start),
            records=self._store.copy(),
            closing=closing,
            ring=self._ring - (closing is not None),
        )

    def allocation(self) -> dict[str, Any]:
        """Return what every charger is told now, as JSON, by charger; who is left alone is missing."""
        return {key: command_as_json(command) for key, command in self._seen.allocation.items()}

    def _flush(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None and pending.changes:
            self._append(pending)

    def _append(self, record: Redistribution) -> None:
        effect = {change.charger_id: command_as_json(change.after) for change in record.changes}
        self._store.append(self._encode(as_json(record, self._figures)), record.at, effect)
        while (oldest := self._store.oldest) is not None:
            spare = self._store.count - oldest.count >= self._ring
            old = not self.complete or oldest.last_at < record.at - DAY
            if not (spare and old) and self._store.length <= LONGEST:
                return
            self._start |= self._store.forget()


class Distribution:
    """The log of the house, and who tells what happens; it outlives a reload of the load manager."""

    def __init__(self, hass: HomeAssistant, templates: Mapping[str, str]) -> None:
        """Begin with an empty log."""
        self._hass = hass
        self._happenings = Happenings()
        self.log = DistributionLog(figures_of(templates))

    @callback
    def follow(self, plan: Plan, config: Configuration, now: float, *, complete: bool) -> None:
        """Take the next plan in and tell what happened.

        Args:
            plan: the new plan.
            config: what it was made with.
            now: monotonic seconds.
            complete: whether everything is to be recorded.
        """
        self.log.complete = complete
        record = self.log.follow(plan, config, now, dt_util.now())
        for happening in self._happenings.follow(plan, record, now):
            async_dispatcher_send(self._hass, happened(happening.charger_id), happening)

    @callback
    def end(self, now: float) -> None:
        """Note that nobody is told anything any more; what is so when it goes on has not happened then."""
        self.log.follow(Plan(), Configuration(), now, dt_util.now())
        self._happenings = Happenings()


_DISTRIBUTION: HassKey[Distribution] = HassKey(f"{DOMAIN}_distribution")


def distribution_of(hass: HomeAssistant, templates: Mapping[str, str]) -> Distribution:
    """Return the distribution of the house; its log begins with the first load manager that asks for it."""
    if _DISTRIBUTION not in hass.data:
        hass.data[_DISTRIBUTION] = Distribution(hass, templates)
    return hass.data[_DISTRIBUTION]


@callback
def forget_distribution(hass: HomeAssistant) -> None:
    """Forget the log with the load manager that it is of."""
    hass.data.pop(_DISTRIBUTION, None)


def happened(charger_id: str | None) -> str:
    """Return the signal by which what happens to a charger is told, or to the house."""
    return f"{DOMAIN}_happened_{charger_id or 'site'}"


def figures_of(templates: Mapping[str, str]) -> Figures:
    """Return which numbers matter for a reason: those that its sentence speaks of."""
    return {
        reason: frozenset(name for _, name, _, _ in string.Formatter().parse(templates.get(reason.value, "")) if name)
        for reason in Reason
    }
