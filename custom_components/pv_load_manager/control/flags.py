"""Configuration errors as the bit mask of WARP's ``power_manager/state``."""

from enum import IntFlag

from .circuits import Tree
from .electrics import NOTHING, add, grid_phases, spread
from .external import can_switch
from .model import LOWEST_CURRENT, ChargerConfig, Configuration, Mode, PhasePolicy, Snapshot, Three
from .state import ControlState

PATIENCE = 60.0  # s after the start in which chargers may still be added
SOLAR = frozenset({Mode.PV.value, Mode.MIN_PV.value})


class ConfigError(IntFlag):
    """What is wrong with the configuration; the values are part of the stable interface."""

    PHASE_SWITCHING = 0x01
    """Three phases are asked for where only one is connected, or requests from outside that nobody can follow."""
    MAXIMUM_CURRENT = 0x02
    """The maximum total current is missing or too small for any charger."""
    NO_CHARGERS = 0x04
    NO_POWER_METER = 0x08
    """Surplus charging is chosen without a power meter."""
    NO_PHASE_CURRENTS = 0x10
    """Dynamic load management is chosen without a meter of every phase's current."""
    FEWER_CHARGERS = 0x20
    """Fewer chargers than there should be."""
    INSTALLER_LIMITS = 0x40
    """What the installer allows the chargers could together exceed a fuse while nobody watches it."""
    METER_SIGN = 0x80
    """The meter of the house connection seems to count the wrong way round."""
    CIRCUITS = 0x100
    """A circuit that does not hang on the house connection, or carries less than any charger needs."""
    CURRENTS = 0x200
    """A charger whose least current is more than it may draw at most."""
    DUPLICATE_CHARGER = 0x400
    """Two chargers with one serial number."""


def config_errors(
    config: Configuration, snapshot: Snapshot | None = None, state: ControlState | None = None, now: float = 0.0
) -> ConfigError:
    """Return everything that is wrong with the configuration.

    Args:
        config: the whole configuration.
        snapshot: what the devices say; None = what they alone know is not judged.
        state: what was observed, and since when; None = whoever is missing will not come any more.
        now: monotonic seconds.
    """
    tree, strategy, chargers = Tree.of(config.circuits), config.strategy, config.chargers
    patient = state is not None and now - state.started_at < PATIENCE
    names = {charger.charger_id for charger in chargers}
    modes = {strategy.mode.value, *(charger.mode.value for charger in chargers)}
    lost = len(tree.circuits) != len(config.circuits) or any(c.circuit_id not in tree.chains for c in chargers)
    wrong = {
        ConfigError.PHASE_SWITCHING: any(cannot_switch(config, charger) for charger in chargers),
        ConfigError.MAXIMUM_CURRENT: strategy.maximum_total_current_a < LOWEST_CURRENT,
        ConfigError.NO_CHARGERS: not patient and not chargers,
        ConfigError.NO_POWER_METER: strategy.excess_charging and not config.has_power_meter and bool(modes & SOLAR),
        ConfigError.NO_PHASE_CURRENTS: config.dynamic and not (tree.circuits[0].metered and config.phase_currents),
        ConfigError.FEWER_CHARGERS: not patient and 0 < len(names) < (config.expected_chargers or 0),
        ConfigError.INSTALLER_LIMITS: snapshot is not None and bool(overloadable_circuits(config, snapshot)),
        ConfigError.METER_SIGN: state is not None and state.sign.inverted,
        ConfigError.CIRCUITS: lost or bool(useless_circuits(config)),
        ConfigError.CURRENTS: any(asks_too_much(config, charger) for charger in chargers),
        ConfigError.DUPLICATE_CHARGER: len(names) != len(chargers),
    }
    return ConfigError(sum(error for error, found in wrong.items() if found))


def cannot_switch(config: Configuration, charger: ChargerConfig) -> bool:
    """Return whether a charger is asked for a number of phases that it can never have."""
    if config.strategy.external_phases and not can_switch(config, charger):
        return True
    return charger.phase_policy is PhasePolicy.THREE and min(config.phases, charger.wired_phases) < 3


def useless_circuits(config: Configuration) -> tuple[str, ...]:
    """Return the ids of circuits that do not hang on the house connection, or carry less than any charger needs."""
    fed = Tree.of(config.circuits).chains
    return tuple(
        circuit.circuit_id
        for circuit in config.circuits
        if circuit.circuit_id not in fed or circuit.limit_a <= LOWEST_CURRENT
    )


def overloadable_circuits(config: Configuration, snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Return the circuits whose chargers could draw more than the limit if nobody held them back, with these chargers.

    Nothing at the charger or in its app can exceed what the installer set there. A charger that has not said it is
    left out; one whose circuit does not exist hangs at least on the house connection.
    """
    tree = Tree.of(config.circuits)
    drawn: list[Three] = [NOTHING] * len(tree.circuits)
    drawing: list[tuple[str, ...]] = [()] * len(tree.circuits)
    for charger in config.chargers:
        reading = snapshot.chargers.get(charger.charger_id)
        if reading is None or not reading.installer_limit_a:
            continue
        amps = spread(reading.installer_limit_a, grid_phases(charger, config.phases, charger.wired_phases))
        for index in tree.chains.get(charger.circuit_id, (0,)):
            drawn[index] = add(drawn[index], amps)
            drawing[index] += (charger.charger_id,)
    return {
        circuit.circuit_id: chargers
        for circuit, total, chargers in zip(tree.circuits, drawn, drawing, strict=True)
        if max(total) > circuit.limit_a
    }


def asks_too_much(config: Configuration, charger: ChargerConfig) -> bool:
    """Return whether a least current of a charger is more than it may draw at most."""
    least = max(charger.min_current_a, charger.min_current_three_a or 0, config.strategy.minimum_current_a)
    return least > charger.max_current_a
