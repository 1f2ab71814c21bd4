"""Tests of the project; the folders mirror its tree."""
