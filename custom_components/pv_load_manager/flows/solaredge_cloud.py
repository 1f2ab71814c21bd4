"""The steps that set up a site in SolarEdge's cloud, and give it another key."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import CONF_API_KEY, CONF_NAME, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio

from ..const import (
    CONF_ACCESS,
    CONF_ACCOUNT_KEY,
    CONF_API_VERSION,
    CONF_CONNECTION,
    CONF_ENTRY_TYPE,
    CONF_MODEL,
    CONF_SERIAL,
    CONF_SITE_ID,
    CONF_TIME_ZONE,
    EntryType,
    InverterConnection,
)
from ..coordinators.solaredge_cloud import cloud_access
from ..solaredge.cloud import CloudClient
from ..solaredge.cloud_errors import (
    CloudAuthenticationError,
    CloudError,
    CloudNonsenseError,
    CloudRateLimitError,
    CloudRetiredError,
    CloudUnknownSiteError,
)
from ..solaredge.cloud_models import CloudApi, CloudSite
from .steps import Steps

V2_KEY, V2_TOKEN, V1_KEY = "v2_key", "v2_token", "v1_key"
ACCESSES: Final = {
    V2_KEY: (CloudApi.V2, CONF_API_KEY),
    V2_TOKEN: (CloudApi.V2, CONF_TOKEN),
    V1_KEY: (CloudApi.V1, CONF_API_KEY),
}
"""What somebody may have: the version of the interface, and what opens it."""
LONGEST_ID: Final = 12
LONGEST_SECRET: Final = 8192  # a signed token is long
MODELS: Final = {CloudApi.V1: "Monitoring API V1", CloudApi.V2: "Monitoring API V2"}

_SECRET: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_ACCESS: Final = SelectSelector(
    SelectSelectorConfig(options=list(ACCESSES), translation_key=CONF_ACCESS, mode=SelectSelectorMode.LIST)
)
_SECRETS: Final = {probatio.Required(CONF_API_KEY): _SECRET, probatio.Optional(CONF_ACCOUNT_KEY): _SECRET}
FORM: Final = probatio.Schema(
    {
        probatio.Required(CONF_SITE_ID): TextSelector(),
        probatio.Required(CONF_ACCESS, default=V2_KEY): _ACCESS,
        **_SECRETS,
    }
)
SECRET_FORM: Final = probatio.Schema({probatio.Required(CONF_ACCESS): _ACCESS, **_SECRETS})


class SolarEdgeCloudSteps(Steps):
    """Adds or reconfigures a site in the cloud."""

    async def async_step_solaredge_cloud(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a site and what opens it, and try both."""
        errors: dict[str, str] = {}
        if user_input is not None:
            site_id = user_input[CONF_SITE_ID].strip()
            if not (site_id.isascii() and site_id.isdecimal() and len(site_id) <= LONGEST_ID):
                errors[CONF_SITE_ID] = "invalid_site_id"
            data, wrong = _data(site_id, user_input)
            errors |= wrong
            site = None
            if not errors:
                errors, site = await async_probe_cloud(self.hass, data)
            if site is not None:
                return await self._async_take_site(data, site)
        return self.async_show_form(
            step_id="solaredge_cloud",
            data_schema=self.add_suggested_values_to_schema(FORM, _shown(user_input or self._data)),
            errors=errors,
        )

    async def _async_take_site(self, data: dict[str, Any], site: CloudSite) -> ConfigFlowResult:
        """Make or change the entry of a site that was opened."""
        await self.async_set_unique_id(f"{EntryType.SOLAREDGE}_{InverterConnection.CLOUD}_{site.site_id}")
        data |= {CONF_TIME_ZONE: site.time_zone}
        if self.source == SOURCE_RECONFIGURE:
            self._abort_if_unique_id_mismatch(reason="wrong_site")
            # Not only the values that are new: what opened the other version is gone.
            return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data=data)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=f"SolarEdge {site.name or site.site_id} (Cloud)", data=data)

    async def async_step_reconfigure_solaredge_cloud(self) -> ConfigFlowResult:
        """Show the present values, without any secret."""
        data = self._get_reconfigure_entry().data
        self._data = {CONF_SITE_ID: data[CONF_SERIAL], CONF_ACCESS: _access_of(data)}
        return await self.async_step_solaredge_cloud()

    async def async_step_reauth_solaredge_cloud(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for another key or token and try it."""
        errors: dict[str, str] = {}
        entry = self._get_reauth_entry()
        if user_input is not None:
            data, errors = _data(entry.data[CONF_SERIAL], user_input)
            site = None
            if not errors:
                errors, site = await async_probe_cloud(self.hass, data)
            if site is not None:
                return self.async_update_reload_and_abort(entry, data=data | {CONF_TIME_ZONE: site.time_zone})
        return self.async_show_form(
            step_id="reauth_solaredge_cloud",
            data_schema=self.add_suggested_values_to_schema(
                SECRET_FORM, _shown(user_input or {CONF_ACCESS: _access_of(entry.data)})
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )


async def async_probe_cloud(hass: HomeAssistant, data: Mapping[str, Any]) -> tuple[dict[str, str], CloudSite | None]:
    """Return the errors for the form, and which site was opened; takes one call of the quota's reserve."""
    client = CloudClient(async_get_clientsession(hass), cloud_access(data), on_call=lambda: None)
    try:
        return {}, await client.async_site()
    except CloudAuthenticationError:
        error = "cloud_auth"
    except CloudRetiredError:
        error = "cloud_retired"
    except CloudUnknownSiteError:
        error = "cloud_unknown_site"
    except CloudRateLimitError:
        error = "cloud_rate_limited"
    except CloudNonsenseError:
        error = "cloud_nonsense"
    except CloudError:
        error = "cannot_connect_cloud"
    return {"base": error}, None


def _data(site_id: str, user_input: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the data of an entry, and what is wrong with the secrets by field."""
    api, key = ACCESSES[user_input[CONF_ACCESS]]
    secret = user_input[CONF_API_KEY].strip()
    account = user_input.get(CONF_ACCOUNT_KEY, "").strip()
    errors = {}
    if not secret or not _is_sendable(secret):
        errors[CONF_API_KEY] = "invalid_key"
    if not _is_sendable(account):
        errors[CONF_ACCOUNT_KEY] = "invalid_key"
    data = {
        CONF_ENTRY_TYPE: EntryType.SOLAREDGE.value,
        CONF_CONNECTION: InverterConnection.CLOUD.value,
        CONF_SERIAL: site_id,
        CONF_API_VERSION: api.value,
        CONF_MODEL: MODELS[api],
        key: secret,
    }
    if account and user_input[CONF_ACCESS] == V2_KEY:
        data[CONF_ACCOUNT_KEY] = account
    return data, errors


def _is_sendable(secret: str) -> bool:
    """Return whether a key fits into the header of a request."""
    return len(secret) <= LONGEST_SECRET and secret.isascii() and all(char.isprintable() for char in secret)


def _access_of(data: Mapping[str, Any]) -> str:
    if data[CONF_API_VERSION] == CloudApi.V1:
        return V1_KEY
    return V2_TOKEN if CONF_TOKEN in data else V2_KEY


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return form values that may be shown again."""
    return {key: value for key, value in values.items() if key not in {CONF_API_KEY, CONF_ACCOUNT_KEY}}
