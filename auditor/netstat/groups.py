"""The multicast groups of every interface in, what `netstat -g` shows of them out."""

from ipaddress import IPv4Address

from auditor.display import escape
from auditor.model.names import Names, write_address
from auditor.model.network import Group, Groups
from auditor.netstat.block import Block
from auditor.netstat.rows import Fields
from auditor.netstat.view import View

_HEAD = (
    "IPv6/IPv4 Group Memberships",
    "Interface       RefCnt Group",
    "--------------- ------ ---------------------",
)
GROUP_FIELDS = ("interface", "users", "address", "name")


def show_groups(groups: Groups, names: Names, view: View) -> Block:
    """Return the groups as net-tools 2.10 lists them, IPv4 first."""
    rows = [
        f"{escape(group.interface):<15} {group.users:<6} "
        + escape(names.name_address(group.address, numeric=view.numeric_hosts))
        for group in choose_groups(groups, view)
    ]
    return Block(_HEAD, rows)


def choose_groups(groups: Groups, view: View) -> list[Group]:
    """Return the groups of the families that the flags ask for."""
    return [
        group
        for group in groups.rows
        if ("inet" if isinstance(group.address, IPv4Address) else "inet6") in view.families
    ]


def list_group(group: Group, names: Names) -> Fields:
    """Return the fields of a membership."""
    return {
        "interface": group.interface,
        "users": group.users,
        "address": write_address(group.address),
        "name": names.hosts.get(group.address),
    }
