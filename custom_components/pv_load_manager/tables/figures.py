"""How figures are shown."""


def rounded(value: float | None, digits: int) -> float | None:
    """Return a rounded figure; -0.0 is shown as 0."""
    return None if value is None else round(value, digits) + 0.0
