"""What all tests share."""

import os
from pathlib import Path

import pytest

# Home Assistant's test tools bring a `custom_components` of their own; the first one imported wins.
import custom_components  # noqa: F401

DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(name="recorded_data")
def recorded_data_fixture() -> Path:
    """Return the folder of the recordings; skip where it is missing."""
    folder = Path(os.environ.get("PVLM_DATA", DEFAULT_DATA))
    if not folder.is_dir():
        pytest.skip("the recorded data is not here: set PVLM_DATA")
    return folder
