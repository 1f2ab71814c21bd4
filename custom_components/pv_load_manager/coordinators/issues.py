"""Tells the user about a stored configuration that cannot work: a repair each, gone when it is solved."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..control import ConfigError, Configuration, asks_too_much, useless_circuits
from ..shared import all_charger_entries

ISSUES: Final = {
    "circuits": ConfigError.CIRCUITS,
    "currents": ConfigError.CURRENTS,
    "duplicate_charger": ConfigError.DUPLICATE_CHARGER,
    "no_phase_currents": ConfigError.NO_PHASE_CURRENTS,
}
NOBODY: Final = "–"


class ConfigIssues:
    """The repairs that the load manager has raised."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with none."""
        self._hass = hass
        self._raised: dict[str, dict[str, str]] = {}

    @callback
    def check(self, config: Configuration, errors: ConfigError, circuits: Mapping[str, str]) -> None:
        """Raise and delete repairs so that they fit what the control core found.

        Args:
            config: the configuration that the core was given.
            errors: what the core found wrong with it.
            circuits: names of the circuits by their ids.
        """
        found = {}
        for issue_id, error in ISSUES.items():
            if error in errors:
                found[issue_id] = {
                    "chargers": self._names(_chargers(config, error)),
                    "circuits": _joined(circuits.get(circuit, circuit) for circuit in useless_circuits(config)),
                }
        if found != self._raised:
            self.update(found)

    @callback
    def update(self, found: Mapping[str, dict[str, str]]) -> None:
        """Let exactly these repairs be raised, with the placeholders of their texts."""
        for issue_id in self._raised.keys() - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for issue_id, placeholders in found.items():
            if self._raised.get(issue_id) != placeholders:
                ir.async_create_issue(
                    self._hass,
                    DOMAIN,
                    issue_id,
                    is_fixable=False,
                    severity=ir.IssueSeverity.ERROR,
                    translation_key=issue_id,
                    translation_placeholders=placeholders,
                )
        self._raised = dict(found)

    def _names(self, chargers: Iterable[str]) -> str:
        concerned = set(chargers)
        return _joined(entry.title for serial, entry in all_charger_entries(self._hass) if serial in concerned)


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names) or NOBODY


def _chargers(config: Configuration, error: ConfigError) -> set[str]:
    """Return the chargers that a configuration error concerns."""
    if error is ConfigError.CIRCUITS:
        usable = {circuit.circuit_id for circuit in config.circuits} - set(useless_circuits(config))
        return {charger.charger_id for charger in config.chargers if charger.circuit_id not in usable}
    if error is ConfigError.CURRENTS:
        return {charger.charger_id for charger in config.chargers if asks_too_much(config, charger)}
    if error is ConfigError.DUPLICATE_CHARGER:
        counts = Counter(charger.charger_id for charger in config.chargers)
        return {charger_id for charger_id, count in counts.items() if count > 1}
    return set()
