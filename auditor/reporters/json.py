"""AuditReport in, `report.json` out, and back; and the schema that describes it.

One listener, finding or table per line: about as small as JSON gets, yet `diff` and `grep` show what changed. Only
printable ASCII leaves here, everything else is a `\\u` escape, so that a report is inert in any terminal.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from auditor.errors import EvidenceError
from auditor.model.report import AuditReport, HostReport
from auditor.model.value import Value
from auditor.reporters.inert import defuse_json

SCHEMA_ID = "urn:netaudit:report:1"
_HINT = "name the report.json of a netaudit run"
_MARK: object = {"": 0}
_BETWEEN = b',{"":0},'
"""How _MARK looks between two elements of a list: no list of a report holds such an element, and in a string its quotes
would be escaped."""
_Line = tuple[bytes, object, bytes]
"""What stands before a value, the value, and what stands behind it."""


def render(report: AuditReport) -> bytes:
    """Return the report as ASCII JSON with a newline at its end. Equal reports give equal bytes."""
    return b"".join(render_parts(report))


def render_parts(report: AuditReport) -> Iterator[bytes]:
    """Yield the same bytes piece by piece: of ten thousand hosts they are too many to hold at once."""
    opening = b"{\n"
    for name in AuditReport.model_fields:
        if name == "hosts" and report.hosts:
            yield opening + b'  "hosts": '
            for number, host in enumerate(report.hosts):
                yield b",\n    " if number else b"[\n    "
                yield _write(_list_lines(host, HostReport.model_fields, b"{\n", b"    "))
                yield b"\n    }"
            yield b"\n  ]"
        else:
            yield _write(_list_lines(report, (name,), opening))
        opening = b",\n"
    yield b"\n}\n"


def _list_lines(
    value: AuditReport | HostReport, names: Iterable[str], opening: bytes, indent: bytes = b""
) -> Iterator[_Line]:
    """Yield fields of `value` as one per line, and their lists of values with one element per line."""
    for name in names:
        field: object = getattr(value, name)
        before = opening + indent + b'  "' + name.encode() + b'": '
        if isinstance(field, tuple) and field and isinstance(field[0], Value):
            before += b"[\n    " + indent
            between = b",\n    " + indent
            for each in field[:-1]:
                yield before, each, b""
                before = between
            yield before, field[-1], b"\n  " + indent + b"]"
        else:
            yield before, field, b""
        opening = b",\n"


def _write(lines: Iterable[_Line]) -> bytes:
    """Return the lines one after the other. A host has a hundred values, and they go through the serializer in one
    call, with marks between them to tell them apart again."""
    befores, values, afters = zip(*lines, strict=True)
    marked = [_MARK] * (2 * len(values) - 1)
    marked[::2] = values
    try:
        texts = _to_ascii(marked)[1:-1].split(_BETWEEN)
    except PydanticSerializationError:
        texts = [dump_value(value) for value in values]
    parts = zip(befores, texts, afters, strict=True)
    return defuse_json(b"".join(chain.from_iterable(parts)))


def dump_value(value: object) -> bytes:
    """Return a value of a report on one line, in ASCII."""
    try:
        return _to_ascii(value)
    except PydanticSerializationError:  # lone surrogates: bytes of a file name that are not UTF-8
        return to_json(_spell_surrogates(value), ensure_ascii=True)


def _to_ascii(value: object) -> bytes:
    """Return JSON in ASCII: nearly all is, and to look afterwards takes less than to look at each character."""
    text = to_json(value)
    return text if text.isascii() else to_json(value, ensure_ascii=True)


def _spell_surrogates(value: object) -> object:
    """Return `value` as plain data that has a UTF-8 form: a lone surrogate becomes the six characters `\\udcXX`."""
    match value:
        case Value():
            return _spell_surrogates(value.model_dump(mode="json"))
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_spell_surrogates(key): _spell_surrogates(each) for key, each in value.items()}
        case list() | tuple():
            return [_spell_surrogates(each) for each in value]
        case _:
            return value


def load_report(data: bytes | str, name: str = "the report") -> AuditReport:
    """Return the report that `render` wrote; `name` is what to call it. Raises EvidenceError for anything else."""
    try:
        return AuditReport.model_validate_json(data)
    except ValidationError as error:
        raise _explain(error, data, name) from None


def _explain(error: ValidationError, data: bytes | str, name: str) -> EvidenceError:
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return EvidenceError(f"{name} is not JSON, or is cut off: {first['msg'].removeprefix('Invalid JSON: ')}", _HINT)
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        return EvidenceError(f"{name} is not a report: {first['msg']}", _HINT)
    if not isinstance(document, dict) or document.get("kind") != "netaudit.report":
        return EvidenceError(f"{name} is JSON, but not a report of netaudit", _HINT)
    author = _name_generator(document)
    if document.get("schema_version") != 1:
        version = json.dumps(document.get("schema_version"))
        return EvidenceError(f"{name} has schema version {version}; this netaudit reads version 1", author)
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return EvidenceError(f"{name} has a field this netaudit does not know: {place}", author)
    return EvidenceError(f"{name} is not a whole report: {place}: {first['msg']}", author)


def _name_generator(document: dict[str, Any]) -> str:
    generator = document.get("generator")
    version = generator.get("version") if isinstance(generator, dict) else None
    if not isinstance(version, str):
        return _HINT
    return f"it was written by netaudit {version}: read it with that version, or a later one"


def build_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of version 1.

    Unlike the models it lets unknown fields pass, and only what was there from the start is required: fields may be
    added within a version, and every report of the version must stay valid.
    """
    schema = AuditReport.model_json_schema(mode="serialization")
    del schema["title"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "netaudit report, version 1",
        **_publish(schema),
    }


def render_schema() -> str:
    """Return the text of `auditor/schemas/report.json`."""
    return json.dumps(build_schema(), indent=2) + "\n"


def _publish(schema: Any) -> Any:
    """Return a part of the schema with open objects, and the fields that say what a document is required."""
    if isinstance(schema, list):
        return [_publish(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _publish(each) for key, each in schema.items()}
    if kept.get("additionalProperties") is False:
        del kept["additionalProperties"]
        marks = [name for name, field in kept.get("properties", {}).items() if "const" in field]
        kept["required"] = marks + kept.get("required", [])
    return kept
