"""What people and automations want of the load manager: settings, modes, currents, phases, and when that is refused."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..control import (
    SURPLUS_MODES,
    ControlState,
    ExternalCause,
    ExternalPhases,
    Mode,
    Override,
    OverrideSource,
    Timings,
    begin_override,
    end_override,
    end_overrides,
    know_line,
    redistribute,
)
from .errors import refused
from .modes import Modes
from .site import SiteCoordinator


class WishesCoordinator(SiteCoordinator):
    """Takes over what is wanted, at once and over a restart; what cannot be is refused and changes nothing."""

    _state: ControlState

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, timings: Timings) -> None:
        """Begin with what was wanted before the restart."""
        super().__init__(hass, entry, timings=timings)
        self.modes = Modes(self._shared.memory)

    @callback
    def change(self, **settings: Any) -> None:
        """Take over a setting of the user and act on it at once."""
        self._shared.memory.set_site(**settings)
        self.decide_now()

    @callback
    def change_charger(self, serial: str, **settings: Any) -> None:
        """Take over a user's setting of one charger and act on it at once."""
        self._shared.memory.set_charger(serial, **settings)
        self.decide_now()

    @callback
    def set_available_current(self, current_a: float) -> None:
        """Take over what all chargers together may draw per phase in A; the watchdog begins anew.

        Raises:
            ServiceValidationError: it is not used at all, or more than the maximum.
        """
        if not self.strategy.external_current:
            raise refused("external_current_off")
        if not 0 <= current_a <= self.maximum_total_current:
            raise refused("available_current_out_of_range", maximum=f"{self.maximum_total_current:g}")
        self._shared.available_a, self._shared.available_set_at = float(current_a), self.hass.loop.time()
        self.decide_now()

    @callback
    def request_phases(self, phases: int) -> None:
        """Take over the number of phases that all chargers shall use; 0 = nobody charges.

        Raises:
            ServiceValidationError: it cannot be requested now.
        """
        external, cause = self.data.external, self.data.external_cause
        if external is ExternalPhases.DISABLED:
            raise refused("phase_request_disabled")
        if external is ExternalPhases.SWITCHING:
            raise refused("phase_request_switching")
        if cause is ExternalCause.NO_CHARGER:
            raise refused("phase_request_no_charger")
        if cause is ExternalCause.UNREACHABLE:
            raise refused("phase_request_unreachable")
        if cause is ExternalCause.FIXED:
            raise refused("phase_request_fixed")
        self.change(phases_wanted=phases)

    @callback
    def set_circuit_limit(self, circuit_id: str, current_a: float | None) -> None:
        """Take over what a circuit may carry per phase for now, in A; None = its rating again.

        Raises:
            ServiceValidationError: there is no such circuit, or it is rated for less.
        """
        rated = self.circuit_ratings.get(circuit_id)
        if rated is None:
            raise refused("unknown_circuit", circuit=circuit_id)
        if current_a is not None and not 0 <= current_a <= rated:
            name = self.circuit_names[circuit_id]
            raise refused("circuit_limit_out_of_range", circuit=name, maximum=f"{rated:g}")
        limits = dict(self.circuit_limits)
        limits.pop(circuit_id, None)
        if current_a is not None and current_a < rated:
            limits[circuit_id] = float(current_a)
        self.change(circuit_limits=limits)

    def check_override(self, serials: Iterable[str], current_a: int) -> None:
        """Find out whether all of some chargers may be overridden with a current in A.

        Raises:
            ServiceValidationError: a charger is not known to the control core, or the site is off.
        """
        if any(serial not in self._state.chargers for serial in serials):
            raise refused("charger_not_managed")
        if current_a and self.strategy.mode is Mode.OFF:
            raise refused("override_while_off")

    @callback
    def begin_override(
        self,
        serial: str,
        current_a: int,
        *,
        source: OverrideSource,
        until: datetime | None = None,
        energy_wh: float | None = None,
    ) -> None:
        """Let a charger charge with a current in A, 0 = not at all, until its car leaves.

        Args:
            serial: of the charger.
            current_a: A per phase; ``HIGHEST_CURRENT`` = as fast as possible.
            source: who chose it.
            until: when it ends, aware.
            energy_wh: what it shall give from now on.

        Raises:
            ServiceValidationError: the charger is not known to the control core, or the site is off.
        """
        self.check_override((serial,), current_a if source is OverrideSource.USER else 0)
        given = None if energy_wh is None else self._state.energy(serial) + energy_wh
        self._state = begin_override(
            self._state, serial, Override(current_a=current_a, source=source, until=until, energy_wh=given)
        )
        self.decide_now()

    @callback
    def end_override(self, serial: str) -> None:
        """Let a charger charge by its mode again."""
        self._state = end_override(self._state, serial)
        self.decide_now()

    def override(self, serial: str) -> Override | None:
        """Return the current that somebody chose for a charger."""
        charger = self._state.chargers.get(serial)
        return None if charger is None else charger.override

    def offered(self, mode: str) -> bool:
        """Return whether a mode can be chosen at all; without charging from surplus its modes are like fast."""
        return mode not in SURPLUS_MODES or self.strategy.excess_charging

    def check_mode(self, mode: str) -> None:
        """Find out whether a mode can be chosen.

        Raises:
            ServiceValidationError: it cannot.
        """
        if not self.offered(mode):
            raise refused("mode_needs_surplus_charging")
        if mode in SURPLUS_MODES and not self.has_power_meter:
            raise refused("mode_needs_meter")

    @callback
    def choose_mode(self, mode: str, until: datetime | None = None) -> None:
        """Take over the site's mode; off is the last word for everybody.

        Args:
            mode: the new one.
            until: when the mode before is in force again, aware; None = not by itself.
        """
        if mode == Mode.OFF:
            self._state = end_overrides(self._state)
        self.modes.choose(mode, present=self.strategy.mode.value, until=until)
        self.decide_now()

    @callback
    def choose_charger_mode(self, serial: str, mode: str | None, until: datetime | None = None) -> None:
        """Take over the mode of one charger past whatever was chosen before; None = as the site.

        Args:
            serial: of the charger.
            mode: the new one.
            until: when the mode before is in force again, aware; None = when its car leaves, unless its mode is kept.
        """
        self._state = end_override(self._state, serial)
        self.modes.choose_for(serial, mode, until=until)
        self.decide_now()

    @callback
    def redistribute(self) -> None:
        """Distribute anew at once, as if everything had been as it is now for long."""
        self._state = redistribute(self._state)
        self.decide_now()

    @callback
    def learn_first_line(self, serial: str, line: int) -> None:
        """Take over to which grid phase (0..2) a charger's own L1 was seen to be connected."""
        self._state = know_line(self._state, serial, line)
        self.decide_now()

    @callback
    def _end_modes(self) -> None:
        """Go back from the modes whose time is over."""
        back = self.modes.expire(self._state.chargers, dt_util.utcnow())
        self._strategy = None
        if back == Mode.OFF:
            self._state = end_overrides(self._state)
