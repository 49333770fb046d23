"""parallel-ssh: its ParallelSSHClient on libssh2."""

from job import check, read_job
from pssh.clients import ParallelSSHClient


def main() -> None:
    job = read_job()
    client = ParallelSSHClient(
        job.hosts, user=job.user, port=job.port, pkey=job.key, pool_size=job.width, allow_agent=False,
        identity_auth=False, num_retries=1,
    )  # fmt: skip
    done = client.run_command(job.command, stop_on_errors=True)
    check(["\n".join(host.stdout).encode() for host in done], job)


main()
