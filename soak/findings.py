"""What went wrong, and when; what went well, in numbers."""

from collections import Counter
from dataclasses import dataclass, field
import logging
import re
import sys
from typing import Any, override

OURS = "custom_components.pv_load_manager"
DEVICES = "tmodbus.server"
"""The simulated inverter; that a client is gone is an exception to it."""
LONGEST = 600
FRAME = "homeassistant.helpers.frame"
"""Tells of integrations that do what they should not."""
_FIGURES = re.compile(r"[\d.:]+")


@dataclass(kw_only=True)
class Findings:
    """The result of a run.

    Attributes:
        violations: What must not be, oldest first, with the time since the start as H:MM:SS; what differs from an
            earlier one in figures only is counted with that.
        faults: How often each fault was there.
        sessions: Of how many sessions the energy was compared.
        session_error: The largest difference, as a part of what the car took.
        charged_wh: What all these cars took.
        recovered_s: The longest time until a device was back after a fault.
        over_s: The longest time that the house connection was above its fuse while its meter was alive.
        over_total_s: All such time.
        peak_a: The highest current of the house connection, at any time.
        reloads: How often an entry was reloaded.
        warnings: Lines of the log, without their figures.
        lines: Lines of the integration in the log about each device, by its name.
    """

    now: float = 0.0
    violations: dict[str, str] = field(default_factory=dict)
    repeated: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    session_error: float = 0.0
    charged_wh: float = 0.0
    recovered_s: float = 0.0
    over_s: float = 0.0
    over_total_s: float = 0.0
    peak_a: float = 0.0
    reloads: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)

    def violation(self, what: str) -> None:
        """Note what must not be."""
        kind = _FIGURES.sub("", what)
        self.repeated[kind] += 1
        if kind not in self.violations:
            self.violations[kind] = f"{clock(self.now)} {what}"
            sys.stderr.write(f"violation: {self.violations[kind]}\n")

    def as_dict(self) -> dict[str, Any]:
        """Return everything for people and machines."""
        return {
            "ok": not self.violations,
            "violations": [f"{first} ({self.repeated[kind]} times)" for kind, first in self.violations.items()],
            "sessions": self.sessions,
            "session_error_percent": round(100 * self.session_error, 3),
            "charged_kwh": round(self.charged_wh / 1000, 1),
            "faults": dict(sorted(self.faults.items())),
            "recovered_s": round(self.recovered_s, 1),
            "over_fuse_longest_s": round(self.over_s, 1),
            "over_fuse_s": round(self.over_total_s, 1),
            "peak_a": round(self.peak_a, 1),
            "reloads": self.reloads,
            "log": dict(self.warnings.most_common(30)),
        }


def clock(seconds: float) -> str:
    """Write a time span as H:MM:SS."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


class LogWatch(logging.Handler):
    """Takes every exception in the log for a violation, and counts the other warnings."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.WARNING)
        self._findings = findings
        self.titles: frozenset[str] = frozenset()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Judge one line."""
        text = record.getMessage()
        broken = record.exc_info and not record.name.startswith(DEVICES)
        if broken or "Traceback" in text or record.name == FRAME:
            cause = f": {record.exc_info[1]!r}" if record.exc_info else ""
            self._findings.violation(f"log: {record.name}: {text[:LONGEST]}{cause}")
        if record.name.startswith(OURS):
            self._findings.lines.update(title for title in self.titles if title in text)
        self._findings.warnings[f"{record.levelname} {record.name}: {record.msg!s:.120}"] += 1
