"""Keeps the ledger of finished charging sessions in a file of its own, and gives it away as a table."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..asides import async_keep_aside, async_remove_all
from ..const import DOMAIN, LOGGER
from ..control.ledger import Book, Record, Rows, csv_of, record_of, saved_of
from ..control.session import Session
from ..shared import SHARED, charger_names

KEY: Final = f"{DOMAIN}.sessions"
VERSION: Final = 1
SAVE_DELAY: Final = 5  # s; not later than the memory, which forgets a session with the next one


class Ledger:
    """The finished sessions of all chargers, with or without a load manager."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare the storage; nothing is read before ``async_load``."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(hass, VERSION, KEY, serialize_in_event_loop=False)
        self._book = Book()
        self._copy: Mapping[str, Iterable[Session]] = {}
        """What is to be saved; the sessions themselves never change, so another thread may turn them into text."""
        self._saving = False
        """Whether that will be written soon."""

    async def async_load(self) -> None:
        """Read what was saved; what cannot be read is kept aside and stops nobody."""
        try:
            saved = await self._store.async_load()
        except (HomeAssistantError, KeyError, NotImplementedError, TypeError) as err:
            LOGGER.warning("The ledger of charging sessions cannot be read and begins anew: %s", err)
            await async_keep_aside(self._hass, self._store)
            return
        self._book, damaged = await self._hass.async_add_executor_job(Book.from_saved, saved)
        if damaged:
            LOGGER.warning("%s charging sessions in the ledger cannot be read and are left out", damaged)
            await async_keep_aside(self._hass, self._store)
            self._save()

    @callback
    def add(self, serial: str, session: Session) -> bool:
        """Take in a finished session; return whether it is a new one."""
        new = self._book.add(serial, session)
        if new:
            self._save()
        return new

    def sessions(self, serial: str | None = None, since: datetime | None = None, until: datetime | None = None) -> Rows:
        """Return the sessions that began in a time, the oldest first.

        Args:
            serial: of the charger; None = all.
            since: the first moment, aware; None = from the beginning.
            until: the first moment after, aware; None = to the end.
        """
        return self._book.rows(None if serial is None else (serial,), since=since, until=until)

    def last(self, serial: str) -> Session | None:
        """Return the last finished session of a charger."""
        return next(iter(self._book.last(serial)), None)

    def latest(self, serial: str, count: int) -> list[Session]:
        """Return the last finished sessions of a charger, the oldest first."""
        return self._book.last(serial, count)

    @callback
    def forget(self, serial: str) -> None:
        """Forget the sessions of a removed charger."""
        if self._book.forget(serial):
            self._save()

    async def async_remove(self) -> None:
        """Remove the file, and those that were kept aside."""
        self._book, self._saving = Book(), False
        await async_remove_all(self._hass, self._store)

    @callback
    def _save(self) -> None:
        self._copy = self._book.copy()
        # The store waits anew with every call: where cars come and go nothing would be saved.
        if not self._saving:
            self._saving = True
            self._store.async_delay_save(self._written, SAVE_DELAY)

    def _written(self) -> dict[str, Any]:
        """Return what is to be saved, in another thread; what comes from now on is saved next."""
        self._saving = False
        return saved_of(self._copy)


async def async_export(
    hass: HomeAssistant,
    serials: Iterable[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[str, list[Record]]:
    """Return finished sessions as a table (CSV) and as records; both are made in another thread.

    Args:
        hass: Home Assistant.
        serials: of the chargers; None = all.
        since: the first moment at which a session may have begun, aware; None = from the beginning.
        until: the first moment at which it may not, aware; None = to the end.
    """
    ledger = hass.data[SHARED].ledger
    wanted = None if serials is None else set(serials)
    rows = [row for row in ledger.sessions(None, since, until) if wanted is None or row[0] in wanted]
    return await hass.async_add_executor_job(_export, rows, charger_names(hass))


def _export(rows: Rows, names: dict[str, str]) -> tuple[str, list[Record]]:
    zone = dt_util.get_default_time_zone()
    records = [record_of(serial, session, names.get(serial, serial), zone) for serial, session in rows]
    return csv_of(rows, names, zone), records
