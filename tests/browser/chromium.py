"""Where the browser of the tests is; `scripts/setup --frontend` asks the same question."""

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import subprocess
import sys

PROJECT = Path(__file__).resolve().parents[2]
FETCHED = PROJECT / ".tools" / "chromium-path"
"""A text file: the browser that `scripts/setup --frontend` fetched where the system had none."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium: run scripts/setup --frontend, or set PVLM_CHROMIUM"
"""The reason of a skipped test."""


def candidates() -> Iterator[Path]:
    """Yield what could be a browser, best first: the environment's, the system's, the fetched one."""
    if chosen := os.environ.get("PVLM_CHROMIUM"):
        yield Path(chosen)
    for name in NAMES:
        if place := shutil.which(name):
            yield Path(place)
    if FETCHED.is_file():
        yield Path(FETCHED.read_text(encoding="utf-8").strip())


def works(browser: Path) -> bool:
    """Return whether a browser starts: Ubuntu's `chromium-browser` may be an empty hull that only names a snap."""
    try:
        answer = subprocess.run([browser, "--version"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except OSError, subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0 and "Chrom" in answer.stdout


def find_chromium() -> Path | None:
    """Return the first browser that starts, None where there is none."""
    return next(filter(works, candidates()), None)


if __name__ == "__main__":
    found = find_chromium()
    sys.stdout.write(f"{found}\n" if found else "")
    sys.exit(found is None)
