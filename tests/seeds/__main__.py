"""Writes docs/seeds.md and docs/warp_api.md: ``python -m tests.seeds``."""

from . import json_api, render

render.DOCUMENT.write_text(render.rendered(), encoding="utf-8")
json_api.DOCUMENT.write_text(json_api.rendered(), encoding="utf-8")
