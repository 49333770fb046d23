"""The work all peers are given: the hosts, the port, who logs in with what, and the command. Read from a JSON file."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """`width`: how many hosts at once."""

    hosts: list[str]
    port: int
    user: str
    key: str
    known_hosts: str
    command: str
    width: int


def read_job() -> Job:
    return Job(**json.loads(Path(sys.argv[1]).read_text()))


def check(answers: list[bytes], job: Job) -> None:
    """End with an error unless every host answered with its tables."""
    good = sum(b"local_address" in answer for answer in answers)
    if good != len(job.hosts):
        sys.exit(f"{good} of {len(job.hosts)} hosts answered")
