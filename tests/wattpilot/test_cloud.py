"""Reaching a charger through the cloud, and a Flex in the house: the same messages with other habits."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest
from websockets.asyncio.server import serve

from custom_components.pv_load_manager.wattpilot import (
    CLOUD_URL,
    CarState,
    CloudAccess,
    ConnectionState,
    Timings,
    WattpilotAuthenticationError,
    WattpilotClient,
    WattpilotCommandError,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotUnsupportedError,
)
from custom_components.pv_load_manager.wattpilot.address import cloud_address, local_address

from .conftest import FAST, MakeClient
from .scripted import PASSWORD, SERIAL, ScriptedCharger, hello, until

simulator = pytest.importorskip("simulator")

# The real hashes take their time on a busy machine.
PATIENT = replace(FAST, connect=5, authenticate=10, snapshot=5, command=3, silence=30)
FLEX_SERIAL, SECRET_PASSWORD = "91073352", "pässwörd"


def home(**charger: object) -> object:
    """Return a virtual home with one charger, whose time stands still until it is told to go on."""
    config = {"serial": FLEX_SERIAL, "password": SECRET_PASSWORD} | charger
    return simulator.HomeConfig(
        pv=simulator.PvConfig(peak_w=0), chargers=(simulator.ChargerConfig(**config),), speed=0.0
    )


def plain(url: str, serial: str = SERIAL) -> CloudAccess:
    """Return a way to a cloud that is on this machine, without encryption."""
    return CloudAccess(serial=serial, ssl=None, url=url)


@pytest.mark.parametrize("charger", [{}, {"flex": True, "auth": "bcrypt"}], ids=["v2", "flex"])
async def test_charging_through_the_cloud(charger: dict[str, object]) -> None:
    """Log in with a password, read, write without a signature, hear of changes."""
    async with simulator.running_home(home(**charger)) as simulation:
        server = simulation.chargers[0]
        access = plain(server.cloud_url, FLEX_SERIAL)
        client = WattpilotClient("cloud", SECRET_PASSWORD, cloud=access, timings=PATIENT)
        await client.connect()
        assert client.info is not None
        assert client.info.serial == client.status.serial == FLEX_SERIAL
        await client.set_value("amp", 9)
        assert client.status.amp == 9
        with pytest.raises(WattpilotCommandError, match="not allowed"):
            await client.set_value("amp", 99)
        await simulation.advance(30)
        await until(lambda: client.status.uptime_ms and client.status.uptime_ms > 29_000)
        assert [write.value for write in server.writes] == [9]
        await client.close()
        with pytest.raises(WattpilotAuthenticationError):
            await WattpilotClient("cloud", "wrong", cloud=access, timings=PATIENT).connect()
        stranger = plain(server.cloud_url, "55555555")
        with pytest.raises(WattpilotConnectionError, match="closed by the charger"):
            await WattpilotClient("cloud", SECRET_PASSWORD, cloud=stranger, timings=PATIENT).connect()
        await until(lambda: server.clients == 0)


@pytest.mark.parametrize("auth", ["bcrypt", "omit"])
async def test_a_flex_in_the_house(auth: str) -> None:
    """Its hash, also where it does not name it, its one large status in fragments, and signed writes."""
    async with simulator.running_home(home(flex=True, auth=auth, variant=22, max_current=32)) as simulation:
        server = simulation.chargers[0]
        client = WattpilotClient(server.host, SECRET_PASSWORD, port=server.port, timings=PATIENT)
        await client.connect()
        assert client.info is not None
        assert (client.info.device_type, client.info.model) == ("wattpilot_flex", "Wattpilot Flex Home 22 C6")
        status = client.status
        assert (status.temperature, status.rssi_dbm, status.cable_lock_name) == (35, None, None)
        assert (status.cable_limit_a, status.current_limit_a, status.variant_kw) == (32, 32, 22)
        assert status.lifetime_mid_wh == status.lifetime_energy_wh
        assert simulator.SECRET_MARK not in str(status.redacted())
        await client.set_value("amp", 20)
        await client.set_value("lmo", 3)
        await simulation.advance(30)
        await until(lambda: client.status.car_state is CarState.CHARGING)
        await client.close()


async def test_a_serial_that_bcrypt_cannot_take(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A Flex with letters in its serial is named as not supported, and nothing is left of the attempt."""
    charger.greeting = hello(devicetype="wattpilot_flex", serial="AB12")
    charger.challenge = {"type": "authRequired", "token1": "a" * 32, "token2": "b" * 32}
    client = make_client(derive_key=None)
    with pytest.raises(WattpilotUnsupportedError, match="bcrypt with a serial number"):
        await client.connect()
    assert charger.auths == 0
    await until(lambda: not charger.sockets)


async def test_another_charger_than_the_clouds(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """The serial of the address has to be that of the greeting."""
    client = make_client(cloud=plain(f"ws://127.0.0.1:{charger.port}/app/{{serial}}", "77777777"))
    with pytest.raises(WattpilotError, match="expected the charger 77777777"):
        await client.connect()
    assert charger.auths == 0


async def test_the_cloud_is_given_more_time(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Silence that would end a connection in the house does not yet end one through the cloud."""
    client = make_client(
        cloud=plain(f"ws://127.0.0.1:{charger.port}/x/{{serial}}"), timings=replace(FAST, silence=0.2, cloud=3)
    )
    started = asyncio.get_running_loop().time()
    await client.connect()
    await until(lambda: client.state is ConnectionState.DISCONNECTED)
    assert asyncio.get_running_loop().time() - started >= 0.55
    assert "no status within 0.6 s" in str(client.last_error)


async def test_a_known_flex_may_take_its_time_to_greet(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Where it is known what will answer, the longer limit holds before the greeting, too."""
    charger.greeting = charger.challenge = None
    charger.parts = []
    with pytest.raises(WattpilotConnectionError, match=r"did not greet within 0\.6 s"):
        await make_client(device_type="wattpilot_flex").connect()


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server on this machine and a client that trusts it need."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=pem)


async def test_encrypted(charger: ScriptedCharger, make_client: MakeClient, tmp_path: Path) -> None:
    """The certificate is checked with the context that the caller brings; one nobody vouches for is refused."""
    server_context, trusting = await asyncio.to_thread(_contexts, tmp_path)
    charger.greeting = hello(secured=False)
    async with serve(charger.serve, "127.0.0.1", 0, ssl=server_context, close_timeout=0.2) as server:
        url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}/app/{{serial}}?version=1.2.9"
        client = make_client(cloud=CloudAccess(serial=SERIAL, ssl=trusting, url=url))
        await client.connect()
        await client.set_value("amp", 8)
        assert charger.received[0]["plain"]
        assert next(iter(charger.sockets)).request.path == f"/app/{SERIAL}?version=1.2.9"  # type: ignore[union-attr]
        await client.close()
        strict = await asyncio.to_thread(ssl.create_default_context)
        stranger = make_client(cloud=CloudAccess(serial=SERIAL, ssl=strict, url=url))
        with pytest.raises(WattpilotConnectionError, match="cannot connect to the Wattpilot cloud"):
            await stranger.connect()
        assert PASSWORD not in str(stranger.last_error)


def test_addresses() -> None:
    """The house is found by name or address, the cloud by serial; nothing in a serial can leave its place."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found = cloud_address(CloudAccess(serial="../1?x", ssl=context))
    assert found.url == CLOUD_URL.replace("{serial}", "..%2F1%3Fx")
    assert (found.host, found.port) == ("app.wattpilot.io", 443)
    assert local_address("fe80::1%eth0", 80).url == "ws://[fe80::1]:80/ws"
    assert local_address("garage.local", 81).where == "garage.local:81"


@pytest.mark.parametrize("url", ["wss://x/{serial}", "https://x/{serial}", "ws://x:nothing/{serial}"])
def test_addresses_that_do_not_fit(url: str) -> None:
    """A cloud without a way to check it, or of another kind, is a mistake of the caller and said at once."""
    with pytest.raises(ValueError, match=r"SSL context|ws or wss|Port"):
        WattpilotClient("cloud", "x", cloud=CloudAccess(serial="1", ssl=None, url=url))


def test_timings_of_the_cloud() -> None:
    """Everything that waits for the charger takes longer; waits between attempts and for closing do not."""
    timings, cloud = Timings(), Timings().for_cloud()
    for name in ("connect", "authenticate", "snapshot", "command", "silence"):
        assert getattr(cloud, name) == 1.5 * getattr(timings, name)
    assert (cloud.close, cloud.backoff_max, cloud.flex) == (timings.close, timings.backoff_max, timings.flex)
