"""Tells the user about a stored configuration that cannot work: a repair each, gone when it is solved."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..control import LOWEST_CURRENT, ROOT_CIRCUIT, ChargerConfig, ConfigError, Configuration
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
                    "circuits": _joined(circuits.get(circuit, circuit) for circuit in _useless(config)),
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
        usable = {circuit.circuit_id for circuit in config.circuits} - set(_useless(config))
        return {charger.charger_id for charger in config.chargers if charger.circuit_id not in usable}
    if error is ConfigError.CURRENTS:
        site = config.strategy.minimum_current_a
        return {charger.charger_id for charger in config.chargers if max(_least(charger), site) > charger.max_current_a}
    if error is ConfigError.DUPLICATE_CHARGER:
        counts = Counter(charger.charger_id for charger in config.chargers)
        return {charger_id for charger_id, count in counts.items() if count > 1}
    return set()


def _least(charger: ChargerConfig) -> int:
    return max(charger.min_current_a, charger.min_current_three_a or 0)


def _useless(config: Configuration) -> list[str]:
    """Return the circuits that do not hang on the house connection, or carry less than any charger needs."""
    fed = {ROOT_CIRCUIT}
    waiting = [circuit for circuit in config.circuits if circuit.circuit_id != ROOT_CIRCUIT]
    while reached := [circuit for circuit in waiting if circuit.parent_id in fed]:
        fed |= {circuit.circuit_id for circuit in reached}
        waiting = [circuit for circuit in waiting if circuit.circuit_id not in fed]
    weak = [circuit for circuit in config.circuits if circuit.limit_a <= LOWEST_CURRENT]
    return list(dict.fromkeys(circuit.circuit_id for circuit in (*waiting, *weak)))
