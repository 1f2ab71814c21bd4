"""The distribution of the current as a log: what changed between two plans, for whom and why.

An allocation is what every charger is told; a charger that is left alone is not in it. A record of the log goes into
JSON; :func:`replay` turns such records back into the allocation after them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from .causes import Cause, cause_of, stronger
from .model import Command, Configuration, Three
from .plan import ChargerPlan, Plan
from .reasons import Explanation, Reason

type Allocation = Mapping[str, Command]
"""By charger; who is left alone is missing."""
type Figures = Mapping[Reason, frozenset[str]]
"""The names of the numbers that matter for a reason."""


class Change(NamedTuple):
    """What one charger is told from now on."""

    charger_id: str
    before: Command | None
    """None = it was left alone."""
    after: Command | None
    cause: Cause
    explanation: Explanation | None
    """Why it is so now; None = it is not managed any more."""
    routine: bool
    """Whether that goes on as before: another current, nothing else."""


class Redistribution(NamedTuple):
    """Everything that changed in one step, or in several small ones."""

    at: float
    """Monotonic seconds."""
    moment: datetime
    """The same, aware."""
    cause: Cause
    changes: tuple[Change, ...]
    surplus_w: float | None
    house_a: Three | None
    free_a: Three
    routine: bool
    """Whether no change in it is one that a person cares about."""
    steps: int = 1
    """Of how many redistributions it is the sum."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the next plan is compared with."""

    allocation: Allocation = field(default_factory=dict)
    causes: Mapping[str, Cause] = field(default_factory=dict)
    """What stood behind the last reason of every charger."""
    modes: Mapping[str, str] = field(default_factory=dict)
    """How every charger was to charge."""


def modes(config: Configuration) -> dict[str, str]:
    """Return how every charger is to charge: by its own mode, or by the one of the site."""
    site = config.strategy.mode.value
    return {
        charger.charger_id: site if charger.mode.value == "follow_site" else charger.mode.value
        for charger in config.chargers
    }


def compare(
    seen: Seen, plan: Plan, chosen: Mapping[str, str], now: float, moment: datetime
) -> tuple[Seen, Redistribution | None]:
    """Return what to compare the next plan with, and what changed; None = nobody is told anything else.

    Args:
        seen: what the last comparison returned; ``Seen()`` at first.
        plan: the new plan.
        chosen: how every charger is to charge, see :func:`modes`.
        now: monotonic seconds.
        moment: the same, aware.
    """
    causes: dict[str, Cause] = {}
    changes: list[Change] = []
    strongest = None
    for key, charger in plan.chargers.items():
        last = seen.causes.get(key)
        kind = causes[key] = cause_of(charger.explanation.reason, last)
        cause = _cause(seen, chosen, key, last, kind)
        before, after = seen.allocation.get(key), charger.command
        if before is not after and before != after:
            changes.append(_change(key, before, charger, cause, routine=cause is kind is last))
        elif cause is kind is last:
            continue
        strongest = cause if strongest is None else stronger(strongest, cause)
    for key in seen.allocation.keys() - plan.chargers.keys():
        changes.append(Change(key, seen.allocation[key], None, Cause.END, None, routine=False))
        strongest = Cause.END if strongest is None else stronger(strongest, Cause.END)
    allocation = seen.allocation
    if changes:
        allocation = {key: item.command for key, item in plan.chargers.items() if item.command is not None}
    following = Seen(allocation=allocation, causes=causes, modes=chosen)
    if not changes or strongest is None:
        return following, None
    return following, Redistribution(
        at=now,
        moment=moment,
        cause=strongest,
        changes=tuple(changes),
        surplus_w=plan.surplus_w,
        house_a=plan.house_a,
        free_a=plan.free_a,
        # What happened to a charger that keeps its command moves the others: its car left, its meter is lost.
        routine=all(change.routine for change in changes)
        and not strongest.rank > max(change.cause.rank for change in changes),
    )


def _cause(seen: Seen, chosen: Mapping[str, str], key: str, last: Cause | None, kind: Cause) -> Cause:
    """Return what stands behind the step from one reason to another: the end of a limit is as much as its beginning."""
    if last is None:
        return stronger(kind, Cause.START)
    if seen.modes.get(key) != chosen.get(key):
        return stronger(kind, Cause.MODE)
    return kind if last is kind else stronger(last, kind)


def _change(key: str, before: Command | None, charger: ChargerPlan, cause: Cause, *, routine: bool) -> Change:
    after = charger.command
    same = before is not None and after is not None and before.charge == after.charge
    idle = same and before is not None and not before.charge  # the phases that it is to begin with
    alike = same and before is not None and after is not None and before.phases == after.phases
    return Change(key, before, after, cause, charger.explanation, routine=idle or (routine and alike))


def merged(earlier: Redistribution, later: Redistribution) -> Redistribution:
    """Return two redistributions as one; who has again what he had before both is not in it."""
    changes = {change.charger_id: change for change in earlier.changes}
    for change in later.changes:
        known = changes.get(change.charger_id)
        changes[change.charger_id] = change if known is None else change._replace(before=known.before)
    return later._replace(
        cause=stronger(earlier.cause, later.cause),
        changes=tuple(change for change in changes.values() if change.before != change.after),
        routine=earlier.routine and later.routine,
        steps=earlier.steps + later.steps,
    )


def as_json(record: Redistribution, figures: Figures | None = None) -> dict[str, Any]:
    """Return a record for JSON.

    Args:
        record: the record.
        figures: which numbers of each reason to keep; None = all.
    """
    result: dict[str, Any] = {
        "time": record.moment.isoformat(timespec="milliseconds"),
        "at": round(record.at, 3),
        "cause": record.cause.value,
    }
    if record.steps > 1:
        result["steps"] = record.steps
    return result | {
        "surplus_w": None if record.surplus_w is None else round(record.surplus_w),
        "house_a": None if record.house_a is None else [round(amps, 1) for amps in record.house_a],
        "free_a": [round(amps, 1) for amps in record.free_a],
        "changes": [_change_as_json(change, figures) for change in record.changes],
    }


def _change_as_json(change: Change, figures: Figures | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "charger": change.charger_id,
        "before": command_as_json(change.before),
        "after": command_as_json(change.after),
        "cause": change.cause.value,
        "reason": None,
    }
    if (why := change.explanation) is not None:
        matters = None if figures is None else figures.get(why.reason, frozenset())
        numbers = why.numbers if matters is None else {k: v for k, v in why.numbers.items() if k in matters}
        result |= {"reason": why.reason.value, "numbers": dict(numbers)}
        if why.circuit_id is not None:
            result["circuit"] = why.circuit_id
    return result


def command_as_json(command: Command | None) -> dict[str, Any] | None:
    """Return what a charger is told for JSON; None = it is left alone."""
    if command is None:
        return None
    return {"charge": command.charge, "current_a": command.current_a, "phases": command.phases}


def replay(records: Iterable[Mapping[str, Any]], start: Mapping[str, Any]) -> dict[str, Any]:
    """Return the allocation after all records, as JSON, by charger.

    Args:
        records: records as :func:`as_json` gives them, the oldest first.
        start: the allocation before them.

    Raises:
        ValueError: something is missing between two records.
    """
    present = {key: command for key, command in start.items() if command is not None}
    for record in records:
        for change in record["changes"]:
            key = change["charger"]
            if present.get(key) != change["before"]:
                raise ValueError(
                    f"{key} had {present.get(key)} before {record['time']}, but the record says {change['before']}"
                )
            if change["after"] is None:
                present.pop(key, None)
            else:
                present[key] = change["after"]
    return present
