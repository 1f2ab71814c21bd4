"""Writes docs/seeds.md: ``python -m tests.seeds``."""

from .render import DOCUMENT, rendered

DOCUMENT.write_text(rendered(), encoding="utf-8")
