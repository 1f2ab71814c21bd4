"""What the tests of the virtual home share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(name="data")
def recorded_data() -> Path:
    """Return the folder of the recordings; skip where it is missing."""
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("PVLM_DATA", default))
    if not folder.is_dir():
        pytest.skip("the recorded data is not here: set PVLM_DATA")
    return folder


@pytest.fixture(name="sockets", autouse=True)
def sockets_fixture(socket_enabled: None) -> None:
    """Allow sockets: the simulators are tested over the real protocols."""
