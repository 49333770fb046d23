"""Where results go, and what is left when they cannot."""

import stat
import threading
from pathlib import Path

import pytest

from auditor.cli import outputs
from auditor.cli.outputs import Output, choose_evidence, fetch_reporters, plan_outputs, point_latest, write_file
from auditor.errors import OutputError, UsageError
from tests.requirements import require


def test_formats_without_a_path_go_to_their_usual_names(tmp_path: Path) -> None:
    assert plan_outputs(["html", "json", "evidence", "text"], tmp_path) == [
        Output("html", tmp_path / "report.html"),
        Output("json", tmp_path / "report.json"),
        Output("evidence", tmp_path / "evidence.jsonl.gz"),
        Output("text", None),
    ]


def test_a_path_may_contain_an_equals_sign(tmp_path: Path) -> None:
    assert plan_outputs(["json=a=b.json"], tmp_path) == [Output("json", Path("a=b.json"))]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (None, None),
        ("x.gz", Path("x.gz")),
        ("evidence=x.gz", Path("x.gz")),
        ("evidence=a=b", Path("a=b")),
        ("./a=b", Path("a=b")),
        ("a/b=c", Path("a/b=c")),
        ("evidence=", None),
    ],
)
def test_collect_takes_a_path_with_or_without_its_format(spec: str | None, path: Path | None) -> None:
    assert choose_evidence(spec) == path


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("html=x.html", "collect writes evidence, not 'html'", "-o ./html=x.html or -o evidence=html=x.html"),
        ("a=b", "collect writes evidence, not 'a'", "-o ./a=b or -o evidence=a=b"),
        ("evidence=-", "does not go to standard output", "-o evidence=PATH"),
    ],
)
def test_collect_writes_no_other_format(spec: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        choose_evidence(spec)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["pdf"], "unknown format 'pdf'"),
        (["json=-", "html=-"], "only one result can go to standard output, not json and html"),
        (["text", "json=-"], "only one result can go to standard output, not text and json"),
        (["evidence=-"], "evidence is compressed"),
    ],
)
def test_what_cannot_be_planned_is_refused(specs: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        plan_outputs(specs, tmp_path)


def test_files_are_private_and_replace_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.json"
    write_file(target, b"one")
    first = target.stat().st_ino
    write_file(target, b"two")
    assert target.read_bytes() == b"two"
    assert target.stat().st_ino != first
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700
    assert [path.name for path in target.parent.iterdir()] == ["report.json"]


def test_a_full_disk_leaves_the_old_file_and_says_so() -> None:
    require("root", "mount")
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
        try:
            write_file(folder / "report.json", b"old")
            with pytest.raises(OutputError, match=r"cannot write .*report.json: No space left on device"):
                write_file(folder / "report.json", b"x" * 1_000_000)
            assert (folder / "report.json").read_bytes() == b"old"
            assert [path.name for path in folder.iterdir()] == ["report.json"]
        finally:
            subprocess.run(["umount", folder], check=True)


def test_a_folder_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot create"):
        write_file(tmp_path / "file" / "report.json", b"")


def test_latest_follows_the_newest_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        point_latest(tmp_path / name)
        assert (tmp_path / "latest").readlink() == Path(name)


def fetch(*formats: str) -> None:
    fetch_reporters([Output(name, None) for name in formats])
    for thread in threading.enumerate():
        if thread.name == "netaudit-reporters":
            thread.join(30)


def test_what_will_render_is_imported_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr(outputs, "import_module", imported.append)
    fetch("html", "html-dir", "evidence", "json")
    assert imported == ["auditor.reporters.html", "auditor.reporters.html_dir", "auditor.reporters.json"]


def test_what_cannot_be_imported_beforehand_is_not_told_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(outputs, "import_module", fail)
    fetch("html")
    assert capsys.readouterr() == ("", "")


def test_without_a_thread_to_be_had_nothing_is_imported_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    fetch("html")
