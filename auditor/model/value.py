"""The base of every model: frozen, closed, and with bytes that stay readable in JSON."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class Value(BaseModel):
    """A frozen model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _to_bytes(value: object) -> object:
    return value.encode("latin-1") if isinstance(value, str) else value


def _to_text(value: bytes) -> str:
    return value.decode("latin-1")


RawBytes = Annotated[bytes, BeforeValidator(_to_bytes), PlainSerializer(_to_text, return_type=str, when_used="json")]
"""Bytes that are written to JSON as Latin-1 text: lossless, and kernel tables stay readable with zcat and jq."""
