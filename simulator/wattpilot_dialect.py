"""How what is said at a connect differs: a Wattpilot V2, a Flex, and either of them through the cloud."""

from collections.abc import Iterator

from .charger import Charger
from .wattpilot_keys import Json
from .wattpilot_status import device_type, snapshot_parts

_CLOUD = "/app/"


def cloud_serial(path: str) -> str | None:
    """Return the serial in the path of the cloud (`/app/<serial>?version=`), None for the path in the house."""
    return path.partition("?")[0].removeprefix(_CLOUD) if path.startswith(_CLOUD) else None


def hello(charger: Charger, serial: str, *, secured: bool) -> dict[str, Json]:
    """Return the greeting; through the cloud it is not `secured`, and writes are not signed."""
    config = charger.config
    subtype = {"devicesubtype": "wattpilot_flex_c6"} if config.flex else {}
    return {
        "type": "hello",
        "serial": serial,
        "hostname": f"Wattpilot_{serial}",
        "friendly_name": charger.settings["fna"],
        "manufacturer": "fronius",
        "devicefamily": "wattpilot",
        "devicetype": device_type(charger),
        **subtype,
        "version": config.firmware,
        "protocol": 2,
        "proto": 4 if config.flex else 3,
        "secured": secured,
    }


def snapshot(status: dict[str, Json], *, flex: bool, half: bool, delta: bool) -> Iterator[dict[str, Json]]:
    """Return the frames of a connect in their recorded order.

    Args:
        status: All of it.
        flex: One large frame comes first instead of five.
        half: The frame that completes it never comes.
        delta: A change comes in between.
    """
    first, *rest = [status] if flex else snapshot_parts(status)
    yield _full(first, partial=bool(rest) or half)
    yield {"type": "clearInverters", "partial": True}
    inverter = status.get("cci")
    yield {"type": "updateInverter", "partial": False, **(inverter if isinstance(inverter, dict) else {})}
    yield {"type": "clearSmips"}
    if delta:
        yield {"type": "deltaStatus", "status": {"rbt": status.get("rbt")}}
    for part in rest[:-1]:
        yield _full(part, partial=True)
    if rest and not half:
        yield _full(rest[-1], partial=False)


def _full(status: dict[str, Json], *, partial: bool) -> dict[str, Json]:
    return {"type": "fullStatus", "partial": partial, "status": status}
