"""Whether text on standard output, or on another stream, may carry colour."""

import os
import sys
from typing import TextIO

from auditor.cli.options import ColorChoice


def use_color(choice: ColorChoice, stream: TextIO | None = None) -> bool:
    """Return the answer of flag, NO_COLOR (no-color.org), FORCE_COLOR (force-color.org) and terminal, in that order."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
