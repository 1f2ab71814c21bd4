"""Callbacks that cannot hurt the one who calls them."""

from collections.abc import Callable
import logging
from pathlib import Path
import traceback

_LOGGER = logging.getLogger(__name__)


class Listeners[**P]:
    """A set of callbacks."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[P, None]] = {}
        self._failing: set[object] = set()

    def add(self, callback: Callable[P, None]) -> Callable[[], None]:
        """Add a callback; return what removes it, which may be called more than once."""
        token = object()
        self._callbacks[token] = callback

        def remove() -> None:
            self._callbacks.pop(token, None)
            self._failing.discard(token)

        return remove

    def call(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call everybody. One who raises is reported once until it works again, and stops nobody."""
        for token, callback in tuple(self._callbacks.items()):
            if token not in self._callbacks:
                continue
            try:
                callback(*args, **kwargs)
            except Exception as err:  # noqa: BLE001 - whatever it is, the next frame has to be handled
                if token not in self._failing:
                    self._failing.add(token)
                    _log(err)
            else:
                self._failing.discard(token)


def _log(err: Exception) -> None:
    """Report an error by type and place. Its text stays out: it may quote the status, which contains secrets."""
    place = traceback.extract_tb(err.__traceback__)[-1]
    _LOGGER.error(
        "A listener failed with %s (%s, line %s)", type(err).__name__, Path(place.filename).name, place.lineno
    )
