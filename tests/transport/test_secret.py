"""When a password for sudo is sent: after the line that asks for it, once, and never otherwise."""

import pytest

from auditor.model.host import SecretRef
from auditor.transport import Script
from auditor.transport.local import LocalTransport
from auditor.transport.secret import PasswordPrompt
from tests.builders import NOW, a_host

NONCE = "0123456789abcdef0123456789abcdef"
PROMPT = f"{NONCE} sudo\n".encode()
ASKS = (
    b"{ exec 5<&0 </dev/null; echo '%b' >&2; IFS= read -r X <&5; echo got:$X\n"
    b"IFS= read -r X <&5 || echo closed; exit 0; }\n"
)


def run(text: bytes, prompt: bytes = PROMPT) -> bytes:
    host = a_host(connection="local", timeout=20.0, sudo_password=SecretRef(source="env", name="NETAUDIT_TEST_SECRET"))
    transcript = LocalTransport(clock=lambda: NOW).run(host, Script(nonce=NONCE, text=text, prompt=prompt))
    assert (transcript.exit_status, transcript.cut) == (0, None)
    return transcript.stdout


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETAUDIT_TEST_SECRET", "hunter2")


def test_it_comes_after_the_prompt_and_then_the_input_is_closed() -> None:
    assert run(ASKS % PROMPT.strip()) == b"got:hunter2\nclosed\n"


def test_another_prompt_gets_nothing() -> None:
    text = b"{ exec 5<&0 </dev/null; echo Password: >&2; sleep 1; exit 0; }\n"
    assert run(text) == b""


def test_a_script_that_never_asks_has_its_input_closed() -> None:
    assert run(ASKS % PROMPT.strip(), prompt=b"") == b"got:\nclosed\n"


def test_what_follows_in_two_pieces_is_one_prompt_and_a_second_one_none() -> None:
    prompt = PasswordPrompt(PROMPT, b"hunter2")
    assert prompt.awaited
    assert prompt.answer(PROMPT[:20]) == b""
    assert prompt.answer(PROMPT) == b"hunter2\n"
    assert prompt.answer(PROMPT * 2) == b""
    assert not prompt.awaited
