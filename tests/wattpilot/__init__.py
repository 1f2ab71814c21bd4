"""Tests of the Wattpilot client."""
