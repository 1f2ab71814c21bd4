"""What the cloud is asked with, and what it tells in the project's signs: import +, battery discharge +, PV >= 0."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CloudApi(StrEnum):
    """The version of the interface."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudAccess:
    """Which site is read, and what opens it."""

    site_id: str
    api: CloudApi
    api_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    """An OAuth access token of V2 in place of the key."""
    account_key: str | None = field(default=None, repr=False)
    """Goes with a key of V2 where an installer has several accounts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudSite:
    """Identity of a site."""

    site_id: str
    name: str | None
    time_zone: str | None
    """Its name, for example ``Europe/Berlin``; in it all times are asked for."""
    model: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudReading:
    """All powers of a site at one time, in W; None = not known, or there is no such part."""

    at: datetime
    """Aware; the end of what was measured."""
    mean_s: float = 0.0
    """The powers are means over so many seconds before ``at``; 0 = of a moment."""
    grid_w: float | None = None
    pv_w: float | None = None
    pv_at: datetime | None = None
    """Of the production, which may be older."""
    battery_w: float | None = None
    state_of_charge: float | None = None
    """0..100 %."""
