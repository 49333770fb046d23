"""A fleet of sample hosts on loopback, for `netaudit demo`: real SSH servers that play back recorded hosts.

Nothing else in the package knows of it: the ordinary inventory, transport and collector meet these servers as they
meet any other host.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path


@contextmanager
def start_fleet(folder: Path, now: datetime) -> Iterator[Path]:
    """Start the sample hosts, write what a run over them needs into `folder`, and yield the inventory's path.

    `now` is the clock all hosts go by. Leaving the context stops every server. Raises OSError when `folder` cannot be
    written, or loopback has no place for the servers.
    """
    from auditor.demo.keys import derive_host_key, make_client_key
    from auditor.demo.layout import lay_out
    from auditor.demo.places import take_places
    from auditor.demo.recording import HOSTS, Recording
    from auditor.demo.samples import SAMPLES
    from auditor.demo.servers import USER, Servers, Stand

    client_key = make_client_key()
    with ExitStack() as stack:
        silent = {sample.number for sample in SAMPLES if sample.quirk == "refuses"}
        numbers = [sample.number for sample in SAMPLES]
        taken = [stack.enter_context(place) for place in take_places(numbers, silent)]
        places = {sample.name: place.getsockname() for sample, place in zip(SAMPLES, taken, strict=True)}
        inventory = lay_out(folder, places, USER, client_key)
        stands = [
            Stand(place, derive_host_key(sample.key_name), Recording(HOSTS / sample.recording))
            for sample, place in zip(SAMPLES, taken, strict=True)
            if sample.number not in silent
        ]
        stack.enter_context(Servers(stands, client_key, now))
        yield inventory
