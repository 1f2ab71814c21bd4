"""What can go wrong with SolarEdge's cloud, each with its own cure; no text holds an address or a key."""

from .errors import InverterError


class CloudError(InverterError):
    """Anything that went wrong with the cloud."""


class CloudUnreachableError(CloudError):
    """Nothing answers, or not in time."""


class CloudAuthenticationError(CloudError):
    """The key or the token is refused, or it may not see this site."""


class CloudRetiredError(CloudError):
    """This version of the interface is switched off for good."""


class CloudUnknownSiteError(CloudError):
    """There is no such site."""


class CloudRateLimitError(CloudError):
    """Too much was asked."""

    def __init__(self, retry_after_s: float | None) -> None:
        """Keep when it may be asked again.

        Args:
            retry_after_s: as the cloud says; None = it does not say, so the whole quota is used up.
        """
        super().__init__("the cloud was asked too often")
        self.retry_after_s = retry_after_s


class CloudServerError(CloudError):
    """The cloud is in trouble of its own."""


class CloudNonsenseError(CloudError):
    """What answers makes no sense: a web page, broken JSON, another shape."""


class CloudNoDataError(CloudError):
    """The site sends nothing to the cloud at the moment, or it has no meter."""
