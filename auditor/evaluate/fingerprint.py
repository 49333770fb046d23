"""What a finding is about in, its identity out: the same after a restart, a renumbered socket or an edited policy."""

from hashlib import sha256
from typing import NamedTuple

from auditor.model.finding import RuleId


class Identity(NamedTuple):
    """What makes two findings the same one. A part a rule has no use for is empty, or what tells its findings apart."""

    rule: RuleId
    host: str
    netns: str = ""
    proto: str = ""
    scope: str = ""
    port: str = ""


def fingerprint(identity: Identity) -> str:
    """Return 32 hex digits: the start of SHA-256 over the parts joined with `|`, which is `\\|` inside a part."""
    joined = "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in identity)
    return sha256(joined.encode(errors="surrogatepass")).hexdigest()[:32]
