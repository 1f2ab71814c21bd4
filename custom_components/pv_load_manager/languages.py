"""The sentences about reasons in the languages that there are, read once each."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER

type Templates = Mapping[str, str]

TEXTS: Final = Path(__file__).parent / "texts"
FALLBACK: Final = "en"
_TEMPLATES: HassKey[dict[str, Templates]] = HassKey(f"{DOMAIN}_texts")


async def async_templates(hass: HomeAssistant, language: str | None = None) -> Templates:
    """Return the templates of a language, English where there is none; None = that of Home Assistant."""
    known = hass.data.setdefault(_TEMPLATES, {})
    if not known:
        known |= await hass.async_add_executor_job(_load)
    wanted = language or hass.config.language
    for name in (wanted, wanted.partition("-")[0]):
        if name in known:
            return known[name]
    LOGGER.debug("No texts for the language %s, using English", wanted)
    return known[FALLBACK]


def _load() -> dict[str, Templates]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in TEXTS.glob("*.json")}
