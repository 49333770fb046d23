"""One host named outside any inventory in, a checked `Host` out."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic_core import PydanticCustomError

from auditor.errors import UsageError
from auditor.inventory.names import check_host_name, check_user
from auditor.model.host import Host
from auditor.model.origin import Origin


def make_host(name: str, user: str | None, port: int | None, origin: Origin) -> Host:
    """Return the host `name`, with only what is given set; an IPv6 literal may stand in brackets.

    Raises UsageError for what cannot name a host, a user or a port.
    """
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    said: dict[str, object] = {}
    with _as_usage():
        check_host_name(bare)
        if user is not None:
            said["user"] = check_user(user)
    if port is not None:
        if not 0 < port < 65536:
            raise UsageError(f"{port} is not a port", "a port is a number from 1 to 65535")
        said["port"] = port
    return Host.model_validate({**said, "name": bare, "origin": origin})


@contextmanager
def _as_usage() -> Iterator[None]:
    """Turn the mistake of a document into one of the command line."""
    try:
        yield
    except PydanticCustomError as error:
        context = error.context or {}
        hint = context["hint"] or "write HOST, USER@HOST, HOST:PORT or ssh://USER@HOST:PORT"
        raise UsageError(context["message"], hint) from None
