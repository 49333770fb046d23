"""`netaudit baseline`: a first policy, from what hosts were seen to listen on."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from auditor.baseline import Baseline
    from auditor.model.facts import HostFacts
    from auditor.model.host import Host
    from auditor.model.report import HostReport


def baseline(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="REPORT-or-EVIDENCE...", help="Reports (JSON), or evidence of run or collect, or its folder."
        ),
    ],
    group: Annotated[
        str | None, typer.Option("--group", metavar="GROUP", help="Only hosts of this group, in one policy.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Write one file for each policy into this folder. [default: standard output]",
            show_default=False,
        ),
    ] = None,
    min_share: Annotated[
        float,
        typer.Option(
            "--min-share",
            min=0.0,
            max=1.0,
            metavar="SHARE",
            help="Leave out what fewer hosts of a role have; of three hosts and more, also what only one has. "
            "0: leave out nothing.",
        ),
    ] = 0.2,
    owners: Annotated[
        bool, typer.Option("--owners/--no-owners", help="Name the processes that hold the sockets, where known.")
    ] = True,
) -> int:
    """Write the smallest readable policy that makes these hosts pass. Review it before use."""
    from auditor.baseline import Habits
    from auditor.baseline import baseline as draw_up
    from auditor.cli.boundary import say_exit
    from auditor.errors import UsageError
    from auditor.policies.services import bundled_services

    cut: list[Path] = []
    hosts = (pair for source in sources for pair in read_hosts(source, cut))
    drawn = draw_up(hosts, bundled_services(), Habits(group, min_share, owners))
    if not drawn:
        which = f" of the group {group!r}" if group else ""
        raise UsageError(
            f"no host{which} was read completely", "a baseline of what was not seen would allow too little"
        )
    if folder is None:
        _print_all(drawn)
    else:
        _write_all(drawn, folder)
    entries = sum(len(one.policy.allow) for one in drawn)
    left_out = sum(len(one.outliers) for one in drawn)
    drew = f"{_count(entries, 'entry', 'entries')} in {_count(len(drawn), 'policy', 'policies')}"
    missing = [
        f"{source}: the run was interrupted or its evidence is cut off, and hosts may be missing" for source in cut
    ]
    return say_exit(0, [f"{drew}; {_count(left_out, 'outlier', 'outliers')} left out", *missing])


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def read_hosts(source: Path, cut: list[Path]) -> "Iterator[tuple[Host, HostFacts]]":
    """Yield every host of a report, an evidence file or a run's folder that gave something. Raises EvidenceError.

    A source that may not hold all the hosts of its run is added to `cut`.
    """
    from auditor.cli.evidence_place import find_evidence
    from auditor.cli.report import read_saved
    from auditor.collect import unframe
    from auditor.model.transcript import Transcript
    from auditor.parse import parse_snapshot
    from auditor.reporters.json import load_report
    from auditor.transport.evidence import read_evidence

    if source.suffix == ".json" and not source.is_dir():
        report = load_report(read_saved(source), str(source))
        for one in report.hosts:
            yield from _from_report(one, str(source))
        if report.run.partial:
            cut.append(source)
        return
    with read_evidence(find_evidence(source)) as saved:
        for evidence in saved:
            if isinstance(evidence.outcome, Transcript):
                host, outcome = evidence.host, evidence.outcome
                yield host, parse_snapshot(unframe(outcome), outcome, namespaces=host.namespaces)
        if saved.partial:
            cut.append(source)


def _from_report(one: "HostReport", source: str) -> "Iterator[tuple[Host, HostFacts]]":
    """Yield what a report keeps of a host: of its /etc/services only the names of the ports that listen."""
    from auditor.model.facts import HostFacts
    from auditor.model.host import Host
    from auditor.model.origin import Origin

    if one.facts is not None:
        host = Host(name=one.name, address=one.address, groups=one.groups, origin=Origin(file=source, line=1))
        labels = {f"{each.port}/{each.proto}": each.service for each in one.listeners if each.service}
        yield (
            host,
            HostFacts(system=one.facts, listeners=one.listeners, coverage=one.coverage, gaps=one.gaps, services=labels),
        )


def _print_all(drawn: "tuple[Baseline, ...]") -> None:
    from auditor.baseline import render_baseline

    sys.stdout.write("---\n".join(render_baseline(one) for one in drawn))
    if len(drawn) > 1:
        print(
            f"{len(drawn)} policies: write each to its file with -o DIR, or name one role with --group", file=sys.stderr
        )


def _write_all(drawn: "tuple[Baseline, ...]", folder: Path) -> None:
    """Write each policy to its file. Raises UsageError, before anything is written, when one of them is there."""
    from auditor.baseline import render_baseline
    from auditor.cli.outputs import write_file
    from auditor.errors import UsageError

    paths = [folder / one.policy.path for one in drawn]
    for path in paths:
        if path.exists():
            raise UsageError(f"{path} is already there", "name another folder with -o, or move the file away")
    for path, one in zip(paths, drawn, strict=True):
        write_file(path, render_baseline(one).encode())
        print(f"wrote {path}", file=sys.stderr)
