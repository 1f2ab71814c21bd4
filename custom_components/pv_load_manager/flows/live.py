"""The question whether what a meter says now is what the house does now."""

from enum import StrEnum
from typing import Final

from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import probatio

from ..control import GridReading

NOT_KNOWN: Final = "–"


class Answer(StrEnum):
    """What a user says to it."""

    YES = "yes"
    REVERSED = "reversed"
    """It is the other way round."""
    OTHER = "other"
    """It is something else altogether."""


def question(field: str, about: str, power_w: float | None, *, reversible: bool) -> probatio.Schema:
    """Return the form for the answer; its choices say in words what the meter says in numbers.

    Args:
        field: of the answer.
        about: what is asked about; ``_in``, ``_out`` and ``_silent`` make the names of its texts.
        power_w: what the meter says; ``_in`` counts as positive.
        reversible: whether the direction can be turned round here.
    """
    flow = "silent" if power_w is None else "in" if power_w >= 0.0 else "out"
    answers = [answer for answer in Answer if answer is not Answer.REVERSED or (reversible and power_w is not None)]
    return probatio.Schema(
        {
            probatio.Required(field, default=Answer.YES.value): SelectSelector(
                SelectSelectorConfig(
                    options=[answer.value for answer in answers],
                    translation_key=f"{about}_{flow}",
                    mode=SelectSelectorMode.LIST,
                )
            )
        }
    )


def shown_power(power_w: float | None) -> str:
    """Return a power for the eye."""
    return NOT_KNOWN if power_w is None else f"{round(power_w)} W"  # never "-0 W"


def shown_reading(reading: GridReading | None) -> str:
    """Return a power for the eye, and the currents of the phases where there are three."""
    if reading is None:
        return NOT_KNOWN
    known = [current for current in reading.currents_a if current is not None]
    named = [f"L{line} {current:.1f} A" for line, current in enumerate(known, start=1)]
    return shown_power(reading.power_w) + (f" ({', '.join(named)})" if len(named) == 3 else "")
