"""Does many days on several processors."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
import sys
import time

from .contenders import Job, work
from .metrics import Score

type Done = Mapping[Job, tuple[Score, str]]

OURS_COSTS = 20
"""How many days of the others take as long as one of ours, about."""


def run(jobs: Iterable[Job], workers: int) -> Done:
    """Do all jobs, the longest first, each once; tell on stderr how far it is."""
    todo = sorted(dict.fromkeys(jobs), key=_cost, reverse=True)
    done: dict[Job, tuple[Score, str]] = {}
    begin = time.monotonic()
    if workers <= 1 or len(todo) == 1:
        for job in todo:
            done[job] = work(job)
            _tell(len(done), len(todo), begin)
        return done
    with ProcessPoolExecutor(max_workers=workers) as pool:
        futures = {pool.submit(work, job): job for job in todo}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            _tell(len(done), len(todo), begin)
    return done


def _cost(job: Job) -> tuple[int, str]:
    """Jobs of one day stand together, so that a worker makes it once."""
    return (job.cars * (OURS_COSTS if job.policy == "ours" else 1), job.source.name)


def _tell(done: int, total: int, begin: float) -> None:
    if done == total or done % 10 == 0:
        print(f"{done}/{total} days after {time.monotonic() - begin:.0f} s", file=sys.stderr)
