"""`netaudit init`: the files to start with, and what an editor needs to know about them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from auditor.cli.schema import Document

INVENTORY = """\
# The hosts to audit: which there are, how to reach them, what to call them. `netaudit run inventory.yaml` audits them.
version: 1

# A user whose key these hosts know; it needs no more rights than to log in. Host keys are checked against known_hosts.
# defaults: {user: audit, identity: ~/.ssh/id_ed25519}

hosts:
  this-machine: {connection: local}
  # web-[01:03].example.com: {groups: [web]}
  # db-01: {address: 10.0.0.21, groups: [db]}
"""
_NEXT = (
    "next: netaudit run {inventory}          audit this machine\n"
    "      netaudit policy lint {policies}   check the policies\n"
    "      netaudit policy test {policies}   try their cases"
)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the files go.")] = Path(),
    shipped: Annotated[
        list[str],
        typer.Option("-p", "--policy", metavar="NAME", help="A shipped policy to start with. Repeatable."),
    ] = ["base"],
) -> int:
    """Write an inventory, a policy with its cases, and JSON Schemas for your editor. Overwrites nothing."""
    from auditor.cli.outputs import write_file

    files = plan_files(shipped)
    refuse_existing([folder / path for path in files])
    for path, text in files.items():
        write_file(folder / path, text.encode())
        print(f"wrote {folder / path}", file=sys.stderr)
    print(_NEXT.format(inventory=folder / "inventory.yaml", policies=folder / "policies"))
    return 0


def plan_files(names: list[str]) -> dict[Path, str]:
    """Return each file to write with its text. Raises UsageError for a policy that is not among the shipped ones."""
    from auditor.cli.schema import read_schema
    from auditor.demo.layout import find_policies
    from auditor.errors import UsageError

    shipped = find_policies()
    known = sorted(path.stem for path in shipped.glob("*.yaml"))
    if unknown := sorted(set(names) - set(known)):
        raise UsageError(f"there is no shipped policy {unknown[0]!r}", f"there are {', '.join(known)}")
    files = {Path("inventory.yaml"): _point("inventory", Path("inventory.yaml")) + INVENTORY}
    for name in names:
        for path, document in ((Path("policies") / f"{name}.yaml", "policy"), (_cases_of(name), "cases")):
            files[path] = _point(document, path) + (shipped.parent / path).read_text("utf-8")
    documents: tuple[Document, ...] = ("inventory", "policy", "cases")
    return files | {Path("schemas") / f"{document}.json": read_schema(document) for document in documents}


def _cases_of(name: str) -> Path:
    return Path("policies") / "tests" / f"{name}.yaml"


def _point(document: str, path: Path) -> str:
    """Return the line by which yaml-language-server finds the schema of the file at `path`."""
    up = "../" * (len(path.parts) - 1) or "./"
    return f"# yaml-language-server: $schema={up}schemas/{document}.json\n"


def refuse_existing(paths: list[Path]) -> None:
    """Raise UsageError when one of these files is there, before any is written."""
    from auditor.errors import UsageError

    existing = [path for path in paths if path.exists()]
    if existing:
        listed = ", ".join(map(str, existing))
        raise UsageError(f"already there: {listed}; nothing was written", "name another folder, or move them away")
