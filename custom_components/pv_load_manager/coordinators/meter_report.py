"""What a check of the meter found out, in sentences, as data, and as settings that could be changed accordingly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.translation import async_get_translations

from ..const import CONF_METER_SOURCE, CONF_ROTATION, DEFAULT_ROTATION, DOMAIN, ROTATIONS, MeterSource
from ..control import Timings
from ..control.findings import CheckResult, Findings, Outcome, Sign
from ..shared import SHARED
from .meter_config import other_way_round

METER_LAG: Final = "meter_lag_s"
"""Name of the saved setting."""
DEFAULT_LAG: Final = Timings().meter_lag
DECIMAL_COMMA: Final = frozenset({"de"})


class Sentence(StrEnum):
    """What can be said beside how the check ended; keys of translations."""

    SIGN_RIGHT = "sign_right"
    SIGN_TURNED = "sign_turned"
    SIGN_MIXED = "sign_mixed"
    TIMES = "times"
    MISSING = "missing"
    LINE = "line"
    ROTATION_FITS = "rotation_fits"
    ROTATION_DIFFERS = "rotation_differs"
    ROTATION_OPEN = "rotation_open"
    NO_PHASES = "no_phases"
    STORE_ROTATION = "store_rotation"
    STORE_DIRECTION = "store_direction"
    STORE_LAG = "store_lag"
    STORE_SHORTER_LAG = "store_shorter_lag"
    TURN_INVERTER_METER = "turn_inverter_meter"
    TURN_TRANSFORMERS = "turn_transformers"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What could be stored; empty where nothing differs."""

    charger: Mapping[str, str] = field(default_factory=dict)
    """For the options of the charger."""
    meter: Mapping[str, Any] = field(default_factory=dict)
    """For the data of the load manager."""
    site: Mapping[str, float] = field(default_factory=dict)
    """For the settings of the site."""

    def __bool__(self) -> bool:
        """Return whether there is anything to store."""
        return bool(self.charger or self.meter or self.site)


def meter_lag(hass: HomeAssistant) -> float:
    """Return how long in s the load manager waits for its meter."""
    shared = hass.data.get(SHARED)
    saved = None if shared is None else shared.memory.site.get(METER_LAG)
    return DEFAULT_LAG if saved is None else float(saved)


def changes(
    findings: Findings | None, manager: ConfigEntry, charger: ConfigEntry, *, waits_s: float | None = None
) -> Changes:
    """Return which settings do not fit what was found out.

    Args:
        findings: of a check.
        manager: the entry of the load manager.
        charger: the entry of the charger.
        waits_s: what ``meter_lag`` returns; None = the default.
    """
    if findings is None:
        return Changes()
    configured = ROTATIONS.get(charger.options.get(CONF_ROTATION, DEFAULT_ROTATION))
    likely = findings.likely_rotation
    fits = configured is not None and findings.fits(configured)
    rotation = next((key for key, order in ROTATIONS.items() if order == likely and not fits), None)
    waits_s = DEFAULT_LAG if waits_s is None else waits_s
    # A little more than usual costs nothing, less would take a ramp of a car for a load of the house.
    lag = max(DEFAULT_LAG, round(findings.dead_time_s + findings.dead_time_within_s, 1))
    # What was stored for a slower meter makes everything slower; two checks of one meter differ by a little.
    fitting = waits_s - max(1.0, findings.dead_time_within_s) <= lag <= waits_s
    return Changes(
        charger={} if rotation is None else {CONF_ROTATION: rotation},
        meter=_turned(manager.data) if findings.sign is Sign.TURNED else {},
        site={} if fitting else {METER_LAG: lag},
    )


def as_dict(result: CheckResult) -> dict[str, Any]:
    """Return a result as an action answers it."""
    found = result.findings
    answer: dict[str, Any] = {"result": result.outcome.value}
    if found is None:
        return answer
    names = {1: "right", -1: "turned", 0: "unseen", None: None}
    likely = found.likely_rotation
    return answer | {
        "sign": found.sign.value,
        "meter_phases": {f"l{line}": names[sees] for line, sees in enumerate(found.lines, start=1)},
        "missing_phases": found.missing,
        "car_phases": len(found.own_phases),
        "charger_phases": {f"l{own}": line for own, line in enumerate(found.rotation, start=1)},
        "likely_rotation": None if likely is None else list(likely),
        "household_seen": result.outcome is Outcome.LEARNED,
        "dead_time_s": round(found.dead_time_s, 2),
        "dead_time_within_s": round(found.dead_time_within_s, 2),
        "cadence_s": round(found.cadence_s, 2),
        "step_a": round(found.step_a, 1),
    }


class _Speaker:
    """Puts figures into the sentences of one language."""

    def __init__(self, texts: Mapping[str, str], language: str) -> None:
        """Take the texts by their whole keys."""
        self._texts = texts
        self._point = "," if language.partition("-")[0] in DECIMAL_COMMA else "."

    def say(self, key: str, **figures: float | str) -> str:
        """Return a sentence."""
        written = {
            name: f"{value:.1f}".replace(".", self._point) if isinstance(value, float) else value
            for name, value in figures.items()
        }
        return self._texts[f"component.{DOMAIN}.selector.meter_check.options.{key}"].format(**written)


async def async_sentences(
    hass: HomeAssistant, result: CheckResult, manager: ConfigEntry, charger: ConfigEntry
) -> list[str]:
    """Return what was found out in the language of Home Assistant, the most important first."""
    language = hass.config.language
    speaker = _Speaker(await async_get_translations(hass, language, "selector", {DOMAIN}), language)
    said, found = [speaker.say(result.outcome.value)], result.findings
    if found is not None:
        said.append(speaker.say(f"sign_{found.sign.value}", phases=_phases(found, -1)))
        said.append(speaker.say(Sentence.TIMES, dead_time=found.dead_time_s, cadence=found.cadence_s))
        said += _about_phases(found, charger, speaker)
        wanted = changes(result.worth_storing, manager, charger, waits_s=meter_lag(hass))
        said += _about_changes(wanted, meter_lag(hass), found, speaker)
    return said


def _about_phases(found: Findings, charger: ConfigEntry, speaker: _Speaker) -> list[str]:
    """Return what is known about the wiring."""
    if None in found.lines:
        return [speaker.say(Sentence.NO_PHASES)] if found.lines[0] is None else []
    if found.missing:
        return [speaker.say(Sentence.MISSING, missing=str(found.missing), phases=_phases(found, 0))]
    said = [
        speaker.say(Sentence.LINE, own=f"L{own}", line=f"L{line}")
        for own, line in enumerate(found.rotation, start=1)
        if line is not None
    ]
    configured = ROTATIONS.get(charger.options.get(CONF_ROTATION, DEFAULT_ROTATION))
    if len(found.own_phases) == 3:
        return [speaker.say(Sentence.ROTATION_OPEN)]
    if configured is not None:
        said.append(speaker.say(Sentence.ROTATION_FITS if found.fits(configured) else Sentence.ROTATION_DIFFERS))
    return said


def _about_changes(wanted: Changes, waits_s: float, found: Findings, speaker: _Speaker) -> list[str]:
    """Return what could be stored, and what only a person can mend."""
    said: list[str] = []
    for rotation in wanted.charger.values():
        order = "-".join(f"L{line}" for line in ROTATIONS[rotation])
        said.append(speaker.say(Sentence.STORE_ROTATION, rotation=order))
    for lag in wanted.site.values():
        later = lag > waits_s
        said.append(speaker.say(Sentence.STORE_LAG if later else Sentence.STORE_SHORTER_LAG, dead_time=lag))
    if found.sign is Sign.TURNED:
        said.append(speaker.say(Sentence.STORE_DIRECTION if wanted.meter else Sentence.TURN_INVERTER_METER))
    if found.sign is Sign.MIXED:
        said.append(speaker.say(Sentence.TURN_TRANSFORMERS, phases=_phases(found, -1)))
    return said


def _phases(found: Findings, sees: int) -> str:
    """Return the phases of the house that see the car in a certain way."""
    return ", ".join(f"L{line}" for line, known in enumerate(found.lines, start=1) if known == sees)


def _turned(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a meter of sensors count the other way round; nothing for any other meter."""
    return other_way_round(data) if data[CONF_METER_SOURCE] == MeterSource.SENSOR else {}


async def async_refusal(hass: HomeAssistant, refusal: ServiceValidationError) -> str:
    """Return in the language of Home Assistant why a check cannot begin."""
    texts = await async_get_translations(hass, hass.config.language, "exceptions", {DOMAIN})
    message = texts[f"component.{DOMAIN}.exceptions.{refusal.translation_key}.message"]
    return message.format(**(refusal.translation_placeholders or {}))
