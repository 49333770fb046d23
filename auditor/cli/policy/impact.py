"""`netaudit policy impact`: what a change of policies would change, before it is merged."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.options import FailOnOption

if TYPE_CHECKING:
    from auditor.model.policy import PolicySet, Severity
    from auditor.model.report import HostReport


def impact(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The policies as they are: a file or a folder.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policies as they would be.")],
    evidence: Annotated[
        list[Path],
        typer.Option("-e", "--evidence", metavar="FILE", help="Evidence, or the folder of a run. Repeatable."),
    ],
    fail_on: FailOnOption = "low",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of Markdown.")] = False,
) -> int:
    """Judge saved evidence by two sets of policies. Exit 0: nothing newly fails; 1: something does; 2: an error."""
    from auditor.cli.boundary import say_exit
    from auditor.cli.stdout import write_stdout
    from auditor.impact import compare, render_markdown
    from auditor.policies import load_policies
    from auditor.reporters.text_layout import count

    before, after = load_policies([old]), load_policies([new])
    cut: list[Path] = []
    found = compare(judge_twice(evidence, before, after, fail_on, cut), fail_on)
    if cut:
        found = found.model_copy(update={"partial": True})
    text = f"{found.model_dump_json(indent=2)}\n" if as_json else render_markdown(found)
    write_stdout(text.encode())
    failing, hosts = len(found.newly_failing), count(found.hosts, "host")
    missing = [f"{file}: the run was interrupted or its evidence is cut off, and hosts may be missing" for file in cut]
    if found.worse:
        return say_exit(1, [f"{failing} of {hosts} newly fail; findings newly fail: {len(found.fails)}", *missing])
    return say_exit(0, [f"nothing newly fails on {hosts}", *missing])


def judge_twice(
    files: Sequence[Path], before: "PolicySet", after: "PolicySet", fail_on: "Severity", cut: list[Path]
) -> "Iterator[tuple[HostReport, HostReport]]":
    """Yield what the two sets of policies say of each host, at the time of its evidence. Raises EvidenceError.

    Files that may not hold all the hosts of their run are added to `cut`.
    """
    from auditor.audit import judge_evidence
    from auditor.cli.evidence_place import find_evidence
    from auditor.evaluate import compile_policies
    from auditor.transport.evidence import read_evidence

    old, new = compile_policies(before), compile_policies(after)
    for file in files:
        with read_evidence(find_evidence(file)) as saved:
            now = saved.header.started_at
            for evidence in saved:
                yield judge_evidence(evidence, old, now, fail_on), judge_evidence(evidence, new, now, fail_on)
            if saved.partial:
                cut.append(file)
