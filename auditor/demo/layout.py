"""The files a demo needs beside its servers: an inventory, known host keys, a key to log in with, policies."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auditor.demo.keys import derive_host_key, save_private, write_public
from auditor.demo.places import Place
from auditor.demo.samples import SAMPLES, Sample

_POLICIES = ("base.yaml", "web.yaml", "database.yaml", "bastion.yaml")
"""Those that apply to a sample host; one that applies to none would be reported as unused."""
_GROUPS = sorted({group for sample in SAMPLES for group in sample.groups})


def lay_out(folder: Path, places: Mapping[str, Place], user: str, client_key: Ed25519PrivateKey) -> Path:
    """Write everything into `folder` and return the inventory's path. Raises OSError.

    No file but the client key differs from one demo to the next at the same places.
    """
    save_private(client_key, folder / "client_key")
    (folder / "known_hosts").write_text(_write_known_hosts(places), "utf-8")
    _copy_policies(folder / "policies")
    inventory = folder / "inventory.yaml"
    inventory.write_text(_write_inventory(places, user), "utf-8")
    return inventory


def find_policies() -> Path:
    """Return the folder of the shipped policies: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parents[1] / "policies"


def _copy_policies(folder: Path) -> None:
    """Copy what the files say, not their modes: the package may be read-only, and this folder is for trying things."""
    folder.mkdir(exist_ok=True)
    for name in _POLICIES:
        (folder / name).write_bytes((find_policies() / name).read_bytes())


def _write_known_hosts(places: Mapping[str, Place]) -> str:
    lines = ["# Host keys of the demo fleet, as ssh-keyscan would have written them."]
    for sample in SAMPLES:
        address, port = places[sample.name]
        lines.append(f"[{address}]:{port} {write_public(derive_host_key(sample.name))}")
    return "\n".join(lines) + "\n"


def _write_inventory(places: Mapping[str, Place], user: str) -> str:
    ports = {port for _, port in places.values()}
    shared = f", port: {ports.pop()}" if len(ports) == 1 else ""
    lines = [
        "# The demo fleet: real SSH servers on this machine's loopback, each playing a recorded host.",
        "version: 1",
        f"defaults: {{user: {user}{shared}, identity: client_key, known_hosts: known_hosts, timeout: 30}}",
        "groups:",
        *(f"  {group}: {{}}" for group in _GROUPS),
        "hosts:",
    ]
    return "\n".join([*lines, *(_write_host(sample, places[sample.name], bool(shared)) for sample in SAMPLES)]) + "\n"


def _write_host(sample: Sample, place: Place, shared_port: bool) -> str:
    address, port = place
    own_port = "" if shared_port else f", port: {port}"
    entry = f"  {sample.name}: {{address: {address}{own_port}, groups: [{', '.join(sample.groups)}]}}"
    return f"{entry}  # {sample.about}"
