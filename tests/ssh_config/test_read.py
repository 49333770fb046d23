"""Which files are read, whose they must be, and that anything at all can stand in them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.ssh_config.config import Config
from auditor.ssh_config.effect import take_effect
from auditor.ssh_config.read import read_config
from auditor.ssh_config.resolve import resolve
from tests.ssh_config.builders import a_local, read_text


def value(config: Config, folder: Path, keyword: str = "user", host: str = "web") -> str | None:
    return resolve(config, host, {}, a_local(folder), None).value(keyword)


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_users_file_comes_before_the_systems(tmp_path: Path) -> None:
    write(tmp_path / "etc/ssh_config", "User system\nPort 1022\n")
    config = read_text(tmp_path, "User mine\n")
    assert (value(config, tmp_path), value(config, tmp_path, "port")) == ("mine", "1022")
    assert config.files == [f"{tmp_path}/.ssh/config", f"{tmp_path}/etc/ssh_config"]


def test_a_chosen_file_is_the_only_one(tmp_path: Path) -> None:
    write(tmp_path / "etc/ssh_config", "Port 1022\n")
    write(tmp_path / ".ssh/config", "User mine\n")
    chosen = write(tmp_path / "chosen", "User chosen\n")
    config = read_config(str(chosen), a_local(tmp_path))
    assert (value(config, tmp_path), value(config, tmp_path, "port")) == ("chosen", None)


@pytest.mark.parametrize("none", ["none", "None", "/dev/null"])
def test_none_reads_nothing(tmp_path: Path, none: str) -> None:
    write(tmp_path / ".ssh/config", "User mine\n")
    config = read_config(none, a_local(tmp_path))
    assert (value(config, tmp_path), config.problems) == (None, [])


def test_a_chosen_file_must_be_there(tmp_path: Path) -> None:
    config = read_config(str(tmp_path / "missing"), a_local(tmp_path))
    assert [(each.file, each.message) for each in config.problems] == [
        (f"{tmp_path}/missing", "there is no such ssh_config file")
    ]


def test_nothing_anywhere_is_fine(tmp_path: Path) -> None:
    assert read_config(None, a_local(tmp_path)).problems == []


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused_as_ssh_refuses_it(tmp_path: Path, mode: int) -> None:
    write(tmp_path / ".ssh/config", "User mine\n", mode)
    config = read_config(None, a_local(tmp_path))
    assert "others can change it" in config.problems[0].message
    assert value(config, tmp_path) is None


def test_relative_includes_are_in_the_folder_of_their_kind(tmp_path: Path) -> None:
    write(tmp_path / ".ssh/conf.d/b", "User second\n")
    write(tmp_path / ".ssh/conf.d/a", "User first\n")
    write(tmp_path / "etc/ssh_config.d/x", "Port 1022\n")
    write(tmp_path / "etc/ssh_config", "Include ssh_config.d/*\n")
    config = read_text(tmp_path, "Include conf.d/*\n")
    assert (value(config, tmp_path), value(config, tmp_path, "port")) == ("first", "1022")


def test_an_include_from_home(tmp_path: Path) -> None:
    write(tmp_path / "more", "User more\n")
    assert value(read_text(tmp_path, "Include ~/more\n"), tmp_path) == "more"


def test_the_systems_file_includes_nothing_from_home(tmp_path: Path) -> None:
    write(tmp_path / "etc/ssh_config", "Include ~/more\n")
    assert "home directory" in read_config(None, a_local(tmp_path)).problems[0].message


def test_a_loop_of_includes_ends(tmp_path: Path) -> None:
    write(tmp_path / ".ssh/other", "Include config\nInclude other\n")
    config = read_text(tmp_path, "Include other\nInclude other config\n")
    assert any("deep" in problem.message for problem in config.problems)
    assert len(config.files) < 100


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    config = read_config("/dev/zero", a_local(tmp_path))
    assert "not a regular file" in config.problems[0].message


def test_every_mistake_has_its_line(tmp_path: Path) -> None:
    text = "Host a\n  Port x\n\nMatch host\nUser 'x\nConnectTimeout 1 2\n"
    config = read_text(tmp_path, text)
    assert [(problem.line, problem.column) for problem in config.problems] == [(2, 3), (4, 1), (5, 1), (6, 1)]


def test_only_blocks_that_can_matter_are_looked_at(tmp_path: Path) -> None:
    blocks = "".join(f"Host web-{number}\nUser u{number}\n" for number in range(2000))
    config = read_text(tmp_path, f"{blocks}Host web-*\nPort 1022\n")
    assert len(config.sections_for("web-7")) < 5
    assert value(config, tmp_path, "user", "web-1234") == "u1234"
    assert value(config, tmp_path, "port", "web-1234") == "1022"


KEYWORDS = ["Host", "Match", "Include", "IgnoreUnknown", "User", "Port", "ProxyJump", "ProxyCommand", "IdentityFile"]
OTHERS = [
    "UserKnownHostsFile",
    "IdentityAgent",
    "HostName",
    "Ciphers",
    "ConnectTimeout",
    "all",
    "host",
    "exec",
    "final",
]
SIGNS = [*"=!*?\"'\\#%~+^,", "%h", "${", "${HOME}", "none", "~x", "-*", "1m", "\0"]
WORDS = st.sampled_from([*KEYWORDS, *OTHERS, *SIGNS])
LINES = st.lists(st.one_of(WORDS, st.text(max_size=5)), max_size=6).map(" ".join)


@given(lines=st.lists(LINES, max_size=12), host=st.sampled_from(["web", "10.0.0.1", "::1", "a%b"]))
def test_no_text_is_too_odd(tmp_path_factory: pytest.TempPathFactory, lines: list[str], host: str) -> None:
    """Whatever stands in a file, reading and resolving end, and every mistake has its place."""
    folder = tmp_path_factory.getbasetemp() / "odd"
    folder.mkdir(exist_ok=True)
    path = folder / "config"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    local = a_local(folder, environment={"HOME": "/home/ann"})
    config = read_config(str(path), local)
    resolution = resolve(config, host, {}, local, lambda _: True)
    effect = take_effect(resolution, local)
    problems = [*config.problems, *config.unknown, *effect.problems, *resolution.warnings]
    assert all(problem.line > 0 and problem.file for problem in problems)
