"""The path of a control group in, the systemd unit it belongs to out, as systemd itself tells it (sd_pid_get_unit(3)).

Below slices the first folder is the unit. What stands below that is the unit's own to name: whoever has a session may
make `user@1000.service/nginx.service`, and is still `user@1000.service`.
"""

import re

_UNIT = re.compile(r"_?([A-Za-z0-9:_.\\@-]{1,250}\.(?:service|scope|socket|mount|swap))", re.ASCII)


def find_unit(path: str) -> str | None:
    """Return the unit; None for a path that is no unit's, as where systemd does not run."""
    for folder in path.split("/")[1:]:
        if not folder.endswith(".slice"):
            match = _UNIT.fullmatch(folder)
            return match[1] if match else None
    return None
