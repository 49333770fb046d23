"""The settings that one place of the inventory writes in, fields of a host out; and how such layers are stacked."""

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from auditor.document import Document, Loc
from auditor.inventory.file import Settings
from auditor.model.host import SecretRef

Layer = Mapping[str, Any]
"""Fields of a host by name, only those that were written."""

_NOT_INHERITED = frozenset({"groups", "address"})


def read_layer(document: Document, loc: Loc, settings: Settings | None, base: Path) -> Layer:
    """Return the fields that `settings`, written at `loc`, set. Paths are relative to `base`.

    Problems with secret files and paths are noted in the document.
    """
    layer: dict[str, Any] = {}
    if settings is None:
        return layer
    for name in settings.model_fields_set - _NOT_INHERITED:
        value = getattr(settings, name)
        if name in ("identity", "known_hosts"):
            value = tuple(_expand(document, (*loc, name, i), path, base) for i, path in enumerate(value))
        elif name == "evidence":
            value = _expand(document, (*loc, name), value, base)
        elif isinstance(value, SecretRef) and value.source == "file":
            value = SecretRef(source="file", name=_expand(document, (*loc, name), value.name, base))
            _require_private(document, (*loc, name), value.name)
        layer["client" if name == "transport" else name] = tuple(value) if isinstance(value, list) else value
    return layer


def stack_layers(layers: Iterable[Layer]) -> Layer:
    """Return one layer of several: the later wins, and labels are joined."""
    stacked: dict[str, Any] = {}
    labels: dict[str, str] = {}
    for layer in layers:
        stacked.update(layer)
        labels.update(layer.get("labels", {}))
    return {**stacked, "labels": labels}


def _expand(document: Document, loc: Loc, path: str, base: Path) -> str:
    try:
        return str(base / Path(path).expanduser())
    except RuntimeError:
        document.complain(loc, f"the home directory of {path!r} is not known", "write the whole path")
        return path


def _require_private(document: Document, loc: Loc, path: str) -> None:
    """Note a problem unless `path` is a file that only its owner can read."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        document.complain(loc, f"the secret file {path} cannot be read: {reason}", "check the path and its owner")
        return
    if not stat.S_ISREG(mode):
        document.complain(loc, f"the secret file {path} is not a plain file", "name a file with mode 0600")
    elif mode & 0o077:
        shown = f"{stat.S_IMODE(mode):04o}"
        message = f"the secret file {path} can be read by others (mode {shown})"
        document.complain(loc, message, f"keep it in a file of its own: chmod 600 {path}")
