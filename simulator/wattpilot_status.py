"""The status of a Wattpilot as it goes over the wire (key set of firmware 42.5)."""

from datetime import datetime, timedelta
import math
from typing import Any

from .charger import Charger
from .wattpilot_keys import Json

SECRET_MARK = "FAKE-SECRET"  # noqa: S105 - made up, so that tests can search logs and diagnostics for it
"""Part of every value that a client must keep to itself."""

# Which keys come in which `fullStatus` frame of a connect, as recorded. Keys not named here come in the
# fourth frame; the last group is the one with `partial: false`.
_FIRST = ("alw", "acu", "acui", "cll", "adi", "acl", "dwo", "tpa", "sse", "eto", "etop", "scas")
_SECOND = ("lwf", "scaa", "wst", "wsc")
_THIRD = (
    *("wsms", "nif", "hsta", "rssi", "wae", "wan", "pass", "wifis", "scan", "wak", "data", "dll", "tof", "tds"),
    *("utc", "loc", "lbr", "lmo", "ama", "tcl", "clp", "al1", "al2", "al3", "al4", "al5", "bac", "amp"),
    *("ffna", "fna", "ust", "lck"),
)
_LAST = (
    *("cus", "ffb", "fhz", "onv", "lom", "loa", "los", "lot", "loty", "cci", "smd", "ocppe", "ocppf"),
    *("ocppck", "cae", "cak", "cards"),
)


def snapshot_parts(status: dict[str, Json]) -> list[dict[str, Json]]:
    """Split a status into the frames of a connect; the last one is the one with `partial: false`."""
    named = {*_FIRST, *_SECOND, *_THIRD, *_LAST}
    rest = tuple(key for key in status if key not in named)
    return [{key: status[key] for key in group if key in status} for group in (_FIRST, _SECOND, _THIRD, rest, _LAST)]


def build_status(charger: Charger, serial: str, local_time: datetime, frequency: float) -> dict[str, Json]:
    """Return every key with its present value.

    Args:
        charger: The charger.
        serial: What it gives as its serial.
        local_time: The home's wall clock.
        frequency: Of the grid, Hz.
    """
    status = (
        charger.settings
        | _identity(charger, serial)
        | _charging(charger, frequency)
        | _clock(charger, local_time)
        | _SECRETS
        | _without_inverter(charger)
        | _FIXED
    )
    return _of_flex(status) if charger.config.flex else status


def _of_flex(status: dict[str, Json]) -> dict[str, Json]:
    """Return what a Flex says instead of a V2: keys that it lacks, that it has more, and that look different.

    Source: FHEM's recorded status of a Flex with firmware 43.4.
    """
    more: dict[str, Json] = {
        "styp": "wattpilot_flex_c6",
        "tma": [33.5, None, 35, None, None, 31.25],
        "rssi": None,
        "wh_mid": status["wh"],
        "eto_mid": status["eto"],
        "men": False,
        "c0n": f"{SECRET_MARK}-card",
        "c0e": 99911,
        "c0i": True,
    }
    return {key: value for key, value in status.items() if key not in _NOT_ON_FLEX} | more


_SECRETS: dict[str, Json] = {
    "pass": True,
    "wifis": [{"ssid": f"{SECRET_MARK}-ssid", "key": f"{SECRET_MARK}-wifi-key"}],
    "scan": [{"ssid": f"{SECRET_MARK}-neighbour", "rssi": -80}],
    "wak": f"{SECRET_MARK}-hotspot-key",
    "facwak": f"{SECRET_MARK}-factory-key",
    "data": f"https://example.invalid/?e={SECRET_MARK}-data",
    "dll": f"https://example.invalid/?e={SECRET_MARK}-download",
    "cak": f"{SECRET_MARK}-cloud-key",
    "ocppck": f"{SECRET_MARK}-ocpp-key",
    "cards": [{"name": f"{SECRET_MARK}-card", "cardId": True, "energy": 99911}],
}

_NOT_ON_FLEX = frozenset({"cbl", "cus", "ffb", "bac", "ust", "upo", "cards"})

_FIXED: dict[str, Json] = {
    "scas": 2,
    "lwf": 405453,
    "scaa": 408116,
    "wst": 3,
    "wsc": 0,
    "wsms": 3,
    "nif": "st",
    "lck": 1,
    "ccu": None,
    "oem": "fronius",
    "ocs": 0,
    "ffb": 0,
    "lom": None,
    "loa": None,
    "los": None,
    "fsptws": None,
    "cci": {
        "id": "",
        "paired": False,
        "deviceFamily": "",
        "label": "",
        "model": "",
        "commonName": "",
        "ip": "",
        "connected": False,
        "reachableMdns": False,
        "reachableUdp": False,
        "reachableHttp": False,
        "status": 0,
        "message": "",
    },
}


def _identity(charger: Charger, serial: str) -> dict[str, Json]:
    config = charger.config
    host = f"Wattpilot_{serial}"
    group = "Wattpilot Flex Home 22 C6" if config.flex else f"Wattpilot Home {config.variant} J 2.0"
    return {
        "sse": serial,
        "typ": device_type(charger),
        "grp": group,
        "var": config.variant,
        "fwv": config.firmware,
        "onv": config.firmware,
        "authhash": "bcrypt" if config.auth == "bcrypt" else "pbkdf2",
        "hsta": host,
        "wan": host,
        "ffna": host,
    }


def device_type(charger: Charger) -> str:
    """Return what `hello.devicetype` and `typ` say."""
    return "wattpilot_flex" if charger.config.flex else "wattpilot_V2"


def _charging(charger: Charger, frequency: float) -> dict[str, Json]:
    limits = charger.limits()
    wired, closed = charger.config.wired_phases, charger.contactor_phases
    plugged = charger.car is not None
    return {
        "alw": charger.allowed,
        "acu": charger.offered,
        "acui": charger.offered,
        "acl": limits["adapterCurrentLimit"],
        "cll": limits,
        "adi": charger.config.variant == 11,
        "amt": charger.temperature_current,
        "cbl": limits.get("cableCurrentLimit"),
        "car": int(charger.car_state),
        "modelStatus": int(charger.model),
        "err": charger.error,
        "fsp": charger.wanted_phases == 1,
        "pha": [phase < closed for phase in range(3)] + [phase < wired for phase in range(3)],
        "pnp": charger.pnp,
        "nrg": _energy_array(charger),
        "tpa": round(charger.average_w, 3),
        "wh": round(charger.session_wh, 6),
        "whs": 0,
        "whb": 0,
        "whg": round(charger.session_wh, 6),
        "who": 0,
        "eto": int(charger.lifetime_wh),
        "etop": int(charger.saved_wh),
        "fhz": round(frequency, 3),
        "tma": [35],
        "cus": 3 if plugged else 1,
        "cdi": {"type": 0, "value": _since_boot(charger, charger.charging_since) or 0},
        "lccfi": _since_boot(charger, charger.plugged_at),
        "lccfc": None,
        "lcctc": _since_boot(charger, charger.charging_since),
        "lfspt": _since_boot(charger, charger.last_phase_switch),
    }


def _energy_array(charger: Charger) -> list[float]:
    """The key `nrg`: U L1-L3 N, I L1-L3, P L1-L3 N total, power factor L1-L3 N."""
    volts, amps = charger.voltages, charger.currents
    watts = [volt * amp for volt, amp in zip(volts, amps, strict=True)]
    factors = [100.0 if amp else 0.0 for amp in amps]
    values = [*volts, 1.55, *amps, *watts, 0.0, sum(watts), *factors, 100.0 if any(amps) else 0.0]
    return [round(value, 3) for value in values]


def _clock(charger: Charger, local_time: datetime) -> dict[str, Json]:
    summer_min = 60 if charger.settings["tds"] else 0
    offset = timedelta(minutes=charger.settings["tof"] + summer_min)
    hours, minutes = divmod(int(offset.total_seconds()) // 60, 60)
    return {
        "utc": (local_time - offset).isoformat(timespec="milliseconds"),
        "loc": f"{local_time.isoformat(timespec='milliseconds')} +{hours:02}:{minutes:02}",
        "rbt": _since_boot(charger, charger.now) or 0,
        "rbc": charger.reboots,
        "rssi": -71 + round(3 * math.sin(charger.now / 11)),
    }


def _without_inverter(charger: Charger) -> dict[str, Json]:
    """What the native surplus logic knows while no inverter is paired: nothing."""
    unknown: dict[str, Any] = dict.fromkeys(
        (
            *("fbuf_age", "fbuf_pGrid", "fbuf_pPv", "fbuf_akkuSOC", "fbuf_akkuMode", "fbuf_pAkku"),
            *("fbuf_pAcTotal", "pvopt_deltaP", "pvopt_averagePGrid", "pvopt_averagePPv", "pvopt_averagePAkku"),
        )
    )
    return unknown | {"smd": {"ts": _since_boot(charger, charger.now) or 0, "I1": 0.0, "I2": 0.0, "I3": 0.0}}


def _since_boot(charger: Charger, moment: float | None) -> int | None:
    """Milliseconds from the boot to a moment of home time."""
    return None if moment is None else int((moment - charger.booted_at) * 1000)
