"""`--resume`: only what is missing is asked again, and the report is that of a run nobody interrupted."""

import json
from pathlib import Path

import pytest

from auditor.errors import EvidenceError
from auditor.model.transcript import Evidence, EvidenceHeader, Transcript
from auditor.transport.evidence import EvidenceWriter, read_evidence
from tests.builders import NOW, a_host
from tests.cli.program import closing, netaudit
from tests.cli.replays import list_hosts, make_fleet, strip_run, write_evidence

NAMES = [f"web-{number:02d}" for number in range(6)]
PART = "evidence.jsonl.gz.part"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_fleet(tmp_path, NAMES)


def answers_of(path: Path) -> dict[str, Transcript]:
    with read_evidence(path) as opened:
        return {one.host.name: one.outcome for one in opened if isinstance(one.outcome, Transcript)}


def kill(site: Path, folder: str, *names: str) -> Path:
    """Leave in `folder` what a run leaves that is killed after these hosts."""
    answers = answers_of(site / "answers.gz")
    write_evidence(site / folder / "evidence.jsonl.gz", {name: answers[name] for name in names}, whole=False)
    assert [path.name for path in (site / folder).iterdir()] == [PART]
    return site / folder / PART


def ask_again_only(site: Path, *names: str) -> None:
    """Let the others have no answer any more, so that whoever is asked again shows."""
    answers = answers_of(site / "answers.gz")
    write_evidence(site / "answers.gz", {name: answers[name] for name in names}, whole=True)


def test_only_the_missing_are_asked_and_the_report_is_that_of_a_whole_run(site: Path) -> None:
    whole = netaudit("run", "inventory.yaml", "--output-dir", "whole", cwd=site)
    assert whole.returncode == 0, whole.stderr
    kill(site, "killed", *NAMES[:4])
    ask_again_only(site, *NAMES[4:])
    resumed = netaudit("run", "inventory.yaml", "--output-dir", "out", "--resume", "killed", cwd=site)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming earlier: 4 of 6 hosts are kept from killed/evidence.jsonl.gz.part, 2 are asked" in resumed.stderr
    assert strip_run(site / "out" / "report.json") == strip_run(site / "whole" / "report.json")
    run = json.loads((site / "out" / "report.json").read_text())["run"]
    assert [earlier["id"] for earlier in run["resumed"]] == ["earlier"]
    assert run["partial"] is False
    assert "resumed    some hosts answered an earlier run, earlier" in resumed.stdout
    assert list_hosts(site / "out" / "evidence.jsonl.gz", ordered=True) == (NAMES, False)


def test_the_new_evidence_gives_the_same_report_again(site: Path) -> None:
    kill(site, "killed", *NAMES[:4])
    netaudit("run", "inventory.yaml", "--output-dir", "out", "--resume", "killed", cwd=site)
    netaudit("check", "out/evidence.jsonl.gz", "-o", "json=again.json", cwd=site)
    assert (site / "again.json").read_bytes() == (site / "out" / "report.json").read_bytes()


def test_a_run_can_go_on_in_its_own_folder(site: Path) -> None:
    kill(site, "out", *NAMES[:3])
    resumed = netaudit("run", "inventory.yaml", "--output-dir", "out", "--resume", "out", cwd=site)
    assert resumed.returncode == 0, resumed.stderr
    assert sorted(path.name for path in (site / "out").iterdir()) == ["evidence.jsonl.gz", "report.html", "report.json"]
    assert list_hosts(site / "out" / "evidence.jsonl.gz", ordered=True) == (NAMES, False)


@pytest.mark.parametrize("named", ["first", "first/report.json", "first/evidence.jsonl.gz"])
def test_unreachable_hosts_are_tried_again(tmp_path: Path, named: str) -> None:
    site = make_fleet(tmp_path, NAMES, "late")
    first = netaudit("run", "inventory.yaml", "--output-dir", "first", cwd=site)
    assert first.returncode == 3
    answers = answers_of(site / "answers.gz")
    write_evidence(site / "answers.gz", {"late": answers[NAMES[0]]}, whole=True)
    resumed = netaudit("run", "inventory.yaml", "--output-dir", "second", "--resume", named, cwd=site)
    assert resumed.returncode == 0, resumed.stderr
    assert list_hosts(site / "second" / "evidence.jsonl.gz", ordered=True) == (["late", *NAMES], False)


@pytest.mark.parametrize(("cut", "asked"), [("deadline", 3), ("lost", 3), ("killed", 3), ("output-cap", 2)])
def test_a_host_cut_off_in_mid_answer_is_asked_again_but_not_for_its_flood(site: Path, cut: str, asked: int) -> None:
    answers = answers_of(site / "answers.gz")
    kept = {name: answers[name] for name in NAMES[:4]}
    kept[NAMES[1]] = Transcript.model_validate({**answers[NAMES[1]].model_dump(), "cut": cut})
    write_evidence(site / "killed" / "evidence.jsonl.gz", kept, whole=False)
    resumed = netaudit("collect", "inventory.yaml", "-o", "more.gz", "--resume", "killed", cwd=site)
    assert f"{6 - asked} of 6 hosts are kept from killed/{PART}, {asked} are asked" in resumed.stderr
    assert resumed.returncode == 0


def test_policies_of_now_judge_what_was_kept(site: Path) -> None:
    kill(site, "killed", *NAMES)
    (site / "policies" / "lenient.yaml").write_text(
        "version: 1\npolicy: strict\ndefault: ignore\nallow: [{id: a, port: 1/tcp, required: true, reason: test}]\n"
    )
    resumed = netaudit("run", "inventory.yaml", "--output-dir", "out", "--resume", "killed", cwd=site)
    assert resumed.returncode == 1
    assert "missing-listener" in resumed.stdout


def test_a_host_that_is_another_machine_now_is_not_taken_for_the_same(site: Path) -> None:
    kill(site, "killed", *NAMES[:4])
    inventory = site / "inventory.yaml"
    changed = inventory.read_text().replace(
        "web-01: {connection: replay", "web-01: {address: 10.9.9.9, connection: replay"
    )
    inventory.write_text(changed)
    refused = netaudit("run", "inventory.yaml", "--output-dir", "out", "--resume", "killed", cwd=site)
    assert refused.returncode == 2
    assert closing(refused).startswith(
        f"exit 2: the inventory has changed since killed/{PART} was gathered: web-01 (ad"
    )
    assert not (site / "out").exists()
    told = netaudit("run", "inventory.yaml", "--output-dir", "o", "--resume", "killed", "--despite-changes", cwd=site)
    assert "3 of 6 hosts are kept" in told.stderr
    assert told.returncode == 0


def test_groups_and_hosts_that_came_or_went_do_not_matter(site: Path) -> None:
    """The host is the same; what it is called for, the policies of now decide."""
    kill(site, "killed", *NAMES)
    inventory = site / "inventory.yaml"
    lines = inventory.read_text().replace("groups: [web]", "labels: {env: prod}").splitlines(keepends=True)
    inventory.write_text("".join(line for line in lines if "web-05" not in line))
    resumed = netaudit("run", "inventory.yaml", "--output-dir", "out", "--resume", "killed", cwd=site)
    assert "5 of 5 hosts are kept" in resumed.stderr
    hosts = json.loads((site / "out" / "report.json").read_text())["hosts"]
    assert [(host["name"], host["groups"], host["labels"]) for host in hosts] == [
        (name, [], {"env": "prod"}) for name in NAMES[:5]
    ]


def test_what_is_no_run_is_refused(site: Path) -> None:
    (site / "empty").mkdir()
    for named, why in (
        ("empty", "holds no evidence.jsonl.gz"),
        ("absent.gz", "No such file"),
        ("inventory.yaml", "gzip"),
    ):
        refused = netaudit("run", "inventory.yaml", "--resume", named, cwd=site)
        assert (refused.returncode, why in closing(refused)) == (2, True), refused.stderr
    alone = netaudit("run", "inventory.yaml", "--despite-changes", cwd=site)
    assert alone.returncode == 2
    assert not (site / "reports").exists()


def test_a_new_run_says_what_it_replaces(site: Path) -> None:
    kill(site, "out", *NAMES[:3])
    fresh = netaudit("run", "inventory.yaml", "--output-dir", "out", cwd=site)
    assert f"note: a run left the evidence of 3 hosts in out/{PART}, which this one replaces" in fresh.stderr
    assert not (site / "out" / PART).exists()


def test_every_cut_of_the_file_is_gone_on_from(site: Path) -> None:
    """Torn anywhere, it gives its whole hosts; torn in its first line, it is not evidence."""
    part = kill(site, "killed", *NAMES[:2])
    data = part.read_bytes()
    seen = set()
    for size in range(0, len(data), max(1, len(data) // 60)):
        part.write_bytes(data[:size])
        try:
            names, partial = list_hosts(part)
        except EvidenceError:
            seen.add("not evidence")
            continue
        assert (names, partial) == (NAMES[: len(names)], True)
        seen.add(f"{len(names)} hosts")
    assert seen - {"2 hosts"} == {"not evidence", "0 hosts", "1 hosts"}  # two: cut behind the last of them


def test_every_host_is_on_the_disk_before_the_next(site: Path) -> None:
    [answer, *_] = answers_of(site / "answers.gz").values()
    header = EvidenceHeader(run_id="r", started_at=NOW, inventory_path="i", inventory_sha256="0" * 64)
    with EvidenceWriter(site / "e.gz", header) as writer:
        writer.settle()
        for number in range(5):
            writer.append(Evidence(host=a_host(f"h{number}"), outcome=answer, finished_at=NOW))
            assert list_hosts(site / "e.gz.part") == ([f"h{n}" for n in range(number + 1)], True)


def test_a_run_after_one_that_was_killed_is_told_of_it_once(site: Path) -> None:
    """In folders of their own; as soon as a later run has finished, the killed one is history."""
    kill(site, "reports/20251231T235959Z-0123ab", *NAMES[:3])
    first = netaudit("run", "inventory.yaml", cwd=site)
    assert "note: the last run did not finish: --resume reports/20251231T235959Z-0123ab would go on" in first.stderr
    assert first.returncode == 0
    second = netaudit("run", "inventory.yaml", cwd=site, SOURCE_DATE_EPOCH="1767323099")
    assert "did not finish" not in second.stderr
