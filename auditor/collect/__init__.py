"""A nonce in, the script for one host out; its answer in, raw sections out. Nothing here opens a connection."""

from auditor.collect.frame import unframe
from auditor.collect.script import build_script

__all__ = ["build_script", "unframe"]
