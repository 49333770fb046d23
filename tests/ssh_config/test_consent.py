"""What only a command could tell: Match exec runs nothing without consent, and `ssh -G` is asked where it must be."""

import os
from pathlib import Path

import pytest

from auditor.cli.reach import note_match_exec, settle_fleet
from auditor.cli.target import host_from_name
from auditor.errors import DocumentError
from auditor.model.host import Host
from tests.ssh_config.builders import settle_text
from tests.ssh_config.openssh import run_ssh


def settled(config: Path, name: str = "web") -> tuple[Host, list[str]]:
    """Return the host as the command line settles it, and its warnings."""
    inventory, fleet = settle_fleet(host_from_name(name), str(config))
    return inventory.hosts[0], [f"{each.line}: {each.message}" for each in fleet.warnings]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def consent() -> object:
    note_match_exec(True)
    yield
    note_match_exec(False)


class TestMatchExec:
    def test_nothing_runs_without_consent_and_the_block_does_not_apply(self, tmp_path: Path) -> None:
        config = write(tmp_path / "config", f'Match exec "touch {tmp_path}/ran"\nUser bob\n')
        host, warnings = settled(config)
        assert host.user is None
        assert warnings == ["1: this Match would run a command, so its block does not apply"]
        assert not (tmp_path / "ran").exists()

    @pytest.mark.usefixtures("consent")
    def test_with_consent_it_decides_as_for_ssh(self, tmp_path: Path) -> None:
        text = 'Match exec "test %n-%h = web-db" \nUser no\nHost web\nHostName db\nMatch exec "test %n-%h = web-db"\n'
        config = write(tmp_path / "config", f"{text}User bob\nMatch !exec false\nPort 1022\n")
        host, warnings = settled(config)
        assert (host.user, host.port, warnings) == ("bob", 1022, [])
        assert {"user bob", "port 1022"} <= set(run_ssh("-G", "-F", str(config), "web").stdout.splitlines())

    @pytest.mark.usefixtures("consent")
    def test_a_criterion_that_fails_before_spares_the_command(self, tmp_path: Path) -> None:
        config = write(tmp_path / "config", f'Match originalhost db exec "touch {tmp_path}/ran"\nUser bob\n')
        assert settled(config)[0].user is None
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize("criterion", ["host other exec x", "exec x host other"])
    def test_no_word_about_a_block_that_could_not_apply_anyway(self, tmp_path: Path, criterion: str) -> None:
        assert settled(write(tmp_path / "config", f"Match {criterion}\nUser bob\n"))[1] == []

    def test_asking_ssh_would_run_it_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_ssh(tmp_path, monkeypatch, f"touch {tmp_path}/asked; echo 'user ann'")
        config = write(tmp_path / "config", "Match tagged x\nUser ann\nMatch host no exec true\nPort 1\n")
        assert settled(config)[0].user is None
        assert not (tmp_path / "asked").exists()


def fake_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put an ssh of another version before the installed one."""
    programs = folder / "bin"
    programs.mkdir()
    write(programs / "ssh", f"#!/bin/sh\n{script}\n").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


class TestAskingSsh:
    @pytest.mark.parametrize(
        "criterion", ["localnetwork 10.0.0.0/8", "tagged x", "version OpenSSH_9*", "flavour sweet"]
    )
    @pytest.mark.parametrize("negation", ["", "!"])
    def test_a_criterion_that_is_not_known_never_matches_by_accident(
        self, tmp_path: Path, criterion: str, negation: str
    ) -> None:
        inventory, fleet = settle_text(tmp_path, f"Match {negation}{criterion}\nUser bob\n")
        assert inventory.hosts[0].user is None
        assert [each.line for each in fleet.warnings] == [1]

    def test_a_newer_ssh_is_asked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = f'echo "$@" >> {tmp_path}/asked; echo "hostname db"; echo "user ann"; echo "port 1022"'
        fake_ssh(tmp_path, monkeypatch, script)
        config = write(tmp_path / "config", "Host web\nMatch localnetwork 10.0.0.0/8\nUser ann\n")
        host, warnings = settled(config, "web:1022")
        assert (host.address, host.user, host.port, warnings) == ("db", "ann", 1022, [])
        assert (tmp_path / "asked").read_text() == f"-G -F {config} -o port=1022 -- web\n"

    def test_it_is_not_asked_about_hosts_that_nothing_doubtful_concerns(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_ssh(tmp_path, monkeypatch, f"touch {tmp_path}/asked")
        config = write(
            tmp_path / "config", "Match originalhost db localnetwork 10.0.0.0/8\nUser ann\nHost *\nUser bob\n"
        )
        assert settled(config)[0].user == "bob"
        assert not (tmp_path / "asked").exists()

    def test_canonical_names_are_those_of_ssh(self, tmp_path: Path) -> None:
        text = (
            "CanonicalizeHostname yes\nCanonicalDomains localdomain\nCanonicalizeMaxDots 0\nHost localhost\nUser ann\n"
        )
        host, warnings = settled(write(tmp_path / "config", text), "localhost")
        said = run_ssh("-G", "-F", str(tmp_path / "config"), "localhost").stdout
        assert f"\nhostname {host.address}\n" in said
        assert (host.user, warnings) == ("ann", [])

    def test_one_that_cannot_tell_leaves_a_warning(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_ssh(tmp_path, monkeypatch, "echo 'Could not resolve' >&2; exit 255")
        host, warnings = settled(write(tmp_path / "config", "CanonicalizeHostname yes\nUser ann\n"))
        assert host.user == "ann"
        assert warnings == ["0: `ssh -G web` could not tell: Could not resolve"]

    def test_a_keyword_that_only_ssh_knows_is_a_warning(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_ssh(tmp_path, monkeypatch, "echo 'user ann'")
        host, warnings = settled(write(tmp_path / "config", "OfTomorrow yes\nUser ann\n"))
        assert host.user == "ann"
        assert warnings == ["1: there is no keyword 'oftomorrow' here: it does nothing"]

    def test_what_an_ssh_that_knows_it_warns_of_is_no_mistake(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It exits 0: that it also says something on standard error decides nothing."""
        fake_ssh(tmp_path, monkeypatch, "echo 'config line 1: Deprecated option' >&2; echo 'user ann'")
        host, warnings = settled(write(tmp_path / "config", "OfTomorrow yes\nUser ann\n"))
        assert (host.user, len(warnings)) == ("ann", 1)

    def test_that_ssh_could_not_tell_is_no_second_mistake(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_ssh(tmp_path, monkeypatch, "echo 'Bad configuration option: oftomorrow' >&2; exit 255")
        with pytest.raises(DocumentError) as caught:
            settled(write(tmp_path / "config", "OfTomorrow yes\nUser ann\n"))
        assert sorted(problem.level for problem in caught.value.problems) == ["error", "warning"]
        assert caught.value.to_fix == 1

    def test_and_without_ssh_it_is_a_mistake(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(DocumentError) as caught:
            settled(write(tmp_path / "config", "User ann\nOfTomorrow yes\n"))
        assert [problem.line for problem in caught.value.problems] == [2]
