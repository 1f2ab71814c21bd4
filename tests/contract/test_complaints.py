"""The smoke test and the demo's check see what Home Assistant's log says against the integration."""

import pytest

from demo.complaints import complaints

START = "2026-11-21 17:41:49.865+00:00"
QUIET = f"""\
{START} WARNING (SyncWorker_0) [homeassistant.loader] We found a custom integration pv_load_manager which is not tested
{START} ERROR (MainThread) [homeassistant.setup] Setup failed for 'ffmpeg': Unable to import component
Traceback (most recent call last):
  File "homeassistant/setup.py", line 337, in _async_setup_component
ModuleNotFoundError: No module named 'haffmpeg'
{START} WARNING (MainThread) [custom_components.pv_load_manager] Garage does not answer
"""
ERROR = f"{START} ERROR (MainThread) [custom_components.pv_load_manager] Error setting up entry Garage"
TRACE = f"""\
{START} WARNING (MainThread) [homeassistant.helpers] Something failed
Traceback (most recent call last):
  File "config/custom_components/pv_load_manager/sensor.py", line 7, in f
KeyError: 'x'"""
DEPRECATED = f"{START} WARNING (MainThread) [frame] Detected that custom integration 'pv_load_manager' calls x"
BARE = """\
Exception ignored in: <coroutine object>
  File "config/custom_components/pv_load_manager/sensor.py", line 7, in f"""


def test_quiet() -> None:
    """What others do wrong, and warnings about devices, are no complaints about the code."""
    assert complaints(QUIET) == []
    assert complaints("") == []


@pytest.mark.parametrize("record", [ERROR, TRACE, DEPRECATED])
def test_found(record: str) -> None:
    """An error of ours, an exception through our files and a use that ends are found, whole and alone."""
    assert complaints(QUIET + record + "\n" + QUIET) == [record]


def test_before_the_first_record() -> None:
    """What Python writes itself counts, too."""
    assert complaints(BARE + "\n" + QUIET) == [BARE]
