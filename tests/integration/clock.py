"""Time that passes at will: the loop's own clock is moved ahead, so every timer of Home Assistant fires as it would."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.core import HomeAssistant


class Clock:
    """Moves the clock of Home Assistant's loop; without sockets only, because real devices do not keep pace."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with the present."""
        self._loop = hass.loop
        self._real = hass.loop.time
        self._ahead = 0.0

    def time(self) -> float:
        """Return the monotonic time in s."""
        return self._real() + self._ahead

    async def forward(self, seconds: int) -> None:
        """Let time pass second by second, and everything happen that is due in each."""
        for _ in range(seconds):
            self._ahead += 1.0
            for _ in range(5):
                await asyncio.sleep(0)


@contextmanager
def simulated_time(hass: HomeAssistant) -> Iterator[Clock]:
    """Take over the clock for a while; afterwards it stays ahead, because time never goes back."""
    clock = Clock(hass)
    hass.loop.time = clock.time  # type: ignore[method-assign]
    yield clock
