"""JSON in, JSON out that does nothing to a terminal or a build log on its way."""

import json


def write_json(value: object) -> bytes:
    """Return plain data as one line of ASCII JSON."""
    return defuse_json(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode())


def defuse_json(document: bytes) -> bytes:
    """Return ASCII JSON with the same meaning, without what other programs act on inside its strings.

    DEL is the one control character that JSON writers leave as it is. The runners of GitHub and Azure obey
    `##[command]` and `##vso[command]` wherever they stand in a line of a log.
    """
    return document.replace(b"\x7f", b"\\u007f").replace(b"##[", b"##\\u005b").replace(b"##vso[", b"##vso\\u005b")
