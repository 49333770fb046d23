"""A document and a model class in, a model out; what does not fit becomes problems at its place in the file."""

from typing import TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from auditor.document.document import Document
from auditor.document.wording import FileModel, describe

Model = TypeVar("Model", bound=FileModel)

_ROUNDS = 8


def validate(document: Document, model: type[Model]) -> Model:
    """Return the document as a `model`. Raises DocumentError with every problem of the file."""
    result = salvage(document, model)
    document.finish()
    return result


def salvage(document: Document, model: type[Model]) -> Model:
    """Return what can be used of the document as a `model`; what cannot is taken out and noted in it as problems.

    The caller ends with `document.finish`. Raises DocumentError when nothing usable is left. Taking the wrong parts
    out lets the caller find mistakes of meaning in the rest, so that the user sees both kinds in one go.
    """
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(document.tree())
        except ValidationError as failure:
            # `none_required` is the other half of "a value, or not written".
            errors = [e for e in failure.errors(include_url=False, include_input=False) if e["type"] != "none_required"]
        for error in errors:
            if not document.was_dropped(error["loc"]) and not _is_aftermath(document, error):
                _tell(document, error, model)
        if not document.drop(error["loc"] for error in errors):
            break
    document.finish()
    raise AssertionError("a validation error without a problem")


def _is_aftermath(document: Document, error: ErrorDetails) -> bool:
    """Return whether a list or mapping is too short only because what it held was taken out, which was told."""
    return error["type"] == "too_short" and document.is_damaged(error["loc"])


def _tell(document: Document, error: ErrorDetails, model: type[FileModel]) -> None:
    loc = error["loc"]
    owner = _owner(model, loc)
    key, value = document.find(loc)
    message, hint = describe(error, value, owner)
    at_key = error["type"] == "extra_forbidden" or error.get("ctx", {}).get("at_key", False)
    node = key if at_key else value
    # What was refused as an alias or for its tag has no value that could be wrong.
    if error["type"] == "missing" or not document.has_problem(node.line, node.column):
        document.report(node.line, node.column, message, hint)


def _owner(model: type[FileModel], loc: tuple[str | int, ...]) -> type[FileModel]:
    """Return the model of the mapping in which the last part of `loc` stands."""
    for part in loc[:-1]:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in fields:
            model = _model_in(fields[str(part)].annotation) or model
    return model


def _model_in(annotation: object) -> type[FileModel] | None:
    """Return the first file model named in a type such as `dict[str, Host | None]`."""
    if isinstance(annotation, type) and issubclass(annotation, FileModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
