"""How full every circuit is, for people."""

from .electrics import NOTHING, add, higher, lower, subtract
from .explain import Site
from .load import Load
from .model import Snapshot
from .plan import CircuitPlan
from .state import ControlState


def circuit_plans(site: Site, state: ControlState, snapshot: Snapshot, load: Load) -> dict[str, CircuitPlan]:
    """Return how full every circuit is."""
    drawn = [NOTHING] * len(site.tree.circuits)
    for charger in site.config.chargers:
        reading, draws = snapshot.chargers.get(charger.charger_id), state.draws.get(charger.charger_id)
        if reading is not None and reading.online and draws:
            for index in site.tree.chains.get(charger.circuit_id, (0,)):
                drawn[index] = add(drawn[index], draws[-1].currents_a)
    result = {}
    for index, circuit in enumerate(site.tree.circuits):
        room, allowed = site.rooms[circuit.circuit_id], load.circuit(index)
        result[circuit.circuit_id] = CircuitPlan(
            stage=room.stage,
            limit_a=room.target_a,
            house_a=room.house_a,
            chargers_a=allowed,
            drawn_a=drawn[index],
            free_a=higher(NOTHING, subtract(lower(room.now_a, room.fuse_a), allowed)),
        )
    return result
