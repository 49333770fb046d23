"""pyinfra by its API: connect to all, one fact per host."""

import sys

import gevent
from job import read_job
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all
from pyinfra.api.facts import get_facts
from pyinfra.facts.server import Command


def main() -> None:
    job = read_job()
    shared = {
        "ssh_user": job.user, "ssh_port": job.port, "ssh_key": job.key, "ssh_known_hosts_file": job.known_hosts,
        "ssh_allow_agent": False, "ssh_look_for_keys": False,
    }  # fmt: skip
    inventory = Inventory((job.hosts, shared))
    state = State(inventory, Config(PARALLEL=job.width))
    connect_all(state)
    facts = get_facts(state, Command, (job.command,))
    good = sum("local_address" in str(answer) for answer in facts.values())
    gevent.sleep(0)
    if good != len(job.hosts):
        sys.exit(f"{good} of {len(job.hosts)} hosts answered")


main()
