"""A host named on the command line as ssh takes it."""

from pathlib import Path

import pytest

from auditor.cli.choice import choose_target
from auditor.cli.reach import note_ssh_config
from auditor.cli.target import host_from_name, looks_like_file
from auditor.errors import DocumentError, UsageError


@pytest.mark.parametrize(
    ("target", "name", "user", "port"),
    [
        ("web-01", "web-01", None, 22),
        ("ann@web-01", "web-01", "ann", 22),
        ("web-01:2222", "web-01", None, 2222),
        ("ann@web-01:2222", "web-01", "ann", 2222),
        ("ssh://ann@web-01:2222", "web-01", "ann", 2222),
        ("ssh://web-01/", "web-01", None, 22),
        ("2001:db8::1", "2001:db8::1", None, 22),
        ("ann@[2001:db8::1]:2222", "2001:db8::1", "ann", 2222),
        ("ann@example.com@10.0.0.1", "10.0.0.1", "ann@example.com", 22),
    ],
)
def test_a_destination_is_taken_apart(target: str, name: str, user: str | None, port: int) -> None:
    (host,) = host_from_name(target).hosts
    assert (host.name, host.address, host.user, host.port) == (name, name, user, port)


@pytest.mark.parametrize(
    "target", ["", "@web", "ann@", "-oProxyCommand=id", "web:0", "web:70000", "a b", "web;id", "-l@web", "web:22:22"]
)
def test_what_names_no_host_is_refused(target: str) -> None:
    with pytest.raises(UsageError):
        host_from_name(target)


@pytest.mark.parametrize(
    ("target", "is_file"),
    [("fleet.yaml", True), ("./fleet", True), ("web-01", False), ("web.example.com", False), ("ssh://a@b:1", False)],
)
def test_an_inventory_is_told_from_a_host(target: str, is_file: bool) -> None:
    assert looks_like_file(target) is is_file


def test_a_file_that_exists_is_an_inventory_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web-01").write_text("version: 1\nhosts:\n  other:\n")
    assert [host.name for host in choose_target("web-01").hosts] == ["other"]


def test_a_missing_inventory_is_not_taken_for_a_host() -> None:
    with pytest.raises(DocumentError):
        choose_target("missing.yaml")


def test_a_limit_makes_no_sense_for_one_host() -> None:
    with pytest.raises(UsageError):
        choose_target("web-01", limit=["web"])


def test_ssh_config_is_asked_for_the_host(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host web-01\nHostName 10.0.0.1\nUser bob\nPort 2222\n")
    note_ssh_config(str(config))
    try:
        (host,) = choose_target("ann@web-01", timeout=7).hosts
    finally:
        note_ssh_config(None)
    assert (host.address, host.user, host.port, host.timeout) == ("10.0.0.1", "ann", 2222, 7)
