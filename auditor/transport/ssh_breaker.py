"""How logins with a password went, in; which passwords may still be tried, and when, out.

A wrong password tried on a whole fleet locks the account wherever it is kept (LDAP, Active Directory). So a password
that several hosts in a row refused is not tried on any more of them, and until it was accepted once, no more hosts try
it at the same time than may refuse it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from auditor.errors import TransportError
from auditor.transport.deadline import Deadline
from auditor.transport.loop import blocking
from auditor.transport.ssh_keys import Credential

MOST_REFUSALS = 3


@dataclass(slots=True)
class Trial:
    """One login under way; `accepted` is what became of it, None: nothing was said about the credential."""

    accepted: bool | None = None


@dataclass(slots=True)
class _Record:
    refusals: int = 0
    trusted: bool = False
    under_way: int = 0


class Breaker:
    """Counts the refusals of each user's password since it was last accepted. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._records: dict[tuple[str, str], _Record] = {}

    def admit(self, user: str, credentials: Sequence[Credential]) -> tuple[Credential, ...]:
        """Return the credentials that may be tried. Raises TransportError (auth) when none is left."""
        with self._changed:
            admitted = tuple(each for each in credentials if self._record(user, each).refusals < MOST_REFUSALS)
        if any(not each.trouble for each in admitted):
            return admitted
        raise _suspended(user, credentials[-1])

    @contextmanager
    def trial(self, user: str, credential: Credential, deadline: Deadline) -> Iterator[Trial]:
        """Wait for a credential's turn, and take note of how the login went. Keys lock nothing and need not wait.

        Raises TransportError (auth) when the credential was given up meanwhile, or its turn does not come in time.
        """
        trial = Trial()
        if credential.kind != "password":
            yield trial
            return
        self._wait(user, credential, deadline)
        try:
            yield trial
        finally:
            with self._changed:
                record = self._record(user, credential)
                record.under_way -= 1
                if trial.accepted is not None:
                    record.refusals = 0 if trial.accepted else record.refusals + 1
                    record.trusted = trial.accepted
                self._changed.notify_all()

    def _wait(self, user: str, credential: Credential, deadline: Deadline) -> None:
        with self._changed:
            record = self._record(user, credential)
            if record.trusted:
                record.under_way += 1
                return
        blocking(partial(self._await_turn, user, credential, deadline))

    def _await_turn(self, user: str, credential: Credential, deadline: Deadline) -> None:
        with self._changed:
            record = self._record(user, credential)
            while not record.trusted and record.refusals + record.under_way >= MOST_REFUSALS:
                if record.refusals >= MOST_REFUSALS:
                    raise _suspended(user, credential)
                if not self._changed.wait(deadline.left()):
                    message = f"{credential.label} was not tried: other hosts have not answered to it yet"
                    raise TransportError("auth", "auth-timeout", message, "run again, with a longer timeout")
            record.under_way += 1

    def _record(self, user: str, credential: Credential) -> _Record:
        if credential.kind != "password":
            return _Record()
        return self._records.setdefault((user, credential.label), _Record())


def _suspended(user: str, credential: Credential) -> TransportError:
    return TransportError(
        "auth",
        "auth-suspended",
        f"{credential.label} was refused for {user} by {MOST_REFUSALS} hosts in a row: it is not tried again",
        "correct it and run again: more failures could lock the account",
    )
