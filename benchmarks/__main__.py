"""Runs a benchmark by its name."""

import importlib
import json
import pkgutil
import sys

import benchmarks

NAMES = sorted(
    module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name not in {"__main__", "rig"}
)


def main(arguments: list[str]) -> int:
    """Run one benchmark; return the exit code."""
    as_json = "--json" in arguments
    rest = [argument for argument in arguments if argument != "--json"]
    if not rest or rest[0] not in NAMES:
        print(f"usage: scripts/bench NAME [--json]   with NAME one of: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    figures = importlib.import_module(f"benchmarks.{rest[0]}").measure(rest[1:])
    if as_json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        print(f"{name:24} {value}")
    return 0


sys.exit(main(sys.argv[1:]))
