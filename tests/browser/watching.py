"""What a page says against itself: errors on its console, exceptions, requests that failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import ConsoleMessage, Page, Request, Response

HARMLESS: Final[Mapping[str, str]] = {
    "/api/hassio/": "the frontend asks for a supervisor that is not there",
    "https://demo.home-assistant.io/stub_config/": "Home Assistant's own previews where a card is chosen",
    "/service_worker.js": "the frontend's own; it is installed in secure contexts only",
}
"""Parts of addresses that may fail, and why."""


@dataclass(kw_only=True)
class Watch:
    """Collects what goes wrong on a page."""

    problems: list[str] = field(default_factory=list)
    paused: bool = False
    """Whether failing is what the test is about just now."""

    def attach(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"exception: {error.message} {error.stack}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self._harmless(message.location["url"]):
            self._note(f"console: {message.text} ({message.location['url']})")

    def _failed(self, request: Request) -> None:
        # What a page asked for when it was left is cut off.
        if request.failure != "net::ERR_ABORTED" and not self._harmless(request.url):
            self._note(f"request: {request.failure} {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not self._harmless(response.url):
            self._note(f"answer: {response.status} {response.url}")

    def _note(self, problem: str) -> None:
        if not self.paused:
            self.problems.append(problem)

    @staticmethod
    def _harmless(url: str) -> bool:
        return any(part in url for part in HARMLESS)
