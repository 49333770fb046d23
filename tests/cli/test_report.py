"""`netaudit report`, and what a run's page says about the runs before it."""

import csv
import io
from pathlib import Path

import pytest

from auditor.cli.history import list_earlier
from auditor.reporters.json import load_report
from auditor.reporters.json import render as render_json
from tests.cli.site import make_site, netaudit
from tests.reporters.fleet import mixed_fleet


def save(folder: Path) -> Path:
    path = folder / "report.json"
    path.write_bytes(render_json(mixed_fleet()))
    return path


def test_a_run_shows_the_trend_of_those_before_it(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    for epoch in ("1700000000", "1700000060"):
        assert netaudit("run", "inventory.yaml", "-q", cwd=site, SOURCE_DATE_EPOCH=epoch).returncode == 0
    first, second = sorted(path for path in (site / "reports").iterdir() if path.is_dir() and not path.is_symlink())
    assert "The last 2 runs" not in (first / "report.html").read_text()
    page = (second / "report.html").read_bytes()
    assert b"The last 2 runs" in page
    assert first.name.encode() in page
    report = load_report((second / "report.json").read_bytes())
    assert [run.folder for run in list_earlier(site / "reports", report)] == [first.name]
    assert netaudit("report", second, "-o", "html=again.html", cwd=site).returncode == 0
    assert (site / "again.html").read_bytes() == page
    elsewhere = report.model_copy(
        update={
            "run": report.run.model_copy(update={"inventory": report.run.inventory.model_copy(update={"path": "x"})})
        }
    )
    assert list_earlier(site / "reports", elsewhere) == []


def test_hosts_are_redacted_on_request(tmp_path: Path) -> None:
    path = save(tmp_path)
    plain = netaudit("report", path, "-o", "csv=-", cwd=tmp_path).stdout
    hidden = netaudit("report", path, "-o", "csv=-", "--redact", "hosts", cwd=tmp_path).stdout
    keyed = netaudit("report", path, "-o", "csv=-", "--redact", "hosts", cwd=tmp_path, NETAUDIT_REDACT_KEY="k").stdout
    assert "web-03" in plain
    assert "web-03" not in hidden + keyed
    assert hidden != keyed
    assert len(list(csv.reader(io.StringIO(hidden)))) == len(list(csv.reader(io.StringIO(plain))))
    assert "web-03" not in netaudit("report", path, "--redact", "hosts", cwd=tmp_path).stdout


def test_where_results_went_is_said(tmp_path: Path) -> None:
    said = netaudit("report", save(tmp_path), "-o", "sarif", "-o", "json=-", cwd=tmp_path)
    assert said.stderr == f"wrote {tmp_path / 'netaudit.sarif'}\n"


def test_only_hosts_can_be_redacted(tmp_path: Path) -> None:
    assert netaudit("report", save(tmp_path), "--redact", "ports", cwd=tmp_path).returncode == 2


def test_csv_begins_with_a_mark_for_excel_where_that_is_asked_for(tmp_path: Path) -> None:
    path = save(tmp_path)
    for flags, start in (([], b"severity,"), (["--csv-bom"], b"\xef\xbb\xbf")):
        assert (
            netaudit("report", path, "-o", "csv=out.csv", "-o", "json=out.json", *flags, cwd=tmp_path).returncode == 0
        )
        assert (tmp_path / "out.csv").read_bytes().startswith(start)
        assert (tmp_path / "out.json").read_bytes().startswith(b"{")


def test_pages_carry_the_title_and_the_logo_that_are_asked_for(tmp_path: Path) -> None:
    report = save(tmp_path)
    (tmp_path / "logo").write_bytes(b"GIF89a")
    (tmp_path / "netaudit.toml").write_text('title = "From the file"\nlogo = "logo"\n')
    said = netaudit("report", report, "-o", "html=a.html", "-o", "evidence-html=b.html", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    for name in ("a.html", "b.html"):
        page = (tmp_path / name).read_text()
        assert "<title>From the file: " in page
        assert 'src="data:image/gif;base64,R0lGODlh"' in page
    given = ("report", report, "--title", "From the flag", "-o", "html-dir=d")
    assert netaudit(*given, cwd=tmp_path, NETAUDIT_TITLE="From the variable").returncode == 0
    assert (tmp_path / "d" / "logo.gif").read_bytes() == b"GIF89a"
    assert "<title>From the flag: " in (tmp_path / "d" / "index.html").read_text()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--logo", "nowhere"), "cannot read the logo nowhere: No such file or directory"),
        (("--logo", "text"), "text does not begin like a picture"),
        (("--logo", "/dev/zero"), "/dev/zero is larger than 100 kB"),
        (("--title", "x" * 201), "--title has 201 characters"),
    ],
)
def test_a_brand_that_cannot_be_is_told_before_anything_is_written(
    flags: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    report = save(tmp_path)
    (tmp_path / "text").write_text("no picture")
    said = netaudit("report", report, *flags, "-o", "html=a.html", cwd=tmp_path)
    assert (said.returncode, reason in said.stderr, (tmp_path / "a.html").exists()) == (2, True, False)
