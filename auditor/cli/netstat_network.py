"""One host's routes, interfaces, groups and counters in, out as text and as fields."""

from dataclasses import replace

from auditor.cli.netstat_answer import Answer, Shown, Wish
from auditor.model.facts import Gap
from auditor.netstat.groups import choose_groups, list_group, show_groups
from auditor.netstat.interfaces import choose_interfaces, list_interface, show_interfaces
from auditor.netstat.links import list_link, show_links
from auditor.netstat.routes import list_route, list_route6, show_routes
from auditor.netstat.statistics import choose_counters, list_counters, show_statistics
from auditor.parse.byteorder import decide_order
from auditor.parse.checks import check_order, find_block
from auditor.parse.groups import parse_groups
from auditor.parse.interfaces import parse_interfaces, parse_links
from auditor.parse.routes import parse_routes
from auditor.parse.session import find_session, read_ends
from auditor.parse.socket import WordOrder
from auditor.parse.statistics import parse_statistics


def show_route_table(answer: Answer, wish: Wish) -> Shown:
    """Return the routing tables of the families asked for."""
    order, doubts = _find_order(answer)
    routes = parse_routes(answer.snapshot.sections, order)
    asked = wish.view.asked or ("inet",)
    wanted = {"route" if family == "inet" else "ipv6_route" for family in asked}
    records = [list_route(route) for route in routes.ipv4 if "inet" in asked]
    records += [list_route6(route) for route in routes.ipv6 if "inet6" in asked]
    return Shown(
        answer.host,
        blocks=tuple(show_routes(routes, answer.names, wish.view)),
        records={"routes": records},
        gaps=(*_list_gaps(answer), *doubts, *(gap for gap in routes.gaps if gap.source in wanted)),
    )


def show_interface_table(answer: Answer, wish: Wish) -> Shown:
    """Return the interfaces and their counters."""
    found = parse_interfaces(answer.snapshot.sections)
    return Shown(
        answer.host,
        blocks=(show_interfaces(found, wish.view),),
        notes=("-e: the layout of ifconfig is not to be had here; this is the table of -i",) * (wish.view.extend > 0),
        records={"interfaces": [list_interface(each) for each in choose_interfaces(found.rows, wish.view)]},
        gaps=(*_list_gaps(answer), *found.gaps),
    )


def show_protocol_counters(answer: Answer, wish: Wish) -> Shown:
    """Return the counters of the protocols."""
    found = parse_statistics(answer.snapshot.sections)
    return Shown(
        answer.host,
        blocks=(show_statistics(found, wish.view),),
        records={"statistics": [row for each in choose_counters(found, wish.view) for row in list_counters(each)]},
        gaps=(*_list_gaps(answer), *found.gaps),
    )


def show_link_settings(answer: Answer, wish: Wish) -> Shown:  # noqa: ARG001  # as every screen
    """Return the settings of the interfaces."""
    found = parse_links(answer.snapshot.sections)
    return Shown(
        answer.host,
        blocks=tuple(show_links(found)),
        records={"links": [list_link(link) for link in found.rows]},
        gaps=(*_list_gaps(answer), *found.gaps),
    )


def add_groups(shown: Shown, answer: Answer, wish: Wish) -> Shown:
    """Return the tables of sockets with the multicast groups behind those of the Internet, where netstat has them."""
    order, _ = _find_order(answer)
    groups = parse_groups(answer.snapshot.sections, order)
    place = 1 if wish.view.protos else 0
    block = show_groups(groups, answer.names, wish.view)
    return replace(
        shown,
        blocks=(*shown.blocks[:place], block, *shown.blocks[place:]),
        records={
            **(shown.records or {}),
            "groups": [list_group(group, answer.names) for group in choose_groups(groups, wish.view)],
        },
        gaps=(*shown.gaps, *groups.gaps),
    )


def _find_order(answer: Answer) -> tuple[WordOrder, tuple[Gap, ...]]:
    sections = answer.snapshot.sections
    order, doubt = decide_order(sections, find_session(read_ends(sections), sections))
    return order or "little", tuple(check_order(doubt))


def _list_gaps(answer: Answer) -> tuple[Gap, ...]:
    """Return why there is nothing to show, or what the frame could not vouch for."""
    blocked = find_block(answer.snapshot.sections)
    return (*answer.snapshot.gaps, *((blocked,) if blocked is not None else ()))
