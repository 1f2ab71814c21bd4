"""What an action refuses."""

from homeassistant.exceptions import ServiceValidationError

from ..const import DOMAIN


def refused(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the translated error of an action that changes nothing."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders or None
    )
