"""Programs that are given an address and a password find the server by themselves, and mail goes both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from deltachat_rpc_client import JsonRpcError
from deltachat_rpc_client.const import ViewType

from lab import Host
from tests.live import delta, traffic
from tests.live.support import MAILSERVER, ON_ONE_WITH_WORLD, applied, packages
from tests.live.traffic import password

FOO, BAR = "foo@example.test", "bar@example.test"
STEP = "deploys.chapters.believed.clients"
PAGE = "https://autoconfig.example.test/mail/config-v1.1.xml"
KEY = (
    "openssl x509 -in /etc/postfix/certs/cert.pem -noout -pubkey | openssl pkey -pubin -outform DER"
    " | openssl dgst -sha256 -binary | base64"
)
CA = "/usr/local/share/ca-certificates/world.crt"


@pytest.fixture
def desk(mailserver: Host, world: Host, world_client: Host) -> Iterator[Host]:
    """The stranger's host, on which the authority is trusted as any other."""
    packages(world_client, "ca-certificates", "curl")
    roots = world.run("cat /etc/mailroom-authority/roots.pem").stdout
    newest = re.findall(r"-----BEGIN.+?-----END CERTIFICATE-----\n", roots, re.DOTALL)[-1]
    world_client.run(f"cat > {CA}; update-ca-certificates", stdin=newest)
    yield world_client
    world_client.run(f"rm -f {CA}; update-ca-certificates --fresh")


def logins(host: Host, since: str) -> set[tuple[str, str]]:
    """Who has logged in over which protocol, by the server's own journal."""
    said = host.run(f"journalctl --since @{since} -o short -u dovecot -u 'postfix*'").stdout
    found = {
        (user, "imap") for user in re.findall(r"imap-login: (?:Info: )?(?:Logged in|Login): user=<([^>]+)>.* TLS", said)
    }
    return found | {(user, "smtps") for user in re.findall(r"submissions/smtpd.*: client=.*sasl_username=(\S+)", said)}


@pytest.mark.usefixtures("no_mail")
def test_delta_chat_needs_an_address_and_a_password(desk: Host, mailserver: Host, world: Host) -> None:
    """Two people write to each other, end to end encrypted, one of them with a picture of 5 MB; then one writes to the world."""
    since, key = mailserver.run("date +%s").stdout.strip(), mailserver.run(KEY).stdout.strip()
    with delta.running(desk) as program:
        people = [delta.trusting(program, desk, key, "autoconfig.example.test", mailserver.fqdn) for _ in range(2)]
        for one, address in zip(people, (FOO, BAR), strict=True):
            one.add_or_update_transport({"addr": address, "password": password(address)})
            one.bring_online()
        foo, bar = people
        foo.create_chat(bar).send_text("The crane drops its load at seven.")
        got = bar.wait_for_incoming_msg().get_snapshot()
        assert got.text == "The crane drops its load at seven." and got.show_padlock, got
        assert not mailserver.run("grep -rl 'The crane drops' /home/mail /var/spool/postfix", check=False).stdout

        picture = f"{delta.FOLDER}/picture.png"
        desk.run(f"head -c 5000000 /dev/urandom >{picture}")
        bar.create_chat(foo).send_message(text="A picture", file=picture, viewtype=ViewType.FILE)
        came = foo.wait_for_incoming_msg()
        assert came.get_snapshot().show_padlock
        desk.run(["cmp", picture, delta.downloaded(foo, came)])

        foo.set_config("force_encryption", "0")  # the world has no key
        foo.create_contact("alice@example.net").create_chat().send_text("Good morning, world.").wait_until_delivered()
    assert traffic.out_there(world, "Good morning, world.")
    assert logins(mailserver, since) >= {(FOO, "imap"), (BAR, "imap"), (FOO, "smtps"), (BAR, "smtps")}


@ON_ONE_WITH_WORLD
def test_delta_chat_without_the_page_finds_nothing(desk: Host, mailserver: Host) -> None:
    """So it was the page that told it, and no guess. A wrong password is refused, too."""
    key = mailserver.run(KEY).stdout.strip()
    with delta.running(desk) as program:
        one = delta.trusting(program, desk, key, "autoconfig.example.test", mailserver.fqdn)
        with pytest.raises(JsonRpcError):
            one.add_or_update_transport({"addr": FOO, "password": "not-this-one"})
        other = delta.trusting(program, desk, key, mailserver.fqdn)
        with pytest.raises(JsonRpcError):
            other.add_or_update_transport({"addr": FOO, "password": password(FOO)})


def asked(desk: Host, url: str, *options: str) -> str:
    return desk.run(["curl", "-sS", "-w", "\n%{http_code}", *options, url], check=False).stdout.rpartition("\n")[2]


def test_switched_off_it_is_gone_and_comes_back(desk: Host, mailserver: Host) -> None:
    page = desk.run(["curl", "-sSf", PAGE]).stdout
    hosts = {one.text for one in ElementTree.fromstring(page).iter("hostname")}
    assert hosts == {mailserver.fqdn}
    off = applied(STEP, "--data", "autoconfig=false")
    assert off.changes
    try:
        assert desk.run(["curl", "-sS", PAGE], check=False).returncode == 35, "no handshake for that name"
        assert asked(desk, f"https://{mailserver.fqdn}/mail/config-v1.1.xml") == "404"
        left = mailserver.run(
            "find /etc/nginx/mailroom.d /var/lib/mailroom-web/clients -type f -name '*[cx][om][nl]*'", check=False
        ).stdout
        assert "clients" not in left
        assert applied(STEP, "--data", "autoconfig=false").changes == 0
    finally:
        applied(STEP)
    assert desk.run(["curl", "-sSf", PAGE]).stdout == page
    again = applied(MAILSERVER, "--debug")
    assert again.changes == 0 and again.commands == 2, again.changed


@ON_ONE_WITH_WORLD
def test_a_second_domain_has_names_of_its_own(desk: Host, mailserver: Host) -> None:
    """Its page is there at once; without its names in the certificate and the DNS nobody is led astray."""
    more = ("--data", f"mail_domains={json.dumps(['example.test', 'second.example'])}")
    try:
        applied(STEP, *more)
        here = ("--insecure", "--resolve", f"autoconfig.second.example:443:{mailserver.address}")
        page = desk.run(["curl", "-sS", *here, PAGE.replace("example.test", "second.example")]).stdout
        assert "<domain>second.example</domain>" in page and "example.test</domain>" not in page
        assert "<domain>example.test</domain>" in desk.run(["curl", "-sSf", PAGE]).stdout
    finally:
        applied(STEP)
