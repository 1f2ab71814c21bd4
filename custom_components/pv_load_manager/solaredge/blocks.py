"""When the parts of an inverter are read again: one by one, and a silent one less and less often."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from modbus_connection import ModbusConnectionError, ModbusError
from modbus_connection.model.sunspec import SunSpecError

from .errors import InverterUnreachableError, NoFiguresError


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderTimings:
    """Times in s."""

    patience: float = 2.0
    """How long the grid meter waits for the others at most, once they answered."""
    rest: float = 10.0
    """How often everything but the grid meter is read."""
    answer: float = 10.0
    """How long an answer may take: over Wi-Fi some come late."""
    again: float = 3.0
    """How long a part that was silent may take: all others wait meanwhile."""
    longest: float = 40.0
    """How long a silent part is left alone at most."""
    layout: float = 900.0
    """How often to look for other meters and batteries."""
    confirm: float = 60.0
    """How long to wait before something that was not found any more counts as gone."""


class Block:
    """A part of an inverter that answers or does not, and when to ask it next."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[None]], timings: ReaderTimings) -> None:
        """``ask`` reads it once."""
        self.name = name
        self.due_at = 0.0
        self.misses = 0
        """How often in a row it did not answer."""
        self.fresh = False
        """Whether it answered when it was asked the last time."""
        self.answered_at = 0.0
        """When it was asked the last time that it answered."""
        self._ask = ask
        self._timings = timings

    async def read(self, clock: Callable[[], float]) -> str | None:
        """Read it; return what went wrong where it does not answer while the link lives.

        Raises:
            InverterUnreachableError: the link is broken.
            WrongInverterError: another inverter answers.
        """
        timings, started = self._timings, clock()
        try:
            # Now and then all the time again, for a part that does answer, late.
            async with asyncio.timeout(timings.again if self.misses % 3 else timings.answer):
                await self._ask()
        except ModbusConnectionError as err:
            raise InverterUnreachableError(str(err)) from err
        except TimeoutError as err:
            return self._missed(str(err) or "no answer", clock(), timings.rest * 2 ** min(self.misses, 16) / 2)
        except (ModbusError, SunSpecError, NoFiguresError) as err:
            return self._missed(str(err), clock(), timings.rest)
        self.misses = 0
        self.fresh = True
        self.answered_at = started
        self.due_at = started + 0.95 * timings.rest
        return None

    def _missed(self, error: str, now: float, wait: float) -> str:
        # The first time it is asked again at once; later a silent block must not hold up the grid meter.
        self.due_at = now + min(wait, self._timings.longest) if self.misses else now
        self.misses += 1
        self.fresh = False
        return error
