"""Where a fleet's jobs come from in tests, see `auditor.audit.Source`."""

from collections.abc import Iterable
from typing import Generic, TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")


class InOrder(Generic[Job, Done]):
    """The source of jobs that come as they come, each of them once."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = iter(jobs)

    def take(self) -> Job | None:
        return next(self._jobs, None)

    def settle(self, _job: Job, _done: Done) -> bool:
        return True
