"""What a charger reports about itself, as typed values; what steers the charging is in `status`."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from .codes import ACCESS_NAMES, CABLE_LOCK_NAMES, ERROR_NAMES, name_of
from .model import JsonObject, JsonValue, ReadOnlyJson
from .parsing import MAX_ENERGY, MAX_MILLISECONDS, MAX_POWER, flag, items, number, text, version, whole
from .redact import redact_object

# Above any charger and any cable (coded for 63 A at most).
LARGEST_LIMIT = 80


@dataclass(frozen=True)
class WattpilotFacts:
    """The merged keys of a charger at one moment, and what they say about the device.

    Every property is ``None`` where the firmware does not send its key, or sends nonsense.

    Attributes:
        raw: All keys as received. **Contains secrets** (Wi-Fi passwords, tokens): never log or store it, use
            `redacted`. It is left out of the representation for that reason.
    """

    raw: ReadOnlyJson = field(repr=False)

    @classmethod
    def of(cls, values: ReadOnlyJson) -> Self:
        """Return a status over a copy of some values."""
        return cls(MappingProxyType(dict(values)))

    def redacted(self) -> JsonObject:
        """Return all values that are no secret, ready for any JSON writer."""
        return redact_object(dict(self.raw))

    def _get(self, key: str) -> JsonValue:
        """Return a raw value, ``None`` where the key is absent."""
        return self.raw.get(key)

    # Identity

    @property
    def serial(self) -> str | None:
        """Serial number (``sse``)."""
        return text(self._get("sse"))

    @property
    def name(self) -> str | None:
        """Name given by the user (``fna``), else the factory name (``ffna``)."""
        return text(self._get("fna")) or text(self._get("ffna"))

    @property
    def firmware(self) -> str | None:
        """Version of the firmware (``fwv``)."""
        return text(self._get("fwv"))

    @property
    def model(self) -> str | None:
        """Marketing name (``grp``), else the device type (``typ``)."""
        return text(self._get("grp")) or text(self._get("typ"))

    @property
    def newest_firmware(self) -> str | None:
        """Newest version of the firmware that the charger knows to be online (``onv``)."""
        return text(self._get("onv"))

    @property
    def update_available(self) -> bool | None:
        """The newest firmware is newer than the one that runs; ``None`` where they cannot be compared."""
        installed, newest = version(self.firmware), version(self.newest_firmware)
        return None if installed is None or newest is None else newest > installed

    @property
    def variant_kw(self) -> int | None:
        """Largest power of the model in kW: 11 or 22 (``var``)."""
        return whole(self._get("var"), low=1, high=100)

    # State of the device

    @property
    def temperature(self) -> float | None:
        """Hottest sensor in °C (``tma``, in which some entries may be missing; else ``tmp``)."""
        found = [number(item, low=-60, high=200) for item in [*items(self._get("tma")), self._get("tmp")]]
        return max((item for item in found if item is not None), default=None)

    @property
    def error_code(self) -> int | None:
        """Raw error code (``err``), 0 for none."""
        return whole(self._get("err"))

    @property
    def error_name(self) -> str | None:
        """Name of the error, ``error_<code>`` where the published tables contradict each other or know nothing."""
        return name_of(self.error_code, ERROR_NAMES, "error")

    @property
    def uptime_ms(self) -> int | None:
        """Time since the start in ms (``rbt``); a smaller value than before means a restart."""
        return whole(self._get("rbt"), high=MAX_MILLISECONDS)

    @property
    def plugged_at_ms(self) -> int | None:
        """Uptime in ms at which the car came (``lccfi``); ``None`` where none came since the start, or is not known."""
        return whole(self._get("lccfi"), high=MAX_MILLISECONDS)

    @property
    def reboot_count(self) -> int | None:
        """Number of restarts (``rbc``)."""
        return whole(self._get("rbc"))

    @property
    def rssi_dbm(self) -> int | None:
        """Strength of the Wi-Fi signal in dBm (``rssi``); ``None`` also on Ethernet."""
        return whole(self._get("rssi"), low=-150, high=20)

    @property
    def frequency_hz(self) -> float | None:
        """Frequency of the grid in Hz (``fhz``)."""
        return number(self._get("fhz"), low=10, high=100)

    # Limits in A, apart from what they are combined to

    @property
    def temperature_limit_a(self) -> int | None:
        """Current in A that the temperature of the device allows (``amt``)."""
        return self._limit(self._get("amt"), "temperatureCurrentLimit")

    @property
    def cable_limit_a(self) -> int | None:
        """Current in A that the plugged in cable is coded for (``cbl``; the Flex has it in ``cll`` only)."""
        return self._limit(self._get("cbl"), "cableCurrentLimit")

    @property
    def adapter_limit_a(self) -> int | None:
        """Current in A that the adapter of a Wattpilot Go allows (``cll``)."""
        return self._limit(None, "adapterCurrentLimit")

    @property
    def adapter_in_use(self) -> bool | None:
        """A 16 A adapter is in use (``adi``). Also true on a fixed Home 11 J, so it limits nothing by itself."""
        return flag(self._get("adi"))

    # Access

    @property
    def access_name(self) -> str | None:
        """Who may charge, by name (``acs``)."""
        return name_of(whole(self._get("acs")), ACCESS_NAMES)

    @property
    def transaction(self) -> int | None:
        """Who charges (``trx``): ``None`` nobody yet, 0 somebody without a card, n the owner of card n - 1."""
        return whole(self._get("trx"))

    @property
    def cable_lock_name(self) -> str | None:
        """State of the lock of the cable, by name (``cus``)."""
        return name_of(whole(self._get("cus")), CABLE_LOCK_NAMES)

    @property
    def simulates_unplug(self) -> bool | None:
        """The charger interrupts the control line to wake a car up (``su``)."""
        return flag(self._get("su"))

    # Energies in Wh

    @property
    def session_energy_wh(self) -> float | None:
        """Energy of this session in Wh (``wh``); starts again at the next session, and may dip a little."""
        return number(self._get("wh"), low=0, high=MAX_ENERGY)

    @property
    def session_solar_wh(self) -> float | None:
        """Part of `session_energy_wh` that came from the roof, as the charger sees it (``whs``, firmware 42.5)."""
        return self._part("whs")

    @property
    def session_battery_wh(self) -> float | None:
        """Part of `session_energy_wh` that came from the home battery, as the charger sees it (``whb``)."""
        return self._part("whb")

    @property
    def session_grid_wh(self) -> float | None:
        """Part of `session_energy_wh` that came from the grid, as the charger sees it (``whg``)."""
        return self._part("whg")

    @property
    def session_other_wh(self) -> float | None:
        """Part of `session_energy_wh` of which the charger does not know the origin (``who``)."""
        return self._part("who")

    @property
    def session_mid_wh(self) -> float | None:
        """Energy of this session in Wh as the calibrated meter of a Flex counts it (``wh_mid``)."""
        return number(self._get("wh_mid"), low=0, high=MAX_ENERGY)

    @property
    def lifetime_energy_wh(self) -> float | None:
        """Energy of the charger's life in Wh (``eto``); may fall back a little after a power failure."""
        return number(self._get("eto"), low=0, high=MAX_ENERGY)

    @property
    def lifetime_saved_wh(self) -> float | None:
        """What `lifetime_energy_wh` falls back to after a power failure (``etop``)."""
        return number(self._get("etop"), low=0, high=MAX_ENERGY)

    @property
    def lifetime_mid_wh(self) -> float | None:
        """Energy of the charger's life in Wh as the calibrated meter of a Flex counts it (``eto_mid``)."""
        return number(self._get("eto_mid"), low=0, high=MAX_ENERGY)

    @property
    def hears_inverter(self) -> bool:
        """A paired inverter tells the charger what the house takes from the grid (``fbuf_pGrid``)."""
        return number(self._get("fbuf_pGrid"), low=-MAX_POWER, high=MAX_POWER) is not None

    def _part(self, key: str) -> float | None:
        """Return a part of the session's energy. The parts are differences: a hair below zero (recorded) is zero."""
        found = number(self._get(key), low=-1, high=MAX_ENERGY)
        return None if found is None else max(0.0, found)

    def _limit(self, value: JsonValue, name: str) -> int | None:
        """Return a limit by its own key, else by its name in ``cll``. 0 means that nothing is plugged in or known."""
        limits = self._get("cll")
        inside = limits.get(name) if isinstance(limits, dict) else None
        found = whole(value, low=1, high=LARGEST_LIMIT)
        return whole(inside, low=1, high=LARGEST_LIMIT) if found is None else found
