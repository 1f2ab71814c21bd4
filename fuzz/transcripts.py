"""What whole chargers say, from the greeting to the changes: the material that is damaged."""

from dataclasses import dataclass
import json
import os
from pathlib import Path
from typing import Any

from simulator import ChargerConfig, HomeConfig, running_home
from simulator.wattpilot_dialect import hello, snapshot

_RECORDING = Path(os.environ.get("PVLM_DATA", "../shared/data")) / "wattpilot" / "connect-fw42.5.json"

type Frame = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """One connection.

    Attributes:
        serial: Who speaks.
        greeting: The first frame.
        challenge: Asks for the password.
        verdict: Takes it.
        parts: The first status.
        changes: What may come after it, again and again.
    """

    serial: str
    greeting: Frame
    challenge: Frame
    verdict: Frame
    parts: tuple[Frame, ...]
    changes: tuple[Frame, ...]


async def transcripts() -> list[Transcript]:
    """Return what a simulated V2 and a simulated Flex say, and where it is at hand the recording of a real V2."""
    chargers = (ChargerConfig(mode=3), ChargerConfig(serial="91073352", flex=True, auth="bcrypt", variant=22))
    found = []
    async with running_home(HomeConfig(chargers=chargers, speed=0)) as simulation:
        before = [server.status() for server in simulation.chargers]
        await simulation.advance(60)
        for server, old in zip(simulation.chargers, before, strict=True):
            status, flex = server.status(), server.charger.config.flex
            delta = {key: value for key, value in status.items() if old.get(key) != value}
            challenge = {"type": "authRequired", "token1": "a" * 32, "token2": "b" * 32}
            found.append(
                Transcript(
                    serial=server.serial,
                    greeting=hello(server.charger, server.serial, secured=not flex),
                    challenge=challenge | {"hash": "bcrypt" if flex else "pbkdf2"},
                    verdict={"type": "authSuccess"},
                    parts=tuple(snapshot(old, flex=flex, half=False, delta=True)),
                    changes=(_changed(delta), _changed(status), {"type": "clearSmips"}, _changed({"car": 2})),
                )
            )
    if _RECORDING.is_file():
        greeting, challenge, verdict, *rest = [
            entry["frame"] for entry in json.loads(_RECORDING.read_text(encoding="utf-8"))["frames"]
        ]
        parts = tuple(frame for frame in rest if frame["type"] != "deltaStatus")
        changes = tuple(frame for frame in rest if frame["type"] == "deltaStatus")
        found.append(
            Transcript(
                serial=greeting["serial"],
                greeting=greeting,
                challenge=challenge,
                verdict=verdict,
                parts=parts,
                changes=changes,
            )
        )
    return found


def _changed(status: Frame) -> Frame:
    return {"type": "deltaStatus", "status": status}
