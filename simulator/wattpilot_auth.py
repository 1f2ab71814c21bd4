"""The charger's side of the Wattpilot password check.

The key derivation is what all known clients agree on: PBKDF2-HMAC-SHA512 with the serial as salt, or bcrypt
over the hex SHA-256 of the password with the serial's digits as salt (Wattpilot Flex).
"""

import base64
from functools import cache
import hashlib
import hmac

import bcrypt

_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BCRYPT_PREFIX = "$2a$08$"
_SALT_BYTES = 16
_SALT_CHARS = 22


@cache
def derive_key(password: str, serial: str, kdf: str) -> bytes:
    """Return the shared key, used for the login and for signing writes. Slow: call it off the event loop.

    Args:
        password: As set in the app.
        serial: Digits.
        kdf: `pbkdf2` or `bcrypt`.
    """
    if kdf == "bcrypt":
        salt = (_BCRYPT_PREFIX + _bcrypt_salt(serial)).encode()
        digest = hashlib.sha256(password.encode()).hexdigest().encode()
        return bcrypt.hashpw(digest, salt)[len(salt) :]
    # 24 bytes give the 32 characters that are used; the device derives 256 and cuts.
    raw = hashlib.pbkdf2_hmac("sha512", password.encode(), serial.encode(), 100_000, 24)
    return base64.b64encode(raw)


def login_hash(key: bytes, token1: str, token2: str, token3: str) -> str:
    """Return the hash that a client with the right password sends in `auth`."""
    inner = hashlib.sha256(token1.encode() + key).hexdigest()
    return hashlib.sha256(f"{token3}{token2}{inner}".encode()).hexdigest()


def signature(key: bytes, data: str) -> str:
    """Return the `hmac` of a `securedMsg`."""
    return hmac.new(key, data.encode(), hashlib.sha256).hexdigest()


def _bcrypt_salt(serial: str) -> str:
    """Encode the serial's digit values, left-padded with zeros, in bcrypt's alphabet."""
    digits = [int(digit) for digit in serial][-_SALT_BYTES:]
    raw = bytes(_SALT_BYTES - len(digits)) + bytes(digits)
    bits = "".join(f"{byte:08b}" for byte in raw).ljust(_SALT_CHARS * 6, "0")
    return "".join(_BCRYPT_ALPHABET[int(bits[start : start + 6], 2)] for start in range(0, len(bits), 6))
