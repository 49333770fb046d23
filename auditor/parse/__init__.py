"""Raw sections in, what one host was seen to be out. Never raises on content: what is not understood becomes a gap."""

from auditor.parse.host import parse_snapshot

__all__ = ["parse_snapshot"]
