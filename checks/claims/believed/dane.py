"""Receivers who say by which key their server is known are sent to that key alone: Postfix asks a resolver that checks DNSSEC."""

from shlex import quote

from checks.engine import Failed, Target, claim, negative

NEEDS = "ssh dane"
ADDRESS, FOLDER = "127.0.0.25", "/var/lib/mailroom-resolver/etc"
AGAIN = "Run deploys/mailserver.py again: the step believed.dane puts it back."
STATUS = (
    "On the host: systemctl status mailroom-resolver; does a firewall, or the provider, let port 53 out? A forwarder that passes DNSSEC on "
    "goes into /etc/unbound/mailroom.d/own.conf (forward-zone). Mail that has waited goes with: postqueue -f"
)
# Perl's Net::DNS, on which Amavis depends: RCODE, whether the answer is verified (AD), and how many records there are.
ASK = (
    "use Net::DNS; my ($at, $name, $type) = @ARGV; "
    "my $r = Net::DNS::Resolver->new(nameservers => [$at], recurse => 1, dnssec => 1, udp_timeout => 8, retry => 1, persistent_udp => 0); "
    'my $a = $r->send($name, $type) or do { print "silent ", $r->errorstring; exit }; '
    'print join " ", $a->header->rcode, $a->header->ad ? "AD" : "-", scalar $a->answer'
)
WANTED = {"smtp_tls_security_level": "dane", "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns"}


def said(target: Target, name: str, kind: str) -> list[str]:
    """What the resolver answers: RCODE, AD or -, and the number of records; or "silent" and why."""
    return target.shell(f"perl -e {quote(ASK)} {ADDRESS} {name} {kind} 2>&1", may_fail=True, timeout=30).split()


@claim("Postfix's own resolver answers, and says what is verified", remedy=STATUS)
def resolver(target: Target) -> str:
    name, kind = ("dane.example", "MX") if target.world else (".", "DNSKEY")
    answer = said(target, name, kind)
    if answer[:1] == ["silent"]:
        raise Failed(f"{ADDRESS} does not answer, and mail for others waits: {' '.join(answer[1:])}")
    if answer[:1] != ["NOERROR"]:
        raise Failed(f"{ADDRESS} cannot say {kind} of {name}, and mail for others waits: {' '.join(answer)}")
    if answer[1] != "AD":
        raise Failed(f"{ADDRESS} answers, and does not verify {kind} of {name}: nobody's key counts", AGAIN)
    return f"{kind} of {name}: {answer[2]} records, verified"


@claim("Postfix asks that one, whatever the host asks", remedy=AGAIN)
def asked(target: Target) -> str:
    seen = target.shell(
        "grep -F ' /var/spool/postfix/etc ' /proc/$(tr -d ' ' </var/spool/postfix/pid/master.pid)/mountinfo",
        may_fail=True,
    ).split()
    if seen[3:4] != [FOLDER]:
        raise Failed("Postfix's daemons read the host's resolv.conf, and who wrote that decides whom they believe")
    lines = target.shell(f"cat {FOLDER}/resolv.conf").splitlines()
    servers = [line.split()[1] for line in lines if line.startswith("nameserver ")]
    if servers != [ADDRESS]:
        raise Failed(f"Postfix's daemons ask {', '.join(servers) or 'nobody'}")
    return f"{ADDRESS}, and nobody else"


@claim("A key that a receiver publishes is asked for", remedy=AGAIN)
def wanted(target: Target) -> str:
    lines = target.shell("postconf -P | grep -E '^(smtp|relay)/unix/'", may_fail=True).splitlines()
    there = {name: value for name, _, value in (line.partition(" = ") for line in lines)}
    for service in ("smtp/unix", "relay/unix"):
        if wrong := [name for name, value in WANTED.items() if there.get(f"{service}/{name}") != value]:
            raise Failed(f"{service} does not say {', '.join(f'{name}={WANTED[name]}' for name in wrong)}")
    return "dane, by DNSSEC"


@negative("What somebody has changed on its way is no answer", remedy=AGAIN)
def forged(target: Target) -> str:
    name = "dane-bogus.example" if target.world else "dnssec-failed.org"  # broken on purpose, for those who test
    answer = said(target, name, "MX" if target.world else "A")
    if answer[:1] != ["SERVFAIL"]:
        raise Failed(f"{name}, whose signatures do not hold, is answered with {' '.join(answer) or 'nothing'}")
    return f"SERVFAIL for {name}"


@negative("Nobody but this host is answered", remedy=f"See what /etc/unbound/mailroom.d/ changes. {AGAIN}")
def only_here(target: Target) -> str:
    # by its control group: who it is may be hidden from us
    rows = target.shell("ss -Hlntu --cgroup | grep -F mailroom-resolver.service", may_fail=True).splitlines()
    listens = sorted({row.split()[4].rpartition(":")[0].partition("%")[0] for row in rows})
    if others := [one for one in listens if not one.startswith("127.")]:
        raise Failed(f"it listens on {', '.join(others)}")
    if not listens:
        raise Failed("it listens nowhere", STATUS)
    return f"it listens on {', '.join(listens)}"
