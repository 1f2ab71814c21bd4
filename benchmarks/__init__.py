"""Benchmarks: `scripts/bench NAME [--json]`; each prints one JSON object as its last line with `--json`."""
