"""Password, challenge and signature, against vectors that two independent implementations agree on."""

import base64
import hashlib
import json
import threading

import pytest

from custom_components.pv_load_manager.wattpilot import WattpilotProtocolError, WattpilotUnsupportedError
from custom_components.pv_load_manager.wattpilot.auth import (
    KeyRing,
    answer,
    derive_bcrypt,
    derive_pbkdf2,
    hash_name,
    new_token,
    sign,
)
from custom_components.pv_load_manager.wattpilot.protocol import auth_frame, command_frame

PASSWORD, SERIAL = "MySecret123", "10000001"
TOKEN1 = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
TOKEN2 = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
TOKEN3 = "00112233445566778899aabbccddeeff"
KEY = b"8Hg4BicFNtpA+dngTRDuO/0fEKYswF90"
BCRYPT_KEY = b"8VpaOkGo2z5yAkDAWDohGWWnq0QQPa6"
SPACED = '{"type": "setValue", "requestId": 1, "key": "amp", "value": 6}'
SECOND = '{"type": "setValue", "requestId": 2, "key": "frc", "value": 1}'
COMPACT = '{"type":"setValue","requestId":1,"key":"amp","value":6}'


def test_pbkdf2_key() -> None:
    """The key of the test vector comes out."""
    assert derive_pbkdf2(PASSWORD, SERIAL) == KEY


def test_bcrypt_key() -> None:
    """The key of the test vector comes out."""
    assert derive_bcrypt(PASSWORD, SERIAL) == BCRYPT_KEY


def test_bcrypt_with_other_letters() -> None:
    """The second vector: a password in UTF-8 and a serial of other digits, down to the answer."""
    key = derive_bcrypt("pässwörd", "91073352")
    assert key == b".DMof7tITs16HFV22fDVWRXqBRkOCFW"
    expected = "59c0eb64b9c642816431ae559fd02cd207b7c305f8a3a3171bc955eac59d6155"
    assert answer(key, "A" * 32, "B" * 32, "c" * 32) == expected


def test_bcrypt_takes_any_password() -> None:
    """A long password is hashed before, so that bcrypt neither cuts nor refuses it."""
    assert len({derive_bcrypt(password, SERIAL) for password in ("x" * 72, "x" * 200, "", "\ud800")}) == 4


@pytest.mark.parametrize("serial", ["1000000A", "", "1" * 17, "١٢٣", "-1"])
def test_bcrypt_needs_digits(serial: str) -> None:
    """A serial that makes no salt is not supported, instead of some other error."""
    with pytest.raises(WattpilotUnsupportedError, match="bcrypt with a serial number"):
        derive_bcrypt(PASSWORD, serial)


def test_short_derivation_gives_the_key_of_the_long_one() -> None:
    """24 derived bytes make the same 32 characters as the 256 the protocol speaks of."""
    derived = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), SERIAL.encode(), 100_000, dklen=256)
    assert base64.b64encode(derived)[:32] == derive_pbkdf2(PASSWORD, SERIAL)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (KEY, "2bd8891a9c28e3549782bd07507eda84f1af4be6dc4e0d097816221196cfc24b"),
        (BCRYPT_KEY, "485c5968b166545ca16dac7617ca48cc1ee68ca6bc2a1cdfce9743bac467e683"),
    ],
)
def test_answer_to_the_challenge(key: bytes, expected: str) -> None:
    """The challenge is answered like in the vectors, whatever made the key."""
    assert answer(key, TOKEN1, TOKEN2, TOKEN3) == expected


@pytest.mark.parametrize(
    ("key", "data", "expected"),
    [
        (KEY, SPACED, "d43a09ca467aaf48db828dbfda3b9ece96c04b28a4342c2f0b7c51efe508e620"),
        (KEY, SECOND, "76ebfb2ce76b1c07719c3c1d834f49af6248532acc44bc40bf86d0e28a3cf934"),
        (KEY, COMPACT, "385da6ff546be7ee10e60610a982e0e57e896fd4c84a071faf02df08b1e4f89e"),
        (BCRYPT_KEY, SPACED, "08c0520b756990e5ec564d2e7fe25b2475c73c37a7425ed4c51e64b9f0af5eda"),
        (BCRYPT_KEY, SECOND, "58ee7c096a9efaafd4125d58158be386f534b9cee4a035f6bea450de2636f6a3"),
        (BCRYPT_KEY, COMPACT, "7beb20993fd9e3189e738b5bb6897025aa86c35fe4f2cbefa802b846181674e8"),
    ],
)
def test_signature(key: bytes, data: str, expected: str) -> None:
    """A command is signed over its exact text, in both spellings."""
    assert sign(key, data) == expected


def test_command_frame_matches_the_vector() -> None:
    """The frame we send is the one of the vector, with its signature."""
    frame = json.loads(command_frame(1, "amp", 6, KEY))
    assert frame == {"type": "securedMsg", "data": SPACED, "requestId": "1sm", "hmac": sign(KEY, SPACED)}


def test_auth_frame_answers_with_a_fresh_token() -> None:
    """The answer fits the tokens, and no two answers are the same."""
    frames = [json.loads(auth_frame(KEY, {"token1": TOKEN1, "token2": TOKEN2})) for _ in range(2)]
    assert frames[0]["hash"] == answer(KEY, TOKEN1, TOKEN2, frames[0]["token3"])
    assert frames[0]["token3"] != frames[1]["token3"]
    assert len(new_token()) == 32


def test_auth_frame_needs_tokens() -> None:
    """A challenge without tokens is nonsense."""
    with pytest.raises(WattpilotProtocolError):
        auth_frame(KEY, {"token1": TOKEN1})


def test_half_a_surrogate_pair_does_not_raise() -> None:
    """What JSON can hold and UTF-8 cannot is no reason to fall over."""
    assert answer(KEY, "\ud800", "\ud800", TOKEN3)
    assert derive_pbkdf2("\ud800", SERIAL)


@pytest.mark.parametrize(
    ("requested", "device_type", "expected"),
    [
        ("pbkdf2", "wattpilot_flex", "pbkdf2"),
        ("BCRYPT", "wattpilot_V2", "bcrypt"),
        (None, "wattpilot", "pbkdf2"),
        (None, "wattpilot_flex", "bcrypt"),
        (7, None, "pbkdf2"),
    ],
)
def test_hash_name(requested: object, device_type: str | None, expected: str) -> None:
    """The charger's word counts; without it the Flex means bcrypt and all others PBKDF2."""
    assert hash_name(requested, device_type) == expected


async def test_key_ring_hashes_once_and_not_in_the_event_loop() -> None:
    """The key is made in a worker thread, and again only for another serial or hash."""
    calls: list[tuple[str, bool]] = []

    def derive(_password: str, serial: str, /) -> bytes:
        calls.append((serial, threading.current_thread() is threading.main_thread()))
        return serial.encode()

    ring = KeyRing("p", derive)
    assert await ring.key("1", "pbkdf2") == await ring.key("1", "pbkdf2") == b"1"
    assert await ring.key("2", "pbkdf2") == b"2"
    assert await ring.key("2", "other") == b"2"
    assert calls == [("1", False), ("2", False), ("2", False)]


@pytest.mark.parametrize(("name", "shown"), [("argon2", "argon2"), ("x\n" * 40, "unknown")])
async def test_unknown_hash_is_named(name: str, shown: str) -> None:
    """A hash we do not know is named, if it looks like a name."""
    with pytest.raises(WattpilotUnsupportedError, match=f"password hash {shown},") as caught:
        await KeyRing("p").key("1", name)
    assert caught.value.feature == f"the password hash {shown}"


async def test_registry_is_used() -> None:
    """Without a derivation of its own the ring uses the registry."""
    ring = KeyRing(PASSWORD)
    assert await ring.key(SERIAL, "pbkdf2") == KEY
    assert await ring.key(SERIAL, "bcrypt") == BCRYPT_KEY
