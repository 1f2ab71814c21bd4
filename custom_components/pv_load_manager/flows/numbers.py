"""Number fields: ranges are checked by the flows, so that each gets a message of its own."""

from homeassistant.helpers.selector import NumberSelector, NumberSelectorConfig, NumberSelectorMode


def number(unit: str | None = None) -> NumberSelector:
    """Return a field for a typed number."""
    config = NumberSelectorConfig(mode=NumberSelectorMode.BOX, step=1)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def whole(value: float, low: int, high: int) -> bool:
    """Return whether a number is whole and in a range."""
    return low <= value <= high and value == int(value)
