"""What Linux knows of a running process."""

from dataclasses import dataclass
import os
from pathlib import Path
import sqlite3
import sys


class NotLinuxError(Exception):
    """This system does not tell what a process costs."""


def require_linux() -> None:
    """Raise NotLinuxError where there is no /proc."""
    if not sys.platform.startswith("linux"):
        raise NotLinuxError("the footprint is read from /proc, which only Linux has")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a process has cost so far.

    Attributes:
        cpu_s: CPU time of all its threads, s.
        rss_mb: Memory that it occupies now, MB (2**20 bytes).
    """

    cpu_s: float
    rss_mb: float


def cost(pid: int) -> Cost:
    """Return what a process has cost so far; see proc(5)."""
    folder = Path("/proc") / str(pid)
    # The second field is the name of the program in brackets, which may contain blanks.
    fields = (folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    status = (folder / "status").read_text(encoding="ascii")
    (resident,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return Cost(cpu_s=ticks / os.sysconf("SC_CLK_TCK"), rss_mb=resident / 1024)


def rows(database: Path, since: float, until: float) -> dict[str, int]:
    """Return how many states of each entity the recorder kept between two times, s since 1970."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        found: list[tuple[str, int]] = connection.execute(
            "SELECT m.entity_id, COUNT(*) FROM states s JOIN states_meta m ON m.metadata_id = s.metadata_id"
            " WHERE s.last_updated_ts BETWEEN ? AND ? GROUP BY m.entity_id",
            (since, until),
        ).fetchall()
    return dict(found)
