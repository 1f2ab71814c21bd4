"""The password check of the Wattpilots against published vectors."""

import pytest

from simulator.wattpilot_auth import derive_key, login_hash, signature

_TOKEN1, _TOKEN2 = "a1b2c3d4e5f60718293a4b5c6d7e8f90", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_TOKEN3 = "00112233445566778899aabbccddeeff"
_WRITE = '{"type": "setValue", "requestId": 1, "key": "amp", "value": 6}'


@pytest.mark.parametrize(
    ("kdf", "key", "login", "signed"),
    [
        (
            "pbkdf2",
            "8Hg4BicFNtpA+dngTRDuO/0fEKYswF90",
            "2bd8891a9c28e3549782bd07507eda84f1af4be6dc4e0d097816221196cfc24b",
            "d43a09ca467aaf48db828dbfda3b9ece96c04b28a4342c2f0b7c51efe508e620",
        ),
        (
            "bcrypt",
            "8VpaOkGo2z5yAkDAWDohGWWnq0QQPa6",
            "485c5968b166545ca16dac7617ca48cc1ee68ca6bc2a1cdfce9743bac467e683",
            "08c0520b756990e5ec564d2e7fe25b2475c73c37a7425ed4c51e64b9f0af5eda",
        ),
    ],
)
def test_vectors(kdf: str, key: str, login: str, signed: str) -> None:
    """Key, login hash and signature are those that several client implementations agree on."""
    derived = derive_key("MySecret123", "10000001", kdf)
    assert derived == key.encode()
    assert login_hash(derived, _TOKEN1, _TOKEN2, _TOKEN3) == login
    assert signature(derived, _WRITE) == signed
