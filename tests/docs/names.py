"""What entities and options are called, and what the code says about them."""

from collections.abc import Iterable, Iterator
import importlib
import json
from pathlib import Path
import pkgutil
import re
from typing import Any, Final

import homeassistant.components
from homeassistant.helpers.entity import EntityDescription

import custom_components.pv_load_manager as integration

FOLDER: Final = Path(integration.__file__).parent
TEXTS: Final[dict[str, dict[str, Any]]] = {
    language: json.loads((FOLDER / "translations" / f"{language}.json").read_text(encoding="utf-8"))
    for language in ("en", "de")
}
SETTING_PLATFORMS: Final = ("number", "select", "switch")


def entity_texts(language: str, platforms: Iterable[str] | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield platform, key and texts of every entity that has a name of its own."""
    texts = TEXTS[language]["entity"]
    for platform in texts if platforms is None else platforms:
        for key, entity in texts[platform].items():
            yield platform, key, entity


def descriptions() -> list[tuple[str, EntityDescription]]:
    """Return every description of an entity that the code holds ready, each with its platform."""
    found: dict[int, tuple[str, EntityDescription]] = {}
    for module in pkgutil.walk_packages(integration.__path__, f"{integration.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            for description in value if isinstance(value, tuple | list) else (value,):
                if (platform := _platform_of(description)) is not None:
                    found[id(description)] = platform, description
    return list(found.values())


def _platform_of(value: object) -> str | None:
    """Return the platform of a description of an entity, by the class that all those of a platform share.

    Home Assistant makes the classes of descriptions while they are imported; only their names stay.
    """
    for kind in type(value).__mro__:
        platform = kind.__name__.removesuffix("EntityDescription")
        if platform and platform != kind.__name__:
            return re.sub(r"(?<!^)(?=[A-Z])", "_", platform).lower()
    return None


def english_name(platform: str, description: EntityDescription) -> str:
    """Return what an entity is called; one without a name of its own by its device class, as in Home Assistant."""
    if description.translation_key is not None:
        return str(TEXTS["en"]["entity"][platform][description.translation_key]["name"])
    core = Path(homeassistant.components.__path__[0]) / platform / "translations" / "en.json"
    texts = json.loads(core.read_text(encoding="utf-8"))["entity_component"]
    return str(texts[str(description.device_class)]["name"])


def option_names(language: str) -> set[str]:
    """Return what every field of every form is called, without saying that it can be left empty.

    What is there for each phase or each meter is named once: "Power L1-L3", "Place of meter 1-3", with a dash.
    """
    names: set[str] = set()
    texts = TEXTS[language]
    for flow in (texts["config"], texts["options"], *texts["config_subentries"].values()):
        for step in flow["step"].values():
            for name in step.get("data", {}).values():
                names.add(together(re.sub(r" \([^)]*\)$", "", name)))
    return names


def together(name: str) -> str:
    """Return the name of a field of one phase or meter as that of all of them."""
    name = name.replace("{number}", "1").replace("{phase}", "L1")
    name = re.sub(r"\bL[123]$", "L1–L3", name)
    return re.sub(r"\b([Mm]eter|Zähler) [123]\b", r"\1 1–3", name)
