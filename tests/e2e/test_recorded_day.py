"""The control core follows recorded sunshine."""

from collections import deque
from datetime import time
import os
from pathlib import Path

import pytest

from benchmarks.rig import Rig, configuration
from custom_components.pv_load_manager.control import Mode
from simulator import CarConfig, ChargerConfig, Home, HomeConfig, HouseConfig, PvConfig

DATA = Path(os.environ.get("PVLM_DATA", "../shared/data"))
TRACE = DATA / "nrel_pv" / "serf_east_1min_ac_power.csv"
HOUSE = DATA / "uci_household" / "household_power_2007-02-01_02.csv"

SETTLED_S = 60  # s after a start or a phase switch
REACTION_S = 20  # s; the mean of 10 s is followed by one command per 10 s


@pytest.mark.skipif(not (TRACE.is_file() and HOUSE.is_file()), reason=f"no recordings in {DATA} (see PVLM_DATA)")
def test_car_follows_the_recorded_surplus_within_one_amp() -> None:
    """Three recorded hours: once settled the car takes the surplus to within 1 A on each of its phases."""
    home = HomeConfig(
        pv=PvConfig(csv=TRACE),
        house=HouseConfig(csv=HOUSE),
        chargers=(ChargerConfig(car=CarConfig(soc=0.0, capacity_wh=200_000.0)),),
        start_at=time(11, 0),
    )
    rig = Rig(home=Home(home), config=configuration(home, mode=Mode.PV))
    judged: list[float] = []
    recent: deque[float] = deque(maxlen=REACTION_S)
    before = None
    settled_at = 0.0

    def each(rig: Rig) -> None:
        nonlocal before, settled_at
        flow = rig.home.flow
        recent.append(flow.pv_w - flow.house_w)
        command = rig.plan.chargers["10000001"].command
        assert command is not None
        present = (command.charge, command.phases)
        if present != before:
            before, settled_at = present, rig.home.now + SETTLED_S
        lowered_for_switch = rig.state.chargers["10000001"].other_phases_since is not None
        at_its_limit = command.phases == 1 and command.current_a == 16
        if not command.charge or rig.home.now < settled_at or lowered_for_switch or at_its_limit:
            return
        volts = sum(flow.voltages) / 3
        off_by = min(abs(surplus - flow.cars_w) for surplus in recent)
        judged.append(off_by / volts / (command.phases or 3))

    rig.run(3 * 3600, each)
    assert len(judged) > 3600
    assert max(judged) <= 1.0
