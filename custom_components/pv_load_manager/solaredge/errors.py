"""What can go wrong with an inverter, each with its own cure."""


class InverterError(Exception):
    """Anything that went wrong with an inverter; the text holds no secrets."""


class InverterUnreachableError(InverterError):
    """Nothing answers at the address, or the link broke."""


class NoFiguresError(InverterError):
    """A part of an inverter answers, and what it says is nothing."""


class NotAnInverterError(InverterError):
    """Something answers, but it is no SolarEdge inverter."""


class EvChargerError(NotAnInverterError):
    """A SolarEdge charger, which tells nothing over Modbus."""


class WrongInverterError(InverterError):
    """Another inverter answers at the address."""

    def __init__(self, expected: str, found: str) -> None:
        """Keep both serial numbers for the message."""
        super().__init__(f"inverter {found} answers where {expected} was expected")
        self.expected = expected
        self.found = found
