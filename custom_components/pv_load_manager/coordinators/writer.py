"""Writes to one charger what is wanted of it: what is missing, when it may go out, and what becomes of it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..const import CONF_SERIAL, DOMAIN, LOGGER
from ..control import ChargerPlan, Command
from ..shared import SHARED
from ..wattpilot import (
    CarState,
    FormerValues,
    Target,
    WattpilotClient,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotStatus,
    Write,
    takeover_writes,
    writes_for,
)
from .app import AppWatch
from .contested import ContestIssue
from .disobedience import Disobedience, Offence
from .pacing import HOLD, Pacing, disobeyed_write
from .stall import StallWatch, car_woken
from .tally import ChargerTally
from .translate import charger_target


class ChargerWriter:
    """What goes out to one charger."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: WattpilotClient,
        wanted: Callable[[], ChargerPlan | None],
        *,
        pacing: Pacing,
        stall: StallWatch,
        app: AppWatch,
        tally: ChargerTally,
    ) -> None:
        """Begin with nothing written.

        Args:
            hass: Home Assistant.
            entry: of the charger.
            client: its connection.
            wanted: returns the plan that is in force now, with its command; None = nothing may be written.
            pacing: when a write may go out.
            stall: watches for a car that has to be woken.
            app: has to know of every write, to tell it from what people do.
            tally: counts them.
        """
        self._hass = hass
        self._entry = entry
        self._serial: str = entry.data[CONF_SERIAL]
        self._client = client
        self._wanted = wanted
        self._pacing = pacing
        self._stall = stall
        self._app = app
        self._tally = tally
        self._contest = ContestIssue(hass, self._serial)
        self._disobedience = Disobedience(hass, self._serial, entry.title)
        self._applying: asyncio.Task[None] | None = None
        self._car_left = False
        self.stopping = False
        """Whether Home Assistant stops: only what the charger is left with goes out."""

    def as_dict(self) -> dict[str, Any]:
        """Return what was written, for the diagnostics."""
        return self._pacing.as_dict(self._hass.loop.time())

    def reset(self) -> None:
        """Forget all writes: a charger that was away tells anew what it has."""
        self._pacing.reset()

    @callback
    def end(self) -> None:
        """Take back what was reported of the charger: nobody watches it any more."""
        self._contest.end()
        self._disobedience.end()

    @callback
    def heard(self, status: WattpilotStatus, changed: frozenset[str]) -> None:
        """Take in what the charger says, before anything is written."""
        self._pacing.heard(changed, status)
        if "car" in changed and status.car_state is CarState.NO_CAR:
            # The charger drops a hold when the car leaves, and may do so without a word if that was just written.
            self._car_left = True
            self._pacing.dropped_hold()
        self._stall.heard(status, self._hass.loop.time())

    @callback
    def wished(self, key: str) -> None:
        """Take in that somebody changed a value, and that this is followed."""
        self._pacing.wished(key, self._hass.loop.time())
        if self._pacing.contested():
            self._contest.contested(key, self._entry.title)

    @callback
    def follow(self, plan: ChargerPlan | None) -> None:
        """Take over a plan; nothing goes out before ``apply``."""
        if plan is None:
            self._disobedience.end()
        elif plan.command is not None:
            self._pacing.follow(plan.command)
        if self._contest.raised and self._pacing.contest_over(self._hass.loop.time()):
            self._contest.end()

    @callback
    def apply(self) -> None:
        """Start writing what is missing, unless that already goes on."""
        if self.stopping or not (due := self._due()):
            return
        # A task that failed before it ever waited is over before it is known here.
        if self._applying is not None and not self._applying.done():
            # A stop must not wait for the answer to a write that is still under way.
            if HOLD in due:
                self._entry.async_create_background_task(
                    self._hass, self._async_hold(), f"{DOMAIN} hold {self._serial}"
                )
            return
        self._applying = self._entry.async_create_background_task(
            self._hass, self._async_apply(), f"{DOMAIN} writes {self._serial}"
        )

    @property
    def _command(self) -> Command | None:
        plan = self._wanted()
        return None if plan is None else plan.command

    def _due(self) -> list[Write]:
        """Return the writes that are missing and not just sent."""
        plan = self._wanted()
        if plan is None or plan.command is None:
            return []
        command, status, now = plan.command, self._client.status, self._hass.loop.time()
        wanted = (
            *takeover_writes(status),
            *writes_for(charger_target(command), status, safe_current_a=plan.safe_current_a),
        )
        if self._car_left and not command.charge and HOLD not in wanted:
            wanted = (*wanted, HOLD)
        if self._stall.stalls(status, now, charge=command.charge):
            LOGGER.info("The car at %s stalled after a switch of phases; it is woken", self._entry.title)
            async_dispatcher_send(self._hass, car_woken(self._serial))
        wanted = self._stall.writes(wanted, status, now)
        repeated = self._disobeyed(command, status, wanted)
        due = self._pacing.due(wanted, status, now)
        return due if repeated is None else [*due, repeated]

    def _disobeyed(self, command: Command, status: WattpilotStatus, wanted: tuple[Write, ...]) -> Write | None:
        """Report a charger that does not do what it was told; return what has to be said again to one that took it."""
        disobeyed, ignored = disobeyed_write(command, status), self._pacing.ignored(wanted)
        if not wanted:  # what it refused is wanted no more
            self._disobedience.over(Offence.REFUSED)
        if ignored is not None:
            self._disobedience.began(Offence.IGNORED, f"confirms {ignored.key} = {ignored.value} and does not show it")
        if disobeyed is None and ignored is None:
            self._disobedience.over(Offence.IGNORED)
        elif (
            disobeyed is not None
            and disobeyed not in wanted
            and self._pacing.repeats(disobeyed, self._hass.loop.time())
        ):
            self._disobedience.began(Offence.IGNORED, f"took {disobeyed.key} = {disobeyed.value} and draws more")
            return disobeyed
        return None

    async def _async_apply(self) -> None:
        """Write until the charger is as planned; a newer plan takes effect between two writes."""
        try:
            while (writes := self._due()) and not self.stopping:
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
        command = self._command
        if command is not None and not command.charge:
            results = await asyncio.gather(*(self._async_send(write) for write in writes), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            return
        # One at a time: after each the plan may be another one.
        await self._async_send(writes[0])

    async def _async_send(self, write: Write) -> None:
        now = self._hass.loop.time()
        self._app.sent(write, now)
        overwritten = self._pacing.sent(write, now)
        if overwritten is not None and self._pacing.contested():
            self._contest.contested(overwritten, self._entry.title)
        self._tally.commanded()
        if write == HOLD:
            self._car_left = False
        await self._client.set_value(write.key, write.value)
        LOGGER.debug("%s: %s = %s", self._entry.title, write.key, write.value)

    def _remember_former(self) -> None:
        """Keep what the user had set, before the first write ever changes it."""
        memory = self._hass.data[SHARED].memory
        if "former" not in memory.charger(self._serial):
            memory.set_charger(self._serial, former=FormerValues.from_status(self._client.status).as_dict())

    async def async_leave(self, within: float) -> None:
        """Home Assistant stops: leave behind the current that is safe without it, and write nothing else.

        Args:
            within: how long that may take, s.
        """
        plan = self._wanted()
        self.stopping = True
        if plan is None or plan.command is None:
            return
        target = charger_target(plan.command)
        if plan.safe_current_a == 0:
            target = Target(charge=False, current_a=0)
        elif target.charge:
            target = Target(charge=True, current_a=min(target.current_a, plan.safe_current_a), phases=target.phases)
        try:
            # What is on its way counts as not known: it arrives before these writes do.
            unseen, raw = self._pacing.unseen(), self._client.status.raw
            status = WattpilotStatus.of({key: value for key, value in raw.items() if key not in unseen})
            async with asyncio.timeout(within):
                for write in (*writes_for(target, status, safe_current_a=plan.safe_current_a), *self._stall.left()):
                    self._tally.commanded()
                    await self._client.set_value(write.key, write.value)
        except WattpilotError, TimeoutError:
            LOGGER.warning("%s could not be left at its safe current of %s A", self._entry.title, plan.safe_current_a)
