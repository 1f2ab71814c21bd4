"""Thin coordinators: Home Assistant on the outside, plain data inside."""
