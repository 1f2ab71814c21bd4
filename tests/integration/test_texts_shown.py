"""The watch over shown texts sees what is missing."""

from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
import probatio
import pytest

from .texts_shown import DOMAIN, EN, Texts

FORM = {"type": FlowResultType.FORM, "step_id": "wattpilot", "errors": {}, "description_placeholders": {}}


def error(key: str, **placeholders: str) -> HomeAssistantError:
    """Return an error of somebody else, so that the watch over this test stays quiet."""
    made = HomeAssistantError(translation_key=key, translation_placeholders=placeholders)
    made.translation_domain = DOMAIN
    return made


def test_errors() -> None:
    """An error without words and one with an empty brace are seen; a complete one is not."""
    texts = Texts()
    texts.raised(error("cloud_unreachable", name="Roof"))
    assert not texts.missing
    texts.raised(error("cloud_unreachable"))
    texts.raised(error("never_written"))
    assert len(texts.missing) == 2


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"errors": {"base": "invalid_auth"}}, None),
        ({"errors": {"base": "never_written"}}, "config.step.wattpilot.error.never_written: no text"),
        ({"step_id": "never_written"}, "config.step.never_written: no text"),
        (
            {"data_schema": probatio.Schema({probatio.Required("never_written"): str})},
            "config.step.wattpilot.data.never_written: no text",
        ),
        ({"type": FlowResultType.ABORT, "reason": "never_written"}, "config.abort.never_written: no text"),
        ({"type": FlowResultType.MENU, "menu_options": ["never_written"]}, "config.never_written: no text"),
    ],
)
def test_forms(change: dict[str, object], seen: str | None) -> None:
    """A form, an error in it, an end and a choice without words are seen."""
    texts = Texts()
    texts.answered(EN["config"], "config", FORM | change)
    assert seen is None or seen in texts.missing
    assert bool(texts.missing) is (seen is not None)
