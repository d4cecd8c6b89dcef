"""Delivery by Dovecot: its LMTP socket in Postfix's spool, and the rows that lead there."""

from __future__ import annotations

from checks import applied, post
from checks.model import Failed, check
from checks.target import Target

NEEDS = ("ssh",)
BELT = ("ssh", "smtp", "postgresql")
SOCKET = "/var/spool/postfix/private/dovecot-lmtp"
WAY = "lmtp:unix:private/dovecot-lmtp"
GOOD = 'require "fileinto"; fileinto "Junk";'
BROKEN = 'require "fileinto";\nfileinto;'
# By the file, as sievec would otherwise ask a running Dovecot for its settings.
COMPILE = (
    "folder=$(mktemp -d); cat > $folder/one.sieve; "
    "sievec -c /etc/dovecot/dovecot.conf $folder/one.sieve 2>&1; echo $?; rm -rf $folder"
)
HELLO = """perl -MIO::Socket::UNIX -e 'my $lmtp = IO::Socket::UNIX->new(shift) or die "$!\\n"; print scalar <$lmtp>;
  print $lmtp "LHLO localhost\\r\\n"; while (<$lmtp>) {{ print; last if /^250 / }} print $lmtp "QUIT\\r\\n";' {socket}"""


def compiled(target: Target, script: str) -> tuple[str, str]:
    """sievec's exit code and words."""
    found = target.shell(f"printf '%s' '{script}' | {{ {COMPILE}; }}").splitlines()
    return found[-1], " ".join(found[:-1])


@check("sieve.install.compiles", "Pigeonhole compiles a script", needs=NEEDS, remedy="See chapter 5, install.")
def compiles(target: Target) -> str:
    applied.sieving(target)
    code, words = compiled(target, GOOD)
    if code != "0":
        raise Failed(words)
    return f"Pigeonhole of Dovecot {target.shell('dovecot --version')}"


@check("sieve.install.refuses", "It refuses a broken one, and names the line", negative=True, needs=NEEDS)
def refuses(target: Target) -> str:
    applied.sieving(target)
    code, words = compiled(target, BROKEN)
    if code == "0" or "line 2" not in words:
        raise Failed(words or "compiled")
    return words[words.index("line 2") :].partition(":")[2].strip() or words


@check(
    "sieve.lmtp.answers",
    "Dovecot speaks LMTP to Postfix, on a socket in its spool",
    needs=("ssh", "dovecot"),
    provides="lmtp",
    remedy="protocols and service lmtp in dovecot.conf; see chapter 5, lmtp.",
)
def answers(target: Target) -> str:
    applied.sieving(target)
    found = target.shell(f"stat -c '%F, %a %U:%G' {SOCKET}", may_fail=True)
    if found != "socket, 600 postfix:postfix":
        raise Failed(f"{SOCKET}: {found}")
    said = target.shell(HELLO.format(socket=SOCKET))
    if not said.startswith("220 ") or target.hostname not in said:
        raise Failed(said)
    return f"{found}; {said.splitlines()[0]}"


@check(
    "sieve.lmtp.not_for_others",
    "Nobody else may drop mail there",
    negative=True,
    needs=("ssh", "lmtp"),
    remedy="mode = 0600, user and group postfix; and no inet_listener.",
)
def not_for_others(target: Target) -> str:
    applied.sieving(target)
    tried = target.shell(
        'setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups '
        f"sh -c '{{ test -w {SOCKET} || {{ ss -Hxl | grep -q /run/dovecot/lmtp && test -w /run/dovecot/lmtp; }}; }} "
        "&& echo open || echo closed'"
    )
    if tried != "closed":
        raise Failed(f"the user nobody can write to {SOCKET}, or to /run/dovecot/lmtp")
    if not target.vantage.probe(target.address, 24, timeout=2):
        raise Failed("port 24 answers from outside")
    return "closed to the user nobody; no port 24"


@check(
    "sieve.delivery.way",
    "The bookkeeper sends our mail to Dovecot",
    needs=("ssh", "postgresql", "lmtp"),
    remedy="UPDATE transports; see chapter 5, delivery.",
)
def way(target: Target) -> str:
    applied.sieving(target)
    found = target.shell(
        f"postmap -q {target.domain} pgsql:/etc/postfix/pgsql/transport.cf || "
        f"postmap -q {target.account(0)[0]} pgsql:/etc/postfix/pgsql/transport.cf",
        may_fail=True,
    )
    if found != WAY:
        raise Failed(f"{target.domain}: {found or 'no row'}")
    return f"{target.domain}: {found}"


@check(
    "sieve.delivery.by_lmtp",
    "A letter was written down by Dovecot",
    elsewhere=True,
    needs=(*BELT, "lmtp"),
    remedy="Look for the letter in Postfix's log: which relay took it?",
)
def by_lmtp(target: Target) -> str:
    applied.sieving(target)
    top = " ".join(str((post.clean(target).message.get_all("Received") or ["none"])[0]).split())
    if "LMTP" not in top:
        raise Failed(f"its topmost Received line: {top}")
    return top.partition(";")[0]


@check(
    "sieve.delivery.no_lda",
    "No pipe starts a program for each message",
    negative=True,
    needs=NEEDS,
    remedy="Take the article's dovecot line out of master.cf: LMTP is one process for many, and says 450 while it is away.",
)
def no_lda(target: Target) -> str:
    applied.sieving(target)
    found = target.shell("postconf -M '*/unix' | grep -E 'pipe .*(dovecot-lda|deliver)'", may_fail=True)
    if found:
        raise Failed(" ".join(found.split()))
    return "neither deliver nor dovecot-lda in master.cf"
