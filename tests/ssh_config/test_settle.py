"""What ssh_config settles for the hosts of an inventory: who wins, what is filled in, which jump hosts there are."""

from pathlib import Path
from typing import Any, ClassVar

import pytest

from auditor.errors import DocumentError, TransportError
from auditor.model.host import SecretRef, SshOptions
from auditor.transport.ssh_route import expand_route
from tests.builders import a_host
from tests.ssh_config.builders import a_local, an_open_host, settle_one, settle_text

EVERYTHING = """\
Host web
  HostName 10.9.9.9
  User bob
  Port 2222
  IdentityFile ~/.ssh/%h
  CertificateFile ~/.ssh/%n-cert.pub
  IdentitiesOnly yes
  IdentityAgent ~/agent
  UserKnownHostsFile ~/.ssh/known ~/.ssh/more
  GlobalKnownHostsFile none
  HostKeyAlias Alias
  StrictHostKeyChecking accept-new
  RevokedHostKeys ~/revoked
  ConnectTimeout 7
  AddressFamily inet6
  BindAddress ::1
  ProxyCommand nc %h %p
  Ciphers aes256-ctr,aes128-ctr
"""


def test_what_the_inventory_leaves_open_is_as_ssh_has_it(tmp_path: Path) -> None:
    host = settle_one(tmp_path, EVERYTHING)
    assert (host.address, host.user, host.port) == ("10.9.9.9", "bob", 2222)
    assert host.identity == (f"{tmp_path}/.ssh/10.9.9.9",)
    assert host.agent
    assert host.known_hosts == (f"{tmp_path}/.ssh/known", f"{tmp_path}/.ssh/more")
    assert host.ssh == SshOptions(
        host_key_alias="alias",
        strict_host_key_checking="accept-new",
        revoked_host_keys=(f"{tmp_path}/revoked",),
        certificate_files=(f"{tmp_path}/.ssh/web-cert.pub",),
        identities_only=True,
        identity_agent=f"{tmp_path}/agent",
        proxy_command="nc 10.9.9.9 2222",
        address_family="inet6",
        bind_address="::1",
        connect_timeout=7.0,
        ciphers=("aes256-ctr", "aes128-ctr"),
    )


def test_the_inventory_wins(tmp_path: Path) -> None:
    said = an_open_host(address="web", user="ann", port=22, identity=("/key",), known_hosts=("/known",), jump=())
    host = settle_one(tmp_path, EVERYTHING, said)
    assert (host.address, host.user, host.port) == ("web", "ann", 22)
    assert (host.identity, host.known_hosts) == (("/key",), ("/known",))
    assert host.ssh.proxy_command is None, "jump: [] is a word against every way around"


def test_without_a_user_anywhere_none_is_guessed(tmp_path: Path) -> None:
    assert settle_one(tmp_path, "Host *\nPort 1022\n").user is None


def test_what_the_inventory_says_is_matched_and_fills_tokens(tmp_path: Path) -> None:
    text = "Match user audit\nPort 1022\nMatch host 10.0.0.1\nUserKnownHostsFile /%r/%h/%p\n"
    host = settle_one(tmp_path, text, an_open_host(user="audit", address="10.0.0.1"))
    assert host.port == 1022
    assert host.known_hosts[0] == "/audit/10.0.0.1/1022"


class TestLoggingIn:
    """Where the inventory names nothing to log in with, a host gets what ssh would offer it."""

    AGENT: ClassVar[dict[str, Any]] = {"environment": {"SSH_AUTH_SOCK": "/agent"}}

    def test_the_default_keys_that_are_there_and_the_agent(self, tmp_path: Path) -> None:
        there = f"{tmp_path}/.ssh/id_ed25519"
        host = settle_one(tmp_path, "", exists=lambda path: path == there, local=a_local(tmp_path, **self.AGENT))
        assert (host.identity, host.agent) == ((there,), True)

    def test_no_agent_runs(self, tmp_path: Path) -> None:
        assert not settle_one(tmp_path, "").agent

    def test_no_agent_by_configuration(self, tmp_path: Path) -> None:
        assert not settle_one(tmp_path, "IdentityAgent none\n", local=a_local(tmp_path, **self.AGENT)).agent

    @pytest.mark.parametrize("said", [{"password": SecretRef(source="env", name="P")}, {"agent": True}])
    def test_what_the_inventory_names_is_not_joined_by_default_keys(self, tmp_path: Path, said: dict[str, Any]) -> None:
        host = settle_one(tmp_path, "", an_open_host(**said), local=a_local(tmp_path, **self.AGENT))
        assert host.identity == ()
        assert host.agent is said.get("agent", False)

    def test_named_keys_that_are_not_there_are_left_out(self, tmp_path: Path) -> None:
        text = "IdentityFile /one\nIdentityFile /two\nIdentityFile none\n"
        assert settle_one(tmp_path, text, exists=lambda path: path == "/two").identity == ("/two",)


class TestKnownHosts:
    def test_nothing_set_leaves_the_usual_files(self, tmp_path: Path) -> None:
        assert settle_one(tmp_path, "User me\n").known_hosts == ()

    def test_files_that_are_not_there_trust_nobody(self, tmp_path: Path) -> None:
        """Never the usual files instead: they could know a key that the user does not want to trust here."""
        host = settle_one(tmp_path, "UserKnownHostsFile /a\nGlobalKnownHostsFile none\n", exists=lambda _: False)
        assert host.known_hosts == ("/dev/null",)

    @pytest.mark.parametrize("word", ["no", "off"])
    def test_host_keys_are_verified_whatever_ssh_config_says(self, tmp_path: Path, word: str) -> None:
        inventory, fleet = settle_text(tmp_path, f"StrictHostKeyChecking {word}\n")
        assert inventory.hosts[0].ssh.strict_host_key_checking == "strict"
        assert [(each.line, "verified all the same" in each.message) for each in fleet.warnings] == [(1, True)]


class TestJumps:
    def test_a_chain_becomes_hosts_of_their_own(self, tmp_path: Path) -> None:
        text = "Host web\nProxyJump ann@one:1022,two\nHost one\nHostName 10.0.0.1\nUser no\nHost two\nUser bob\n"
        text += "ProxyJump never\nHost three\n"
        inventory, _ = settle_text(tmp_path, text)
        jumps = {host.name: host for host in (*inventory.jump_hosts, *inventory.hosts)}
        route = expand_route(inventory.hosts[0], jumps)
        assert [(hop.name, hop.address, hop.port, hop.user) for hop in route] == [
            ("ann@one:1022", "10.0.0.1", 1022, "ann"),
            ("two", "two", 22, "bob"),
            ("web", "web", 22, None),
        ]

    def test_a_jump_host_of_the_inventory_keeps_its_settings(self, tmp_path: Path) -> None:
        bastion = an_open_host("bastion", address="10.0.0.9", user="jumper", identity=("/key",))
        inventory, _ = settle_text(tmp_path, "Host web\nProxyJump bastion\n", others=[bastion])
        assert inventory.hosts[0].jump == ("bastion",)
        assert inventory.jump_hosts == ()
        assert inventory.others[0].user == "jumper"

    def test_another_user_on_a_jump_host_of_the_inventory(self, tmp_path: Path) -> None:
        bastion = an_open_host("bastion", address="10.0.0.9", user="jumper", identity=("/key",))
        inventory, _ = settle_text(tmp_path, "Host web\nProxyJump ann@bastion\n", others=[bastion])
        (hop,) = inventory.jump_hosts
        assert (hop.name, hop.user, hop.address, hop.identity) == ("ann@bastion", "ann", "10.0.0.9", ("/key",))

    def test_a_jump_host_has_its_own_way(self, tmp_path: Path) -> None:
        text = "Host web\nProxyJump one\nHost one\nProxyJump two\nHost two\nProxyCommand nc %h %p\n"
        inventory, _ = settle_text(tmp_path, text)
        hops = {host.name: host for host in inventory.jump_hosts}
        assert [hop.name for hop in expand_route(inventory.hosts[0], hops)] == ["two", "one", "web"]
        assert hops["two"].ssh.proxy_command == "nc two 22"

    def test_everybody_through_a_bastion_is_a_loop_for_the_bastion(self, tmp_path: Path) -> None:
        """As with ssh, which says `jumphost loop`; it must not take settling into an endless one."""
        inventory, _ = settle_text(tmp_path, "Host *\nProxyJump bastion\n")
        assert [host.jump for host in inventory.jump_hosts] == [("bastion",)]

    def test_tokens_in_a_jump(self, tmp_path: Path) -> None:
        assert settle_one(tmp_path, "Host web\nProxyJump gate-%h:1022\n").jump == ("gate-web:1022",)

    def test_ever_new_jump_hosts_come_to_an_end(self, tmp_path: Path) -> None:
        inventory, _ = settle_text(tmp_path, "ProxyJump gate-%h\n")
        with pytest.raises(TransportError, match="too long a chain"):
            expand_route(inventory.hosts[0], {host.name: host for host in inventory.jump_hosts})

    def test_a_jump_of_the_inventory_keeps_a_proxy_command_away(self, tmp_path: Path) -> None:
        host = settle_one(tmp_path, "ProxyCommand nc\n", an_open_host(jump=("b",)), others=[a_host("b")])
        assert (host.jump, host.ssh.proxy_command) == (("b",), None)

    def test_no_jump_leaves_a_command(self, tmp_path: Path) -> None:
        """OpenSSH 10.3: `ProxyJump none` is a word against jumps only."""
        host = settle_one(tmp_path, "ProxyJump none\nProxyJump b\nProxyCommand nc\n")
        assert (host.jump, host.ssh.proxy_command) == ((), "nc")


class TestWhatIsNotHonoured:
    def test_each_option_is_named_once_for_any_number_of_hosts(self, tmp_path: Path) -> None:
        text = "KnownHostsCommand /x\nVerifyHostKeyDNS yes\nPKCS11Provider /lib\nForwardAgent yes\nCheckHostIP no\n"
        _, fleet = settle_text(tmp_path, text, *(an_open_host(f"web-{number}") for number in range(9)))
        assert [(each.line, each.message.partition(" ")[0]) for each in fleet.warnings] == [
            (1, "KnownHostsCommand"),
            (2, "VerifyHostKeyDNS"),
            (3, "PKCS11Provider"),
        ]

    def test_what_the_system_sets_for_everybody_is_no_news(self, tmp_path: Path) -> None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/ssh_config").write_text("GSSAPIAuthentication yes\nVerifyHostKeyDNS ask\n")
        _, fleet = settle_text(tmp_path, "")
        assert [each.message.partition(" ")[0] for each in fleet.warnings] == ["VerifyHostKeyDNS"]


def test_every_mistake_of_all_hosts_comes_at_once(tmp_path: Path) -> None:
    text = "Host a\nUserKnownHostsFile /%Z\nHost b\nPort x\nHost c\nProxyCommand nc %Q\n"
    with pytest.raises(DocumentError) as caught:
        settle_text(tmp_path, text, *map(an_open_host, "abc"))
    assert [problem.line for problem in caught.value.problems] == [2, 4, 6]


def test_hosts_that_take_no_login_are_left_alone(tmp_path: Path) -> None:
    here = an_open_host(connection="local")
    assert settle_one(tmp_path, EVERYTHING, here) == here
