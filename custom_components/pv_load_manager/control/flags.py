"""Configuration errors as the bit mask of WARP's ``power_manager/state``."""

from enum import IntFlag

from .model import LOWEST_CURRENT, Configuration, Mode, PhasePolicy


class ConfigError(IntFlag):
    """What is wrong with the configuration; the values are part of the stable interface."""

    PHASE_SWITCHING = 0x01
    """Three phases are asked for where only one is connected."""
    MAXIMUM_CURRENT = 0x02
    """The maximum total current is missing or too small for any charger."""
    NO_CHARGERS = 0x04
    NO_POWER_METER = 0x08
    """Surplus charging is chosen without a power meter."""


def config_errors(config: Configuration) -> ConfigError:
    """Return everything that is wrong with the configuration."""
    errors = ConfigError(0)
    if any(
        charger.phase_policy is PhasePolicy.THREE and min(config.phases, charger.wired_phases) < 3
        for charger in config.chargers
    ):
        errors |= ConfigError.PHASE_SWITCHING
    if config.strategy.maximum_total_current_a < LOWEST_CURRENT:
        errors |= ConfigError.MAXIMUM_CURRENT
    if not config.chargers:
        errors |= ConfigError.NO_CHARGERS
    modes = {config.strategy.mode.value, *(charger.mode.value for charger in config.chargers)}
    if not config.has_power_meter and modes & {Mode.PV.value, Mode.MIN_PV.value}:
        errors |= ConfigError.NO_POWER_METER
    return errors
