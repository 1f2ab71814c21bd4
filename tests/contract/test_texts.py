"""The translations have the form that hassfest demands, and the code fills exactly the braces that they have."""

import ast
from collections.abc import Iterator
import re
import string
from typing import Any

from homeassistant.util import slugify
import probatio
import pytest

from ..integration.code import called, flat, nodes
from .files import INTEGRATION, load_json

LANGUAGES = sorted(path.stem for path in (INTEGRATION / "translations").glob("*.json"))
EN = load_json(INTEGRATION / "translations" / "en.json")
ICONS = load_json(INTEGRATION / "icons.json")
ADDRESS = re.compile(r"(\b(https?|ftp|mqtt|socks5)://|\bwww\.)\w", re.IGNORECASE)
HTML = re.compile(r"<[a-z].*?>", re.IGNORECASE)
QUOTED = re.compile(r"'\{\w+\}'")
KEY = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")
ACRONYMS = re.compile(r"[A-ZÄÖÜ]{2,}|[A-Z]\d|\d|.*[a-z][A-Z]")
EXCEPTIONS = ("Error", "Failed", "NotReady")
ISSUE_CALLS = {"async_create_issue", "create_issue"}


def braces(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def text(value: object) -> str:
    """Take a text that hassfest takes: one without addresses, HTML, spaces around it or quoted braces."""
    if not isinstance(value, str) or value != value.strip() or not value:
        raise probatio.Invalid("no text")
    for wrong in (ADDRESS, HTML, QUOTED):
        if wrong.search(value):
            raise probatio.Invalid(f"not allowed: {value}")
    if not all(name.isidentifier() for name in braces(value)):
        raise probatio.Invalid(f"not a name in the braces: {value}")
    return value


def plain(value: object) -> str:
    """Take a text without braces."""
    if braces(text(value)):
        raise probatio.Invalid(f"nothing fills these braces: {value}")
    return text(value)


def key(value: object) -> str:
    """Take a key that hassfest takes."""
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise probatio.Invalid(f"not a key: {value}")
    return value


def slug(value: object) -> str:
    """Take the name of something in Home Assistant."""
    if value != slugify(str(value)):
        raise probatio.Invalid(f"not a slug: {value}")
    return str(value)


def optional(**parts: object) -> dict[object, object]:
    """Return a part of a schema whose keys may be missing."""
    return {probatio.Optional(name): part for name, part in parts.items()}


TEXTS = {str: text}
FORM = {
    **optional(title=text, description=text, data=TEXTS, data_description=TEXTS, submit=text),
    **optional(menu_options=TEXTS, menu_option_descriptions=TEXTS),
    **optional(sections={str: optional(name=text, description=text, data=TEXTS, data_description=TEXTS)}),
}
FLOW = {
    probatio.Required("step"): {str: FORM},
    **optional(flow_title=text, error=TEXTS, abort=TEXTS, progress=TEXTS, create_entry=TEXTS),
}
SUBENTRY = {
    **FLOW,
    probatio.Required("entry_type"): text,
    probatio.Required("initiate_flow"): {probatio.Required("user"): text, str: text},
}
STATES = {key: plain}
ENTITY = optional(
    name=text, state=STATES, unit_of_measurement=plain, state_attributes={key: optional(name=plain, state=STATES)}
)
NAMED = {probatio.Required("name"): text, probatio.Required("description"): text}
ACTION = {**NAMED, **optional(fields={key: {**NAMED, **optional(example=text)}}, sections={key: NAMED})}
ISSUE = probatio.Any(
    {probatio.Required("title"): text, probatio.Required("description"): text},
    {probatio.Required("title"): text, probatio.Required("fix_flow"): FLOW},
)
SHAPE = probatio.Schema(
    optional(
        title=text,
        config=FLOW,
        options=FLOW,
        config_subentries={slug: SUBENTRY},
        selector={slug: optional(options={key: text}, unit_of_measurement={key: text})},
        system_health=optional(info={key: text}),
        issues={str: ISSUE},
        device={key: optional(name=text)},
        entity={slug: {key: ENTITY}},
        exceptions={slug: {probatio.Required("message"): text}},
        services={key: ACTION},
        common={slug: text},
    )
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_shape(language: str) -> None:
    """Each language has only the parts that hassfest knows, in the form that it demands."""
    SHAPE(load_json(INTEGRATION / "translations" / f"{language}.json"))


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        ({"config": {"step": {"user": {"description": "See https://example.com"}}}}, "an address"),
        ({"exceptions": {"gone": {"message": "<b>Gone</b>"}}}, "HTML"),
        ({"exceptions": {"gone": {"message": "It is '{name}'"}}}, "quoted braces"),
        ({"entity": {"sensor": {"power": {"state": {"high": "{power} W"}}}}}, "braces in a state"),
        ({"entity": {"sensor": {"power__l1": {"name": "Power"}}}}, "a key with two underscores"),
        ({"issues": {"gone": {"title": "Gone", "description": "It is", "fix_flow": {"step": {}}}}}, "both"),
        ({"issues": {"gone": {"title": "Gone"}}}, "neither"),
        ({"triggers": {}}, "an unknown part"),
    ],
)
def test_wrong_shapes_are_seen(where: dict[str, Any], wrong: str) -> None:
    """The shape refuses what hassfest refuses."""
    with pytest.raises(probatio.Invalid):
        SHAPE(where)
    assert wrong


def test_descriptions_describe_fields() -> None:
    """No form describes a field that it does not have."""
    flows = [EN["config"], EN["options"], *EN["config_subentries"].values()]
    for flow in flows:
        for name, step in flow["step"].items():
            for part in (step, *step.get("sections", {}).values()):
                assert set(part.get("data_description", ())) <= set(part.get("data", ())), name


def test_sentence_case() -> None:
    """Names and titles are written like sentences: only the first word and proper names begin with a capital."""
    proper = {"Home", "Assistant", "Wattpilot", "Modbus", "SolarEdge", "Fronius", "Zoe", "Solar", "Renault", "SetApp"}
    proper |= {"Twingo", "Nissan", "Leaf", "Volkswagen", "January", "November", "Settings", "Load", "Manager"}
    names = {
        where: value
        for where, value in flat(EN).items()
        if where.startswith(("entity.", "services.")) and where.endswith(".name")
    }
    assert names
    for where, value in names.items():
        words = [word.strip("(),.:;/–-") for word in value.split()[1:]]
        wrong = [word for word in words if word[:1].isupper() and word not in proper and not ACRONYMS.match(word)]
        assert not wrong, (where, value)


def test_icons() -> None:
    """Every icon is one of Material Design, and belongs to something that has a name or a class."""
    leaves = flat(ICONS)
    assert all(re.fullmatch(r"mdi:[a-z0-9-]+", icon) for icon in leaves.values())
    assert set(ICONS) <= {"entity", "services"}
    for domain, icons in ICONS["entity"].items():
        for name, icon in icons.items():
            assert name in EN["entity"].get(domain, {}), (domain, name)
            assert set(icon) <= {"default", "state", "state_attributes", "range"}, (domain, name)
            states = EN["entity"][domain][name].get("state")
            assert not icon.get("state") or set(icon["state"]) <= set(states or ()) | {"on", "off"}, (domain, name)


def test_icon_data_is_sound() -> None:
    """A state that has no icon of its own has one of the entity."""
    for domain, icons in ICONS["entity"].items():
        for name, icon in icons.items():
            assert "default" in icon, (domain, name)


def given(call: ast.Call) -> set[str] | None:
    """Return the placeholders that a call passes, None where they are not written there."""
    for keyword in call.keywords:
        if keyword.arg == "translation_placeholders":
            if not isinstance(keyword.value, ast.Dict):
                return None
            keys = keyword.value.keys
            if not all(isinstance(name, ast.Constant) for name in keys):
                return None
            return {str(name.value) for name in keys if isinstance(name, ast.Constant)}
    return set()


def uses() -> Iterator[tuple[str, str, set[str] | None]]:
    """Return the part, the key and the placeholders of every text that code asks for by a written key."""
    for call in nodes(ast.Call):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        name = keywords.get("translation_key")
        if called(call) == "refused" and call.args and isinstance(call.args[0], ast.Constant):
            passed = set(keywords) - {None}
            yield "exceptions", str(call.args[0].value), None if None in keywords else {str(arg) for arg in passed}
        elif isinstance(name, ast.Constant) and called(call) in ISSUE_CALLS:
            yield "issues", str(name.value), given(call)
        elif isinstance(name, ast.Constant) and called(call).endswith(EXCEPTIONS):
            yield "exceptions", str(name.value), given(call)


def test_written_placeholders_are_those_of_the_text() -> None:
    """Who raises an error or opens a repair fills every brace of its text, and gives nothing that no text shows."""
    found = list(uses())
    assert len(found) > 20
    for part, name, passed in found:
        assert name in EN[part], (part, name)
        if passed is not None:
            expected = set().union(*map(braces, flat({"": EN[part][name]}).values()))
            assert passed == expected, (part, name)
