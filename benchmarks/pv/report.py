"""The sections of the report: which jobs they need, and what is said of their days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .contenders import CEILING, POLICIES, Job, Options
from .days import Source
from .metrics import Figures, Score, ratio, together
from .pool import Done
from .steps import STEPS

THREE_CARS = ("ours", "evcc_10s", "warp_medium", "fixed_1p", "fixed_3p")
BATTERY = THREE_CARS
CADENCES = ("ours", "evcc_10s")
INTERVALS_S = (1, 10, 30, 60, 300)
LIVELY = ("broken", "variable", "recorded", "csv")
"""Types of day on which it matters how often a meter speaks."""
ANSWERING = ("ours", "evcc_10s", "warp_medium")


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Days of several policies in one kind of house."""

    days: Mapping[str, Sequence[Job]]
    """Jobs by policy."""

    @property
    def jobs(self) -> list[Job]:
        """Return all jobs."""
        return [job for jobs in self.days.values() for job in jobs]

    def scores(self, done: Done) -> dict[str, list[Score]]:
        """Return the scores by policy."""
        return {name: [done[job][0] for job in jobs] for name, jobs in self.days.items()}

    def together(self, done: Done) -> dict[str, Figures]:
        """Return the figures of all days together by policy."""
        return {name: together(scores) for name, scores in self.scores(done).items()}


def section(
    names: Sequence[str],
    sources: Sequence[Source],
    *,
    cars: int = 1,
    battery: bool = False,
    interval_s: int = 1,
    plot: Path | None = None,
) -> Section:
    """Return the days of policies in a house."""

    def job(name: str, source: Source) -> Job:
        policy, options = (CEILING, ()) if name == CEILING else POLICIES[name]
        return Job(
            policy=policy, options=options, source=source, cars=cars, battery=battery, interval_s=interval_s, plot=plot
        )

    return Section(days={name: [job(name, source) for source in sources] for name in names})


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything that a run measures."""

    policies: Section
    three_cars: Section | None = None
    battery: Section | None = None
    cadences: Mapping[int, Section] = field(default_factory=dict)
    steps: Mapping[str, Job] = field(default_factory=dict)

    @property
    def jobs(self) -> list[Job]:
        """Return all jobs."""
        sections = [self.policies, self.three_cars, self.battery, *self.cadences.values()]
        return [job for one in sections if one is not None for job in one.jobs] + list(self.steps.values())

    def figures(self, done: Done) -> Figures:
        """Return the report."""
        scores = self.policies.scores(done)
        some = next(iter(self.policies.days.values()))
        result: Figures = {
            "days": len(some),
            "setups": {name: done[jobs[0]][1] for name, jobs in self.policies.days.items()},
            "per_day": {name: [score.row() for score in rows] for name, rows in scores.items()},
            "day_types": {name: by_kind(rows) for name, rows in scores.items() if name != CEILING},
        }
        if self.steps:
            result["steps"] = {name: done[job][0].extra for name, job in self.steps.items()}
        if self.cadences:
            result["cadences"] = {str(interval): one.together(done) for interval, one in self.cadences.items()}
        if self.three_cars is not None:
            result["three_cars"] = self.three_cars.together(done)
        if self.battery is not None:
            result["battery"] = self.battery.together(done)
        policies = self.policies.together(done)
        if "ours" in policies:
            result["dominated_by"] = dominated_by(policies["ours"], policies)
        result["policies"] = policies
        return result


def plan(sources: Sequence[Source], policies: Sequence[str], *, quick: bool, plot: Path | None = None) -> Report:
    """Return what to measure: the policies on all days; the rest on one day of every type, meters on the lively ones.

    Perfect foresight needs no battery, so it does not stand beside those that have one.
    """
    main = section((*policies, CEILING), sources, plot=plot)
    if quick:
        return Report(policies=main)
    few = list({source.kind: source for source in reversed(sources)}.values())[::-1]

    lively = [source for source in few if source.kind in LIVELY] or few

    def named(names: Sequence[str]) -> list[str]:
        return [name for name in names if name in policies]

    return Report(
        policies=main,
        three_cars=section((*named(THREE_CARS), CEILING), few, cars=3),
        battery=section(named(BATTERY), few, battery=True),
        cadences={interval: section(named(CADENCES), lively, interval_s=interval) for interval in INTERVALS_S},
        steps={name: steps_job(*POLICIES[name]) for name in named(ANSWERING)},
    )


def steps_job(policy: str, options: Options) -> Job:
    """Return the job of a policy that answers steps of the sun."""
    return Job(policy=policy, options=options, source=Source(name=STEPS, kind=STEPS))


def by_kind(scores: Sequence[Score]) -> dict[str, float | None]:
    """Return the share of the ceiling by type of day."""
    kinds = dict.fromkeys(score.kind for score in scores)
    return {
        kind: ratio(
            sum(score.used for score in scores if score.kind == kind),
            sum(score.ceiling for score in scores if score.kind == kind),
        )
        for kind in kinds
    }


MORE, LESS = ("surplus_used", "solar_share"), ("starts_per_day", "switches_per_day")


def dominated_by(ours: Figures, others: Mapping[str, Figures]) -> list[str]:
    """Return who is at least as good as ours in surplus used, solar share, starts and switches together."""

    def value(figures: Figures, name: str) -> float:
        return float(str(figures[name] if figures[name] is not None else 0.0))

    return [
        name
        for name, figures in others.items()
        if figures is not ours
        and name != CEILING
        and all(value(figures, key) >= value(ours, key) for key in MORE)
        and all(value(figures, key) <= value(ours, key) for key in LESS)
    ]
