"""Who takes part: policies by name, and the work of one of them on one day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.policies.pv_evcc import Evcc
from benchmarks.policies.pv_fixed import Fast, Fixed
from benchmarks.policies.pv_ours import Ours
from benchmarks.policies.pv_warp import Warp

from .days import Source, load
from .loop import Course, run, site
from .metrics import Score, ceiling, score
from .model import PvPolicy, PvSite
from .plot import draw
from .steps import STEPS, answers

type Make = Callable[..., PvPolicy]
type Options = tuple[tuple[str, object], ...]

CEILING = "ceiling"
WARP_BOX: tuple[str, object] = ("box_a", 32)
"""A 16 A car at a 32 A box is the set-up whose published figures the law reproduces; its filters also stand beside ours
with a box of 16 A, which switches less and takes less from the grid."""
MAKES: Mapping[str, Make] = {"ours": Ours, "evcc": Evcc, "warp": Warp, "fixed": Fixed, "fast": Fast}
POLICIES: Mapping[str, tuple[str, Options]] = {
    "ours": ("ours", ()),
    "evcc_30s": ("evcc", (("interval_s", 30),)),
    "evcc_10s": ("evcc", (("interval_s", 10),)),
    "warp_none": ("warp", (("cloud_filter", "none"), WARP_BOX)),
    "warp_weak": ("warp", (("cloud_filter", "weak"), WARP_BOX)),
    "warp_medium": ("warp", (("cloud_filter", "medium"), WARP_BOX)),
    "warp_strong": ("warp", (("cloud_filter", "strong"), WARP_BOX)),
    "warp_medium_16a": ("warp", (("cloud_filter", "medium"),)),
    "fixed_1p": ("fixed", (("phases", 1),)),
    "fixed_3p": ("fixed", (("phases", 3),)),
    "fast": ("fast", ()),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One policy on one day in one house."""

    policy: str
    """Of ``MAKES``, or ``ceiling``."""
    source: Source
    options: Options = ()
    cars: int = 1
    battery: bool = False
    interval_s: int = 1
    plot: Path | None = field(default=None, compare=False)
    """The folder to draw the day into."""

    @property
    def name(self) -> str:
        """Return what it is called in a report and in files."""
        known = next((name for name, one in POLICIES.items() if one == (self.policy, self.options)), None)
        return known or " ".join([self.policy, *(f"{name}={value}" for name, value in self.options)])

    @property
    def house(self) -> PvSite:
        """Return the house."""
        return site(self.cars, battery=self.battery, interval_s=self.interval_s)


def course(job: Job) -> Course:
    """Let a policy's day pass."""
    return run(load(job.source), job.house, partial(MAKES[job.policy], **dict(job.options)))


def work(job: Job) -> tuple[Score, str]:
    """Return the figures of a policy's day, and how the policy was set up."""
    if job.policy == CEILING:
        return ceiling(load(job.source), job.house), "perfect foresight: no delay, no import, the minimum respected"
    passed = course(job)
    if job.plot is not None:
        draw(passed, f"{job.policy} on {job.source.name}: {passed.setup}", job.plot, f"{job.source.name}-{job.name}")
    found = score(passed)
    if job.source.kind == STEPS:
        found = replace(found, extra=answers(passed))
    return found, passed.setup
