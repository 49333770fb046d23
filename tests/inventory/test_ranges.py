"""Host ranges: the expected lists were printed by `ansible-inventory --list` 2.19.14 for the same names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from auditor.inventory.ranges import MAX_HOSTS, expand_ranges


@pytest.mark.parametrize(
    ("name", "hosts"),
    [
        ("web", "web"),
        ("web[01:05]", "web01 web02 web03 web04 web05"),
        ("web[1:10:3]", "web1 web4 web7 web10"),
        ("db-[a:c]x", "db-ax db-bx db-cx"),
        ("r[1:2]-n[01:02]", "r1-n01 r1-n02 r2-n01 r2-n02"),
        ("web-[08:11]", "web-08 web-09 web-10 web-11"),
        ("[a:e:2]", "a c e"),
        ("x[y:B]", "xy xz xA xB"),
        ("n[:3]", "n0 n1 n2 n3"),
        ("n[0:0]", "n0"),
        ("n[007:009]", "n007 n008 n009"),
        ("n[9:11]", "n9 n10 n11"),
        ("n[00:04:2]", "n00 n02 n04"),
        ("n[1:003]", "n1 n2 n3"),
    ],
)
def test_a_range_is_unfolded_as_ansible_does(name: str, hosts: str) -> None:
    assert expand_ranges(name) == tuple(hosts.split())


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        # Ansible makes no host at all of the first three, without a word.
        ("h[5:1]", "the range [5:1] is empty: it begins after its end", "write the smaller end first"),
        ("h[10:09]", "the range [10:09] is empty", "write the smaller end first"),
        ("h[1:5:-1]", "the step of the range [1:5:-1] is not a number of at least 1", "write [01:10]"),
        ("h[1:3:0]", "the step of the range [1:3:0] is not a number of at least 1", "write [01:10]"),
        ("h[01:3]", "the range [01:3] has ends of different width", "write [01:03]"),
        ("h[1-3]", "the range [1-3] is not begin:end", "write [1:3]"),
        ("h[1:]", "the range [1:] has no end", "write [01:10]"),
        ("h[:]", "the range [:] has no end", "write [01:10]"),
        ("h[]", "the range [] is not begin:end", "write [01:10]"),
        ("h[a:3]", "the range [a:3] is neither of two numbers nor of two letters", "write [01:10]"),
        ("h[aa:ac]", "the range [aa:ac] is neither of two numbers nor of two letters", "write [01:10]"),
        ("h[b:a]", "the range [b:a] is empty", "write the smaller end first"),
        ("h[Z:a]", "the range [Z:a] is empty", "write the smaller end first"),
        ("h[1:2:3:4]", "the range [1:2:3:4] is not begin:end", "write [01:10]"),
        ("h[1:2", "'h[1:2' has a bracket without its partner", "write [01:10]"),
        ("h1:2]", "'h1:2]' has a bracket without its partner", "write [01:10]"),
        ("h[٠:٣]", "the range [٠:٣] is neither of two numbers", "write [01:10]"),
        ("h[0:100000]", "the range [0:100000] stands for more than 100,000 hosts", ""),
        ("h[0:999999999999999999]", "the range [0:999999999999999999] stands for more than 100,000", ""),
        ("h[1:400]-[1:400]", "'h[1:400]-[1:400]' stands for more than 100,000 hosts", "an inventory holds at most"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(name: str, message: str, hint: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        expand_ranges(name)
    context = caught.value.context or {}
    assert context["message"].startswith(message)
    assert context["hint"].startswith(hint)


def test_the_most_hosts_a_range_can_stand_for() -> None:
    assert len(expand_ranges("h[00000:99999]")) == MAX_HOSTS


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 7), st.integers(0, 5))
def test_a_range_of_numbers_is_what_python_counts(begin: int, more: int, step: int, width: int) -> None:
    end = begin + more
    zeros = width > len(str(end))
    first, last = (str(begin).zfill(width), str(end).zfill(width)) if zeros else (str(begin), str(end))
    numbers = [str(number).zfill(width if zeros else 0) for number in range(begin, end + 1, step)]
    assert expand_ranges(f"a[{first}:{last}:{step}]z") == tuple(f"a{number}z" for number in numbers)


@given(st.text("[]:0129ab-", max_size=12))
def test_any_text_is_unfolded_or_refused(text: str) -> None:
    try:
        names = expand_ranges(text)
    except PydanticCustomError:
        return
    assert names
    assert not any("[" in name or "]" in name for name in names)
