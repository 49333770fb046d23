"""A file model in, the JSON Schema of such files out, in the words of draft-07, which every editor reads.

yaml-language-server completes keys from it, and shows descriptions. draft-07 ignores what stands beside a `$ref`
(draft-handrews-json-schema-01, 8.3), so a reference with a description of its own is wrapped.
"""

import json
from typing import Any

from auditor.document.wording import FileModel

_DIALECT = "http://json-schema.org/draft-07/schema#"


def render_schema(model: type[FileModel], title: str) -> str:
    """Return the schema as it is published: the same bytes for the same model, with a newline at the end."""
    return json.dumps(build_schema(model, title), indent=2, ensure_ascii=False) + "\n"


def build_schema(model: type[FileModel], title: str) -> dict[str, Any]:
    """Return the schema of files that `model` reads."""
    made = _convert(model.model_json_schema())
    return {"$schema": _DIALECT, **made, "title": title}


def _convert(schema: dict[str, Any]) -> dict[str, Any]:
    """Return one schema, and all within it, without the names of our classes and in the words of draft-07."""
    converted: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            inner = {name: _convert(part) for name, part in value.items()}
            converted["definitions" if key == "$defs" else key] = inner
        elif key == "$ref":
            converted[key] = value.replace("#/$defs/", "#/definitions/")
        elif key not in ("title", "discriminator"):
            converted[key] = _convert_value(value)
    if "$ref" in converted and len(converted) > 1:
        return {**{key: value for key, value in converted.items() if key != "$ref"}, "allOf": [_reference(converted)]}
    return converted


def _reference(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$ref": schema["$ref"]}


def _convert_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _convert(value)
    return [_convert_value(item) for item in value] if isinstance(value, list) else value
