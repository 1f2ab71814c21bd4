"""A client of the control endpoint."""

from typing import Any

from aiohttp import ClientSession

from simulator import Simulation


class Control:
    """A client of the control endpoint."""

    def __init__(self, simulation: Simulation, session: ClientSession) -> None:
        self.simulation = simulation
        self._session = session

    async def call(self, method: str, path: str, *, expect: int = 200, **body: Any) -> Any:
        """Make a request, check its status and return the answer."""
        url = f"{self.simulation.control_url}{path}"
        async with self._session.request(method, url, json=body or None) as response:
            answer = await response.json()
            assert response.status == expect, answer
            return answer

    async def get(self, path: str) -> Any:
        """Look at something."""
        return await self.call("GET", path)

    async def post(self, path: str, **body: Any) -> Any:
        """Change something."""
        return await self.call("POST", path, **body)
