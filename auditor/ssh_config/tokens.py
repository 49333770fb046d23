"""A value of ssh_config in, the same with its tokens filled in out: see TOKENS in ssh_config(5)."""

import hashlib
from collections.abc import Mapping

from auditor.ssh_config.local import Local


def expand(text: str, tokens: Mapping[str, str], environment: Mapping[str, str] | None = None) -> str:
    """Return `text` with `%x`, and where there is an environment `${NAME}`, filled in.

    Raises ValueError for a token that is not one here, and for a variable that is not set.
    """
    if "%" not in text and "$" not in text:
        return text
    made: list[str] = []
    position = 0
    while position < len(text):
        if environment is not None and text.startswith("${", position):
            value, position = _variable(text, position, environment)
            made.append(value)
        elif text[position] == "%":
            made.append(_token(text[position + 1 : position + 2], tokens))
            position += 2
        else:
            made.append(text[position])
            position += 1
    return "".join(made)


def _variable(text: str, position: int, environment: Mapping[str, str]) -> tuple[str, int]:
    end = text.find("}", position)
    name = text[position + 2 : end]
    if end < 0 or not name:
        raise ValueError("'${' is not followed by the name of a variable and '}'")
    if name not in environment:
        raise ValueError(f"the environment variable {name} is not set")
    return environment[name], end + 1


def _token(char: str, tokens: Mapping[str, str]) -> str:
    if char == "%":
        return "%"
    if not char or char not in tokens:
        known = " ".join(f"%{each}" for each in sorted(tokens))
        raise ValueError(f"the token %{char} cannot stand here; these can: %% {known}")
    return tokens[char]


def connection_tokens(local: Local, original: str, host: str, settled: Mapping[str, str]) -> dict[str, str]:
    """Return what the tokens of a connection stand for.

    `original` is the name that was given, `host` the one that is dialled; `settled` may hold `port`, `user`,
    `hostkeyalias` and `jump` (the last host of a ProxyJump).
    """
    port, user = settled.get("port", "22"), settled.get("user", local.user)
    jump = settled.get("jump", "")
    digest = hashlib.sha1(f"{local.hostname}{host}{port}{user}{jump}".encode(errors="surrogateescape"))  # noqa: S324 - %C is defined as SHA-1
    return {
        "C": digest.hexdigest(),
        "L": local.hostname.partition(".")[0],
        "d": local.home,
        "h": host,
        "i": str(local.uid),
        "j": jump,
        "k": settled.get("hostkeyalias", original),
        "l": local.hostname,
        "n": original,
        "p": port,
        "r": user,
        "u": local.user,
    }


def expand_tilde(path: str, local: Local) -> str:
    """Return `path` with `~` or `~name` at its beginning as a home directory. Raises ValueError for an unknown user."""
    if not path.startswith("~"):
        return path
    name, _, rest = path[1:].partition("/")
    home = local.home_of(name) if name else local.home
    if home is None:
        raise ValueError(f"there is no user {name!r} whose home directory could be meant")
    return f"{home.rstrip('/')}/{rest.lstrip('/')}"
