"""Renders a reason into a sentence; the templates come from ``texts/<language>.json``, read by the caller."""

from collections.abc import Mapping
import string

from .reasons import Explanation

LONGEST_COUNTDOWN = 3600.0  # s; nobody counts the seconds of a night


class _Formatter(string.Formatter):
    """Writes figures as people do; one that is not known becomes a dash instead of a failure."""

    def __init__(self, decimal: str) -> None:
        self._decimal = decimal

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, object]) -> object:
        del args
        value = kwargs.get(str(key))
        if isinstance(value, float):
            value = str(int(value)) if value.is_integer() else str(value).replace(".", self._decimal)
        elif isinstance(value, int):
            value = str(value)
        if isinstance(value, str) and value.startswith("-"):
            return f"\N{MINUS SIGN}{value[1:]}"
        return "–" if value is None else value


def render(
    explanation: Explanation, templates: Mapping[str, str], now: float, circuits: Mapping[str, str] | None = None
) -> str:
    """Return the reason as a sentence in the templates' language.

    Args:
        explanation: the reason with its numbers.
        templates: text by reason, with the numbers' names in braces, ``countdown`` with ``{seconds}``, and ``decimal``:
            what stands in front of the decimals.
        now: monotonic seconds, for the countdown.
        circuits: names of circuits by id.
    """
    template = templates.get(explanation.reason.value, explanation.reason.value)
    values: dict[str, object] = {**explanation.numbers}
    circuit = explanation.circuit_id
    if circuit is not None:
        values["circuit"] = (circuits or {}).get(circuit, templates["root_circuit"])
    text = _Formatter(templates.get("decimal", ".")).vformat(template, (), values)
    at = explanation.next_change_at
    if at is None or not now < at <= now + LONGEST_COUNTDOWN:
        return text
    return f"{text} {templates['countdown'].format(seconds=round(at - now))}"
