"""Dovecot's LMTP socket in Postfix's spool."""

from checks.clients import host
from checks.engine import Failed, Target, claim, negative

SOCKET = "/var/spool/postfix/private/dovecot-lmtp"
HELLO = """perl -MIO::Socket::UNIX -e 'my $lmtp = IO::Socket::UNIX->new(shift) or die "$!\\n"; print scalar <$lmtp>;
  print $lmtp "LHLO localhost\\r\\n"; while (<$lmtp>) {{ print; last if /^250 / }} print $lmtp "QUIT\\r\\n";' {socket}"""


@claim(
    "Dovecot speaks LMTP to Postfix, on a socket in its spool",
    needs="ssh dovecot",
    provides="lmtp",
    remedy="protocols and service lmtp in dovecot.conf; see chapter 5, lmtp.",
)
def answers(target: Target) -> str:
    found = host.socket_of_postfix(target, SOCKET, "600")
    said = target.shell(HELLO.format(socket=SOCKET))
    if not said.startswith("220 ") or target.hostname not in said:
        raise Failed(said)
    return f"{found}; {said.splitlines()[0]}"


@negative(
    "Nobody else may drop mail there",
    needs="ssh lmtp",
    remedy="mode = 0600, user and group postfix; and no inet_listener.",
)
def not_for_others(target: Target) -> str:
    second = "{ ss -Hxl | grep -q /run/dovecot/lmtp && test -w /run/dovecot/lmtp; }"
    if host.may(target, "nobody", f"test -w {SOCKET} || {second}"):
        raise Failed(f"the user nobody can write to {SOCKET}, or to /run/dovecot/lmtp")
    if not target.vantage.probe(target.address, 24, timeout=2):
        raise Failed("port 24 answers from outside")
    return "closed to the user nobody; no port 24"
