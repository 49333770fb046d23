"""netaudit reads ssh_config as the installed ssh does: `hosts --explain` against `ssh -G`, keyword by keyword."""

import json
from pathlib import Path

import pytest

from auditor.cli.hosts import hosts
from auditor.cli.reach import note_ssh_config, settle_fleet
from auditor.cli.target import host_from_name
from auditor.errors import DocumentError
from auditor.model.host import Host
from auditor.ssh_config import effect, settle
from tests.ssh_config.openssh import ask_ssh, its_algorithms, run_ssh

SNIPPETS: dict[str, tuple[str, str]] = {
    "nothing": ("", "web"),
    "the first value wins": ("Host web\n Port 1000\n User a\nHost *\n Port 2000\n User b\n ConnectTimeout 7\n", "web"),
    "before any block": ("User early\nHost web\nUser late\n", "web"),
    "several patterns": ("Host db web mail\nUser me\n", "web"),
    "wildcards": ("Host w?b-* \nUser me\nHost w*b-0?\nPort 1022\n", "web-01"),
    "a wildcard in the middle": ("Host a*b*c*d\nUser yes\nHost a*d*c\nUser no\n", "axxbyycbczd"),
    "negation": ("Host *.example.com !bad.example.com\nUser me\n", "bad.example.com"),
    "negation first": ("Host !bad *\nUser me\n", "bad"),
    "negation alone never matches": ("Host !bad\nUser me\n", "good"),
    "patterns are case-sensitive": ("Host web\nUser lower\nHost WEB\nPort 1022\n", "WEB"),
    "keywords are not": ("hOsT web\nhOSTNAME Example.COM\nPORT 1022\n", "web"),
    "an equals sign": ("Host=web\nHostName=example.com\nPort = 1022\nUser =me\nConnectTimeout= 5\n", "web"),
    "quotes": ('Host "web"\nUser "me too"\nIdentityFile "~/my keys/id"\nUserKnownHostsFile "/a b" /c\n', "web"),
    "single quotes and escapes": ("Host web\nUser 'a b'\nIdentityFile /a\\ b\nCertificateFile /a\\\"b\n", "web"),
    "a quote in a word": ('Host we"b"\nUser a"b c"d\n', "web"),
    "comments": ("# top\nHost web # a comment\n  User me # too\n  # alone\n\tPort 1022\t# tab\n", "web"),
    "a hash inside a word": ("Host web\nUser me#you\nHostKeyAlias a#b\n", "web"),
    "tabs, form feeds and carriage returns": ("\tHost\tweb\r\n\tUser\tme\f\r\nPort 1022  \r\n", "web"),
    "identities accumulate": (
        "Host web\nIdentityFile ~/.ssh/one\nHost *\nIdentityFile ~/.ssh/two\nIdentityFile ~/.ssh/one\n",
        "web",
    ),
    "certificates accumulate": ("CertificateFile /a\nHost web\nCertificateFile /b\nCertificateFile /a\n", "web"),
    "identity none": ("Host web\nIdentityFile none\nIdentitiesOnly yes\n", "web"),
    "the agent": ("Host web\nIdentityAgent ~/agents/%h-%p-%r.sock\nPort 1022\nUser me\n", "web"),
    "no agent": ("Host web\nIdentityAgent none\n", "web"),
    "the agent by a variable": ("Host web\nIdentityAgent $SNIPPET\nHost *\nIdentityAgent other\n", "web"),
    "variables": (
        "Host web\nIdentityAgent ${SNIPPET}/sock\nUserKnownHostsFile ${SNIPPET}/known /x/${SNIPPET}\n",
        "web",
    ),
    "tokens in the host name": ("Host web\nHostName %h.example.com\nHost *\nHostName no\n", "web"),
    "a percent sign in the host name": ("Host web\nHostName %h%%1\n", "web"),
    "every token of a path": (
        "UserKnownHostsFile /%%/%C/%d/%h/%i/%k/%L/%l/%n/%p/%r/%u\nHost web\nHostName x.y\n",
        "web",
    ),
    "tokens follow the rest": (
        "UserKnownHostsFile /%h_%k_%p_%r\nHost web\nPort 1022\nUser me\nHostKeyAlias Ali\n",
        "web",
    ),
    "known_hosts in several files": (
        "UserKnownHostsFile ~/.ssh/a /b\nGlobalKnownHostsFile /c ~/d\nHost *\nUserKnownHostsFile /no\n",
        "web",
    ),
    "no known_hosts": ("UserKnownHostsFile none\nGlobalKnownHostsFile none\n", "web"),
    "times": ("Host web\nConnectTimeout 1m30s\n", "web"),
    "no time limit": ("Host web\nConnectTimeout none\nHost *\nConnectTimeout 5\n", "web"),
    "flags": ("IdentitiesOnly TRUE\nStrictHostKeyChecking off\nAddressFamily INET6\n", "web"),
    "accept new": ("StrictHostKeyChecking accept-new\nBindAddress 127.0.0.9\nRevokedHostKeys /revoked\n", "web"),
    "revoked none": ("RevokedHostKeys none\nHost *\nRevokedHostKeys /revoked\n", "web"),
    "a jump": ("Host web\nProxyJump bastion\n", "web"),
    "a chain of jumps": ("Host web\nProxyJump ann@one:1022,ssh://bob@two:2022,carol@three\n", "web"),
    "a jump by address": ("Host web\nProxyJump me@[2001:db8::1]:1022\nHost other\nProxyJump 10.0.0.1\n", "web"),
    "a jump by IPv4 address": ("ProxyJump 10.0.0.1:22\n", "web"),
    "a jump as a URI": ("ProxyJump ssh://me@bastion:1022\n", "web"),
    "a jump with a comment": ("ProxyJump one,two # and no further\n", "web"),
    "no jump": ("Host web\nProxyJump none\nHost *\nProxyJump bastion\n", "web"),
    "a jump before a command": ("ProxyJump bastion\nProxyCommand nc %h %p\n", "web"),
    "a command before a jump": ('ProxyCommand nc -X 5 %h %p # "not a comment"\nProxyJump bastion\n', "web"),
    "a command with an equals sign": ("ProxyCommand = env A=b nc %h %p\n", "web"),
    "no command": ("ProxyCommand none\nProxyJump bastion\n", "web"),
    "match all": ("Match all\nUser me\nHost web\nPort 1022\n", "web"),
    "match host after HostName": ("Host web\nHostName db.example.com\nMatch host *.example.com\nUser me\n", "web"),
    "match host before HostName": ("Match host db*\nUser no\nHost web\nHostName db\nMatch host DB\nPort 1022\n", "web"),
    "match originalhost": ("Host web\nHostName db\nMatch originalhost web,mail\nUser me\n", "web"),
    "match a list with negation": (
        "Match originalhost *,!web\nUser no\nMatch originalhost web*,!db\nPort 1022\n",
        "web",
    ),
    "match user": ("Host web\nUser ann\nMatch user ann,bob\nPort 1022\nMatch user carol\nPort 1023\n", "web"),
    "match user as it is now": ("Match user ann\nPort 1\nHost web\nUser ann\nMatch user ann\nPort 1022\n", "web"),
    "match several": (
        "Host web\nUser ann\nMatch host web user bob\nPort 1\nMatch host web user ann\nPort 1022\n",
        "web",
    ),
    "match negated": ("Match !host web\nUser no\nMatch !host db !user nobody\nPort 1022\n", "web"),
    "match with an equals sign": ('Match host=web\nUser me\nMatch originalhost="web" # comment\nPort 1022\n', "web"),
    "match final": ("Host web\nHostName db\nMatch final host db\nUser late\nMatch final\nUser later\n", "web"),
    "match final reads Host again": ("Host db\nPort 1022\nHost web\nHostName db\nMatch final all\nUser me\n", "web"),
    "match canonical without it": ("Match canonical\nUser no\nMatch !canonical\nUser yes\n", "web"),
    "match inside a final pass": ("Match !final\nUser first\nMatch final\nUser second\nPort 1022\n", "web"),
    "include": ("Include {dir}/one.conf\nUser later\n", "web"),
    "include a pattern, sorted": ("Include {dir}/*.conf\n", "web"),
    "include nothing": ("Include {dir}/missing {dir}/none-*\nUser me\n", "web"),
    "include in a block that holds": ("Host web\nInclude {dir}/host.conf\nPort 1022\nHost *\nUser no\n", "web"),
    "include in a block that does not": ("Host db\nInclude {dir}/host.conf\nPort 1\nHost *\nUser yes\n", "web"),
    "include ends with its file": ("Include {dir}/db.conf\nUser me\n", "web"),
    "include in a match": ("Match host web\nInclude {dir}/nested.conf\nPort 1022\n", "web"),
    "include twice": ("Include {dir}/one.conf {dir}/two.conf\n", "web"),
    "unknown and ignored": ("IgnoreUnknown Use*,!UseNot,Frob\nUseKeychains yes\nfrob 1 2 3\nUser me\n", "web"),
    "obsolete": ("UseRoaming yes\nProtocol 2\nCipher 3des\nIdentityFile2 /x\nKeepAlive yes\n", "web"),
    "algorithms added": (
        "KexAlgorithms +diffie-hellman-group14-sha1\nCiphers +aes128-cbc\nMACs +hmac-md5,hmac-sha1-96\n",
        "web",
    ),
    "algorithms taken away": (
        "KexAlgorithms -ecdh*,curve*\nCiphers -chacha20*\nMACs -*sha1*\nHostKeyAlgorithms -*cert*\n",
        "web",
    ),
    "algorithms in front": ("KexAlgorithms ^ecdh-sha2-nistp521\nCiphers ^aes256-ctr\nHostKeyAlgorithms ^rsa*\n", "web"),
    "algorithms named": (
        "KexAlgorithms curve25519-sha256,ecdh-sha2-nistp521\nCiphers aes256-ctr\nHostKeyAlgorithms ssh-ed*,rsa*\n",
        "web",
    ),
    "algorithms: the first wins": ("Host web\nCiphers aes256-ctr\nHost *\nCiphers +aes128-cbc\n", "web"),
    "an address": ("Host 10.*\nUser me\nPort 1022\n", "10.0.0.1"),
    "an IPv6 address": ("Host 2001:*\nUser me\nHostName 2001:DB8:0::1\n", "2001:db8::2"),
    "a name in capitals": ("Host Web\nUser me\nMatch host web\nPort 1022\n", "Web"),
    "options that are not ours": (
        "SendEnv LANG LC_*\nControlPath ~/x-%C\nForwardAgent yes\nLocalForward 1 a:2\nUser me\n",
        "web",
    ),
}
FILES = {
    "one.conf": "User one\nPort 1111\n",
    "two.conf": "User two\nHostName two.example.com\n",
    "host.conf": "HostKeyAlias included\nHost other\nUser other\nHost web\nUser included\n",
    "db.conf": "Host db\nUser db\n",
    "nested.conf": "Include {dir}/one.conf\nMatch user one\nHostKeyAlias nested\n",
}


@pytest.mark.parametrize(("text", "host"), SNIPPETS.values(), ids=SNIPPETS.keys())
def test_a_host_is_resolved_as_ssh_resolves_it(
    text: str, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SNIPPET", "/from/the environment")
    for name, included in FILES.items():
        write(tmp_path / name, included, tmp_path)
    config = write(tmp_path / "config", text, tmp_path)
    assert join(explain(config, host, monkeypatch, capsys)) == join(ask_ssh(config, host))


@pytest.mark.parametrize(
    "arguments",
    [("-l", "ann"), ("-p", "1022"), ("-l", "ann", "-p", "1022")],
    ids=["user", "port", "user and port"],
)
def test_what_is_said_beforehand_wins_and_is_matched(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "User bob\nPort 99\nMatch user ann\nHostKeyAlias ann-%p\nUserKnownHostsFile /%r/%p\n"
    config = write(tmp_path / "config", text, tmp_path)
    said = dict(zip(arguments[::2], arguments[1::2], strict=True))
    user = f"{said['-l']}@" if "-l" in said else ""
    port = f":{said['-p']}" if "-p" in said else ""
    assert join(explain(config, f"{user}web{port}", monkeypatch, capsys)) == join(ask_ssh(config, *arguments, "web"))


def test_identity_files_are_those_that_ssh_looks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ssh -G` prints their names unexpanded; `ssh -v` prints the files it opens."""
    monkeypatch.setenv("SNIPPET", str(tmp_path))
    names = ["a-web-db.example.com-1022-ann", "b%", "c d"]
    for name in names:
        (tmp_path / name).touch()
    text = 'IdentityFile ${SNIPPET}/a-%n-%h-%p-%r\nIdentityFile ${SNIPPET}/b%%\nIdentityFile "{dir}/c d"\n'
    text += "HostName db.example.com\nPort 1022\nUser ann\nProxyCommand false\n"
    config = write(tmp_path / "config", text, tmp_path)
    said = [line.rpartition(" type ")[0] for line in run_ssh("-v", "-F", str(config), "web").stderr.splitlines()]
    opened = [line.partition("identity file ")[2] for line in said if "identity file " in line]
    host = settle_host(config, "web")
    assert list(host.identity) == [path for path in opened if not path.endswith("-cert")]
    assert list(host.identity) == [str(tmp_path / name) for name in names]


def test_a_proxy_command_is_the_one_that_ssh_runs(tmp_path: Path) -> None:
    script = f"echo $0 $1 $2 $3 $4 > {tmp_path}/said; sleep 0.3"
    text = f"HostName db.example.com\nPort 1022\nUser ann\nProxyCommand sh -c '{script}' %h %n %p %r %%\n"
    config = write(tmp_path / "config", text, tmp_path)
    command = settle_host(config, "web").ssh.proxy_command
    assert command == f"sh -c '{script}' db.example.com web 1022 ann %"
    run_ssh("-F", str(config), "web", "true")
    assert (tmp_path / "said").read_text() == "db.example.com web 1022 ann %\n"


REFUSED = {
    "no argument": "Host web\nPort\n",
    "not a port": "Host other\nPort 70000\n",
    "a port of letters": "Port http-nothing\n",
    "an open quote": 'User "me\n',
    "too much": "User me you\n",
    "an unknown keyword": "Frobnicate yes\n",
    "an unknown word": "AddressFamily inet5\n",
    "an unknown flag": "IdentitiesOnly perhaps\n",
    "not a time": "ConnectTimeout soon\n",
    "a bad jump": "ProxyJump me@\n",
    "a jump with a bad port": "ProxyJump bastion:99999\n",
    "none among others": "UserKnownHostsFile none /a\n",
    "a Match without criteria": "Match\nUser me\n",
    "an unknown criterion": "Match flavour sweet\nUser me\n",
    "a criterion without its argument": "Match host\nUser me\n",
    "all with others": "Match host web user me all\nUser me\n",
    "an include of itself": "Include {dir}/config\n",
    "an unknown token": "UserKnownHostsFile /%Z\n",
    "a variable that is not set": "UserKnownHostsFile ${NETAUDIT_NOT_SET}\n",
    "no algorithm left": "Ciphers aes999\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_ssh_refuses_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    config = write(tmp_path / "config", text, tmp_path)
    assert run_ssh("-G", "-F", str(config), "web").returncode != 0
    if "Match flavour" in text:  # it could be a criterion of tomorrow: its block does not apply, which is said
        _, fleet = settle_fleet(host_from_name("web"), str(config))
        assert [(each.file, each.line) for each in fleet.warnings if each.line] == [(str(config), 1)]
        assert fleet.by_name["web"].host.user is None
        return
    with pytest.raises(DocumentError) as caught:
        settle_fleet(host_from_name("web"), str(config))
    bad = 2 if text.startswith("Host") else 1
    assert (str(config), bad) in {(each.file, each.line) for each in caught.value.problems}


def settle_host(config: Path, host: str) -> Host:
    return settle_fleet(host_from_name(host), str(config))[0].hosts[0]


def explain(
    config: Path, host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> dict[str, tuple[str, ...]]:
    """Return what `hosts --explain --json` prints, with the algorithms of the installed ssh for OpenSSH's."""
    algorithms = its_algorithms()
    monkeypatch.setattr(settle, "take_effect", lambda found, local: effect.take_effect(found, local, algorithms))
    note_ssh_config(str(config))
    try:
        assert hosts(explain=host, as_json=True) == 0
    finally:
        note_ssh_config(None)
    first = json.loads(capsys.readouterr().out)["hosts"][0]
    return {option["name"].lower(): tuple(option["values"]) for option in first["options"]}


def join(options: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the values of each keyword as one text: `ssh -G` does not tell a blank in a path from one between two."""
    return {keyword: " ".join(values) for keyword, values in options.items()}


def write(path: Path, text: str, folder: Path) -> Path:
    path.write_text(text.replace("{dir}", str(folder)), newline="")
    path.chmod(0o600)
    return path
