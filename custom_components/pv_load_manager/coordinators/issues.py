"""Tells the user about a stored configuration that cannot work: a repair each, gone when it is solved."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.issue_registry import IssueSeverity

from ..const import CONF_METER_ENTRY, CONF_METER_SOURCE, CONF_PHASES, CONF_SERIAL, DOMAIN, MeterSource
from ..control import (
    ConfigError,
    Configuration,
    Plan,
    Snapshot,
    asks_too_much,
    cannot_switch,
    overloadable_circuits,
    useless_circuits,
)
from ..shared import all_charger_entries
from . import dimming, meter_entities
from .meter_config import MeterConfig
from .meter_turn import turnable
from .misfit import misfits
from .trips import Trips


class Repair(NamedTuple):
    """How one configuration error is told."""

    error: ConfigError
    severity: IssueSeverity
    placeholders: tuple[str, ...] = ()
    """What its text names: ``chargers``, ``circuits``, ``meter``, or ``expected`` and ``found`` chargers."""


class Told(NamedTuple):
    """A repair as it is shown."""

    text: str
    """The key of its texts."""
    placeholders: dict[str, str]


ISSUES: Final = {
    "phase_switching": Repair(ConfigError.PHASE_SWITCHING, IssueSeverity.WARNING, ("chargers",)),
    "maximum_current": Repair(ConfigError.MAXIMUM_CURRENT, IssueSeverity.WARNING),
    "no_chargers": Repair(ConfigError.NO_CHARGERS, IssueSeverity.WARNING),
    "no_power_meter": Repair(ConfigError.NO_POWER_METER, IssueSeverity.WARNING),
    "no_phase_currents": Repair(ConfigError.NO_PHASE_CURRENTS, IssueSeverity.ERROR, ("meter",)),
    "fewer_chargers": Repair(ConfigError.FEWER_CHARGERS, IssueSeverity.WARNING, ("expected", "found")),
    "installer_limits": Repair(ConfigError.INSTALLER_LIMITS, IssueSeverity.WARNING, ("chargers", "circuits")),
    "meter_sign": Repair(ConfigError.METER_SIGN, IssueSeverity.ERROR, ("meter",)),
    "circuits": Repair(ConfigError.CIRCUITS, IssueSeverity.ERROR, ("chargers", "circuits")),
    "currents": Repair(ConfigError.CURRENTS, IssueSeverity.WARNING, ("chargers",)),
    "duplicate_charger": Repair(ConfigError.DUPLICATE_CHARGER, IssueSeverity.ERROR, ("chargers",)),
}
"""By issue id, which is also the key of the binary sensor that shows the same."""
CHARGER_ABOVE_CIRCUIT: Final = "charger_above_circuit"
WATCHDOG_TRIPS: Final = "watchdog_trips"
MORE: Final = (CHARGER_ABOVE_CIRCUIT, WATCHDOG_TRIPS)
"""What is no error of the configuration, and yet nobody wants it; warnings."""
PHASE_REQUESTS: Final = "phase_requests"
METER_SIGN_CLOUD: Final = "meter_sign_cloud"
FIXABLE: Final = frozenset({PHASE_REQUESTS, "fewer_chargers", "meter_sign", CHARGER_ABOVE_CIRCUIT})
"""The texts of those that one press can mend without making anything less safe."""
NOBODY: Final = "–"


class ConfigIssues:
    """The repairs that the load manager has raised."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin with those of before a reload, whatever they are: who ignored one does not want to see it anew."""
        self._hass = hass
        self._entry = entry
        self._raised: dict[str, Told | None] = dict.fromkeys((*ISSUES, *MORE))
        self._trips = Trips()

    @callback
    def check(self, config: Configuration, snapshot: Snapshot, plan: Plan, circuits: Mapping[str, str]) -> None:
        """Raise and delete repairs so that they fit what the control core found.

        Args:
            config: the configuration that the core was given.
            snapshot: what the devices said.
            plan: what the core made of it.
            circuits: names of the circuits by their ids.
        """
        found = {}
        for issue_id, (error, _, placeholders) in ISSUES.items():
            if error in plan.errors:
                values = {
                    "chargers": self._names(_chargers(config, snapshot, error)),
                    "circuits": _joined(circuits.get(key, key) for key in _circuits(config, snapshot, error)),
                    "meter": self._meter(),
                    "expected": str(config.expected_chargers or 0),
                    "found": str(len({charger.charger_id for charger in config.chargers})),
                }
                found[issue_id] = Told(self._text(issue_id, config), {name: values[name] for name in placeholders})
        if above := misfits(config, snapshot):
            lines = {
                misfit.charger_id: f"{circuits.get(misfit.circuit_id, misfit.circuit_id)}, "
                f"{misfit.maximum_a} A → {misfit.fitting_a} A"
                for misfit in above
            }
            found[CHARGER_ABOVE_CIRCUIT] = Told(CHARGER_ABOVE_CIRCUIT, {"chargers": self._listed(lines)})
        watched = config.strategy.external_current and config.strategy.watchdog
        if self._trips.follow(watched=watched, expired=plan.watchdog_expired, now=self._hass.loop.time()):
            found[WATCHDOG_TRIPS] = Told(WATCHDOG_TRIPS, {})
        if found != self._raised or any(self._missing(issue_id) for issue_id in found):
            self.update(found)

    @callback
    def update(self, found: Mapping[str, Told]) -> None:
        """Let exactly these repairs be raised."""
        for issue_id in self._raised.keys() - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for issue_id, told in found.items():
            if self._raised.get(issue_id) != told or self._missing(issue_id):
                ir.async_create_issue(
                    self._hass,
                    DOMAIN,
                    issue_id,
                    is_fixable=told.text in FIXABLE,
                    severity=ISSUES[issue_id].severity if issue_id in ISSUES else IssueSeverity.WARNING,
                    translation_key=told.text,
                    translation_placeholders=told.placeholders,
                )
        self._raised = dict(found)

    def _missing(self, issue_id: str) -> bool:
        """Return whether Home Assistant has no such repair: it deletes one that was mended, also where more is left."""
        return ir.async_get(self._hass).async_get_issue(DOMAIN, issue_id) is None

    @callback
    def clear(self) -> None:
        """Delete all of them."""
        self.update({})
        meter_entities.forget(self._hass)
        dimming.forget(self._hass)

    def _text(self, issue_id: str, config: Configuration) -> str:
        """Return the key of the texts of a configuration error: what can be done differs from case to case."""
        if issue_id == "phase_switching" and config.strategy.external_phases:
            # Those that cannot have three phases anyway are told when that is mended.
            return PHASE_REQUESTS
        if issue_id == "meter_sign" and not turnable(self._hass, self._entry):
            return METER_SIGN_CLOUD
        return issue_id

    def _listed(self, lines: Mapping[str, str]) -> str:
        """Return one line for each charger, with its name."""
        entries = all_charger_entries(self._hass)
        return "\n".join(f"- {entry.title}: {lines[serial]}" for serial, entry in entries if serial in lines)

    def _names(self, chargers: Iterable[str]) -> str:
        concerned = set(chargers)
        return _joined(entry.title for serial, entry in all_charger_entries(self._hass) if serial in concerned)

    def _meter(self) -> str:
        """Return what the meter of the house connection is called."""
        data = self._entry.data
        sensors = MeterConfig.from_data(data, data[CONF_PHASES])
        if sensors is not None and data[CONF_METER_SOURCE] == MeterSource.SENSOR:
            states = {entity_id: self._hass.states.get(entity_id) for entity_id in sensors.needed}
            return _joined(state.name if state is not None else entity_id for entity_id, state in states.items())
        serial = data.get(CONF_METER_ENTRY)
        entries = self._hass.config_entries.async_entries(DOMAIN, include_ignore=False) if serial else []
        return _joined(entry.title for entry in entries if entry.data.get(CONF_SERIAL) == serial)


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names) or NOBODY


def _circuits(config: Configuration, snapshot: Snapshot, error: ConfigError) -> tuple[str, ...]:
    """Return the circuits that a configuration error concerns."""
    if error is ConfigError.INSTALLER_LIMITS:
        return tuple(overloadable_circuits(config, snapshot))
    return useless_circuits(config)


def _chargers(config: Configuration, snapshot: Snapshot, error: ConfigError) -> set[str]:
    """Return the chargers that a configuration error concerns."""
    match error:
        case ConfigError.CIRCUITS:
            usable = {circuit.circuit_id for circuit in config.circuits} - set(useless_circuits(config))
            return {charger.charger_id for charger in config.chargers if charger.circuit_id not in usable}
        case ConfigError.CURRENTS:
            return {charger.charger_id for charger in config.chargers if asks_too_much(config, charger)}
        case ConfigError.PHASE_SWITCHING:
            return {charger.charger_id for charger in config.chargers if cannot_switch(config, charger)}
        case ConfigError.DUPLICATE_CHARGER:
            counts = Counter(charger.charger_id for charger in config.chargers)
            return {charger_id for charger_id, count in counts.items() if count > 1}
        case ConfigError.INSTALLER_LIMITS:
            return set().union(*overloadable_circuits(config, snapshot).values())
        case _:
            return set()
