"""Mends with one press what can be mended that way; nothing here may make the house less safe."""

from typing import Any, Final, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import probatio

from .const import CONF_EXPECTED_CHARGERS, DOMAIN
from .coordinators.issues import CHARGER_ABOVE_CIRCUIT
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.meter_turn import async_turn, turnable
from .coordinators.misfit import misfits
from .shared import SHARED

UNKNOWN: Final = "–"


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of a repair that can be fixed."""
    return FLOWS[issue_id]()


class Fix(RepairsFlow):
    """Says what will be done, and does it."""

    def __init__(self) -> None:
        """Begin before anything was shown."""
        self._shown: dict[str, str] | None = None

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Go to the one form."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Do what was shown, and nothing else: the house may have changed since then."""
        manager = self.hass.data[SHARED].load_manager
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        if issue is None:
            return self.async_abort(reason="not_needed")
        if manager is None or not self.possible(manager):
            return self.async_abort(reason="not_possible")
        about = issue.translation_placeholders or {}
        if user_input is not None and about == self._shown:
            self._shown = None  # to mend it takes a while, and who presses again means no second time
            await self.async_fix(manager)
            return self.async_create_entry(data={})
        self._shown = about
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={**about, **self.live(manager)},
        )

    def possible(self, manager: LoadManagerCoordinator) -> bool:
        """Return whether the cause can still be mended here."""
        return True

    def live(self, manager: LoadManagerCoordinator) -> dict[str, str]:
        """Return what the form says besides the repair."""
        return {}

    async def async_fix(self, manager: LoadManagerCoordinator) -> None:
        """Mend it."""
        raise NotImplementedError


class NoPhaseRequests(Fix):
    """Requests for a number of phases that not every charger can follow are no longer taken."""

    @override
    def possible(self, manager: LoadManagerCoordinator) -> bool:
        return manager.strategy.external_phases

    @override
    async def async_fix(self, manager: LoadManagerCoordinator) -> None:
        manager.change(external_phases=False, phases_wanted=None)


class ExpectWhatIsThere(Fix):
    """The chargers that are there are all that should be there."""

    @override
    async def async_fix(self, manager: LoadManagerCoordinator) -> None:
        entry, found = manager.config_entry, len({item.charger_id for item in manager.configuration().chargers})
        # The entry's own listener reloads the load manager.
        self.hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_EXPECTED_CHARGERS: found})


class TurnMeter(Fix):
    """The meter of the house connection counts the other way round."""

    @override
    def possible(self, manager: LoadManagerCoordinator) -> bool:
        return turnable(self.hass, manager.config_entry)

    @override
    def live(self, manager: LoadManagerCoordinator) -> dict[str, str]:
        grid = manager.seen.grid
        power = grid.power_w if grid is not None else None
        if power is None:
            return {"now": UNKNOWN, "afterwards": UNKNOWN}
        return {"now": str(round(power)), "afterwards": str(-round(power))}

    @override
    async def async_fix(self, manager: LoadManagerCoordinator) -> None:
        await async_turn(self.hass, manager.config_entry)


class LowerChargers(Fix):
    """Chargers are set to no more than their circuit carries."""

    @override
    async def async_fix(self, manager: LoadManagerCoordinator) -> None:
        config, _, snapshot = manager.inside()
        for misfit in misfits(config, snapshot):
            manager.change_charger(misfit.charger_id, max_current_a=misfit.fitting_a)


FLOWS: Final = {
    "phase_switching": NoPhaseRequests,
    "fewer_chargers": ExpectWhatIsThere,
    "meter_sign": TurnMeter,
    CHARGER_ABOVE_CIRCUIT: LowerChargers,
}
"""By issue id."""
