"""fabric: its Connection in a pool of threads (its own ThreadingGroup starts one per host), no agent, no key search."""

import logging
from concurrent.futures import ThreadPoolExecutor

import paramiko
from fabric import Config, Connection
from job import Job, check, read_job


def cat(address: str, job: Job, key: paramiko.PKey, config: Config) -> bytes:
    arguments = {"pkey": key, "allow_agent": False, "look_for_keys": False}
    with Connection(address, job.user, job.port, config=config, connect_kwargs=arguments) as connection:
        connection.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        printed: str = connection.run(job.command, hide=True, in_stream=False).stdout
        return printed.encode()


def main() -> None:
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    job = read_job()
    key = paramiko.Ed25519Key(filename=job.key)
    config = Config(overrides={"load_ssh_configs": False}, lazy=True)
    with ThreadPoolExecutor(job.width) as pool:
        check(list(pool.map(lambda address: cat(address, job, key, config), job.hosts)), job)


main()
