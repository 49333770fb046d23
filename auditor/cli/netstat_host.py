"""One host's evidence in, what `netaudit netstat` shows of it out."""

from collections.abc import Callable

from auditor.audit import fail_internally
from auditor.cli.netstat_answer import Answer, Screen, Shown, Wish
from auditor.cli.netstat_network import (
    add_groups,
    show_interface_table,
    show_link_settings,
    show_protocol_counters,
    show_route_table,
)
from auditor.cli.netstat_sockets import show_sockets, show_sockets_by_state
from auditor.collect import unframe
from auditor.collect.sections import TableGroup
from auditor.model.transcript import Evidence, Failure
from auditor.parse.names import parse_names

_SCREENS: dict[Screen, tuple[Callable[[Answer, Wish], Shown], frozenset[TableGroup]]] = {
    "sockets": (show_sockets, frozenset({"connections", "names"})),
    "states": (show_sockets_by_state, frozenset({"connections", "names"})),
    "routes": (show_route_table, frozenset({"routes", "names"})),
    "interfaces": (show_interface_table, frozenset({"interfaces"})),
    "statistics": (show_protocol_counters, frozenset({"statistics"})),
    "link": (show_link_settings, frozenset({"links"})),
}


def list_tables(wish: Wish) -> frozenset[TableGroup]:
    """Return what the script has to fetch for `wish`."""
    tables = _SCREENS[wish.screen][1]
    return tables | {"groups"} if wish.view.groups else tables


def show_host(evidence: Evidence, wish: Wish) -> Shown:
    """Return what `wish` asks for of one host. Raises nothing for the host's sake."""
    try:
        return _show(evidence, wish)
    except Exception as error:  # noqa: BLE001 - as in audit.collect_host: a defect costs one host, not the fleet
        return Shown(evidence.host.name, failure=fail_internally(error))


def _show(evidence: Evidence, wish: Wish) -> Shown:
    outcome = evidence.outcome
    if isinstance(outcome, Failure):
        return Shown(evidence.host.name, failure=outcome)
    snapshot = unframe(outcome)
    answer = Answer(evidence.host.name, snapshot, outcome, parse_names(snapshot))
    shown = _SCREENS[wish.screen][0](answer, wish)
    return add_groups(shown, answer, wish) if wish.screen == "sockets" and wish.view.groups else shown
