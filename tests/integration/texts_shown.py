"""Watches in every test that what people are shown has its words, and that every brace in them is filled."""

from collections.abc import Callable, Iterator, Mapping
import string
from typing import Any

from homeassistant.config_entries import ConfigEntriesFlowManager, ConfigSubentryFlowManager, OptionsFlowManager
from homeassistant.data_entry_flow import FlowHandler, FlowManager, FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest

from .code import load

DOMAIN = "pv_load_manager"
EN: dict[str, Any] = load("translations/en.json")
BY_HOME_ASSISTANT = {"already_configured", "already_in_progress", "reauth_successful", "reconfigure_successful"}

type Given = Mapping[str, object] | None
type AnyFlow = FlowHandler[Any, Any, Any]
type AnyManager = FlowManager[Any, Any, Any]


def braces(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


class Texts:
    """Collects what is missing; an assertion where it happens would be taken for a failure of a device."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.issues: dict[str, str] = {}
        """Key of the texts of every repair there was; its flow may outlive it."""

    def shown(self, where: str, text: str | None, given: Given) -> None:
        """Note a text that does not exist, and braces that nobody fills."""
        if text is None:
            self.missing.append(f"{where}: no text")
        elif unfilled := braces(text) - set(given or ()):
            self.missing.append(f"{where}: nothing fills {sorted(unfilled)}")

    def raised(self, error: HomeAssistantError) -> None:
        """Look at an error."""
        if error.translation_domain == DOMAIN:
            texts = EN["exceptions"].get(error.translation_key, {})
            self.shown(f"exceptions.{error.translation_key}", texts.get("message"), error.translation_placeholders)

    def opened(self, issue: ir.IssueEntry) -> None:
        """Look at a repair; the words of one that can be fixed from there are those of its flow."""
        if issue.domain != DOMAIN:
            return
        self.issues[issue.issue_id] = issue.translation_key or ""
        texts = EN["issues"].get(issue.translation_key, {})
        where = f"issues.{issue.translation_key}"
        self.shown(f"{where}.title", texts.get("title"), issue.translation_placeholders)
        if issue.is_fixable:
            self.shown(f"{where}.fix_flow", "" if "fix_flow" in texts else None, None)
        else:
            self.shown(f"{where}.description", texts.get("description"), issue.translation_placeholders)

    def of(self, manager: AnyManager, flow: AnyFlow) -> tuple[str, Mapping[str, Any]] | None:
        """Return where the words of a flow are; None for flows of others."""
        if isinstance(manager, ConfigEntriesFlowManager):
            return ("config", EN["config"]) if flow.handler == DOMAIN else None
        if isinstance(manager, OptionsFlowManager):
            return ("options", EN["options"]) if type(flow).__module__.startswith("custom_components") else None
        if isinstance(manager, ConfigSubentryFlowManager):
            kind = flow.handler[1]
            return f"config_subentries.{kind}", EN["config_subentries"][kind]
        if flow.handler == DOMAIN:
            key = self.issues[flow.init_data["issue_id"]]
            return f"issues.{key}.fix_flow", EN["issues"][key].get("fix_flow", {"step": {}})
        return None

    def answered(self, texts: Mapping[str, Any], where: str, result: Mapping[str, Any]) -> None:
        """Look at what a flow shows."""
        given = result.get("description_placeholders")
        match result["type"]:
            case FlowResultType.FORM:
                self._form(texts, where, result)
            case FlowResultType.MENU:
                step = texts["step"].get(result["step_id"], {})
                for option in result["menu_options"]:
                    self.shown(f"{where}.{option}", step.get("menu_options", {}).get(option), given)
            case FlowResultType.ABORT if result["reason"] not in BY_HOME_ASSISTANT:
                self.shown(f"{where}.abort.{result['reason']}", texts.get("abort", {}).get(result["reason"]), given)
            case FlowResultType.SHOW_PROGRESS:
                action = result["progress_action"]
                self.shown(f"{where}.progress.{action}", texts.get("progress", {}).get(action), given)

    def _form(self, texts: Mapping[str, Any], where: str, result: Mapping[str, Any]) -> None:
        given = result.get("description_placeholders")
        where = f"{where}.step.{result['step_id']}"
        step = texts["step"].get(result["step_id"])
        if step is None:
            self.shown(where, None, None)
            return
        schema = result.get("data_schema")
        fields = [str(key) for key in schema.schema] if schema is not None else []
        self.shown(f"{where}.title", step.get("title"), given)
        self.shown(f"{where}.description", step.get("description", ""), given)
        for field in fields:
            self.shown(f"{where}.data.{field}", step.get("data", {}).get(field), given)
            self.shown(f"{where}.data_description.{field}", step.get("data_description", {}).get(field), given)
        for error in (result.get("errors") or {}).values():
            self.shown(f"{where}.error.{error}", texts.get("error", {}).get(error), given)


@pytest.fixture(name="texts_are_complete", autouse=True)
def texts_are_complete_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which somebody would have seen a key or an empty brace instead of words."""
    texts = Texts()
    raise_error: Callable[..., None] = HomeAssistantError.__init__
    open_issue = ir.IssueRegistry.async_get_or_create
    handle_step = FlowManager._async_handle_step

    def raised(error: HomeAssistantError, *args: object, **keywords: Any) -> None:
        raise_error(error, *args, **keywords)
        texts.raised(error)

    def opened(registry: ir.IssueRegistry, *args: Any, **keywords: Any) -> ir.IssueEntry:
        issue = open_issue(registry, *args, **keywords)
        texts.opened(issue)
        return issue

    async def handled(manager: AnyManager, flow: AnyFlow, *args: Any) -> Any:
        place = texts.of(manager, flow)
        result = await handle_step(manager, flow, *args)
        if place is not None:
            texts.answered(place[1], place[0], result)
        return result

    monkeypatch.setattr(HomeAssistantError, "__init__", raised)
    monkeypatch.setattr(ir.IssueRegistry, "async_get_or_create", opened)
    monkeypatch.setattr(FlowManager, "_async_handle_step", handled)
    yield
    assert texts.missing == []
