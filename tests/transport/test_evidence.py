"""Evidence files survive the trip, give nothing away, and say so when they are damaged."""

import gzip
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.errors import EvidenceError, OutputError, TransportError
from auditor.model.host import SecretRef
from auditor.model.transcript import Evidence, EvidenceHeader, Failure, Transcript
from auditor.transport import Script, evidence
from auditor.transport.evidence import EvidenceWriter, read_evidence
from auditor.transport.replay import ReplayTransport
from tests.builders import NOW, a_host

HEADER = EvidenceHeader(run_id="r-1", started_at=NOW, inventory_path="inventory.yaml", inventory_sha256="0" * 64)
FAILURE = Failure(phase="tcp", code="tcp-refused", message="10.0.0.1:22: Connection refused", hint="check the port")
SCRIPT = Script("f" * 32, b"")


def transcript(stdout: bytes = b"hello\n", **fields: Any) -> Transcript:
    defaults: dict[str, Any] = {"nonce": "0" * 32, "exit_status": 0, "started_at": NOW, "finished_at": NOW}
    return Transcript(stdout=stdout, **{**defaults, **fields})


def an_evidence(name: str = "web-01", outcome: Transcript | Failure | None = None, **fields: Any) -> Evidence:
    return Evidence(host=a_host(name, **fields), outcome=outcome or transcript(), finished_at=NOW)


def write(path: Path, *entries: Evidence, partial: bool = False) -> Path:
    with EvidenceWriter(path, HEADER) as writer:
        for entry in entries:
            writer.append(entry)
        writer.finish(partial=partial)
    return path


def read(path: Path) -> tuple[list[Evidence], bool]:
    with read_evidence(path) as file:
        assert file.header == HEADER
        entries = list(file)
        return entries, file.partial


def test_what_is_written_is_read(tmp_path: Path) -> None:
    entries = [an_evidence("a"), an_evidence("b", FAILURE)]
    path = write(tmp_path / "deep" / "evidence.jsonl.gz", *entries)
    assert read(path) == (entries, False)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@given(stdout=st.binary(max_size=300), stderr=st.binary(max_size=50))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_every_byte_survives(tmp_path: Path, stdout: bytes, stderr: bytes) -> None:
    entry = an_evidence(outcome=transcript(stdout, stderr=stderr))
    assert read(write(tmp_path / "e.gz", entry)) == ([entry], False)


def test_same_input_same_bytes(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, an_evidence("a"), an_evidence("b", FAILURE)) for name in ("one.gz", "two.gz")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_other_tools_can_read_it(tmp_path: Path) -> None:
    path = write(tmp_path / "e.gz", an_evidence(outcome=transcript(b"\xff\x00table\n")))
    text = subprocess.run(["gzip", "-dc", str(path)], check=True, capture_output=True).stdout
    kinds = [json.loads(line)["kind"] for line in text.splitlines()]
    assert kinds == ["netaudit.evidence-header", "netaudit.evidence", "netaudit.evidence-footer"]


def test_ways_to_log_in_are_left_out(tmp_path: Path) -> None:
    """What matters for judging stays; nothing that helps to log in does."""
    entry = an_evidence(
        identity=("/keys/canary-key",),
        agent=True,
        password=SecretRef(source="env", name="CANARY_PASSWORD"),
        passphrase=SecretRef(source="file", name="/canary/passphrase"),
        known_hosts=("/canary/known_hosts",),
        user="audit",
        sudo=True,
        groups=("web",),
        labels={"env": "prod"},
    )
    path = write(tmp_path / "e.gz", entry)
    assert b"canary" not in gzip.decompress(path.read_bytes()).lower()
    [kept] = read(path)[0]
    assert (kept.host.user, kept.host.sudo, kept.host.groups, kept.host.labels) == (
        "audit", True, ("web",), {"env": "prod"},
    )  # fmt: skip


def test_interrupted_run(tmp_path: Path) -> None:
    assert read(write(tmp_path / "e.gz", an_evidence(), partial=True)) == ([an_evidence()], True)


def test_unfinished_file_is_not_put_into_place(tmp_path: Path) -> None:
    """What it holds stays beside it, readable, unless that is nothing, or what came before it still counts."""
    path, part = tmp_path / "e.gz", tmp_path / "e.gz.part"
    path.write_bytes(b"older")
    with EvidenceWriter(path, HEADER) as writer:
        writer.append(an_evidence())
    assert list(tmp_path.iterdir()) == [path]
    with EvidenceWriter(path, HEADER) as writer:
        writer.settle()
    assert list(tmp_path.iterdir()) == [path]
    with EvidenceWriter(path, HEADER) as writer:
        writer.settle()
        writer.append(an_evidence())
    assert path.read_bytes() == b"older"
    assert sorted(tmp_path.iterdir()) == [path, part]
    assert part.stat().st_mode & 0o777 == 0o600
    assert read(part) == ([an_evidence()], True)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_file_cut_off_anywhere_gives_its_whole_hosts_and_says_so(tmp_path: Path, share: float) -> None:
    """Never a host too many, never a claim that it is whole."""
    entries = [an_evidence(f"h{n}", outcome=transcript(bytes(range(256)) * n)) for n in range(40)]
    path = write(tmp_path / "e.gz", *entries)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    found, partial = read(path)
    assert found == entries[: len(found)]
    assert partial


def test_file_cut_off_in_its_first_line(tmp_path: Path) -> None:
    path = write(tmp_path / "e.gz", an_evidence())
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(EvidenceError, match="cut off"):
        read_evidence(path)


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def test_file_without_its_last_line_is_partial(tmp_path: Path) -> None:
    path = write(tmp_path / "e.gz", an_evidence())
    path.write_bytes(gzip.compress(b"".join(lines_of(path)[:-1])))
    assert read(path) == ([an_evidence()], True)


def broken(path: Path, data: bytes) -> EvidenceError:
    path.write_bytes(data)
    with pytest.raises(EvidenceError) as failure:
        read(path)
    assert str(path) in failure.value.message
    assert failure.value.hint
    return failure.value


def test_files_that_are_not_evidence(tmp_path: Path) -> None:
    path = write(tmp_path / "e.gz", an_evidence("a"), an_evidence("b"))
    header, first, second, footer = lines_of(path)
    assert ":1: it is not gzip" in broken(path, b"plain text").message
    assert ":1: it is empty" in broken(path, b"").message
    assert ":1: it is not netaudit evidence" in broken(path, gzip.compress(b'{"kind":"other"}\n')).message
    assert ":1: it is not netaudit evidence" in broken(path, gzip.compress(first)).message
    assert ":2:" in broken(path, gzip.compress(header + b"nonsense\n" + footer)).message
    assert ":2:" in broken(path, gzip.compress(header + first.replace(b'"exit_status":0', b'"exit_status":[]'))).message
    assert ":3: the host a is in it twice" in broken(path, gzip.compress(header + first + first)).message
    assert "says 2 hosts, but it holds 1" in broken(path, gzip.compress(header + first + footer)).message
    whole = gzip.compress(header + footer.replace(b"2", b"0"))
    for more in (whole, gzip.compress(first), gzip.compress(b"x")):
        assert ":3: it goes on after its last line" in broken(path, whole + more).message
    assert ":3: it is not gzip" in broken(path, whole + b"x").message
    assert (
        "timezone"
        in broken(path, gzip.compress(re.sub(rb'("started_at":"[^"]*?)(Z|\+00:00)"', rb'\1"', header))).message
    )
    newer = second.replace(b'"schema_version":1', b'"schema_version":2', 1)
    assert "newer netaudit" in broken(path, gzip.compress(header + first + newer)).hint
    future = header.replace(b'"schema_version":1', b'"schema_version":2', 1)
    assert "newer netaudit" in broken(path, gzip.compress(future)).hint


def test_damaged_file(tmp_path: Path) -> None:
    path = write(tmp_path / "e.gz", *(an_evidence(f"h{n}") for n in range(50)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    assert "damaged" in broken(path, bytes(data)).message


def test_line_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "e.gz", an_evidence(outcome=transcript(bytes(100_000))))
    monkeypatch.setattr(evidence, "MOST_LINE", 10_000)
    assert ":2: the line is longer" in broken(path, path.read_bytes()).message


def test_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "e.gz", *(an_evidence(f"h{n}", outcome=transcript(bytes(9000))) for n in range(20)))
    monkeypatch.setattr(evidence, "MOST_TOTAL", 200_000)
    assert "unpacks to more than" in broken(path, path.read_bytes()).message


def test_host_whose_output_swells_in_json_is_cut_and_the_file_stays_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A NUL is six characters of JSON: one host must not make the evidence of all others unreadable."""
    monkeypatch.setattr(evidence, "MOST_LINE", 64_000)
    path = write(tmp_path / "e.gz", an_evidence("a", transcript(bytes(32_000))), an_evidence("b"))
    (first, second), partial = read(path)
    assert isinstance(first.outcome, Transcript)
    assert (first.outcome.stdout, first.outcome.cut) == (bytes(8_000), "output-cap")
    assert (second, partial) == (an_evidence("b"), False)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        EvidenceWriter(tmp_path / "file" / "e.gz", HEADER)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="No such file"):
        read_evidence(tmp_path / "absent.gz")


def test_replay(tmp_path: Path) -> None:
    """The same transcript, the same failure, and a word for a host that is not in it."""
    path = str(write(tmp_path / "e.gz", an_evidence("a"), an_evidence("b", FAILURE)))
    transport = ReplayTransport()
    assert transport.run(a_host("a", connection="replay", evidence=path), SCRIPT) == transcript()
    with pytest.raises(TransportError) as failure:
        transport.run(a_host("b", connection="replay", evidence=path), SCRIPT)
    error = failure.value
    assert Failure(phase=error.phase, code=error.code, message=error.message, hint=error.hint) == FAILURE
    for host in (a_host("c", connection="replay", evidence=path), a_host("a", connection="replay")):
        with pytest.raises(TransportError) as failure:
            transport.run(host, SCRIPT)
        assert (failure.value.phase, failure.value.code) == ("read", "not-in-evidence")


def test_replay_from_a_file_that_is_none(tmp_path: Path) -> None:
    host = a_host("a", connection="replay", evidence=str(tmp_path / "absent"))
    with pytest.raises(TransportError) as failure:
        ReplayTransport().run(host, SCRIPT)
    assert failure.value.code == "evidence-unreadable"
