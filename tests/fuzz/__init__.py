"""Short runs of the fuzzers."""
