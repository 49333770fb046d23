"""What a transport brought back from one host, and the form in which it is kept as evidence."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from auditor.errors import Phase
from auditor.model.host import Host, HostKeyPolicy, HostKeyTrust
from auditor.model.value import RawBytes, Value


class Session(Value):
    """How the connection was made, for the report. Nothing here was chosen by trusting the host's word.

    `host_key` is `ssh-ed25519 SHA256:…` as `ssh-keygen -l` prints it, `host_key_trust` why it was trusted (the system's
    ssh says neither). All None for a local run.
    """

    address: str | None = None
    host_key: str | None = None
    host_key_trust: HostKeyTrust | None = None
    kex: str | None = None
    cipher: str | None = None
    server_version: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether there was no connection. Behind a jump host or a ProxyCommand no `address` need be known."""
        return not (self.address or self.host_key or self.kex or self.cipher or self.server_version)


class Transcript(Value):
    """The bytes one run of the script gave, bounded, and whether that is all of them.

    `exit_status` None: the far side never said. `cut` says why the stream ends early: `output-cap` (too much output),
    `deadline`, `lost` (connection died in mid-stream), `killed` (the script was ended by a signal); None: it ended by
    itself. A transcript with `cut` set is still decoded, and its host is then incomplete.
    """

    nonce: str
    stdout: RawBytes
    stderr: RawBytes = b""
    exit_status: int | None
    cut: Literal["output-cap", "deadline", "lost", "killed"] | None = None
    started_at: AwareDatetime
    finished_at: AwareDatetime
    session: Session = Session()


class Failure(Value):
    """Why a host could not be read at all. `hint` is the next step for the user."""

    phase: Phase
    code: str
    message: str
    hint: str = ""


class Evidence(Value):
    """One line of an evidence file: a host and exactly one of a transcript or a failure.

    `host` is kept without the ways to log in (no identity, password or passphrase reference). `finished_at` is when the
    controller was done with the host, reachable or not.
    """

    kind: Literal["netaudit.evidence"] = "netaudit.evidence"
    schema_version: Literal[1] = 1
    host: Host
    outcome: Annotated[Transcript | Failure, Field(union_mode="left_to_right")]  # no value is both: one fits, or none
    finished_at: AwareDatetime


class EarlierRun(Value):
    """A run that another went on from, keeping what it had gathered."""

    id: str
    started_at: AwareDatetime


class EvidenceHeader(Value):
    """The first line of an evidence file: which run gathered it, and from which it kept some, the first one first.

    `operator` ran it, with `command`; '' where that is not known. It was to gather that of `chosen` hosts, of the
    `inventory_hosts` that the inventory names; None: not known. `policies_sha256` is of the policies it was judged by
    there and then; '' where it was only gathered, or that is not known.
    """

    kind: Literal["netaudit.evidence-header"] = "netaudit.evidence-header"
    schema_version: Literal[1] = 1
    run_id: str
    started_at: AwareDatetime
    inventory_path: str
    inventory_sha256: str
    inventory_hosts: int | None = None
    chosen: int | None = None
    policies_sha256: str = ""
    host_keys: HostKeyPolicy = "strict"
    operator: str = ""
    command: str = ""
    resumed: tuple[EarlierRun, ...] = ()


class EvidenceFooter(Value):
    """The last line of an evidence file: how many hosts stand above it, and whether the run was interrupted.

    A file without it was cut off; whatever is judged from such a file is marked partial.
    """

    kind: Literal["netaudit.evidence-footer"] = "netaudit.evidence-footer"
    schema_version: Literal[1] = 1
    hosts: int
    partial: bool = False
