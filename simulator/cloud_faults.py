"""What can go wrong with the cloud, by the names that the control endpoint uses."""

from collections.abc import Mapping
from typing import Any

from .cloud import CloudFaults, CloudServer
from .fault_kinds import is_number
from .faults import FaultKind, Parameter, Parameters


def _refusal(status: int, what: str) -> FaultKind[CloudServer]:
    """Return a fault that is an HTTP status."""
    return FaultKind(
        what=what,
        start=lambda server, _: server.faults.refusals.append(status),
        end=lambda server: server.faults.refusals.remove(status),
    )


def _attribute(name: str, value: Any, what: str) -> FaultKind[CloudServer]:
    """Return a fault that is nothing but an attribute."""
    return FaultKind(
        what=what,
        start=lambda server, _: setattr(server.faults, name, value),
        end=lambda server: setattr(server.faults, name, getattr(CloudFaults(), name)),
    )


def _limit(server: CloudServer, given: Parameters) -> None:
    server.faults.retry_after_s = given["retry_after"] or None
    server.faults.refusals.append(429)


def _unlimit(server: CloudServer) -> None:
    server.faults.retry_after_s = None
    server.faults.refusals.remove(429)


def _slow(server: CloudServer, given: Parameters) -> None:
    server.faults.slow_s = given["seconds"]


CLOUD_FAULTS: Mapping[str, FaultKind[CloudServer]] = {
    "unauthorized": _refusal(401, "status 401: the key is not valid any more"),
    "forbidden": _refusal(403, "status 403: the key may not see the site"),
    "gone": _refusal(410, "status 410: the interface is retired"),
    "broken": _refusal(500, "status 500"),
    "rate_limited": FaultKind(
        what="status 429; without a time the whole quota is used up",
        start=_limit,
        end=_unlimit,
        parameters={
            "retry_after": Parameter(
                what="a number of seconds, 0 = it is not told", check=lambda s: is_number(s) and s >= 0, default=0
            )
        },
    ),
    "html": _attribute("html", True, "a web page with the status 200"),
    "malformed": _attribute("malformed", True, "JSON that breaks off"),
    "empty_flow": _attribute("empty_flow", True, "nothing is known of the site"),
    "silent": _attribute("silent", True, "no call is answered"),
    "drop": _attribute("drop", True, "connections are cut instead of an answer"),
    "offline": FaultKind(
        what="gone from the network: the port is closed",
        start=lambda server, _: server.stop(),
        end=lambda server: server.start(),
    ),
    "slow": FaultKind(
        what="each answer takes this long (wall clock)",
        start=_slow,
        end=lambda server: setattr(server.faults, "slow_s", 0.0),
        parameters={"seconds": Parameter(what="a number of seconds above 0", check=lambda s: is_number(s) and s > 0)},
    ),
}
"""What can go wrong with the cloud."""
