"""What Home Assistant's log says against the integration."""

from itertools import groupby
import re

NAME = "pv_load_manager"
START = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* (?P<level>[A-Z]+) \(")
"""Begins every record; the lines after it belong to the same one."""
ERRORS = {"ERROR", "CRITICAL"}
FAULTS = ("Traceback (most recent call last)", "Detected that custom integration", "deprecated")
"""A warning with one of these is about code: an exception, a forbidden use, or one that a later version takes away."""


def complaints(log: str) -> list[str]:
    """Return the records of a log that show a fault of the integration, each as a whole."""
    return [record for record in _records(log) if NAME in record and _is_fault(record)]


def _is_fault(record: str) -> bool:
    start = START.match(record)
    # What has no start was written by Python itself, past every logger.
    return start is None or start["level"] in ERRORS or any(fault in record for fault in FAULTS)


def _records(log: str) -> list[str]:
    number = 0

    def of(line: str) -> int:
        nonlocal number
        number += START.match(line) is not None
        return number

    return ["\n".join(lines) for _, lines in groupby(log.splitlines(), of)]
