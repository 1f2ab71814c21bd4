"""Runs a fuzzer by its name: `python -m fuzz [frames|registers] [--count N] [--seed N] [--json]`."""

import argparse
import importlib
import json
import logging
import sys

NAMES = ("frames", "registers")


def main(arguments: list[str]) -> int:
    """Run one fuzzer or all of them; return the exit code: 1 where something came out that should not."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; all without one")
    parser.add_argument("--count", type=int, default=100_000, help="how many frames or images (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed damages in the same way (%(default)s)")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in NAMES:
            parser.error(f"there is no {name}")
    # The clients warn about nonsense, of which there will be a lot.
    logging.basicConfig(level=logging.ERROR)
    figures = {}
    for name in options.names or NAMES:
        figures[name] = importlib.import_module(f"fuzz.{name}").measure(options.count, options.seed)
        if not options.json:
            lines = [name, *(f"  {key:24} {value}" for key, value in figures[name].items())]
            sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    return int(any(figure["failures"] for figure in figures.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
