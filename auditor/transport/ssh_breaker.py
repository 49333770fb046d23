"""How logins with a password went, in; which passwords may still be tried, out.

A wrong password tried on a whole fleet locks the account wherever it is kept (LDAP, Active Directory), so a password
that several hosts in a row refused is not tried on any more of them. Logins under way at that moment still finish.
"""

import threading
from collections.abc import Sequence

from auditor.errors import TransportError
from auditor.transport.ssh_keys import Credential

MOST_REFUSALS = 3


class Breaker:
    """Counts the refusals of each user's password since it was last accepted. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusals: dict[tuple[str, str], int] = {}

    def admit(self, user: str, credentials: Sequence[Credential]) -> tuple[Credential, ...]:
        """Return the credentials that may be tried. Raises TransportError (auth) when none is left."""
        with self._lock:
            admitted = tuple(
                credential
                for credential in credentials
                if self._refusals.get((user, credential.label), 0) < MOST_REFUSALS
            )
        if admitted:
            return admitted
        raise TransportError(
            "auth",
            "auth-suspended",
            f"{credentials[0].label} was refused for {user} by {MOST_REFUSALS} hosts in a row: it is not tried again",
            "correct it and run again: more failures could lock the account",
        )

    def note(self, user: str, credential: Credential, *, accepted: bool) -> None:
        """Remember how one login went. Keys lock nothing and are not counted."""
        if credential.kind != "password":
            return
        with self._lock:
            key = user, credential.label
            self._refusals[key] = 0 if accepted else self._refusals.get(key, 0) + 1
