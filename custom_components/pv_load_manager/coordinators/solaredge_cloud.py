"""Reads one site from SolarEdge's cloud: slow, counted, and good for the surplus only."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NamedTuple, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY, CONF_TOKEN, SUN_EVENT_SUNRISE, SUN_EVENT_SUNSET
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.issue_registry import IssueSeverity
from homeassistant.helpers.sun import get_astral_event_date
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_ACCOUNT_KEY,
    CONF_API_VERSION,
    CONF_CONNECTION,
    CONF_MODEL,
    CONF_SERIAL,
    CONF_TIME_ZONE,
    DOMAIN,
    LOGGER,
    InverterConnection,
)
from ..control import CarState, GridReading
from ..shared import SHARED
from ..solaredge import BatteryData, GridData, InverterData, InverterInfo, PvData
from ..solaredge.budget import V1_QUOTA, V2_QUOTA, Budget, Need
from ..solaredge.cloud import V1_DELAY_S, CloudClient
from ..solaredge.cloud_errors import (
    CloudAuthenticationError,
    CloudError,
    CloudNoDataError,
    CloudNonsenseError,
    CloudRateLimitError,
    CloudRetiredError,
    CloudServerError,
    CloudUnknownSiteError,
)
from ..solaredge.cloud_models import CloudAccess, CloudApi, CloudReading
from .disabled import end_when_disabled
from .inverter import InverterCoordinator

LOOK_INTERVAL: Final = 15.0  # s; a car that is plugged in does not wait for the pace of an idle house
LONGEST_CADENCE: Final = 900.0  # s; whatever is planned, nobody shall believe a value for longer because of it
POLAR_DAY: Final = 43_200.0  # s of light where the sun neither rises nor sets


class Message(NamedTuple):
    """What a person is told."""

    translation_domain: str
    translation_key: str


UNREACHABLE: Final = Message(translation_domain=DOMAIN, translation_key="cloud_unreachable")
WAITS: Final = Message(translation_domain=DOMAIN, translation_key="cloud_waits")
RETIRED: Final = Message(translation_domain=DOMAIN, translation_key="cloud_retired")
MESSAGES: Final[dict[type[CloudError], Message]] = {
    CloudRetiredError: RETIRED,
    CloudRateLimitError: Message(translation_domain=DOMAIN, translation_key="cloud_rate_limited"),
    CloudNoDataError: Message(translation_domain=DOMAIN, translation_key="cloud_no_data"),
    CloudServerError: Message(translation_domain=DOMAIN, translation_key="cloud_server_error"),
    CloudUnknownSiteError: Message(translation_domain=DOMAIN, translation_key="cloud_unknown_site"),
    CloudNonsenseError: Message(translation_domain=DOMAIN, translation_key="cloud_nonsense"),
}


class SolarEdgeCloudCoordinator(InverterCoordinator):
    """Asks the cloud as often as its quota allows and somebody needs it; looks every few seconds whether that is so."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; nothing is read before ``async_connect``."""
        super().__init__(hass, entry, interval=LOOK_INTERVAL)
        self._access = cloud_access(entry.data)
        self._named = {"name": entry.title}
        self._client = CloudClient(async_get_clientsession(hass), self._access, on_call=self._called)
        quota = V1_QUOTA if self._access.api is CloudApi.V1 else V2_QUOTA
        self._saved: dict[str, Any] = dict(hass.data[SHARED].memory.cloud(memory_key(entry)))
        self._budget = Budget.from_dict(quota, self._saved.get("budget") or {})
        self._zone: tzinfo = dt_util.get_default_time_zone()
        self._calls = 0
        self._reading: CloudReading | None = None
        self._known: InverterData | None = None
        self._trouble: UpdateFailed | None = None

    @override
    async def async_connect(self) -> None:
        """Read for the first time.

        Raises:
            ConfigEntryNotReady: the cloud does not answer, or may not be asked yet.
            ConfigEntryAuthFailed: it wants another key.
        """
        name = self.config_entry.data.get(CONF_TIME_ZONE)
        zone = await dt_util.async_get_time_zone(name) if name else None
        self._zone = zone or self._zone
        if self._saved.get("retired"):
            self._tell_retired()
        if not self._is_due():
            known = {message.translation_key: message for message in (*MESSAGES.values(), UNREACHABLE)}
            message = known.get(str(self._saved.get("trouble")), WAITS)
            raise ConfigEntryNotReady(**message._asdict(), translation_placeholders=self._named)
        try:
            data = await self._async_read()
        except UpdateFailed as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key=err.translation_key,
                translation_placeholders=err.translation_placeholders,
            ) from err
        self.async_set_updated_data(data)

    @override
    async def _async_update_data(self) -> InverterData:
        """Read where that is due; until then all stays as it is, well or not."""
        if self._is_due():
            return await self._async_read()
        if self._trouble is not None:
            # Else the same error grew by its own traceback each time.
            raise self._trouble.with_traceback(None)
        return self.data

    async def _async_read(self) -> InverterData:
        """Ask the cloud.

        Raises:
            UpdateFailed: it has no answer.
            ConfigEntryAuthFailed: it wants another key.
        """
        now, clock = dt_util.utcnow(), self.hass.loop.time()
        self._budget, self._calls = self._budget.began(now.timestamp()), 0
        try:
            reading = await self._client.async_read(now.astimezone(self._zone))
        except CloudAuthenticationError as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="cloud_refused",
                translation_placeholders=self._named,
            ) from err
        except CloudError as err:
            self._trouble = self._failed(err, now.timestamp())
            raise self._trouble from err
        else:
            self._budget, self._trouble = self._budget.succeeded(self._calls), None
            self._saved |= {"retired": False, "trouble": None}
            ir.async_delete_issue(self.hass, DOMAIN, issue_id(self.config_entry))
            return self._taken(reading, now, clock)
        finally:
            self._remember()

    def _failed(self, err: CloudError, now: float) -> UpdateFailed:
        """Plan the next try and return what is told of this one."""
        match err:
            case CloudRateLimitError():
                self._budget = self._budget.limited(now, err.retry_after_s)
            case CloudRetiredError():
                self._budget = self._budget.retired(now)
                self._saved["retired"] = True
                self._tell_retired()
            case _:
                self._budget = self._budget.failed()
        LOGGER.debug("%s: %s", self.config_entry.title, err)
        message = MESSAGES.get(type(err), UNREACHABLE)
        self._saved["trouble"] = message.translation_key
        return UpdateFailed(**message._asdict(), translation_placeholders=self._named)

    def _taken(self, reading: CloudReading, now: datetime, clock: float) -> InverterData:
        """Return a reading with its age in the clock of the control core; what is not new keeps its time."""
        if self._known is not None and reading == self._reading:
            return self._known

        def at(moment: datetime) -> float:
            return clock - max(0.0, (now - moment).total_seconds())

        self._reading = reading
        self._saved |= {
            "grid": bool(self._saved.get("grid")) or reading.grid_w is not None,
            "battery": bool(self._saved.get("battery")) or reading.battery_w is not None,
        }
        info = InverterInfo(
            serial=self.serial,
            model=self.config_entry.data.get(CONF_MODEL),
            firmware=None,
            meters=int(self.has_grid_meter),
            batteries=int(self.has_battery),
        )
        # A part that is not known this time keeps what it said last, and its age.
        data = InverterData(info=info) if self._known is None else replace(self._known, info=info)
        if reading.grid_w is not None:
            data = replace(data, grid=_grid(at(reading.at), reading.grid_w))
        if reading.pv_w is not None and reading.pv_at is not None:
            data = replace(data, pv=PvData(at=at(reading.pv_at), power_w=reading.pv_w, energy_wh=None, status=None))
        if reading.battery_w is not None:
            battery = BatteryData(at=at(reading.at), power_w=reading.battery_w, state_of_charge=reading.state_of_charge)
            data = replace(data, battery=battery)
        self._known = data
        return data

    @property
    @override
    def grid_cadence(self) -> float:
        """Return how often a new value comes in s."""
        planned = self._budget.interval(dt_util.utcnow().timestamp(), self._need())
        return min(max(planned, self._uncertainty), LONGEST_CADENCE)

    @property
    @override
    def patience(self) -> float:
        """Return from which age on in s a value is not shown any more; at night hours pass between two of them."""
        planned = self._budget.interval(dt_util.utcnow().timestamp(), self._need())
        return 2.5 * planned + LONGEST_CADENCE

    @property
    @override
    def has_grid_meter(self) -> bool:
        """Return whether the cloud knows, or ever knew, what the house takes from the grid."""
        return bool(self._saved.get("grid"))

    @property
    @override
    def grid_meter_has_phases(self) -> bool:
        """Return that the cloud knows nothing of phases."""
        return False

    @property
    @override
    def has_battery(self) -> bool:
        """Return whether the cloud knows, or ever knew, a battery."""
        return bool(self._saved.get("battery"))

    @override
    def protects(self, phases: int) -> bool:
        """Return that the cloud is far too slow for any fuse."""
        return False

    @override
    def grid_reading(self) -> GridReading | None:
        """Return the last power at the house connection, with how much its time can be trusted."""
        grid = self.data.grid
        if grid is None or self._reading is None:
            return None
        return GridReading(
            at=grid.at,
            power_w=grid.power_w,
            cadence_s=self.grid_cadence,
            mean_s=self._reading.mean_s,
            uncertain_s=self._uncertainty,
        )

    @property
    @override
    def page(self) -> str:
        """Return the page of the site in the portal."""
        return f"https://monitoring.solaredge.com/solaredge-web/p/site/{self.serial}"

    @property
    @override
    def usage(self) -> dict[str, Any]:
        """Return how much of the quota is used up, for the diagnostics."""
        now = dt_util.utcnow().timestamp()
        due = self._budget.due(now, self._need())
        return {
            "calls": self._budget.used(now),
            "quota": self._budget.quota.calls,
            "quota_span_s": self._budget.quota.span_s,
            "next_in_s": round(max(0.0, due - now)),
            "retired": bool(self._saved.get("retired")),
        }

    @property
    def _uncertainty(self) -> float:
        """Return by how much the time of a value may be wrong in s."""
        return V1_DELAY_S if self._access.api is CloudApi.V1 else 0.0

    def _need(self) -> Need:
        chargers = self.hass.data[SHARED].chargers.values()
        readings = [charger.reading() for charger in chargers]
        wanted = any(reading.online and reading.car in {CarState.WAITING, CarState.CHARGING} for reading in readings)
        return Need(wanted=wanted, daylight_s=daylight_left(self.hass, dt_util.utcnow()))

    def _is_due(self) -> bool:
        now = dt_util.utcnow().timestamp()
        return self._budget.due(now, self._need()) <= now

    def _called(self) -> None:
        self._calls += 1
        self._budget = self._budget.called(dt_util.utcnow().timestamp())

    def _remember(self) -> None:
        self._saved["budget"] = self._budget.as_dict()
        self.hass.data[SHARED].memory.set_cloud(memory_key(self.config_entry), dict(self._saved))

    def _tell_retired(self) -> None:
        end_when_disabled(self.hass, self.config_entry, issue_id(self.config_entry))
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            issue_id(self.config_entry),
            is_fixable=False,
            severity=IssueSeverity.ERROR,
            translation_key="cloud_retired",
            translation_placeholders=self._named,
        )


def _grid(at: float, power_w: float) -> GridData:
    nothing = (None, None, None)
    return GridData(at=at, power_w=power_w, currents_a=nothing, voltages_v=nothing, imported_wh=None, exported_wh=None)


def cloud_access(data: Mapping[str, Any]) -> CloudAccess:
    """Return what opens a site, from the data of its entry."""
    return CloudAccess(
        site_id=data[CONF_SERIAL],
        api=CloudApi(data[CONF_API_VERSION]),
        api_key=data.get(CONF_API_KEY),
        token=data.get(CONF_TOKEN),
        account_key=data.get(CONF_ACCOUNT_KEY),
    )


def memory_key(entry: ConfigEntry) -> str:
    """Return under which name the calls of an entry are remembered: each version has a quota of its own."""
    return f"{entry.data[CONF_SERIAL]}_{entry.data[CONF_API_VERSION]}"


def issue_id(entry: ConfigEntry) -> str:
    """Return the name of the repair for a retired interface."""
    return f"cloud_retired_{entry.entry_id}"


@callback
def async_forget_cloud(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget a removed entry; its calls are remembered, for whoever adds it again has the same quota."""
    ir.async_delete_issue(hass, DOMAIN, issue_id(entry))
    if entry.data.get(CONF_CONNECTION) == InverterConnection.CLOUD:
        memory, key = hass.data[SHARED].memory, memory_key(entry)
        # Meter and battery are found anew: what was sold would be waited for as long as the site is there.
        memory.set_cloud(key, {"budget": memory.cloud(key).get("budget")})


def daylight_left(hass: HomeAssistant, now: datetime) -> float:
    """Return how much of the daylight at home is left in s, 0 in the dark."""
    today = dt_util.as_local(now).date()
    rise, fall = (get_astral_event_date(hass, event, today) for event in (SUN_EVENT_SUNRISE, SUN_EVENT_SUNSET))
    if rise is None or fall is None:
        return POLAR_DAY
    return (fall - now).total_seconds() if rise <= now.astimezone(UTC) < fall else 0.0
