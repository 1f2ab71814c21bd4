"""Runs the check of the meter with one charger: asks for currents by its override, and hears what devices say.

An override is a cap inside all limits of the house, so the check loads no circuit beyond its own. What was chosen for
the charger before is in force again when the check is over, however it ends; should nothing here be able to do that
any more, the override of the check ends by its time.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..control import CarState, ChargerReading, Mode, Override, OverrideSource, Reason, SiteStatus
from ..control.findings import CheckResult, Outcome
from ..control.meter_check import CheckTimings, Heard, MeterCheck
from .errors import refused
from .load_manager import LoadManagerCoordinator

TIMINGS: Final = CheckTimings()
PERIOD: Final = 0.5  # s; so often time alone may change something
SPARE: Final = 60.0  # s; so much later than the check its override ends in any case
RESTLESS_S: Final = 20.0  # s; so far back another charger must not have moved
RESTLESS_W: Final = 500.0  # W

_RUNNING: HassKey[MeterCheckRun] = HassKey(f"{DOMAIN}_meter_check")


@callback
def prepare_meter_check(
    hass: HomeAssistant,
    manager: LoadManagerCoordinator,
    serial: str,
    *,
    progress: Callable[[float], None] | None = None,
) -> MeterCheckRun:
    """Return a check, with one charger, of whether and how the meter of the house connection sees its car.

    No other one can begin before it was run.

    Args:
        hass: Home Assistant.
        manager: the running load manager.
        serial: of the charger.
        progress: told how much of the check is done, 0..1.

    Raises:
        ServiceValidationError: it cannot begin now.
    """
    check_ready(hass, manager, serial)
    hass.data[_RUNNING] = run = MeterCheckRun(hass, manager, serial, timings=TIMINGS, progress=progress)
    manager.before_stop.add(run.interrupt)
    return run


@callback
def check_ready(hass: HomeAssistant, manager: LoadManagerCoordinator, serial: str) -> None:
    """Find out whether a check with one charger can begin now.

    Raises:
        ServiceValidationError: it cannot.
    """
    if _RUNNING in hass.data:
        raise refused("meter_check_running")
    _check_site(manager, hass.loop.time())
    _check_charger(manager, serial)


def charger_with_car(reading: ChargerReading | None) -> bool:
    """Return whether a charger answers and a car is plugged in."""
    return reading is not None and reading.online and reading.car not in {CarState.NO_CAR, CarState.UNKNOWN}


def _check_site(manager: LoadManagerCoordinator, now: float) -> None:
    """Find out whether meter and load manager are ready.

    Raises:
        ServiceValidationError: they are not.
    """
    config, _, snapshot = manager.inside()
    if not config.has_power_meter:
        raise refused("meter_check_no_meter")
    if config.strategy.mode is Mode.OFF:
        raise refused("meter_check_site_off")
    if manager.data.status is SiteStatus.STARTING:
        raise refused("meter_check_starting")
    grid = snapshot.grid
    if grid is None or now - grid.at > TIMINGS.silence:
        raise refused("meter_check_meter_silent")


def _check_charger(manager: LoadManagerCoordinator, serial: str) -> None:
    """Find out whether a charger is ready, and the others are at rest.

    Raises:
        ServiceValidationError: they are not.
    """
    _, state, snapshot = manager.inside()
    manager.check_override((serial,), 0)
    reading = snapshot.chargers.get(serial)
    if reading is None or not reading.online:
        raise refused("meter_check_charger_lost")
    if not charger_with_car(reading):
        raise refused("meter_check_no_car")
    plan = manager.data.chargers.get(serial)
    if plan is None or plan.explanation.reason is Reason.UNTOUCHED:
        raise refused("meter_check_no_mode")
    for key, draws in state.draws.items():
        powers = [draw.power_w for draw in draws if draws[-1].at - draw.at <= RESTLESS_S]
        if key != serial and powers and max(powers) - min(powers) > RESTLESS_W:
            raise refused("meter_check_other_charger")


class MeterCheckRun:
    """One running check."""

    def __init__(
        self,
        hass: HomeAssistant,
        manager: LoadManagerCoordinator,
        serial: str,
        *,
        timings: CheckTimings,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """Prepare; nothing is changed before ``async_run``."""
        self.manager = manager
        self._hass = hass
        self._serial = serial
        self._timings = timings
        self._progress = progress
        self._former = manager.override(serial)
        self._ours: Override | None = None
        self._until = dt_util.utcnow() + timedelta(seconds=timings.longest + SPARE)
        self._interrupted = False
        self._heard = asyncio.Event()

    async def async_run(self) -> CheckResult:
        """Run until it is over, up to two minutes; then the charger is told what it was told before."""
        cancels = [
            self.manager.async_add_listener(self._heard.set),
            self._hass.async_add_shutdown_job(HassJob(self.interrupt)),
        ]
        try:
            return await self._async_run()
        finally:
            for cancel in cancels:
                cancel()
            self.manager.before_stop.discard(self.interrupt)
            self._restore()
            del self._hass.data[_RUNNING]

    @callback
    def interrupt(self) -> None:
        """End it at once, because what it needs is about to end."""
        self._interrupted = True
        self._restore()
        self._heard.set()

    async def _async_run(self) -> CheckResult:
        check = self._begin()
        while not check.over:
            if self._ours is None or check.wanted_a != self._ours.current_a:
                self._ask(check.wanted_a)
            with suppress(TimeoutError):
                async with asyncio.timeout(PERIOD):
                    await self._heard.wait()
            self._heard.clear()
            heard, now = self._hear(), self._hass.loop.time()
            check = check.after(heard, now)
            if check.failure is None and (self._interrupted or self.manager.override(self._serial) != self._ours):
                return CheckResult(outcome=Outcome.INTERRUPTED)
            if self._progress is not None:
                self._progress(check.progress(now))
        self._restore()
        return await self._hass.async_add_executor_job(check.result)

    def _begin(self) -> MeterCheck:
        config, _, snapshot = self.manager.inside()
        charger = next(charger for charger in config.chargers if charger.charger_id == self._serial)
        limit = snapshot.chargers[self._serial].limit_a
        least = (config.strategy.minimum_current_a, charger.min_current_a, charger.min_current_three_a or 0)
        most = charger.max_current_a if limit is None else min(charger.max_current_a, limit)
        return MeterCheck.begin(
            self._hass.loop.time(),
            low_a=max(least),
            most_a=most,
            site_phases=config.phases,
            timings=self._timings,
        )

    def _hear(self) -> Heard:
        _, _, snapshot = self.manager.inside()
        others = (reading.power_w or 0.0 for key, reading in snapshot.chargers.items() if key != self._serial)
        return Heard(
            charger=snapshot.chargers.get(self._serial),
            grid=snapshot.grid,
            battery=snapshot.battery,
            others_w=sum(others),
        )

    @callback
    def _ask(self, current_a: int) -> None:
        self.manager.begin_override(self._serial, current_a, source=OverrideSource.USER, until=self._until)
        self._ours = self.manager.override(self._serial)

    @callback
    def _restore(self) -> None:
        """Put the former override in force again, unless somebody chose something else meanwhile."""
        ours, self._ours = self._ours, None
        manager, serial, former = self.manager, self._serial, self._former
        if ours is None or manager.override(serial) != ours:
            return
        energy = None
        if former is not None and former.energy_wh is not None:
            _, state, _ = manager.inside()
            energy = former.energy_wh - state.energy(serial)
        if former is None or (energy is not None and energy <= 0.0):
            manager.end_override(serial)
            return
        with suppress(ServiceValidationError):
            manager.begin_override(serial, former.current_a, source=former.source, until=former.until, energy_wh=energy)
