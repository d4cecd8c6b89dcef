"""What a break is, and the ways back that several share."""

from dataclasses import dataclass

POSTFIX = "systemctl reset-failed; systemctl restart postfix; sleep 0.3"
DOVECOT = "systemctl reset-failed; systemctl restart dovecot; sleep 0.5"
AMAVIS = (
    "systemctl restart amavis; for n in $(seq 100); do ss -Hltn sport = :10024 | grep -q . && break; sleep 0.1; done"
)
# Done before each break; the ways back take from it.
KEEP = (
    "rm -rf /root/kept; mkdir -p /root/kept/etc /root/kept/units; cp -a /etc/postfix /etc/dovecot /etc/aliases* /root/kept/etc; "
    "cp -a /etc/systemd/system/*.service.d /root/kept/units"
)
POSTFIX_BACK = f"rm -rf /etc/postfix; cp -a /root/kept/etc/postfix /root/kept/etc/aliases* /etc; {POSTFIX}"
DOVECOT_BACK = f"rm -rf /etc/dovecot; cp -a /root/kept/etc/dovecot /etc; {DOVECOT}"
BACK = f"{POSTFIX_BACK}; {DOVECOT_BACK}"
PSQL = "cd /; runuser -u postgres -- psql -qX mail -c"
HOME = "/home/mail/example.test"


@dataclass(frozen=True)
class Break:
    """What is done to the host, what puts it back, and the checks that have to see it."""

    done: str
    seen: str
    back: str = BACK
    on_both: bool = False  # the two releases differ in what is broken; the others are broken on one


def postfix(done: str, seen: str, on_both: bool = False) -> Break:
    return Break(f"{done}; {POSTFIX}", seen, POSTFIX_BACK, on_both)


def dovecot(done: str, seen: str, on_both: bool = False) -> Break:
    return Break(f"{done}; {DOVECOT}", seen, DOVECOT_BACK, on_both)


def setting(lines: str, seen: str) -> Break:
    """Lines at the end of dovecot.conf, where the last word counts."""
    return dovecot(f"printf '%s\\n' '{lines}' >> /etc/dovecot/dovecot.conf", seen)


def amavis(line: str, seen: str) -> Break:
    """A line of Perl, Amavis's own language, read after all others."""
    done = f"printf '%s\\n' 'use strict; {line}' '1;' > /etc/amavis/conf.d/99-broken; {AMAVIS}"
    return Break(done, seen, f"rm /etc/amavis/conf.d/99-broken; {AMAVIS}")


def impostor(name: str, text: str) -> str:
    """A program of this name that is found before the real one."""
    return f"printf '%s\\n' '#!/bin/sh' '{text}' > /usr/local/bin/{name}; chmod 755 /usr/local/bin/{name}"


def stranger(unit: str, words: str, *ports: int) -> str:
    """Somebody else's program at ports of the host's public address: it greets, and says NO to all that it is told."""
    program = (
        "use IO::Socket::INET; my ($words, $host, @ports) = @ARGV; for (@ports) { next if fork; my $s = IO::Socket::INET->new("
        "LocalAddr => $host, LocalPort => $_, Listen => 9, ReuseAddr => 1) or die; while (my $c = $s->accept) { next if fork; "
        'print $c "$words\\r\\n"; while (<$c>) { print $c((/^(\\S+) CAPABILITY/i ? "* CAPABILITY IMAP4 STARTTLS AUTH=PLAIN\\r\\n$1 OK ." '
        ': /^(\\S+) [A-Z]/i ? "$1 NO no" : "NO no") . "\\r\\n") } exit } } sleep 600'
    )
    listen = f"perl -e '{program}' '{words}' $(hostname -I | cut -d\" \" -f1) {' '.join(map(str, ports))}"
    file = f"/root/{unit}"
    return f"cat > {file} <<'EOF'\n{listen}\nEOF\nsystemd-run -q --unit={unit} sh {file}; sleep 0.5"
