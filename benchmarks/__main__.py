"""Runs a benchmark by its name."""

import importlib
import json
import sys

NAMES = {
    "dashboard": "dashboard.command",
    "day": "day",
    "footprint": "footprint.command",
    "load": "load",
    "peak": "peak.command",
    "pv": "pv.command",
    "tick": "tick",
}


def main(arguments: list[str]) -> int:
    """Run one benchmark; return the exit code."""
    as_json = "--json" in arguments
    rest = [argument for argument in arguments if argument != "--json"]
    if not rest or rest[0] not in NAMES:
        print(f"usage: scripts/bench NAME [--json]   with NAME one of: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    figures = importlib.import_module(f"benchmarks.{NAMES[rest[0]]}").measure(rest[1:])
    if as_json:
        print(json.dumps(figures))
        return 0
    _show(figures, 0)
    return 0


def _show(figures: dict[str, object], depth: int) -> None:
    indent = "  " * depth
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            _show(value, depth + 1)
        else:
            print(f"{indent}{name:{max(1, 26 - len(indent))}} {value}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
