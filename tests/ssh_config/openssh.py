"""The installed ssh(1) as the judge: what it makes of a configuration, and which algorithms it knows."""

import subprocess
from functools import cache
from pathlib import Path

from auditor.ssh_config.algorithms import Algorithms
from auditor.ssh_config.effect import HONOURED, parse_answer
from tests.requirements import require

_QUERIES = {"kexalgorithms": "kex", "hostkeyalgorithms": "HostKeyAlgorithms", "ciphers": "cipher", "macs": "mac"}


def ask_ssh(config: Path | str, *arguments: str) -> dict[str, tuple[str, ...]]:
    """Return what `ssh -G -F config ARGUMENTS` prints of the keywords that netaudit acts on."""
    done = run_ssh("-G", "-F", str(config), *arguments)
    assert done.returncode == 0, done.stderr
    return {keyword: values for keyword, values in parse_answer(done.stdout).items() if keyword in HONOURED}


def run_ssh(*arguments: str) -> subprocess.CompletedProcess[str]:
    require("ssh")
    return subprocess.run(
        ["ssh", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )


@cache
def its_algorithms() -> Algorithms:
    """Return the lists of the installed ssh, in its own order."""
    defaults = ask_ssh("none", "host")
    known = {keyword: tuple(run_ssh("-Q", query).stdout.split()) for keyword, query in _QUERIES.items()}
    return Algorithms({keyword: defaults[keyword] for keyword in _QUERIES}, known)
