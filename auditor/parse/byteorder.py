"""In which byte order the host's kernel prints addresses: proofs in, one answer out, or that there is none.

The controller's own order says nothing about the host, and the name of a machine little (`mips` names both). What
counts is the kernel's word (/sys/kernel/cpu_byteorder, Linux 6.2 and later), the machine's arithmetic (od(1)), and how
the tables print our own connection.
"""

from collections.abc import Mapping

from auditor.model.snapshot import Section
from auditor.parse.socket import WordOrder
from auditor.parse.system import read_text

_KERNEL: dict[bytes, WordOrder] = {b"little": "little", b"big": "big"}
_OD: dict[bytes, WordOrder] = {b"1": "little", b"256": "big"}  # of the bytes 01 00


def decide_order(sections: Mapping[str, Section], session: frozenset[WordOrder]) -> tuple[WordOrder | None, str]:
    """Return the byte order, or None and the reason. `session`: the orders in which our own connection was found."""
    proofs: dict[str, WordOrder] = {}
    if order := _KERNEL.get(read_text(sections, "cpu_byteorder")):
        proofs["cpu_byteorder"] = order
    if order := _OD.get(read_text(sections, "od")):
        proofs["od"] = order
    if len(session) == 1:
        proofs["our own connection"] = next(iter(session))
    if not proofs:
        return None, "nothing on the host tells its byte order"
    orders = set(proofs.values())
    if len(orders) > 1:
        said = ", ".join(f"{source} says {order}" for source, order in proofs.items())
        return None, f"the host contradicts itself about its byte order: {said}"
    return orders.pop(), ""
