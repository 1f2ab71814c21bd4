"""Writes docs/warp_api.md from the fields of our JSON, and from the table of what WARP's documentation has."""

from typing import Final

from custom_components.pv_load_manager.coordinators.documents import WITHOUT_MEANING
from custom_components.pv_load_manager.power_manager.documents import DOCUMENTS
from custom_components.pv_load_manager.power_manager.fields import ANY, Document, Field

from .model import Action, Entity, Option
from .render import PROJECT, here
from .warp_api import WARP_API

DOCUMENT: Final = PROJECT / "docs" / "warp_api.md"
ROWS: Final = {key: row for row in WARP_API.rows for key in row.keys}
ABOUT: Final = {
    "state": "Numbers of flags are added up.",
    "low_level_state": "The diagnostics of the load manager have the same figures. `null` = not known.",
}
INTRODUCTION: Final = """\
# The JSON documents of WARP's Power Manager

Whoever controls a WARP Energy Manager over HTTP can do the same here: the documents, their fields and their numbers are
the same, at another address and behind the login of Home Assistant.

* There: `http://$HOST/power_manager/…`
* Here: `http://$HOST/api/pv_load_manager/power_manager/…`, `$HOST` being for example `homeassistant.local:8123`, with
  the header `Authorization: Bearer $TOKEN`. A token is made in your profile: *Security*, *Long-lived access tokens*.

A script that has `$HOST` in a variable needs another value, `homeassistant.local:8123/api/pv_load_manager`, and the
header. In the examples below the header is left out: `curl` takes it from the file `~/.curlrc`, with the line
`header = "Authorization: Bearer …"`.

## Examples

```sh
HOST=${HOST:-homeassistant.local:8123/api/pv_load_manager}

# Read
curl http://$HOST/power_manager/config
curl http://$HOST/power_manager/dynamic_load_config
curl http://$HOST/power_manager/state
curl http://$HOST/power_manager/low_level_state
curl http://$HOST/power_manager/charge_mode
curl http://$HOST/power_manager/external_control
curl http://$HOST/power_manager/meters

# Write: the whole document, or only what shall change
curl http://$HOST/power_manager/config -d '{
  "guaranteed_power": 1380,
  "target_power_from_grid": -100
}'
curl http://$HOST/power_manager/charge_mode -d '{ "mode": 2 }'
curl http://$HOST/power_manager/external_control -d '{ "phases_wanted": 1 }'

# Abbreviated
curl http://$HOST/power_manager/charge_mode -d '2'
curl http://$HOST/power_manager/external_control -d '1'
```

## Writing

* `POST` and `PUT` do the same. The body is JSON, whatever `Content-Type` says. The answer is the new document.
* A write is all or nothing. An unknown field, a wrong type (`true` is no number) or a number out of range changes
  nothing, and so does what is no JSON.
* Who writes back what was read changes nothing. That keeps what WARP has no number for: *go on as before* as the mode
  after a restart, the *adaptive* cloud filter, the battery first *up to its target state of charge*, and chargers with
  different numbers of phases. `default_mode` and `phase_switching_mode` count nevertheless when written alone.
* Another meter (`meter_slot_…`) or `battery_inverted` loads the load manager anew; cars charge on. The answer comes
  when it is back.

| status | when |
|---|---|
| 200 | Done. The body is the document. |
| 400 | Something is wrong with the request. |
| 401 | No valid token, or the user may not do that. |
| 405 | The document can only be read. |
| 409 | Phases cannot be requested now. |
| 503 | The load manager is not loaded. |

`config` is written by administrators, the others by users who may use the site's charge mode. With 400, 409 and 503
the body is `{"message": "…", "field": "…"}`: why, in words, and the field that is wrong, `null` where it is none of
them.
"""


def rendered() -> str:
    """Return the whole document."""
    return "\n".join([INTRODUCTION, "## Fields", *(_document(document) for document in DOCUMENTS.values())]) + "\n"


def _document(document: Document) -> str:
    how = (
        "Read only."
        if not document.writable
        else "Written by administrators."
        if document.admin
        else "Read and written."
    )
    head = "| field | type | values | here |\n|---|---|---|---|"
    rows = (_row(document, field) for field in document.fields)
    about = " ".join(filter(None, (how, ABOUT.get(document.name))))
    return "\n".join(["", f"### {document.name}", "", about, "", head, *rows])


def _row(document: Document, field: Field) -> str:
    key = f"{document.name}.{field.name}"
    unit = f" ({field.unit})" if field.unit else ""
    values = "<br>".join(part for part in (_range(field), *_meanings(key)) if part)
    unknown = f"Always `null`: {WITHOUT_MEANING[field.name]}" if field.name in WITHOUT_MEANING else ""
    row = ROWS.get(key)
    places = [here(place) for place in row.places if isinstance(place, Entity | Option | Action)] if row else []
    note = field.note or (row.note if row is not None and not field.write else "")
    cells = (
        f"`{field.name}`",
        f"{field.kind.value}{unit}",
        values,
        "<br>".join([*places, *filter(None, (note, unknown))]),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") or "–" for cell in cells) + " |"


def _range(field: Field) -> str:
    return "" if field.limits == ANY else f"{field.limits[0]} … {field.limits[1]}"


def _meanings(key: str) -> list[str]:
    """Return the numbers of a field with what they mean."""
    known = {int(name.removeprefix(f"{key}=")): row for name, row in ROWS.items() if name.startswith(f"{key}=")}
    return [f"{number}: {row.says[:1].lower()}{row.says[1:]}" for number, row in known.items()]
