"""How a Wattpilot checks a password, and how it wants its commands signed.

The charger never sees the password. Both sides derive the same key from it; the key answers the charger's challenge and
later signs every command. Source: joscha82/wattpilot, wattpilot4j ``AuthUtil.java``, ioBroker ``main.js`` and FHEM
``72_Wattpilot.pm``, which all do the same.

Two derivations exist: PBKDF2 everywhere, bcrypt on the Wattpilot Flex.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from typing import Protocol
from weakref import WeakKeyDictionary

import bcrypt

from .errors import WattpilotUnsupportedError
from .model import is_flex

_PBKDF2_ROUNDS = 100_000
# The protocol speaks of 256 derived bytes, but only the first 32 characters of their Base64 text are used. These are
# exactly 24 bytes, all from the first SHA-512 block, so deriving 24 bytes gives the same key for a quarter of the work.
_PBKDF2_LENGTH = 24
_AT_ONCE = 2
_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
_BCRYPT_PREFIX = b"$2a$08$"
_BCRYPT_SALT_BYTES = 16
# bcrypt writes Base64 with an alphabet of its own.
_TO_BCRYPT = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)


class KeyDerivation(Protocol):
    """Turns a password into the key. Takes a tenth of a second or more and runs in a worker thread."""

    def __call__(self, password: str, serial: str, /) -> bytes:
        """Return the key as ASCII bytes.

        Args:
            password: The charger's password.
            serial: The charger's serial number, which is the salt.
        """


def derive_pbkdf2(password: str, serial: str, /) -> bytes:
    """Return the key of a Wattpilot with PBKDF2-HMAC-SHA512: 32 Base64 characters."""
    derived = hashlib.pbkdf2_hmac("sha512", _bytes(password), _bytes(serial), _PBKDF2_ROUNDS, dklen=_PBKDF2_LENGTH)
    return base64.b64encode(derived)


def derive_bcrypt(password: str, serial: str, /) -> bytes:
    """Return the key of a Wattpilot Flex: the last 31 characters of a bcrypt hash of cost 8.

    Hashed is the hexadecimal SHA-256 of the password (64 characters, of which bcrypt takes up to 72). The salt are 16
    bytes: the digits of the serial as numbers from 0 to 9, with zeros before them.

    Raises:
        WattpilotUnsupportedError: No salt can be made of this serial.
    """
    if not (serial.isascii() and serial.isdecimal() and len(serial) <= _BCRYPT_SALT_BYTES):
        raise WattpilotUnsupportedError("the password hash bcrypt with a serial number that is not up to 16 digits")
    digits = bytes(map(int, serial)).rjust(_BCRYPT_SALT_BYTES, b"\0")
    salt = _BCRYPT_PREFIX + base64.b64encode(digits).rstrip(b"=").translate(_TO_BCRYPT)
    digest = hashlib.sha256(_bytes(password)).hexdigest().encode()
    return bcrypt.hashpw(digest, salt)[len(salt) :]


KEY_DERIVATIONS: dict[str, KeyDerivation] = {"bcrypt": derive_bcrypt, "pbkdf2": derive_pbkdf2}
"""The password hashes this client knows, by the name the charger gives them."""


def hash_name(requested: object, device_type: str | None) -> str:
    """Return the name of the password hash a charger wants.

    Args:
        requested: ``authRequired.hash``; absent in older firmware.
        device_type: ``hello.devicetype``. The first Flex firmware did not name its hash and means bcrypt
            (joscha82/wattpilot#46, a go-e developer).
    """
    if isinstance(requested, str) and requested:
        return requested.lower()
    return "bcrypt" if is_flex(device_type) else "pbkdf2"


class KeyRing:
    """Derives and remembers the key, so that a reconnect does not hash again.

    Only the last key is kept: one client talks to one charger.
    """

    def __init__(self, password: str, derive_key: KeyDerivation | None = None) -> None:
        """Remember the password.

        Args:
            password: The charger's password.
            derive_key: Used instead of the registry, whatever hash the charger names.
        """
        self._password = password
        self._derive_key = derive_key
        self._known_for: tuple[str, str] | None = None
        self._key = b""

    async def key(self, serial: str, name: str) -> bytes:
        """Return the key for one charger, without blocking the event loop.

        Args:
            serial: The charger's serial number.
            name: Name of the password hash.

        Raises:
            WattpilotUnsupportedError: The hash is not known here, or cannot be made for this serial.
        """
        if self._known_for == (serial, name):
            return self._key
        derive = self._derive_key or KEY_DERIVATIONS.get(name)
        if derive is None:
            # The name comes from the network: only what looks like a name may reach a log.
            shown = name if name.isalnum() and len(name) <= 16 else "unknown"
            raise WattpilotUnsupportedError(f"the password hash {shown}")
        loop = asyncio.get_running_loop()
        # Many chargers at once would take every core from the event loop.
        async with _TURNS.setdefault(loop, asyncio.Semaphore(_AT_ONCE)):
            key = await loop.run_in_executor(None, derive, self._password, serial)
        self._known_for, self._key = (serial, name), key
        return key


def new_token() -> str:
    """Return our part of the challenge: 16 random bytes as 32 hexadecimal characters."""
    return secrets.token_hex(16)


def answer(key: bytes, token1: str, token2: str, token3: str) -> str:
    """Return the answer to the charger's challenge, 64 hexadecimal characters.

    Args:
        key: The derived key.
        token1: From ``authRequired``.
        token2: From ``authRequired``.
        token3: Our own, sent along.
    """
    inner = hashlib.sha256(_bytes(token1) + key).hexdigest()
    return hashlib.sha256(_bytes(token3 + token2 + inner)).hexdigest()


def _bytes(text: str) -> bytes:
    """Return a text as UTF-8; what JSON can hold and UTF-8 cannot (half a surrogate pair) must not raise."""
    return text.encode(errors="replace")


def sign(key: bytes, data: str) -> str:
    """Return the signature of a command: HMAC-SHA256 over its exact text, 64 hexadecimal characters."""
    return hmac.new(key, data.encode(), hashlib.sha256).hexdigest()
