"""Delta in, one JSON value out, in ASCII."""

from auditor.model.delta import Delta
from auditor.reporters.inert import defuse_json
from auditor.reporters.json import dump_value


def render(delta: Delta) -> bytes:
    """Return the changes as JSON. Equal deltas give equal bytes."""
    return defuse_json(dump_value(delta)) + b"\n"
