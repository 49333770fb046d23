"""Whom to trust: the files that decide for a host, in; the algorithms to offer it and a ruling on its key, out.

`HostKeys` serves a whole run and reads each file once; `HostKeyCheck` is the rules for one host. Nothing that could log
in is sent before `admit` has returned.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import paramiko

from auditor.errors import Problem, TransportError
from auditor.model.host import Host, HostKeyPolicy, HostKeyTrust
from auditor.transport.accepted_keys import AcceptedKeys, default_path
from auditor.transport.host_key_errors import refuse, say_revoked
from auditor.transport.known_hosts import (
    DEFAULT_FILES,
    KnownHosts,
    Place,
    Ruling,
    Shown,
    load_known_hosts,
    place_of,
    read_shown,
)
from auditor.transport.loop import blocking
from auditor.transport.once import Once
from auditor.transport.revoked_keys import load_revoked
from auditor.transport.ssh_algorithms import Algorithms, choose_algorithms


@dataclass(frozen=True, slots=True)
class Admission:
    """A host key that may be talked to, and why. `passwords`: whether the host may be given any."""

    trust: HostKeyTrust
    passwords: bool = True


class WrongKeyTypeError(TransportError):
    """The host was asked for a key of another type than those on file: asking it again can settle the matter."""


class HostKeys:
    """The host keys of a run. `files` are for hosts that name none; `policy` is for all; `accepted` see AcceptedKeys.

    Safe to use from several threads.
    """

    def __init__(
        self, files: Sequence[str] | None = None, policy: HostKeyPolicy = "strict", accepted: Path | None = None
    ) -> None:
        self._files = None if files is None else tuple(files)
        self.policy: HostKeyPolicy = policy
        self.accepted = AcceptedKeys(accepted or default_path())
        self._once = Once()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Lines of the known_hosts files read so far that could not be understood."""
        indexes = [found for found in self._once.values() if isinstance(found, KnownHosts)]
        return tuple(sorted({problem for index in indexes for problem in index.warnings}))

    def close(self) -> None:
        """See `AcceptedKeys.close`."""
        self.accepted.close()

    def check_for(self, host: Host) -> "HostKeyCheck":
        """Return the rules for `host`. Raises TransportError (hostkey) when a file that decides cannot be read."""
        policy = effective_policy(host, self.policy)
        paths = host.known_hosts or self._files
        try:
            known = self._once.get(
                ("known", paths), lambda: load_known_hosts(paths or DEFAULT_FILES, optional=not paths)
            )
        except TransportError:
            if policy != "ignored":
                raise
            known = KnownHosts(())
        revoked = [
            self._once.get(("revoked", path), partial(load_revoked, path)) for path in host.ssh.revoked_host_keys
        ]
        accepted = self.accepted if policy == "accept-new" else None
        return HostKeyCheck(host, policy, known, frozenset().union(*revoked), accepted)


def effective_policy(host: Host, policy: HostKeyPolicy) -> HostKeyPolicy:
    """Return what holds for a host in a run with this `policy`, which only a flag makes weaker than accept-new."""
    return "accept-new" if policy == "strict" and host.accepts_new_keys else policy


@dataclass(frozen=True)
class HostKeyCheck:
    """How the key of one host is judged."""

    host: Host
    policy: HostKeyPolicy
    known: KnownHosts
    revoked: frozenset[bytes] = frozenset()
    accepted: AcceptedKeys | None = None

    @property
    def place(self) -> Place:
        return place_of(self.host.address, self.host.port, self.host.ssh.host_key_alias)

    def choose_algorithms(self) -> Algorithms:
        """Return what to offer the host. Raises TransportError (kex) when its ssh_config leaves nothing."""
        return choose_algorithms(self.host.ssh, self._stored(), authority=self.known.has_authority(self.place))

    def _stored(self) -> tuple[str, ...]:
        stored = self.known.key_types(self.place)
        if stored or self.accepted is None:
            return stored
        return blocking(partial(self.accepted.key_types, self.place))  # other runs may hold the file

    def admit(self, key: paramiko.PKey) -> Admission:
        """Return why a key that the server proved to hold is trusted. Raises TransportError (hostkey) for any other."""
        certificate = key.public_blob
        shown = read_shown(key.asbytes() if certificate is None else certificate.key_blob)
        if shown.blob in self.revoked or (shown.certificate and shown.certificate.authority in self.revoked):
            raise say_revoked(self.host, shown)
        asked_for = self._stored()
        ruling = self._judge(shown)
        if ruling.trust == "trusted":
            return Admission(self._why(ruling))
        if self.policy == "ignored":
            return Admission("ignored", passwords=ruling.trust not in {"mismatch", "revoked"})
        failure = refuse(self.host, ruling, shown)
        if ruling.trust == "mismatch" and shown.key_type not in (exact := self._stored()) and exact != asked_for:
            raise WrongKeyTypeError(failure.phase, failure.code, failure.message, failure.hint)
        raise failure

    def _judge(self, shown: Shown) -> Ruling:
        now = time.time()  # a certificate's, whatever clock the report goes by
        ruling = self.known.judge(self.place, shown, now)
        if self.accepted is not None and ruling.trust in {"unknown", "certificate"}:
            return blocking(partial(self.accepted.accept, self.place, Shown(shown.blob), now))
        return ruling

    def _why(self, ruling: Ruling) -> HostKeyTrust:
        line = ruling.lines[0]
        if self.accepted is not None and line.file == str(self.accepted.path):
            return "accepted"
        return "certificate" if line.marker else "known"
