"""Configuration errors as the bit mask of WARP's ``power_manager/state``."""

from enum import IntFlag

from .circuits import Tree
from .model import LOWEST_CURRENT, ChargerConfig, Configuration, Mode, PhasePolicy


class ConfigError(IntFlag):
    """What is wrong with the configuration; the values are part of the stable interface."""

    PHASE_SWITCHING = 0x01
    """Three phases are asked for where only one is connected."""
    MAXIMUM_CURRENT = 0x02
    """The maximum total current is missing or too small for any charger."""
    NO_CHARGERS = 0x04
    NO_POWER_METER = 0x08
    """Surplus charging is chosen without a power meter."""
    NO_PHASE_CURRENTS = 0x10
    """Dynamic load management is chosen without a meter of every phase's current."""
    CIRCUITS = 0x100
    """A circuit that does not hang on the house connection, or carries less than any charger needs."""
    CURRENTS = 0x200
    """A charger whose least current is more than it may draw at most."""
    DUPLICATE_CHARGER = 0x400
    """Two chargers with one serial number."""


def config_errors(config: Configuration) -> ConfigError:
    """Return everything that is wrong with the configuration."""
    tree = Tree.of(config.circuits)
    errors = ConfigError.NO_CHARGERS if not config.chargers else ConfigError(0)
    if config.strategy.maximum_total_current_a < LOWEST_CURRENT:
        errors |= ConfigError.MAXIMUM_CURRENT
    if config.dynamic and not (tree.circuits[0].metered and config.phase_currents):
        errors |= ConfigError.NO_PHASE_CURRENTS
    if len(tree.circuits) != len(config.circuits) or useless_circuits(config):
        errors |= ConfigError.CIRCUITS
    modes: set[str] = {config.strategy.mode.value}
    for charger in config.chargers:
        modes.add(charger.mode.value)
        if charger.phase_policy is PhasePolicy.THREE and min(config.phases, charger.wired_phases) < 3:
            errors |= ConfigError.PHASE_SWITCHING
        if charger.circuit_id not in tree.chains:
            errors |= ConfigError.CIRCUITS
        if asks_too_much(config, charger):
            errors |= ConfigError.CURRENTS
    if len({charger.charger_id for charger in config.chargers}) != len(config.chargers):
        errors |= ConfigError.DUPLICATE_CHARGER
    if config.strategy.excess_charging and not config.has_power_meter and modes & {Mode.PV.value, Mode.MIN_PV.value}:
        errors |= ConfigError.NO_POWER_METER
    return errors


def useless_circuits(config: Configuration) -> tuple[str, ...]:
    """Return the ids of circuits that do not hang on the house connection, or carry less than any charger needs."""
    fed = Tree.of(config.circuits).chains
    return tuple(
        circuit.circuit_id
        for circuit in config.circuits
        if circuit.circuit_id not in fed or circuit.limit_a <= LOWEST_CURRENT
    )


def asks_too_much(config: Configuration, charger: ChargerConfig) -> bool:
    """Return whether a least current of a charger is more than it may draw at most."""
    least = max(charger.min_current_a, charger.min_current_three_a or 0, config.strategy.minimum_current_a)
    return least > charger.max_current_a
