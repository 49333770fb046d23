"""inventory.example.yaml runs as it is, and every commented line in it works when its # is taken away."""

import re
from pathlib import Path

import jsonschema
import pytest

from auditor.document import parse_document
from auditor.inventory import load_inventory
from auditor.inventory.file import GroupFile, HostFile, InventoryFile

EXAMPLE = Path(__file__).parents[2] / "inventory.example.yaml"
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()
COMMENTED = re.compile(r"#[^#]")


def blocks() -> list[tuple[int, int]]:
    """Return the first and the last line (from 0) of each run of commented-out lines."""
    found: list[tuple[int, int]] = []
    for number, line in enumerate(LINES):
        if COMMENTED.match(line):
            joined = bool(found) and found[-1][1] == number - 1
            found[-1:] = [(found[-1][0], number)] if joined else [*found[-1:], (number, number)]
    return found


def uncomment(*chosen: tuple[int, int]) -> str:
    kept = list(LINES)
    for first, last in chosen:
        kept[first : last + 1] = [line[1:] for line in kept[first : last + 1]]
    return "\n".join(kept) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    secret = tmp_path / "secrets" / "password"
    secret.parent.mkdir()
    secret.touch(mode=0o600)
    return tmp_path


def test_it_audits_this_machine_as_it_is() -> None:
    inventory = load_inventory(EXAMPLE)
    assert [(host.name, host.connection) for host in inventory.hosts] == [("this-machine", "local")]


@pytest.mark.parametrize("block", blocks(), ids=lambda block: LINES[block[0]].lstrip("# ").partition(":")[0])
def test_each_commented_block_works(folder: Path, block: tuple[int, int]) -> None:
    path = folder / "inventory.yaml"
    path.write_text(uncomment(block), encoding="utf-8")
    assert load_inventory(path).hosts


def test_all_commented_blocks_work_together_and_show_every_key(folder: Path) -> None:
    path = folder / "inventory.yaml"
    text = uncomment(*blocks())
    path.write_text(text, encoding="utf-8")
    names = [host.name for host in load_inventory(path).hosts]
    assert "web-20.example.com" in names
    assert "node-9-c.example.com" in names
    every = {*GroupFile.model_fields, *HostFile.model_fields}
    assert [key for key in sorted(every) if not re.search(rf"\b{key}: ", text)] == []


def test_the_schema_for_editors_accepts_it_and_refuses_a_null() -> None:
    validator = jsonschema.Draft202012Validator(InventoryFile.model_json_schema())
    validator.validate(parse_document(uncomment(*blocks()).encode(), "x.yaml").tree())
    assert not validator.is_valid({"version": 1, "hosts": {"a": {"port": None}}})
    assert not validator.is_valid({"version": 1, "hosts": {"a": {"prot": 22}}})
    assert not validator.is_valid({"version": 2})
