"""The seam to a host: hand over a script, get bounded bytes back."""

from dataclasses import dataclass
from typing import Literal, Protocol

from auditor.model.host import Host
from auditor.model.transcript import Transcript

MEBIBYTE = 1024 * 1024
SHELL = "/bin/sh -s"
"""What runs the script, which arrives on its standard input: words only, so that every login shell understands them."""

Cut = Literal["output-cap", "deadline", "lost", "killed"]
"""Why an answer ends early; see Transcript."""


@dataclass(frozen=True, slots=True)
class Script:
    """The script for one host, as bytes, and the nonce that frames its answer.

    `prompt`: when this line comes on standard error, the script's sudo asks for a password: the one that the host's
    `sudo_password` refers to is then sent, once, and the input is closed. b"": it never asks.
    """

    nonce: str
    text: bytes
    prompt: bytes = b""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many bytes one host may send before it is cut off, and how many of too many are kept.

    Too much is a flood, and its host incomplete whatever it says: its head is evidence enough, and costs less memory.
    """

    stdout: int = 32 * MEBIBYTE
    stderr: int = 64 * 1024
    flood: int = 2 * MEBIBYTE

    @property
    def kept(self) -> int:
        """How many bytes are kept of an output that was cut off at its limit."""
        return min(self.flood, self.stdout)


class Transport(Protocol):
    """One way to run a script on a host."""

    def run(self, host: Host, script: Script) -> Transcript:
        """Run `script` and return what came back, within `host.timeout` seconds whatever the far side does.

        Raises TransportError (phase, code, next step) when there is nothing to decode: no connection, no trust, no
        login, no shell. A stream that began and then broke is returned with `cut` set.
        """
        ...
