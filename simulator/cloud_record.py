"""What arrives in the cloud: every flow with its time, and the means over its quarters of an hour."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import math
from zoneinfo import ZoneInfo

from .config import CloudConfig
from .home import Flow, Home

_KEPT_BUCKETS = 100


@dataclass(kw_only=True)
class Bucket:
    """Energies of one quarter of an hour, Ws, and the state of charge at its end."""

    seconds: float = 0.0
    imported: float = 0.0
    exported: float = 0.0
    produced: float = 0.0
    charged: float = 0.0
    discharged: float = 0.0
    soc: float | None = None

    def add(self, flow: Flow, seconds: float, soc: float | None) -> None:
        """Count a flow for some seconds."""
        self.seconds += seconds
        self.imported += max(0.0, flow.grid_w) * seconds
        self.exported += max(0.0, -flow.grid_w) * seconds
        self.produced += flow.pv_w * seconds
        self.charged += max(0.0, -flow.battery_w) * seconds
        self.discharged += max(0.0, flow.battery_w) * seconds
        self.soc = soc


class CloudRecord:
    """Everything that was sent to the cloud lately.

    Attributes:
        buckets: By the begin of each.
    """

    def __init__(self, home: Home, config: CloudConfig) -> None:
        self._home = home
        self._config = config
        self._zone = ZoneInfo(config.time_zone)
        self._begin = config.starts_at or datetime.now(UTC)
        self._flows: deque[Flow] = deque([home.flow])
        self.buckets: dict[datetime, Bucket] = {}

    @property
    def now(self) -> datetime:
        """The cloud's time, in the zone of the site."""
        return self.at(self._home.now)

    def at(self, home_s: float) -> datetime:
        """Return the cloud's time at a home time."""
        return (self._begin + timedelta(seconds=home_s)).astimezone(self._zone)

    def record(self) -> None:
        """Take what the home does now, for the time since the last flow."""
        home, flow = self._home, self._home.flow
        seconds = flow.at - self._flows[-1].at
        if seconds <= 0.0:
            return
        self._flows.append(flow)
        while len(self._flows) > 1 and self._flows[1].at <= home.now - self._config.delay_s:
            self._flows.popleft()
        begin = self.bucket_of(self.at(flow.at - seconds / 2))
        soc = home.battery.soc * 100 if home.battery is not None else None
        self.buckets.setdefault(begin, Bucket()).add(flow, seconds, soc)
        while len(self.buckets) > _KEPT_BUCKETS:
            del self.buckets[next(iter(self.buckets))]

    def bucket_of(self, moment: datetime) -> datetime:
        """Return the begin of the quarter of an hour that a time is in."""
        length = self._config.bucket_s
        return datetime.fromtimestamp(math.floor(moment.timestamp() / length) * length, self._zone)

    @property
    def arrived(self) -> Flow:
        """The latest flow that has arrived."""
        return self._flows[0]

    def finished(self, begin: datetime) -> Bucket | None:
        """Return a quarter that is over and arrived; None = not yet, or nothing came."""
        late = timedelta(seconds=self._config.bucket_s + self._config.delay_s)
        return self.buckets.get(begin) if begin + late <= self.now else None
