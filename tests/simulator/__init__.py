"""Tests of the virtual home."""
