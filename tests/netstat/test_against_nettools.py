"""The same host through net-tools and through netaudit: equal line by line, but for what docs/netstat.md lists."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.namespace import LabHost
from tests.netstat.busybox import make_root
from tests.netstat.host import (
    ask,
    busy_host,
    normalise,
    run_all,
    run_inside,
    run_nettools,
    show_saved,
    without_passing,
)
from tests.netstat.record import save
from tests.requirements import require

FLAGS: tuple[list[str], ...] = (
    [],
    ["-a"],
    ["-l"],
    ["-n"],
    ["-at"],
    ["-atn"],
    ["-tulpn"],
    ["-tlp"],
    ["-t"],
    ["-u"],
    ["-au"],
    ["-aun"],
    ["-lu"],
    ["-aU"],
    ["-aw"],
    ["-awn"],
    ["-lw"],
    ["-w"],
    ["-ax"],
    ["-lx"],
    ["-x"],
    ["-axp"],
    ["-ae"],
    ["-aen"],
    ["-apeo"],
    ["-ato"],
    ["-taeopnW"],
    ["-aW"],
    ["-aWn"],
    ["-a4"],
    ["-a6"],
    ["-at4n"],
    ["-ut6"],
    ["-4x"],
    ["-g"],
    ["-gn"],
    ["-g4"],
    ["-tg"],
    ["-ant", "--numeric-ports"],
    ["-at", "--numeric-hosts"],
    ["-at", "--numeric-ports"],
    ["-ate", "--numeric-users"],
    ["--all", "--tcp", "--udp", "--numeric", "--programs", "--extend", "--timers", "--wide"],
    ["--listening", "--raw", "--unix"],
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("netstat")


@pytest.fixture(scope="module")
def lab(place: Path) -> Iterator[LabHost]:
    with busy_host(place) as lab:
        yield lab


@pytest.fixture(scope="module")
def evidence(lab: LabHost, place: Path) -> Path:
    return save(place / "evidence.jsonl.gz", {"icebox": ask(lab, place)})


@pytest.fixture(scope="module")
def theirs(lab: LabHost, evidence: Path) -> dict[str, list[str]]:
    """What net-tools says at the same moment: some states end by themselves after a minute."""
    found = run_all(lab, [["netstat", *flags] for flags in FLAGS])
    return {" ".join(flags): lines for flags, lines in zip(FLAGS, found, strict=True)}


def test_the_host_has_every_state_that_a_host_alone_can_have(theirs: dict[str, list[str]]) -> None:
    assert {line[68:79].strip() for line in theirs["-atn"][2:]} == {
        "LISTEN",
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT2",
        "CLOSE_WAIT",
        "TIME_WAIT",
    }


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_every_combination_of_flags_is_equal(theirs: dict[str, list[str]], evidence: Path, flags: list[str]) -> None:
    assert normalise(show_saved(evidence, flags)) == normalise(theirs[" ".join(flags)])


@pytest.mark.parametrize("flags", [["-tulpn"], ["-apeo"], ["-g"]], ids=" ".join)
def test_it_is_equal_where_netaudit_runs_on_the_host_itself(lab: LabHost, flags: list[str]) -> None:
    ours, theirs = run_inside(lab, flags), run_nettools(lab, flags)
    assert normalise(without_passing(ours)) == normalise(without_passing(theirs))


@pytest.fixture(scope="module")
def bare_evidence(lab: LabHost, place: Path) -> Path:
    """The same host as one that has nothing but busybox."""
    require("busybox")
    root = make_root(place / "bare")
    return save(place / "bare.jsonl.gz", {"bare": ask(lab, place, root)})


@pytest.mark.parametrize("flags", [["-apeo"], ["-tulpnW"], ["-g"], ["-r"], ["-ax"]], ids=" ".join)
def test_it_is_equal_where_there_is_nothing_but_busybox(lab: LabHost, bare_evidence: Path, flags: list[str]) -> None:
    ours, theirs = show_saved(bare_evidence, flags), run_nettools(lab, flags)
    assert normalise(without_passing(ours)) == normalise(without_passing(theirs))
