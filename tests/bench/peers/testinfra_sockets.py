"""pytest-testinfra's own question, `get_listening_sockets`, over its paramiko backend, in a pool of threads."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import testinfra
from job import Job, read_job


def ask(address: str, job: Job, config: str) -> int:
    host = testinfra.get_host(
        f"paramiko://{job.user}@{address}:{job.port}", ssh_config=config, ssh_identity_file=job.key
    )
    return len(host.socket.get_listening_sockets())


def main() -> None:
    job = read_job()
    config = Path(sys.argv[1]).with_name("ssh_config")
    config.write_text(f"Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile {job.known_hosts}\n")
    with ThreadPoolExecutor(job.width) as pool:
        found = list(pool.map(lambda address: ask(address, job, str(config)), job.hosts))
    if not all(found):
        sys.exit("a host without listeners")


main()
