"""How a mistake is said: what was expected, what stands there, what to write instead. Never in the library's words."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo, field_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from auditor.document.composition import Node
from auditor.document.scalars import Disputed, explain_number, explain_truth, resolve

Unset = SkipJsonSchema[None]
"""The type of a key that is not written; writing it with nothing after it is a mistake."""


def mistake(message: str, hint: str = "", *, at_key: bool = False) -> PydanticCustomError:
    """Return the error a validator raises: what is wrong with the value, and what to do."""
    return PydanticCustomError("mistake", "{message}", {"message": message, "hint": hint, "at_key": at_key})


def _complete_schema(schema: dict[str, Any], model: "type[FileModel]") -> None:
    """Take out the default of a key that is not written, which is no value at all; add what types cannot say."""
    for prop in schema.get("properties", {}).values():
        if prop.get("default", ...) is None:
            del prop["default"]
    if model.exactly_one:
        schema["oneOf"] = [{"required": [name]} for name in model.exactly_one]
    for name in model.may_be_empty & schema.get("properties", {}).keys():
        prop = schema["properties"][name]
        about = {key: prop.pop(key) for key in ("title", "description") if key in prop}
        schema["properties"][name] = {**about, "anyOf": [prop, {"type": "null"}]}


class FileModel(BaseModel):
    """A mapping in a file the user writes: closed, frozen, and nothing is converted silently."""

    # What a model validates by is made at its first use, with that of all models in it: most are only ever parts.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True, json_schema_extra=_complete_schema
    )

    familiar: ClassVar[dict[str, str]] = {}
    """Keys that other tools use, and what is written here instead."""
    later: ClassVar[dict[str, str]] = {}
    """Keys of the language that this version refuses, because it would not act on them, and what to do meanwhile."""
    may_be_empty: ClassVar[frozenset[str]] = frozenset()
    """Keys that may stand with nothing after them."""
    exactly_one: ClassVar[tuple[str, ...]] = ()
    """Keys of which one must stand, and no two: said in the schema; whoever reads the model checks it."""

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nothing(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.field_name not in cls.may_be_empty:
            raise mistake("nothing stands after this key", "write a value, or remove the line", at_key=True)
        return value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int | float | Disputed) else value


class _Listed:
    """Reads a single item as a list of one; in the schema, an item or a list of such items."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(_as_list, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        several = handler(core)
        return {"anyOf": [handler.resolve_ref_schema(several)["items"], several]}


listed = _Listed()
"""For a list whose single item may be written without brackets."""


def suggest(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """Return "did you mean 'x'?" for the known word nearest to `word`, '' when none is near.

    `least` is how alike they must be, from 0 to 1. The more words are known, the more are a little like any other.
    """
    near = get_close_matches(word, known, n=1, cutoff=least)
    return f"did you mean {near[0]!r}?" if near else ""


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of `key: value`",
    "model_type": "a mapping of `key: value`",
}
_COMPARISONS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "string_too_long": ("a length of at most", "max_length"),
}


def describe(error: ErrorDetails, node: Node, model: type[FileModel]) -> tuple[str, str]:
    """Return the message and the hint for one validation error at `node`; `model` is the mapping it is in."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "mistake":
        return context["message"], context["hint"]
    if kind == "extra_forbidden":
        return _describe_unknown(str(error["loc"][-1]), model)
    if kind == "missing":
        name = error["loc"][-1]
        return f"the key {name!r} is missing", f"add `{name}: …`"
    if kind in ("too_short", "string_too_short"):
        return "nothing stands in here", "write at least one value, or remove the key"
    if kind in _COMPARISONS:
        words, bound = _COMPARISONS[kind]
        return f"expected {words} {context[bound]:g}, found {show(node)}", ""
    if kind == "literal_error":
        return _describe_choice(context, node)
    expected = _EXPECTED.get(kind)
    if expected is None:
        return f"{show(node)} does not fit here", ""
    doubt = ", which is something else to some YAML readers" if kind == "string_type" and _is_disputed(node) else ""
    return f"expected {expected}, found {show(node)}{doubt}", _hint(kind, node)


def _describe_unknown(name: str, model: type[FileModel]) -> tuple[str, str]:
    if name in model.later:
        return f"{name!r} is not evaluated yet by this version", model.later[name]
    message = f"unknown key {name!r}"
    if name in model.familiar:
        return message, f"here it is written {model.familiar[name]}"
    keys = [field.alias or key for key, field in model.model_fields.items()]
    return message, suggest(name, keys) or f"known here: {', '.join(sorted(keys))}"


def _describe_choice(context: dict[str, Any], node: Node) -> tuple[str, str]:
    expected = str(context["expected"])
    choices = [choice.strip().strip("'") for choice in expected.replace(" or ", ",").split(",")]
    shown = " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
    hint = suggest(node.content, choices) if isinstance(node.content, str) else ""
    if not node.plain and node.content in choices and choices[0].isdecimal():
        hint = f"write {node.content} without quotes"
    return f"expected {shown}, found {show(node)}", hint


def _hint(kind: str, node: Node) -> str:
    text = node.content
    if not isinstance(text, str) or (node.plain and resolve(text) is None):
        return ""
    if kind == "string_type":
        return f'put it in quotes: "{text}"'
    if kind in ("int_type", "float_type"):
        return explain_number(text, node.plain)
    if kind == "bool_type":
        return explain_truth(text)
    if kind == "list_type" and node.plain:
        return f'write ["{text}"]' if _is_disputed(node) else f"write [{text}]"
    return ""


def _is_disputed(node: Node) -> bool:
    return node.plain and isinstance(node.content, str) and isinstance(resolve(node.content), Disputed)


def show(node: Node) -> str:
    """Return what stands at `node`, in a few words."""
    content = node.content
    if isinstance(content, dict):
        return "a mapping"
    if isinstance(content, list):
        return "a list"
    if not node.plain:
        return f"the text {content[:60]!r}"
    value = resolve(content)
    if value is None:
        return "nothing"
    return repr(content[:60]) if isinstance(value, str | Disputed) else content
