"""fabric: its Connection in a pool of threads (its own ThreadingGroup starts one per host), no agent, no key search.

A Config for each thread: shared by several, it now and then lacks what another is just reading.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import paramiko
from fabric import Config, Connection
from job import Job, check, read_job


class Own(threading.local):
    def __init__(self) -> None:
        self.config = Config(overrides={"load_ssh_configs": False}, lazy=True)


def cat(address: str, job: Job, key: paramiko.PKey, own: Own) -> bytes:
    arguments = {"pkey": key, "allow_agent": False, "look_for_keys": False}
    with Connection(address, job.user, job.port, config=own.config, connect_kwargs=arguments) as connection:
        connection.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        printed: str = connection.run(job.command, hide=True, in_stream=False).stdout
        return printed.encode()


def main() -> None:
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    job = read_job()
    key = paramiko.Ed25519Key(filename=job.key)
    own = Own()
    with ThreadPoolExecutor(job.width) as pool:
        check(list(pool.map(lambda address: cat(address, job, key, own), job.hosts)), job)


main()
