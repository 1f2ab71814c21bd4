"""Steps that check with a charging car whether the meter of the house connection sees it, and how."""

import asyncio
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..control.findings import CheckResult
from ..coordinators.meter_check import charger_with_car, prepare_meter_check
from ..coordinators.meter_report import Changes, async_refusal, async_sentences, changes, meter_lag
from ..shared import SHARED, charger_entries

CONF_CHARGER: Final = "charger"
CONF_STORE: Final = "store"
STORE: Final = probatio.Schema({probatio.Required(CONF_STORE, default=True): BooleanSelector()})
NOTHING: Final = probatio.Schema({})


def charger_schema(chargers: dict[str, str]) -> probatio.Schema:
    """Return the form that asks for a charger; ``chargers`` are the names by serial number."""
    options = [SelectOptionDict(value=serial, label=name) for serial, name in chargers.items()]
    return probatio.Schema(
        {
            probatio.Required(CONF_CHARGER, default=next(iter(chargers))): SelectSelector(
                SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
            )
        }
    )


class MeterCheckSteps(OptionsFlow):
    """The part of the load manager's options that checks its meter; whoever closes the window ends the check."""

    _charger: ConfigEntry
    _task: asyncio.Task[CheckResult]
    _changes: Changes

    async def async_step_check_meter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the charger whose car helps."""
        shared = self.hass.data[SHARED]
        manager = shared.load_manager
        if manager is None:
            return self.async_abort(reason="not_loaded")
        entries = charger_entries(self.hass)
        names = {
            serial: entries[serial].title
            for serial, charger in shared.chargers.items()
            if serial in entries and charger.managed and charger_with_car(charger.reading())
        }
        if not names:
            return self.async_abort(reason="no_car")
        refusal = ""
        if user_input is not None and user_input[CONF_CHARGER] in names:
            serial = user_input[CONF_CHARGER]
            self._charger = entries[serial]
            try:
                run = prepare_meter_check(self.hass, manager, serial, progress=self.async_update_progress)
            except ServiceValidationError as err:
                refusal = await async_refusal(self.hass, err)
            else:
                self._task = self.hass.async_create_task(run.async_run(), "PV Load Manager meter check")
                return await self.async_step_check_running()
        return self.async_show_form(
            step_id="check_meter",
            data_schema=self.add_suggested_values_to_schema(charger_schema(names), user_input),
            errors={"base": "check_refused"} if refusal else {},
            description_placeholders={"refusal": refusal},
        )

    async def async_step_check_running(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Wait for the end of the check."""
        if not self._task.done():
            return self.async_show_progress(
                step_id="check_running",
                progress_action="check_meter",
                progress_task=self._task,
                description_placeholders={"charger": self._charger.title},
            )
        return self.async_show_progress_done(next_step_id="check_result")

    async def async_step_check_result(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what was found out, and store what differs if that is wanted."""
        result = self._task.result()
        if user_input is not None:
            if user_input.get(CONF_STORE):
                self._store()
            return self.async_create_entry(data=dict(self.config_entry.options))
        self._changes = changes(result.worth_storing, self.config_entry, self._charger, waits_s=meter_lag(self.hass))
        sentences = await async_sentences(self.hass, result, self.config_entry, self._charger)
        return self.async_show_form(
            step_id="check_result",
            data_schema=STORE if self._changes else NOTHING,
            description_placeholders={"findings": "\n\n".join(sentences)},
        )

    def _store(self) -> None:
        """Put what was found out in force; the entry's own listener reloads the load manager where that needs it."""
        entries, wanted, charger, manager = self.hass.config_entries, self._changes, self._charger, self.config_entry
        entries.async_update_entry(charger, options={**charger.options, **wanted.charger})
        self.hass.data[SHARED].memory.set_site(**wanted.site)
        entries.async_update_entry(manager, data={**manager.data, **wanted.meter})
