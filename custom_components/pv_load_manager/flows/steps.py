"""What the steps of all kinds of entries share while a flow runs."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlow


class Steps(ConfigFlow):
    """A flow with the answers that were given so far."""

    def __init__(self) -> None:
        """Begin with an empty form."""
        self._data: dict[str, Any] = {}
        self._former: Mapping[str, Any] = {}
