"""report.json: what it looks like, that it comes back as it was, and that it is what the schema says."""

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from auditor.errors import EvidenceError
from auditor.model.finding import RULES
from auditor.model.report import AuditReport
from auditor.reporters.json import build_schema, load_report, render, render_schema
from tests.reporters.fleet import fleets, hostile_fleet, mixed_fleet

SCHEMA: dict[str, Any] = json.loads(files("auditor.schemas").joinpath("report.json").read_text(encoding="utf-8"))
REPORTS = fleets()
TEXT = st.text(alphabet=st.characters(codec="utf-8"))


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_comes_back_as_it_was(name: str) -> None:
    assert load_report(render(REPORTS[name])) == REPORTS[name]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_what_the_schema_says(name: str) -> None:
    errors = list(Draft202012Validator(SCHEMA).iter_errors(json.loads(render(REPORTS[name]))))
    assert [error.message for error in errors] == []


@given(TEXT)
@example(',{"":0},')  # what stands between the values of a host on their way through the serializer
def test_whatever_a_host_says_comes_back_and_is_inert(text: str) -> None:
    report = hostile_fleet(text)
    data = render(report)
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in data)
    assert load_report(data) == report


def test_only_printable_ascii_leaves() -> None:
    """Control characters, DEL, C1, bidirectional overrides, astral and combining characters are all escapes."""
    data = render(hostile_fleet('\x00\x07\x1b]0;x\x07\x7f\x9b31m\u202e\u2066\u200b\u2028é\U0001f600\\\x7f"'))
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in data)
    assert b"\\u001b" in data
    assert b"\\u007f" in data
    assert b"\\u202e" in data


def test_bytes_that_are_not_text_are_spelled_and_do_not_stop_the_report() -> None:
    """A file name that is not UTF-8 reaches Python as lone surrogates, which have no UTF-8 and no JSON."""
    data = render(hostile_fleet("inventory-\udcff.yaml"))
    assert json.loads(data)["run"]["inventory"]["path"] == "inventory-\\udcff.yaml"
    assert load_report(data).run.inventory.path == "inventory-\\udcff.yaml"
    assert len(data.splitlines()) == len(render(hostile_fleet("inventory.yaml")).splitlines())


def test_one_listener_finding_and_table_is_one_line() -> None:
    report = mixed_fleet()
    lines = render(report).decode().splitlines()
    objects = [line for line in lines if line.startswith("        {")]
    kinds = ("listeners", "findings", "coverage", "gaps", "exposures", "unix")
    assert len(objects) == sum(len(getattr(host, kind)) for host in report.hosts for kind in kinds)
    assert all(json.loads(line.rstrip(",")) for line in objects)


def test_the_order_of_keys_is_the_contracts() -> None:
    data = render(mixed_fleet())
    assert data.endswith(b"}\n")
    document = json.loads(data)
    assert list(document)[:5] == ["kind", "schema_version", "generator", "run", "verdict"]
    assert document["kind"] == "netaudit.report"
    assert document["schema_version"] == 1
    assert document["run"]["started_at"] == "2026-03-04T05:06:07Z"


def change(**fields: Any) -> bytes:
    return json.dumps({**json.loads(render(mixed_fleet())), **fields}).encode()


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"", "r.json is not JSON, or is cut off: EOF while parsing", "name the report.json of a netaudit run"),
        (b"hello", "r.json is not JSON, or is cut off", "name the report.json"),
        (render(mixed_fleet())[:5000], "r.json is not JSON, or is cut off", "name the report.json"),
        (b"\xff\xfe", "r.json is not", "name the report.json"),
        (b"[" * 100_000, "r.json is not", "name the report.json"),
        (b"[]", "r.json is JSON, but not a report of netaudit", "name the report.json"),
        (b'{"kind": "netaudit.evidence"}', "r.json is JSON, but not a report of netaudit", "name the report.json"),
        (
            change(schema_version=2, generator={"name": "netaudit", "version": "9.1"}),
            "r.json has schema version 2; this netaudit reads version 1",
            "it was written by netaudit 9.1: read it with that version, or a later one",
        ),
        (change(schema_version="\x1b"), 'r.json has schema version "\\u001b"', "it was written by netaudit 0.1.0"),
        (change(news=1), "r.json has a field this netaudit does not know: news", "it was written by netaudit 0.1.0"),
        (change(verdict="fine"), "r.json is not a whole report: verdict: Input should be", "it was written by"),
        (change(hosts=[{}], generator=None), "r.json is not a whole report: generator", "name the report.json"),
    ],
)
def test_what_is_no_report_is_said_to_be_none(data: bytes, message: str, hint: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        load_report(data, "r.json")
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


def test_a_report_that_was_made_prettier_than_it_was_is_refused() -> None:
    """Calling a host compliant that has a gap contradicts the report itself."""
    document = json.loads(render(mixed_fleet()))
    doubtful = next(host for host in document["hosts"] if host["status"] == "incomplete")
    doubtful["status"] = "compliant"
    with pytest.raises(EvidenceError, match="was not fully audited"):
        load_report(json.dumps(document))


@given(st.binary())
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        load_report(data)


def test_the_published_schema_is_fresh() -> None:
    """To renew it: python -c 'from auditor.reporters.json import render_schema; print(render_schema(), end="")'."""
    published = files("auditor.schemas").joinpath("report.json").read_text(encoding="utf-8")
    assert published == render_schema()


def test_the_schema_is_a_schema_and_says_what_it_is() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == "urn:netaudit:report:1"
    assert SCHEMA["title"] == "netaudit report, version 1"
    assert all(definition.get("description") for definition in SCHEMA["$defs"].values())
    assert SCHEMA["$defs"]["Finding"]["properties"]["rule"]["enum"] == list(RULES)


def test_the_schema_requires_what_was_there_from_the_start_and_lets_new_fields_pass() -> None:
    validator = Draft202012Validator(build_schema())
    document = json.loads(render(mixed_fleet()))
    assert validator.is_valid({**document, "added_later": 1})
    for name in set(AuditReport.model_fields) - {"hygiene", "changes"}:
        assert not validator.is_valid({key: value for key, value in document.items() if key != name})
    assert not validator.is_valid({**document, "schema_version": 2})
    assert not validator.is_valid({**document, "verdict": "fine"})
