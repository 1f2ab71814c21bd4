"""What can go wrong with a Wattpilot.

Every error of this package is one of these; no ``OSError`` and no exception of the WebSocket library gets out.
No message contains a password, a key, a token or the content of a frame: these texts end up in logs and on screens.
"""


class WattpilotError(Exception):
    """Anything that went wrong while talking to a Wattpilot."""


class WattpilotConnectionError(WattpilotError):
    """The charger is unreachable, refused the connection, did not answer in time or closed the socket."""


class WattpilotSnapshotError(WattpilotConnectionError):
    """The password was accepted, but the first complete status never arrived."""


class WattpilotAuthenticationError(WattpilotError):
    """The charger refused the password (the one set in the Solar.wattpilot app, not the PIN on the reset card)."""


class WattpilotWrongDeviceError(WattpilotError):
    """Another charger answers at this address, for instance because DHCP gave its address away.

    Attributes:
        expected: The serial number that was asked for.
        found: The serial number that answered.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected the charger {expected}, found {found}")
        self.expected = expected
        self.found = found


class WattpilotProtocolError(WattpilotError):
    """What answers is not a Wattpilot, or it talks nonsense."""


class WattpilotUnsupportedError(WattpilotProtocolError):
    """The charger is a Wattpilot, but asks for something this client cannot do.

    Attributes:
        feature: What it asked for, for instance the name of a password hash.
    """

    def __init__(self, feature: str) -> None:
        super().__init__(f"the charger asks for {feature}, which is not supported")
        self.feature = feature


class WattpilotCommandError(WattpilotError):
    """The charger refused a value.

    Attributes:
        key: The key that was written.
        reason: What the charger said, or our own words.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"writing {key} failed: {reason}")
        self.key = key
        self.reason = reason


class WattpilotCommandTimeoutError(WattpilotCommandError):
    """The charger did not answer a write in time; whether it took the value is not known."""
