"""Answers requests for the documents, below ``/api/pv_load_manager/power_manager``."""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util.json import JSON_DECODE_EXCEPTIONS, json_loads

from ..const import DOMAIN
from ..coordinators.errors import refused
from ..coordinators.load_manager import LoadManagerCoordinator
from ..shared import SHARED
from .documents import DOCUMENTS
from .fields import Document, Refused
from .site import async_apply, loaded_manager, seen_now

URL: Final = f"/api/{DOMAIN}/power_manager"
LONGEST_BODY: Final = 16_384
"""Bytes; the largest document has far below one thousand."""


@callback
def async_register_views(hass: HomeAssistant) -> None:
    """Answer requests from now on, for the life of Home Assistant."""
    for document in DOCUMENTS.values():
        hass.http.register_view(WritableView(document) if document.writable else DocumentView(document))


class DocumentView(HomeAssistantView):
    """A document that can be read."""

    def __init__(self, document: Document) -> None:
        """Take the address of the document."""
        self._document = document
        self.url = f"{URL}/{document.name}"
        self.name = f"api:{DOMAIN}:power_manager:{document.name}"

    async def get(self, request: web.Request) -> web.Response:
        """Return the document."""
        hass = request.app[KEY_HASS]
        _require(request, hass, POLICY_READ)
        if (manager := loaded_manager(hass)) is None:
            return self._unavailable()
        return self._current(hass, manager)

    def _current(self, hass: HomeAssistant, manager: LoadManagerCoordinator) -> web.Response:
        return self.json(self._document.read(seen_now(hass, manager)))

    def _unavailable(self) -> web.Response:
        message = {"message": str(refused("no_load_manager")), "field": None}
        return self.json(message, HTTPStatus.SERVICE_UNAVAILABLE)


class WritableView(DocumentView):
    """A document that can be written as well."""

    async def post(self, request: web.Request) -> web.Response:
        """Take over what is written, all or nothing, and return the document as it is then."""
        hass = request.app[KEY_HASS]
        _require(request, hass, POLICY_CONTROL, admin=self._document.admin)
        if loaded_manager(hass) is None:
            return self._unavailable()
        try:
            body = await _async_body(request)
            # Who came while the body was on its way may have changed something.
            if (manager := loaded_manager(hass)) is None:
                return self._unavailable()
            changes = self._document.changes(body, seen_now(hass, manager))
            await async_apply(hass, manager, changes)
        except Refused as err:
            status = HTTPStatus.CONFLICT if err.conflict else HTTPStatus.BAD_REQUEST
            return self.json({"message": err.message, "field": err.field}, status)
        manager = loaded_manager(hass)
        return self._unavailable() if manager is None else self._current(hass, manager)

    async def put(self, request: web.Request) -> web.Response:
        """Do the same."""
        return await self.post(request)


def _require(request: web.Request, hass: HomeAssistant, policy: str, *, admin: bool = False) -> None:
    """Require what the site's charge mode requires, or an administrator.

    Raises:
        Unauthorized: the user may not do that.
    """
    user: User = request[KEY_HASS_USER]
    if user.is_admin:
        return
    entities = er.async_get(hass)
    manager = hass.data[SHARED].load_manager
    mode = None
    if manager is not None:
        mode = entities.async_get_entity_id("select", DOMAIN, f"{manager.config_entry.entry_id}_charge_mode")
    if admin or mode is None or not user.permissions.check_entity(mode, policy):
        raise Unauthorized


async def _async_body(request: web.Request) -> object:
    """Return the JSON of a request, whatever type it says it has: curl says that everything is a form.

    Raises:
        Refused: it is none.
    """
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > LONGEST_BODY:
                raise Refused(f"The body is longer than {LONGEST_BODY} bytes")
        return json_loads(bytes(body))
    except (*JSON_DECODE_EXCEPTIONS, web.RequestPayloadError):
        raise Refused("The body is no JSON") from None
