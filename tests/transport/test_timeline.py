"""Phases are told to whoever watches, in the thread at work, and change nothing about it."""

import threading

import pytest

from auditor.errors import TransportError
from auditor.model.host import Host
from auditor.transport.timeline import Step, step, watch
from tests.builders import a_host


class Notebook:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str, str]] = []
        self.ended: list[tuple[str, Step]] = []

    def begin(self, host: Host, step: Step) -> None:
        self.begun.append((host.name, step.phase, step.via))

    def end(self, host: Host, step: Step) -> None:
        self.ended.append((host.name, step))


def test_phases_are_told_as_they_begin_and_end() -> None:
    told, web, bastion = Notebook(), a_host("web"), a_host("bastion")
    with watch(web, told):
        with step("tcp", bastion) as note:
            assert told.begun == [("web", "tcp", "bastion")]
            assert told.ended == []
            note("10.0.0.1:22")
        with step("read", web):
            pass
    [(_, first), (name, second)] = told.ended
    assert (first.phase, first.via, first.notes, first.error) == ("tcp", "bastion", ["10.0.0.1:22"], None)
    assert (name, second.phase, second.via) == ("web", "read", "")
    assert first.seconds >= 0


@pytest.mark.parametrize("error", [TransportError("tcp", "tcp-refused", "no"), ValueError("a defect")])
def test_what_goes_wrong_comes_through_and_the_phase_ends(error: Exception) -> None:
    told = Notebook()
    with watch(a_host(), told), pytest.raises(type(error)), step("tcp", a_host()):
        raise error
    [(_, seen)] = told.ended
    assert seen.error is (error if isinstance(error, TransportError) else None)


def test_nobody_has_to_watch_and_nobody_hears_of_anothers_hosts() -> None:
    told = Notebook()
    with step("dns", a_host()) as note:
        note("nobody reads this")

    def work() -> None:
        with step("dns", a_host("other")):
            pass

    with watch(a_host(), told):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    with step("dns", a_host()):
        pass
    assert told.begun == []
