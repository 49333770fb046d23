"""What a file of policy cases may say. Descriptions feed the published JSON Schema."""

from typing import Annotated, Literal

from pydantic import Field

from auditor.document import FileModel, Unset, listed
from auditor.model.policy import TcpState

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1), listed]


class CaseFile(FileModel):
    """One host, and what the policies must say of it."""

    familiar = {
        "name": "case",
        "expect": "behind each listener",
        "hosts": "host, one case each",
        "group": "groups",
        "missing": "findings: [missing-listener ID]",
        "tags": "labels",
    }
    may_be_empty = frozenset({"listeners"})

    case: Annotated[Text, Field(description="What the case shows, in a few words.")]
    host: Annotated[
        Text | Unset, Field(description="Name of the host, for policies that choose by name; `host` when not written.")
    ] = None
    groups: Annotated[Texts | Unset, Field(description="Groups the host is in, parents too.")] = None
    labels: Annotated[dict[str, str] | Unset, Field(description="Labels of the host.")] = None
    at: Annotated[
        Text | Unset,
        Field(description="The date (2026-12-31) waivers are judged at, at noon UTC; today when not written."),
    ] = None
    services: Annotated[
        dict[str, Text] | Unset, Field(description="The host's own /etc/services: {4444/tcp: https}.")
    ] = None
    states: Annotated[
        dict[TcpState, Annotated[int, Field(ge=0)]] | Unset,
        Field(description="How many TCP sockets are in which state: {CLOSE_WAIT: 600}."),
    ] = None
    listeners: Annotated[
        dict[str, Text] | Unset,
        Field(
            description="What listens, in short form (tcp 0.0.0.0:443 nginx), and what is to be said of it: allowed, "
            "ignored, waived, unknown (who holds it is not seen) or the id of a rule; after it the id of the entry "
            "that decides, when that matters."
        ),
    ] = None
    findings: Annotated[
        Texts | Unset,
        Field(
            description="What else must be found on this host: the id of a rule, and what it is about: "
            "missing-listener https, service-name-conflict https/tcp, no-policy."
        ),
    ] = None


class CasesFile(FileModel):
    """Cases that show what the policies in the folder above mean."""

    familiar = {"tests": "cases", "policies": "by the folder: the policies beside the folder `tests`"}

    version: Annotated[Literal[1], Field(description="Version of this format: 1.")]
    cases: Annotated[list[CaseFile], Field(min_length=1, description="The cases, each a host of its own.")]
