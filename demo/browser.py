"""A browser that looks at the demo's Home Assistant, logged in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import time
from typing import Any

import aiohttp
from playwright.async_api import Browser, BrowserContext, async_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""What lets Chromium run without a screen, and without asking anybody for updates."""

type Tokens = Mapping[str, Any]
"""What Home Assistant's frontend keeps of a login."""


@asynccontextmanager
async def running_browser(chromium: Path, *arguments: str) -> AsyncIterator[Browser]:
    """Run a browser until the end of the context.

    Args:
        chromium: the program.
        arguments: more than what it needs to run without a screen.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(chromium), args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            await browser.close()


async def login(url: str, *, user: str, password: str) -> Tokens:
    """Log in at a Home Assistant and return what its frontend keeps of that.

    Raises:
        aiohttp.ClientResponseError: there is no such user.
    """
    client_id = f"{url}/"
    flow = {"client_id": client_id, "handler": ["homeassistant", None], "redirect_uri": client_id}
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        async with session.post(f"{url}/auth/login_flow", json=flow) as response:
            begun = await response.json()
        answer = {"client_id": client_id, "username": user, "password": password}
        async with session.post(f"{url}/auth/login_flow/{begun['flow_id']}", json=answer) as response:
            code = (await response.json())["result"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
        async with session.post(f"{url}/auth/token", data=form) as response:
            tokens = await response.json()
    expires = int((time.time() + tokens["expires_in"]) * 1000)
    return {**tokens, "hassUrl": url, "clientId": client_id, "expires": expires}


async def logged_in(browser: Browser, tokens: Tokens, **options: Any) -> BrowserContext:
    """Return a new window of a user.

    Args:
        browser: a running one.
        tokens: of the user's login.
        options: of Playwright's ``new_context``, like ``viewport``, ``color_scheme`` or ``locale``.
    """
    context = await browser.new_context(**options)
    # Once only: what the frontend writes there later counts also after a reload.
    script = f"if (location.protocol != 'about:') localStorage.hassTokens ??= {json.dumps(json.dumps(tokens))};"
    await context.add_init_script(script)
    return context
