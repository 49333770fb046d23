"""A transcript in, its raw sections out, and a gap for everything the frame cannot vouch for.

Every byte may be hostile: this never raises, and its cost grows linearly with the answer. The frame is described at the
top of `probe.sh`. Since the nonce is random and every payload line carries `|`, no payload can pass for a mark; so the
answer is simply split at the marks, and what stands between two of them is a section or a fault.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from auditor.collect.payload import take_payload
from auditor.collect.sections import LATER, SECTIONS
from auditor.collect.silence import explain_cut, explain_early_end, explain_silence
from auditor.display import escape
from auditor.model.facts import Gap
from auditor.model.snapshot import ReadStatus, Section, Snapshot
from auditor.model.transcript import Transcript

MAX_NOISE = 64 * 1024
_MAX_MARKS = 20 * len(SECTIONS)
_SHOWN = 200  # bytes of hostile text in a reason

_NAMES = {name.encode(): name for name in SECTIONS}
_TEXTS = {name: text for text, name in _NAMES.items()}
_OPTIONAL = frozenset(name.encode() for name in LATER)
_STATUSES: dict[bytes, ReadStatus] = {b"ok": "ok", b"absent": "absent", b"denied": "denied", b"error": "error"}
_EMPTY = {
    b"E %b %b" % (name, word): (b"S " + name, Section(_NAMES[name], status))
    for name in _NAMES
    for word, status in _STATUSES.items()
}
"""By the mark that closes a section: the one that opens it, and the section when nothing stands between them."""
_UNKNOWN = b"", Section("", "error")
# Most sections of a fleet are alike: empty tables, names of systems, /etc/services. They are read once, and kept once.
_SMALL = 1024  # bytes
_LARGE = 1 << 20
_NONCE = re.compile(r"[0-9a-f]{32}", re.ASCII)
_FOREIGN_MARK = re.compile(rb"^[0-9a-f]{32} (?:B|S|E|END) [^\n]{0,100}", re.MULTILINE)


def unframe(transcript: Transcript) -> Snapshot:
    """Return the sections of one host's answer, and as gaps whatever is missing, forged, cut off or out of order.

    An answer without any frame gives no sections and exactly one gap, which says what happened instead.
    """
    before, *marked = _split(transcript)
    if not marked:
        return Snapshot(sections={}, gaps=(explain_silence(transcript),), noise=before[:_SHOWN])
    if marked[0].endswith(b"\r"):
        reason = "the answer came through a terminal, which rewrites it: do not force a PTY on the audit account"
        return Snapshot(sections={}, gaps=(Gap(source="dirty-frame", reason=reason),), noise=before[:_SHOWN])
    reading = _Reading()
    reading.read(marked)
    for noise in (before, reading.after):
        reading.check_noise(noise)
    gaps = (*reading.gaps(), *explain_cut(transcript))
    noise = before.strip() or reading.after.strip()
    if not gaps and reading.names_no_system():
        return Snapshot(sections={}, gaps=(explain_early_end(transcript),), noise=noise[:_SHOWN])
    return Snapshot(sections=reading.sections, gaps=gaps, noise=noise[:_SHOWN])


def _split(transcript: Transcript) -> list[bytes]:
    """Return what came before the frame, and then what follows each mark's nonce; the frame begins with `B`."""
    if not _NONCE.fullmatch(transcript.nonce):
        return [transcript.stdout]
    mark = b"\n" + transcript.nonce.encode() + b" "
    stdout = transcript.stdout
    start = -1 if stdout.startswith(mark[1:] + b"B ") else stdout.find(mark + b"B ")
    if start < 0 and not stdout.startswith(mark[1:] + b"B "):
        return [stdout]
    return [stdout[: max(0, start)], *stdout[start + len(mark) :].split(mark, _MAX_MARKS)]


class _Reading:
    """One pass over an answer: its sections so far, the one that is open, and what was wrong."""

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}
        self.after = b""
        self._names: list[bytes] = []
        self._open: bytes | None = None  # the block of the last of _names, while its end is not seen
        self._listed: list[bytes] | None = None
        self._broken: list[str] = []
        self._stray: list[bytes] = []

    def read(self, marked: Sequence[bytes]) -> None:
        """Take the pieces in order. Each is a mark's words, a newline, and what stands before the next mark."""
        line, _, block = marked[0].partition(b"\n")
        if line != b"B 1":
            self._broken.append(f'it is of a version unknown here, "{_show(line)}"')
        self._pass_over(block)
        for piece in marked[self._take_whole(marked) :]:
            if self._listed is not None:
                self._broken.append("it goes on after its end")
                break
            self._take(*piece.partition(b"\n"))
        self._leave()
        if len(marked) > _MAX_MARKS:
            self._broken.append(f"it has more than {_MAX_MARKS} marks")

    def _take_whole(self, marked: Sequence[bytes]) -> int:
        """Take the sections from the first on that are as they should be, and return where the others begin.

        Nearly all are, and this is cheap; what it takes comes out as from `_take`, and whatever is odd is left to that.
        """
        sections = self.sections
        for opened, closed in zip(marked[1::2], marked[2::2], strict=False):
            read = _read_small if len(opened) <= _SMALL else _read_services if _is_services(opened) else _read_whole
            section = read(opened, closed)
            if section is None or section.name in sections:
                break
            sections[section.name] = section
        self._names = [_TEXTS[name] for name in sections]
        return 1 + 2 * len(sections)

    def _take(self, line: bytes, newline: bytes, block: bytes) -> None:
        match line.split(b" "):
            case [b"S", name]:
                self._leave()
                self._names.append(name)
                self._open = block
                if not newline:
                    self._broken.append(f"section {_show(name)} has no room for a payload")
            case [b"E", name, word] if self._open is not None:
                self._close(name, word, self._open)
                self._pass_over(block)
            case [b"END", *listed]:
                self._leave()
                self._listed = listed
                self.after = block
                if not newline:
                    self._broken.append("its last line is cut")
            case _:
                self._broken.append(f'it has a mark out of place, "{_show(line)}"')

    def _pass_over(self, block: bytes) -> None:
        """Nothing may stand between sections."""
        if block:
            self._stray.append(block[:_SHOWN])

    def _leave(self) -> None:
        """Come to the next section or the end, where no section may be open any more."""
        if self._open is not None:
            self._broken.append(f"section {_show(self._names[-1])} does not end")
            self._keep(self._open, "truncated")

    def _close(self, name: bytes, word: bytes, block: bytes) -> None:
        status = _STATUSES.get(word)
        if name != self._names[-1] or status is None:
            self._broken.append(f"section {_show(self._names[-1])} is closed by another's mark")
            status = "truncated"
        self._keep(block, status)

    def _keep(self, block: bytes, status: ReadStatus) -> None:
        """Keep a section. The first of a name counts: a second one is a forgery or a fault."""
        self._open = None
        name = _NAMES.get(self._names[-1])
        if name is None or name in self.sections:
            fault = "is unknown" if name is None else "is repeated"
            self._broken.append(f"section {_show(self._names[-1])} {fault}")
            return
        payload = take_payload(block)
        if payload.fault:
            self._broken.append(f"section {name} {payload.fault}")
        if payload.stray is not None:
            self._stray.append(payload.stray)
        whole = not payload.fault and payload.stray is None
        self.sections[name] = Section(name=name, status=status if whole else "truncated", data=payload.data)

    def check_noise(self, noise: bytes) -> None:
        """Noise is what a login prints around the frame: tolerated while it is short and does not pose as a frame."""
        if len(noise) > MAX_NOISE:
            self._stray.append(noise[:_SHOWN])
        elif noise and (found := _FOREIGN_MARK.search(noise)):
            self._stray.append(found.group())

    def gaps(self) -> Iterator[Gap]:
        """Yield at most one gap for stray output and one for the frame's own order."""
        if self._stray:
            yield Gap(
                source="dirty-frame",
                reason=f'something else wrote into the answer: "{_show(self._stray[0])}"; look for wrappers, traps and '
                "background jobs in the start files of the account's shell",
            )
        if broken := [*self._broken, *self._check_list()]:
            yield Gap(source="broken-frame", reason=f"the answer does not hold together: {'; '.join(broken[:5])}")

    def _check_list(self) -> Iterator[str]:
        """Yield what contradicts the closing list, which counts and names every section in order."""
        if self._listed is None:
            yield "its end is missing"
            return
        if self._listed != [b"%d" % len(self._names), *self._names]:
            yield "its closing list names other sections than it has"
        present = set(self._names)
        expected = [name for name in _NAMES if name in present or name not in _OPTIONAL]
        if self._names != expected and not self._is_foreign():
            missing = [name for name in SECTIONS if name not in LATER and name.encode() not in self._names]
            yield f"sections are missing: {', '.join(missing)}" if missing else "its sections are not in order"

    def names_no_system(self) -> bool:
        """Return whether this is the answer of a script that ended because it could not tell the system."""
        return self._is_foreign() and not self.sections["uname"].data.strip()

    def _is_foreign(self) -> bool:
        """Return whether this is the short answer of a system that is not Linux."""
        return self._names == [b"uname"] and not self.sections["uname"].data.startswith(b"Linux ")


def _read_whole(opened: bytes, closed: bytes) -> Section | None:
    """Return the section between two marks that is as it should be; None for any other."""
    opening, empty = _EMPTY.get(closed, _UNKNOWN)
    line, newline, block = opened.partition(b"\n")
    if line != opening or not newline:
        return None
    if not block:
        return empty
    payload = take_payload(block)
    if payload.fault or payload.stray is not None:
        return None
    return Section(empty.name, empty.status, payload.data)


class _Kept:
    """The last few sections of a kind that is large: to compare their bytes takes a thirtieth of hashing them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: tuple[tuple[bytes, bytes, Section | None], ...] = ()

    def read(self, opened: bytes, closed: bytes) -> Section | None:
        """Return what `_read_whole` does. Threads may lose what another one adds, and nothing else."""
        for before, after, section in self._kept:
            if before == opened and after == closed:
                return section
        section = _read_whole(opened, closed)
        self._kept = ((opened, closed, section), *self._kept[: self._most - 1])
        return section


_read_small = lru_cache(maxsize=128)(_read_whole)
_read_services = _Kept(8).read


def _is_services(opened: bytes) -> bool:
    return opened.startswith(b"S services\n") and len(opened) <= _LARGE


def _show(text: bytes) -> str:
    return escape(text[:_SHOWN].decode("latin-1"), _SHOWN)
