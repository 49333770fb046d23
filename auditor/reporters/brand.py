"""A title and the bytes of a picture in, what makes the HTML pages somebody's own out.

A picture is what its first bytes say, whatever its file is called. It only ever stands in an `<img>`, where browsers
run no script of an SVG and load nothing for it (SVG 2 §2.7, "secure static mode").
"""

import re
from base64 import b64encode
from typing import NamedTuple

from markupsafe import Markup

from auditor.errors import UsageError

LARGEST_LOGO = 100_000
"""Bytes of a picture."""
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE[^>[]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]",
    re.DOTALL,
)
_STARTS = {
    "png": (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    "jpg": (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    "gif": (re.compile(rb"GIF8[79]a"), "image/gif"),
    "webp": (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    "svg": (_SVG, "image/svg+xml"),
}


class Logo(NamedTuple):
    """A picture of a known kind: `ending` is that of its file."""

    ending: str
    data: bytes

    @property
    def file_name(self) -> str:
        return f"logo.{self.ending}"

    @property
    def data_uri(self) -> Markup:
        """The picture as an address that holds it (RFC 2397)."""
        uri = f"data:{_STARTS[self.ending][1]};base64,{b64encode(self.data).decode()}"
        return Markup(uri)  # noqa: S704 - base64 after a word of ours: no character that means anything in markup


class Brand(NamedTuple):
    """Whose report it is. Without title and logo, it is plainly netaudit's."""

    title: str = ""
    logo: Logo | None = None


UNBRANDED = Brand()


def recognise_logo(data: bytes, name: str) -> Logo:
    """Return the picture read from the file `name`. Raises UsageError for one too large, and for what is none."""
    if len(data) > LARGEST_LOGO:
        raise UsageError(f"{name} is larger than {LARGEST_LOGO // 1000} kB", "a logo stands in the page itself")
    for ending, (start, _) in _STARTS.items():
        if start.match(data):
            return Logo(ending, data)
    raise UsageError(f"{name} does not begin like a picture", "a logo is PNG, JPEG, GIF, WebP or SVG")
