"""What a browser does, over REST and WebSocket: log in, add entries, call actions, read states."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp

DOMAIN = "pv_load_manager"
REQUEST_TIME = 60.0  # s; setting up an entry talks to its device


class FlowError(Exception):
    """A config flow did not end in an entry."""


class CommandError(Exception):
    """A WebSocket command was refused."""


class HassClient:
    """One logged-in user of a Home Assistant."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        """Use ``logged_in`` instead."""
        self._session = session
        self._url = url
        self._token = token

    @classmethod
    @asynccontextmanager
    async def logged_in(cls, url: str, *, user: str, password: str) -> AsyncIterator[Self]:
        """Create the first user of a fresh Home Assistant and log in as it."""
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIME)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            client_id = f"{url}/"
            answer = await _onboard(session, url, user=user, password=password, client_id=client_id)
            form = {"grant_type": "authorization_code", "code": answer["auth_code"], "client_id": client_id}
            async with session.post(f"{url}/auth/token", data=form) as response:
                response.raise_for_status()
                tokens = await response.json()
            yield cls(session, url, tokens["access_token"])

    async def request(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON answer of an authenticated request; raises aiohttp's error for a refused one."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.request(method, f"{self._url}{path}", json=body, headers=headers) as response:
            response.raise_for_status()
            return await response.json()

    async def add_entry(self, *steps: Mapping[str, Any]) -> dict[str, Any]:
        """Go through a config flow step by step and return its result.

        Raises:
            FlowError: a form came back with errors, or the flow was aborted.
        """
        return await self._flow("/api/config/config_entries/flow", DOMAIN, *steps)

    async def set_options(self, entry_id: str, *steps: Mapping[str, Any]) -> None:
        """Go through the options of an entry step by step; what a step leaves out keeps its default.

        Raises:
            FlowError: a form came back with errors, or the flow was aborted.
        """
        await self._flow("/api/config/config_entries/options/flow", entry_id, *steps)

    async def add_circuit(self, entry_id: str, *steps: Mapping[str, Any]) -> None:
        """Go through the form of a circuit of a load manager step by step.

        Raises:
            FlowError: a form came back with errors, or the flow was aborted.
        """
        await self._flow("/api/config/config_entries/subentries/flow", [entry_id, "circuit"], *steps)

    async def _flow(self, path: str, handler: str | list[str], *steps: Mapping[str, Any]) -> dict[str, Any]:
        result = await self.request("POST", path, {"handler": handler})
        for step in steps:
            result = await self.request("POST", f"{path}/{result['flow_id']}", dict(step))
            if result.get("errors") or result["type"] == "abort":
                raise FlowError(f"{result.get('step_id')}: {result.get('errors') or result.get('reason')}")
        if result["type"] != "create_entry":
            raise FlowError(f"the flow still asks for {result.get('step_id')}")
        entry: dict[str, Any] = result
        return entry

    async def entries(self) -> list[dict[str, Any]]:
        """Return all config entries of the integration."""
        found: list[dict[str, Any]] = await self.request("GET", f"/api/config/config_entries/entry?domain={DOMAIN}")
        return found

    async def call(self, domain: str, action: str, **data: object) -> None:
        """Call an action and wait for its end."""
        await self.request("POST", f"/api/services/{domain}/{action}", data)

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return the state of an entity."""
        found: dict[str, Any] = await self.request("GET", f"/api/states/{entity_id}")
        return found

    async def command(self, kind: str, **data: object) -> Any:
        """Return the result of a WebSocket command.

        Raises:
            CommandError: Home Assistant refused it.
        """
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.ws_connect(f"{self._url}/api/websocket", headers=headers, max_msg_size=0) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self._token})
            await socket.receive_json()
            await socket.send_json({"id": 1, "type": kind, **data})
            answer = await socket.receive_json()
        if not answer["success"]:
            raise CommandError(f"{kind}: {answer['error']['message']}")
        return answer["result"]

    async def entity_ids(self) -> dict[str, str]:
        """Return the entity ids of the integration by domain and unique id, like "sensor.10000001_power"."""
        return {
            f"{entity['entity_id'].split('.')[0]}.{entity['unique_id']}": entity["entity_id"]
            for entity in await self.command("config/entity_registry/list")
            if entity["platform"] == DOMAIN
        }


async def _onboard(
    session: aiohttp.ClientSession, url: str, *, user: str, password: str, client_id: str
) -> dict[str, Any]:
    """Create the first user; the server listens a moment before this is possible."""
    body = {"name": user, "username": user, "password": password, "client_id": client_id, "language": "en"}
    for attempt in range(300):
        async with session.post(f"{url}/api/onboarding/users", json=body) as response:
            if response.status == 404 and attempt < 299:
                await asyncio.sleep(0.1)
                continue
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer
    raise FlowError("Home Assistant offered no onboarding")
