"""Tests of the control core: stories of a house, and properties of every house."""
