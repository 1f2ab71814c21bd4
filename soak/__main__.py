"""Runs the soak: `scripts/soak [--hours 24] [--speed 60] [--seed 1] [--json]`."""

import argparse
import json
import sys

from .run import Options, soak


def main() -> int:
    """Run; return 1 where anything was wrong."""
    default = Options()
    parser = argparse.ArgumentParser(prog="scripts/soak", description="A day of charging with faults, in fast motion.")
    parser.add_argument("--hours", type=float, default=default.hours, help="of home time (default: %(default)s)")
    parser.add_argument("--speed", type=float, default=default.speed, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="of everything random (default: %(default)s)")
    parser.add_argument("--chargers", type=int, default=default.chargers, help="(default: %(default)s)")
    parser.add_argument(
        "--pause", type=float, default=default.pause, help="between two faults, s (default: %(default)s)"
    )
    parser.add_argument("--fault", action="append", metavar="NAME", help="only these faults (default: all)")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    values = parser.parse_args()
    faults = frozenset(values.fault) if values.fault else None
    options = Options(
        faults=faults,
        hours=values.hours,
        speed=values.speed,
        seed=values.seed,
        chargers=values.chargers,
        pause=values.pause,
    )
    found = soak(options)
    lines = [json.dumps(found)] if values.json else [f"{name:24} {value}" for name, value in found.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
