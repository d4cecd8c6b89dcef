"""The processes of Amavis and clamd: how many, what they answer, who may reach them."""

import shlex

from checks.clients import amavis, host, samples
from checks.engine import Failed, Target, claim, negative

# clamd's own protocol, as https://docs.clamav.net/manual/Usage/Scanning.html has it: a length, the bytes, a zero.
ASK = """perl -MIO::Socket::UNIX -e '
  my $clamd = IO::Socket::UNIX->new($ARGV[0]) or die "$ARGV[0]: $!\\n";
  my $text = pack("H*", $ARGV[1]);
  print $clamd "zINSTREAM\\0", pack("N", length $text), $text, pack("N", 0);
  print <$clamd>;' {socket} {text}"""


@claim(
    "clamd finds EICAR's test virus",
    needs="antivirus",
    remedy="systemctl status clamav-daemon; does it have a signature of EICAR?",
)
def finds(target: Target) -> str:
    found = asked(target, samples.EICAR)
    if "FOUND" not in found:
        raise Failed(found)
    return f"{found}; it takes {amavis.memory(target, 'clamav-daemon')} MB"


@claim("Amavis is started again when it dies", remedy=host.REVIVED)
def revived(target: Target) -> str:
    return host.revived(target, "pgrep -o -u amavis -f '^/usr/sbin/amavisd'")


@claim(
    "Amavis answers Postfix on 10024 and 10026",
    provides="workers",
    remedy="On the host: systemctl status amavis; journalctl -u amavis -n 20.",
)
def answer(target: Target) -> str:
    seen = [amavis.greets(target, port) for port in (10024, 10026)]
    return f"{seen[0]}; its processes take {amavis.memory(target, 'amavis')} MB"


@claim(
    "There are as many workers as the data says",
    needs="workers",
    remedy="amavis_processes in the inventory's data; then run the chapter.",
)
def as_many(target: Target) -> str:
    wanted = int(amavis.settings(target)["processes"])
    there = int(target.shell("pgrep -c -P $(systemctl show -P MainPID amavis)", may_fail=True))
    # A worker that has done its turns is replaced: for a moment there is one more or less.
    if abs(there - wanted) > 1:
        raise Failed(f"{there} workers, {wanted} in the settings")
    free = target.shell("sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")
    return f"{there} workers; the host has {int(free) // 1024} MB to spare"


@negative(
    "It takes an ordinary file for what it is",
    needs="antivirus",
    remedy="Take the signature out of /var/lib/clamav that clamd names.",
)
def clean(target: Target) -> str:
    found = asked(target, b"Sent by python -m checks.")
    if not found.endswith("OK"):
        raise Failed(found)
    return found


@negative(
    "The workers listen to this host alone",
    needs="elsewhere",
    remedy="$inet_socket_bind = '127.0.0.1'; no TCPSocket in clamd.conf.",
)
def not_outside(target: Target) -> str:
    return amavis.closed(target, 10024, 10026, 10027, 10028, 3310)


def asked(target: Target, sample: bytes) -> str:
    socket = target.shell("sed -n 's/^LocalSocket  *//p' /etc/clamav/clamd.conf")
    return target.shell(ASK.format(socket=shlex.quote(socket), text=sample.hex())).replace("\0", "")
