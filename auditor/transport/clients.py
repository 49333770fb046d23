"""A host in, its script run by whichever client of SSH it asks for."""

from auditor.model.host import Host
from auditor.model.transcript import Transcript
from auditor.transport import Script, Transport


class ByClient:
    """Runs each host's script with paramiko or with the system's ssh (`transport:` in the inventory)."""

    def __init__(self, paramiko: Transport, openssh: Transport) -> None:
        self._paramiko = paramiko
        self._openssh = openssh

    def run(self, host: Host, script: Script) -> Transcript:
        """See `Transport.run`."""
        return (self._openssh if host.client == "openssh" else self._paramiko).run(host, script)
