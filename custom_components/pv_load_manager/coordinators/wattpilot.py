"""One Wattpilot: its connection, what it reports, and what the load manager wants of it."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..const import CONF_MANAGED, CONF_SERIAL, DOMAIN, LOGGER
from ..control import CarState, ChargerPlan, ChargerReading, Command, Mode, OverrideSource
from ..shared import SHARED, has_load_manager
from ..wattpilot import (
    CarState as WattpilotCar,
    ConnectionState,
    FormerValues,
    Target,
    WattpilotAuthenticationError,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotStatus,
    Write,
    takeover_writes,
    writes_for,
)
from .app import AppTimings, AppWatch, Wish
from .charger_issue import ReachIssues
from .clients import charger_client, setup_error, update_device, where
from .contested import ContestIssue
from .disobedience import Disobedience, Offence
from .outage import Outage
from .pacing import HOLD, Pacing, PacingTimings, disobeyed_write
from .release import async_restore
from .sessions import ChargerSessions
from .stall import StallTimings, StallWatch, car_woken
from .translate import charger_reading, charger_target

PACING: Final = PacingTimings()
APP: Final = AppTimings()
STALL: Final = StallTimings()
SHUTDOWN_TIME: Final = 8.0  # s; Home Assistant gives all shutdown jobs together 20


class WattpilotCoordinator(DataUpdateCoordinator[WattpilotStatus]):
    """Keeps the connection to one charger and carries out its plan."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, pacing: PacingTimings | None = None) -> None:
        """Prepare the client; nothing is opened before ``async_connect``."""
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title)
        self.serial: str = entry.data[CONF_SERIAL]
        self.client = charger_client(entry.data, serial=self.serial)
        self.sessions = ChargerSessions(hass, self.serial)
        self.plan: ChargerPlan | None = None
        self._pacing = Pacing(PACING if pacing is None else pacing)
        self._app = AppWatch(APP)
        self._contest = ContestIssue(hass, self.serial)
        self._reach = ReachIssues(hass, entry)
        self._stall = StallWatch(STALL)
        self._applying: asyncio.Task[None] | None = None
        self._stopping = False
        self._disobedience = Disobedience(hass, self.serial, entry.title)
        self._outage = Outage(hass, entry.title)
        self._car_left = False
        self._another_car = False
        """Whether the control core has yet to learn that the car it knows has left."""
        self._outdated = False
        """Whether the plan is for a car that has left."""
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
            self.hass.async_add_shutdown_job(HassJob(self._async_shutdown_job)),
        ]
        self.config_entry.async_create_background_task(self.hass, self._async_run(), f"{DOMAIN} {self.serial}")
        self._end_control()

    async def async_close(self) -> None:
        """Leave the charger as it is: an unload is not a stop of Home Assistant."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        self._contest.end()
        self._disobedience.end()
        self._outage.end()
        self._reach.clear()
        self.sessions.keep()
        await self.client.close()

    async def _async_run(self) -> None:
        """Stay connected for as long as the entry is loaded."""
        try:
            await self.client.run()
        except WattpilotAuthenticationError:
            self.config_entry.async_start_reauth(self.hass)

    @callback
    def _on_update(self, status: WattpilotStatus, changed: frozenset[str]) -> None:
        self._pacing.heard(changed, status)
        if "car" in changed and status.car_state is WattpilotCar.NO_CAR:
            # The charger drops a hold when the car leaves, and may do so without a word if that was just written.
            self._car_left = True
            self._pacing.dropped_hold()
        wish = self._wish(status)
        self._stall.heard(status, self.hass.loop.time())
        if self.sessions.heard(status):
            self._another_car = True
        self.async_set_updated_data(status)
        if wish is not None:
            self._follow_app(wish)
        self._notify()
        self._apply()

    @callback
    def _on_state(self, state: ConnectionState) -> None:
        if state is ConnectionState.CONNECTED:
            self._pacing.reset()
            self._adopt()
            self._not_gone()
            self._outage.found()
            self.async_set_updated_data(self.client.status)
            self._end_control()
        elif self.last_update_success and not self._stopping:
            # Not `async_set_update_error`: a charger that comes and goes would fill the log.
            self.last_exception, self.last_update_success = self._unreachable(), False
            self._outage.lost(self.last_exception)
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
        manager, command = self.hass.data[SHARED].load_manager, self._target
        written = "former" in self.hass.data[SHARED].memory.charger(self.serial)
        wish = self._app.heard(
            status,
            self.hass.loop.time(),
            in_charge=command is not None and written and not self._stopping,
            charge=command is not None and command.charge,
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
        self._pacing.wished(wish.key, self.hass.loop.time())
        if self._pacing.contested():
            self._contest.contested(wish.key, self.config_entry.title)
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
        if self.sessions.heard(status, away=True):
            self._another_car = True

    def pacing(self) -> dict[str, Any]:
        """Return what was written to the charger, for the diagnostics."""
        return self._pacing.as_dict(self.hass.loop.time())

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
        self._reach.follow_commands(commanded=plan is not None and self.managed)
        if plan is None:
            self._disobedience.end()
        elif plan.command is not None:
            self._pacing.follow(plan.command)
        if self._contest.raised and self._pacing.contest_over(self.hass.loop.time()):
            self._contest.end()
        # Figures that only went on are shown with what the charger says next.
        if not self.connected or _news(before) != _news(plan):
            self.async_update_listeners()
        self._apply()

    @callback
    def _apply(self) -> None:
        """Start writing what is missing, unless that already goes on."""
        if self._stopping or not (due := self._due()):
            return
        # A task that failed before it ever waited is over before it is known here.
        if self._applying is not None and not self._applying.done():
            # A stop must not wait for the answer to a write that is still under way.
            if HOLD in due:
                self.config_entry.async_create_background_task(
                    self.hass, self._async_hold(), f"{DOMAIN} hold {self.serial}"
                )
            return
        self._applying = self.config_entry.async_create_background_task(
            self.hass, self._async_apply(), f"{DOMAIN} writes {self.serial}"
        )

    @property
    def _target(self) -> Command | None:
        if not self.managed or not self.connected or self.plan is None or self._outdated:
            return None
        return self.plan.command

    def _due(self) -> list[Write]:
        """Return the writes that are missing and not just sent."""
        command, plan = self._target, self.plan
        if command is None or plan is None:
            return []
        status = self.client.status
        wanted = (
            *takeover_writes(status),
            *writes_for(charger_target(command), status, safe_current_a=plan.safe_current_a),
        )
        if self._car_left and not command.charge and HOLD not in wanted:
            wanted = (*wanted, HOLD)
        now = self.hass.loop.time()
        if self._stall.stalls(status, now, charge=command.charge):
            LOGGER.info("The car at %s stalled after a switch of phases; it is woken", self.config_entry.title)
            async_dispatcher_send(self.hass, car_woken(self.serial))
        wanted = self._stall.writes(wanted, status, now)
        due = self._pacing.due(wanted, status, now)
        disobeyed = disobeyed_write(command, status)
        ignored = self._pacing.ignored(wanted)
        if not wanted:  # what it refused is wanted no more
            self._disobedience.over(Offence.REFUSED)
        if ignored is not None:
            self._disobedience.began(Offence.IGNORED, f"confirms {ignored.key} = {ignored.value} and does not show it")
        if disobeyed is None and ignored is None:
            self._disobedience.over(Offence.IGNORED)
        elif disobeyed is not None and disobeyed not in wanted and self._pacing.repeats(disobeyed, now):
            self._disobedience.began(Offence.IGNORED, f"took {disobeyed.key} = {disobeyed.value} and draws more")
            due.append(disobeyed)
        return due

    async def _async_apply(self) -> None:
        """Write until the charger is as planned; a newer plan takes effect between two writes."""
        try:
            while (writes := self._due()) and not self._stopping:
                self._remember_former()
                await self._async_write(writes)
        except WattpilotConnectionError:
            pass  # the connection is opened again elsewhere, and then everything is written anew
        except WattpilotError as err:
            self._disobedience.began(Offence.REFUSED, f"did not take a command: {err}")
        else:
            self._disobedience.over(Offence.REFUSED)
        finally:
            self._applying = None

    async def _async_hold(self) -> None:
        """Stop the car past whatever is being written; a failure is mended by the writes that follow."""
        with suppress(WattpilotError):
            await self._async_send(HOLD)

    async def _async_write(self, writes: list[Write]) -> None:
        """Send writes in order; a stop is never kept waiting by a write before it."""
        command = self._target
        if command is not None and not command.charge:
            results = await asyncio.gather(*(self._async_send(write) for write in writes), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            return
        # One at a time: after each the plan may be another one.
        await self._async_send(writes[0])

    async def _async_send(self, write: Write) -> None:
        now = self.hass.loop.time()
        self._app.sent(write, now)
        overwritten = self._pacing.sent(write, now)
        if overwritten is not None and self._pacing.contested():
            self._contest.contested(overwritten, self.config_entry.title)
        if write == HOLD:
            self._car_left = False
        await self.client.set_value(write.key, write.value)
        LOGGER.debug("%s: %s = %s", self.config_entry.title, write.key, write.value)

    @callback
    def _not_gone(self) -> None:
        """A charger that answers is there, whatever the user said of it."""
        memory = self.hass.data[SHARED].memory
        if "gone" in memory.charger(self.serial):
            memory.set_charger(self.serial, gone=None)

    def _remember_former(self) -> None:
        """Keep what the user had set, before the first write ever changes it."""
        memory = self.hass.data[SHARED].memory
        if "former" not in memory.charger(self.serial):
            memory.set_charger(self.serial, former=FormerValues.from_status(self.client.status).as_dict())

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
        plan, command = self.plan, self._target
        self._stopping = True
        self.sessions.keep()
        if plan is None or command is None:
            return
        target = charger_target(command)
        if plan.safe_current_a == 0:
            target = Target(charge=False, current_a=0)
        elif target.charge:
            target = Target(charge=True, current_a=min(target.current_a, plan.safe_current_a), phases=target.phases)
        try:
            # What is on its way counts as not known: it arrives before these writes do.
            unseen, raw = self._pacing.unseen(), self.client.status.raw
            status = WattpilotStatus.of({key: value for key, value in raw.items() if key not in unseen})
            async with asyncio.timeout(SHUTDOWN_TIME):
                for write in writes_for(target, status, safe_current_a=plan.safe_current_a):
                    await self.client.set_value(write.key, write.value)
        except WattpilotError, TimeoutError:
            LOGGER.warning(
                "%s could not be left at its safe current of %s A", self.config_entry.title, plan.safe_current_a
            )

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
