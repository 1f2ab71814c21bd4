"""One Wattpilot: its connection, what it reports, and what the load manager wants of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..const import CONF_MANAGED, CONF_SERIAL, DOMAIN, LOGGER
from ..control import CarState, ChargerPlan, ChargerReading, Mode, OverrideSource
from ..shared import SHARED, has_load_manager
from ..wattpilot import ConnectionState, WattpilotAuthenticationError, WattpilotError, WattpilotStatus
from .app import AppTimings, AppWatch, Wish
from .charger_issue import ReachIssues
from .clients import charger_client, setup_error, update_device, where
from .outage import Outage
from .pacing import Pacing, PacingTimings
from .release import async_restore
from .sessions import ChargerSessions
from .stall import StallTimings, StallWatch
from .tally import ChargerTally
from .translate import charger_reading
from .writer import ChargerWriter

PACING: Final = PacingTimings()
APP: Final = AppTimings()
STALL: Final = StallTimings()
SHUTDOWN_TIME: Final = 8.0  # s; Home Assistant gives all shutdown jobs together 20
COUNTS: Final = frozenset({"sessions", "tally"})
"""What is remembered of a charger and nobody chose."""


class WattpilotCoordinator(DataUpdateCoordinator[WattpilotStatus]):
    """Keeps the connection to one charger and carries out its plan."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, pacing: PacingTimings | None = None) -> None:
        """Prepare the client; nothing is opened before ``async_connect``."""
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title)
        self.serial: str = entry.data[CONF_SERIAL]
        self.client = charger_client(entry.data, serial=self.serial)
        self.sessions = ChargerSessions(hass, self.serial)
        self.tally = ChargerTally(hass, self.serial, self.sessions)
        self.plan: ChargerPlan | None = None
        self._app = AppWatch(APP)
        self._writer = ChargerWriter(
            hass,
            entry,
            self.client,
            self._wanted,
            pacing=Pacing(PACING if pacing is None else pacing),
            stall=StallWatch(STALL),
            app=self._app,
            tally=self.tally,
        )
        self._reach = ReachIssues(hass, entry)
        self._outage = Outage(hass, entry.title)
        self._another_car = False
        """Whether the control core has yet to learn that the car it knows has left."""
        self._settings: dict[str, Any] = {}
        """What somebody chose for the charger when it was last planned."""
        self._outdated = False
        """Whether the plan is for a car that has left."""
        self._miscounts = False
        """Whether sessions and counters failed the last time."""
        self._unsubscribe: list[CALLBACK_TYPE] = []

    @property
    def managed(self) -> bool:
        """Return whether the load manager may command this charger."""
        return bool(self.config_entry.options.get(CONF_MANAGED, True))

    @property
    def connected(self) -> bool:
        """Return whether the charger is connected and told everything."""
        return self.client.state is ConnectionState.CONNECTED

    async def async_connect(self) -> None:
        """Open the first connection and keep it from then on.

        Raises:
            ConfigEntryAuthFailed: the password is wrong.
            ConfigEntryNotReady: nothing or another charger answers, or it never told everything.
            ConfigEntryError: the charger cannot be used.
        """
        try:
            await self.client.connect()
        except WattpilotError as err:
            raise setup_error(err, self._placeholders) from err
        self._adopt()
        self.async_set_updated_data(self.client.status)
        self._not_gone()
        self._unsubscribe = [
            self.client.on_update(self._on_update),
            self.client.on_state(self._on_state),
            self.tally.start(),
            self.hass.async_add_shutdown_job(HassJob(self._async_shutdown_job)),
        ]
        self.config_entry.async_create_background_task(self.hass, self._async_run(), f"{DOMAIN} {self.serial}")
        self._end_control()

    async def async_close(self) -> None:
        """Leave the charger as it is: an unload is not a stop of Home Assistant."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        self._writer.end()
        self._outage.end()
        self._reach.clear()
        with self._aside():
            self.tally.keep()
        await self.client.close()

    async def _async_run(self) -> None:
        """Stay connected for as long as the entry is loaded."""
        try:
            await self.client.run()
        except WattpilotAuthenticationError:
            self.config_entry.async_start_reauth(self.hass)

    @callback
    def _on_update(self, status: WattpilotStatus, changed: frozenset[str]) -> None:
        self._writer.heard(status, changed)
        wish = self._wish(status)
        self._count(status)
        self.async_set_updated_data(status)
        if wish is not None:
            self._follow_app(wish)
        self._notify()
        self._writer.apply()

    @callback
    def _on_state(self, state: ConnectionState) -> None:
        if state is ConnectionState.CONNECTED:
            self._writer.reset()
            self._adopt()
            self._not_gone()
            self._outage.found()
            self.async_set_updated_data(self.client.status)
            self._end_control()
        elif self.last_update_success and not self._writer.stopping:
            # Not `async_set_update_error`: a charger that comes and goes would fill the log.
            self.last_exception, self.last_update_success = self._unreachable(), False
            self._outage.lost(self.last_exception)
            self._count()
            self.async_update_listeners()
        self._reach.follow_error(self.client.last_error if state is ConnectionState.WRONG_DEVICE else None)
        # At once: a charger that is back must not follow what was planned before it was lost.
        if (manager := self.hass.data[SHARED].load_manager) is not None:
            manager.decide_now()

    @callback
    def _notify(self) -> None:
        if (manager := self.hass.data[SHARED].load_manager) is not None:
            manager.charger_changed()

    def _wish(self, status: WattpilotStatus) -> Wish | None:
        """Return what somebody wants who changed the charger in its app; the site's off is above every wish."""
        manager, plan = self.hass.data[SHARED].load_manager, self._wanted()
        written = "former" in self.hass.data[SHARED].memory.charger(self.serial)
        wish = self._app.heard(
            status,
            self.hass.loop.time(),
            in_charge=plan is not None and written and not self._writer.stopping,
            charge=plan is not None and plan.command is not None and plan.command.charge,
            override=None if manager is None else manager.override(self.serial),
        )
        if wish is None or manager is None or manager.strategy.mode is Mode.OFF:
            return None
        return wish

    @callback
    def _follow_app(self, wish: Wish) -> None:
        """Let the wish act before anything is written back."""
        if (manager := self.hass.data[SHARED].load_manager) is None:
            return
        self._writer.wished(wish.key)
        if wish.current_a is None:
            manager.end_override(self.serial)
            return
        with suppress(ServiceValidationError):  # a core that failed from the start knows no charger: it stays stopped
            manager.begin_override(self.serial, wish.current_a, source=OverrideSource.APP)

    @callback
    def _adopt(self) -> None:
        """Take what a charger has that was not watched for a while."""
        status = self.client.status
        self._app.adopt(status, self.hass.loop.time())
        update_device(self.hass, self.config_entry, self.client.info)
        self._count(status, away=True)

    @callback
    def _count(self, status: WattpilotStatus | None = None, *, away: bool = False) -> None:
        """Count what happened until now.

        Args:
            status: everything that the charger says, None = it said nothing new.
            away: whether it was not connected before.
        """
        with self._aside():
            if status is not None and self.sessions.heard(status, plan=None if away else self.plan, away=away):
                self._another_car = True
            self.tally.look(self.client.status if self.connected else None, self.plan)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Do something that may fail without keeping this charger, or any other one, from its plan."""
        try:
            yield
        except Exception:  # noqa: BLE001 - whatever it is, the charger has to be controlled
            if not self._miscounts:
                LOGGER.exception("What happens at %s cannot be counted", self.config_entry.title)
            self._miscounts = True
        else:
            self._miscounts = False

    def pacing(self) -> dict[str, Any]:
        """Return what was written to the charger, for the diagnostics."""
        return self._writer.as_dict()

    def reading(self) -> ChargerReading:
        """Return what is known of the charger for the control core."""
        reading = charger_reading(self.client.status, at=self.client.last_frame_at or 0.0, online=self.connected)
        # What was chosen for a car ends with it, also where nobody saw it leave.
        return replace(reading, car=CarState.NO_CAR) if self._another_car and self.managed else reading

    @callback
    def set_plan(self, plan: ChargerPlan | None) -> None:
        """Take over what the load manager decided; None when there is none."""
        self._outdated = self._another_car and self.connected and plan is not None
        if self._outdated:
            # It heard that the car before left; what it decided for an empty place is nothing to carry out.
            self._another_car = False
            self._notify()
            return
        before, self.plan = self.plan, plan
        remembered = self.hass.data[SHARED].memory.charger(self.serial)
        settings = {name: value for name, value in remembered.items() if name not in COUNTS}
        chosen, self._settings = settings != self._settings, settings
        self._count()
        self._reach.follow_commands(commanded=plan is not None and self.managed)
        self._writer.follow(plan)
        # Figures that only went on are shown with what the charger says next.
        if not self.connected or chosen or _news(before) != _news(plan):
            self.async_update_listeners()
        self._writer.apply()

    def _wanted(self) -> ChargerPlan | None:
        """Return the plan that is to be carried out now, with a command; None = the charger is left alone."""
        plan = self.plan
        if not self.managed or not self.connected or self._outdated or plan is None or plan.command is None:
            return None
        return plan

    @callback
    def _not_gone(self) -> None:
        """A charger that answers is there, whatever the user said of it."""
        memory = self.hass.data[SHARED].memory
        if "gone" in memory.charger(self.serial):
            memory.set_charger(self.serial, gone=None)

    @callback
    def _end_control(self) -> None:
        """Give the charger back when control ended while it was not connected, or by its options."""
        if not self.managed or not has_load_manager(self.hass):
            self.config_entry.async_create_background_task(
                self.hass, self.async_release(), f"{DOMAIN} release {self.serial}"
            )

    async def async_release(self) -> None:
        """Give the charger back as it was before the load manager came; errors are logged, not raised."""
        memory = self.hass.data[SHARED].memory
        former = memory.charger(self.serial).get("former")
        self.plan = None
        if former is None or not self.connected:
            return
        if await async_restore(self.client, former, self.config_entry.title):
            memory.set_charger(self.serial, former=None)

    async def _async_shutdown_job(self) -> None:
        """Home Assistant stops: leave behind the current that is safe without it."""
        try:
            await self._writer.async_leave(SHUTDOWN_TIME)
        finally:
            self.tally.keep()

    @override
    async def _async_update_data(self) -> WattpilotStatus:
        """Return the pushed status; this is only asked for by a manual refresh."""
        if not self.connected:
            raise self._unreachable()
        return self.client.status

    @property
    def _placeholders(self) -> dict[str, str]:
        return {"name": self.config_entry.title, "host": where(self.config_entry.data)}

    def _unreachable(self) -> UpdateFailed:
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="charger_unreachable",
            translation_placeholders=self._placeholders,
        )


def _news(plan: ChargerPlan | None) -> object:
    """Return what of a plan must not wait to be shown."""
    return None if plan is None else (plan.command, plan.explanation.reason, plan.explanation.circuit_id)
