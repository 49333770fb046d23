"""What a login shell's own start-up files do to the script, and what a script that arrives only in part does."""

from pathlib import Path

import pytest

from auditor.collect import build_script
from auditor.transport import Script
from auditor.transport.ssh import SshTransport
from tests.requirements import require
from tests.servers.sshd import run_sshd
from tests.transport.conftest import SCRIPT

pytestmark = pytest.mark.usefixtures("nothing_left_behind")
NONCE = "00112233445566778899aabbccddeeff"


@pytest.mark.parametrize(
    ("start_up", "stdout", "status"),
    [
        ("echo noise", b"noise\nhello\n", 0),
        ("trap 'echo bye' EXIT", b"hello\n", 0),
        ("exit 7", b"", 7),
        ("echo noise; exit 7", b"noise\n", 7),
        ("alias exec='echo aliased'; echo() { command echo shadowed; }", b"hello\n", 0),
        ("exec 0</dev/null", b"", 0),
    ],
)
def test_start_up_file(transport: SshTransport, tmp_path: Path, start_up: str, stdout: bytes, status: int) -> None:
    """Bash reads ~/.bashrc when sshd has started it, which it takes from SSH_CLIENT and SHLVL (run_startup_files())."""
    require("bash")
    (tmp_path / ".bashrc").write_text(f"{start_up}\n")
    forced = rf'command="env -u SHLVL HOME={tmp_path} bash -c \"$SSH_ORIGINAL_COMMAND\""'
    with run_sshd(tmp_path / "sshd", authorized_options=forced) as sshd:
        transcript = transport.run(sshd.host(), SCRIPT)
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (stdout, status, None)


def test_script_that_arrives_in_part_does_nothing(transport: SshTransport, tmp_path: Path) -> None:
    """Cut anywhere: not one of its commands runs, so that half an answer is never given."""
    whole = build_script(NONCE, owners=True).text
    with run_sshd(tmp_path / "sshd") as sshd:
        for cut in (len(f"N={NONCE}\n") + 3, len(whole) // 3, len(whole) // 2, len(whole) - 2):
            transcript = transport.run(sshd.host(), Script(NONCE, whole[:cut]))
            assert (transcript.stdout, transcript.cut) == (b"", None)
        assert NONCE.encode() in transport.run(sshd.host(), Script(NONCE, whole)).stdout
