"""Where a charger is reached: in the house, or through Fronius' cloud."""

from dataclasses import dataclass
import ssl
from urllib.parse import quote, urlsplit

CLOUD_URL = "wss://app.wattpilot.io/app/{serial}?version=1.2.9"
"""The cloud that the Solar.wattpilot app uses away from home (joscha82/wattpilot, wattpilot-api, ioBroker)."""


@dataclass(frozen=True, kw_only=True)
class CloudAccess:
    """The way to a charger through the cloud, where there is none in the house.

    The messages are the same, later and less reliable: fit for charging from the roof, not for protecting a fuse.

    Attributes:
        serial: Serial number of the charger.
        ssl: How to check the cloud's certificate. Made by the caller: loading certificates would block the event loop.
            ``None`` only for a plain ``ws`` address.
        url: Address with ``{serial}`` in it.
    """

    serial: str
    ssl: ssl.SSLContext | None
    url: str = CLOUD_URL


@dataclass(frozen=True, kw_only=True)
class Address:
    """What is needed to open a socket.

    Attributes:
        url: ``ws`` or ``wss``.
        where: What to call it in messages; without anything secret.
        host: Name or address to connect to; a zone of IPv6 (fe80::1%eth0) can be written here, not in the URL.
        port: TCP port.
        ssl: For ``wss``.
    """

    url: str
    where: str
    host: str
    port: int
    ssl: ssl.SSLContext | None = None


def local_address(host: str, port: int) -> Address:
    """Return the address of a charger in the house: ``ws://<host>/ws`` (joscha82/wattpilot, wattpilot4j).

    Args:
        host: Name or address; IPv6 with or without a zone.
        port: TCP port.
    """
    name = host.partition("%")[0]
    url = f"ws://[{name}]:{port}/ws" if ":" in name else f"ws://{name}:{port}/ws"
    return Address(url=url, where=f"{host}:{port}", host=host, port=port)


def cloud_address(cloud: CloudAccess) -> Address:
    """Return the address of a charger in the cloud.

    Raises:
        ValueError: The address is not a ``wss`` one with, or a ``ws`` one without, a way to check certificates.
    """
    secure = cloud.url.startswith("wss://")
    if not secure and not cloud.url.startswith("ws://"):
        raise ValueError("the cloud is reached by ws or wss")
    if secure != (cloud.ssl is not None):
        raise ValueError("an SSL context belongs to a wss address, and only there")
    url = cloud.url.replace("{serial}", quote(cloud.serial, safe=""))
    parts = urlsplit(url)
    port = parts.port or (443 if secure else 80)
    return Address(url=url, where="the Wattpilot cloud", host=parts.hostname or "", port=port, ssl=cloud.ssl)
