"""asyncssh, tuned: uvloop, cheap algorithms, key and host keys read once, no agent, no configuration."""

import asyncio

import asyncssh
import uvloop
from job import Job, check, read_job


async def cat(
    address: str, job: Job, key: asyncssh.SSHKey, known: asyncssh.SSHKnownHosts, gate: asyncio.Semaphore
) -> bytes:
    async with (
        gate,
        asyncssh.connect(
            address, job.port, username=job.user, client_keys=[key], known_hosts=known, agent_path=None, config=None,
            kex_algs=["curve25519-sha256"], encryption_algs=["aes128-gcm@openssh.com"], compression_algs=["none"],
            server_host_key_algs=["ssh-ed25519"], preferred_auth="publickey",
        ) as connection,
    ):  # fmt: skip
        done = await connection.run(job.command, encoding=None)
        return bytes(done.stdout)


async def main() -> None:
    job = read_job()
    key, known = asyncssh.read_private_key(job.key), asyncssh.read_known_hosts(job.known_hosts)
    gate = asyncio.Semaphore(64)
    check(list(await asyncio.gather(*(cat(address, job, key, known, gate) for address in job.hosts))), job)


uvloop.run(main())
