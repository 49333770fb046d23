"""One line of an ssh_config file in; its keyword and its arguments out.

There are two grammars, as in OpenSSH: the keyword and the criteria of `Match` are cut off at blanks, `=` or double
quotes (strdelim() in misc.c), all other arguments are split like a shell's (argv_split()). The text is the user's own,
but may be anything: nothing here raises except ValueError for quotes without a partner.
"""

import re

BLANKS = " \t\r\n"
_END_OF_WORD = re.compile(r'[ \t\r\n"=]')


def take_word(text: str) -> tuple[str | None, str | None]:
    """Return the first word of `text` and what is left; one `=` with blanks around it separates like a blank.

    The rest is None when nothing stands behind the word, and the word when a double quote has no partner.
    """
    found = _END_OF_WORD.search(text)
    if found is None:
        return text, None
    start = found.start()
    if text[start] == '"':
        end = text.find('"', start + 1)
        if end < 0:
            return None, None
        return text[:start] + text[start + 1 : end], text[end + 1 :].lstrip(BLANKS)
    rest = text[start + 1 :].lstrip(BLANKS)
    if text[start] != "=" and rest.startswith("="):
        rest = rest[1:].lstrip(BLANKS)
    return text[:start], rest


def split_keyword(line: str) -> tuple[str, str]:
    """Return the keyword in lower case and the text of its arguments; a line that says nothing has keyword ''."""
    text = line.rstrip(BLANKS + "\f").lstrip(BLANKS)
    keyword, rest = take_word(text)
    if not keyword or keyword.startswith("#"):
        return "", ""
    return keyword.lower(), (rest or "").lstrip(BLANKS)


def split_arguments(text: str) -> tuple[str, ...]:
    """Return the arguments of a line, without quotes, escapes and the comment at its end.

    Raises ValueError for a quote without its partner.
    """
    arguments: list[str] = []
    position = 0
    while position < len(text):
        if text[position] in " \t":
            position += 1
        elif text[position] == "#":
            break
        else:
            argument, position = _take_argument(text, position)
            arguments.append(argument)
    return tuple(arguments)


def _take_argument(text: str, position: int) -> tuple[str, int]:
    """Return the argument that begins at `position` and where it ends."""
    taken: list[str] = []
    quote = ""
    while position < len(text):
        char = text[position]
        if char == "\\" and _is_escape(text[position + 1 : position + 2], quote):
            position += 1
            taken.append(text[position])
        elif not quote and char in " \t":
            break
        elif not quote and char in "\"'":
            quote = char
        elif char == quote:
            quote = ""
        else:
            taken.append(char)
        position += 1
    if quote:
        raise ValueError("a quote has no partner")
    return "".join(taken), position


def _is_escape(char: str, quote: str) -> bool:
    """Return whether a backslash before `char` is taken away; before anything else it stays."""
    return char != "" and (char in "'\"\\" or (char == " " and not quote))
