"""The names of environment variables in, those that look like misspelt ones of netaudit out, each with what was meant.

Only that: an inventory may take its secrets from variables of any name, so an unknown one is no mistake as such.
"""

import difflib
import re
from collections.abc import Iterable, Iterator

from auditor.cli.settings import KEYS

_PREFIX = "NETAUDIT_"
_KNOWN = (*map(str.upper, KEYS), "LOG_FORMAT", "MATCH_EXEC", "REDACT_KEY", "TRACEBACK")
_SECRET = re.compile("PASS|PW|PHRASE|SECRET|TOKEN|KEY|CRED|SUDO|LOGIN|LOGON")
_NEAR = 0.7
"""As difflib rates likeness: POLICIES is as near to POLICY as that."""


def find_misspelt(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is none of netaudit's but near to one, and that one; never what may name a secret."""
    for name in sorted(names):
        own = name.removeprefix(_PREFIX)
        if own == name or own in _KNOWN or _SECRET.search(own):
            continue
        for near in difflib.get_close_matches(own, _KNOWN, n=1, cutoff=_NEAR):
            yield name, f"{_PREFIX}{near}"
