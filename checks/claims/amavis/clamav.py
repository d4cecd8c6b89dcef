"""ClamAV: it has signatures, it finds EICAR's test virus, and nothing passes when it fails."""

from __future__ import annotations

import shlex

from checks import amavis_conf, applied
from checks.model import Failed, Skipped, check
from checks.samples import EICAR
from checks.target import Target

NEEDS = ("ssh",)
CLOSED = "$virus_scanners_failure_is_fatal = 1 and no @bypass_virus_checks_maps; see chapter 3, clamav."
# clamd's own protocol, as https://docs.clamav.net/manual/Usage/Scanning.html has it: a length, the bytes, a zero.
ASK = """perl -MIO::Socket::UNIX -e '
  my $clamd = IO::Socket::UNIX->new($ARGV[0]) or die "$ARGV[0]: $!\\n";
  my $text = pack("H*", $ARGV[1]);
  print $clamd "zINSTREAM\\0", pack("N", length $text), $text, pack("N", 0);
  print <$clamd>;' {socket} {text}"""


@check(
    "amavis.clamav.signatures",
    "ClamAV has signatures",
    needs=NEEDS,
    remedy="freshclam, or virus_signatures in the inventory's data; clamd does not start without any.",
)
def signatures(target: Target) -> str:
    applied.antivirus(target)
    found = target.shell("cd /var/lib/clamav && ls -d *.c[vl]d *.h[ds]b *.[nl]db 2>/dev/null", may_fail=True)
    if not found:
        raise Failed("none in /var/lib/clamav")
    return ", ".join(found.split())


@check(
    "amavis.clamav.updates",
    "They are renewed by themselves",
    needs=NEEDS,
    remedy="systemctl enable --now clamav-freshclam; journalctl -u clamav-freshclam",
)
def updates(target: Target) -> str:
    applied.antivirus(target)
    if target.shell("systemctl is-enabled clamav-freshclam", may_fail=True) == "masked":
        raise Skipped("signatures are not renewed here (signature_updates = False): clamav-freshclam is masked")
    state = target.shell("systemctl is-active clamav-freshclam", may_fail=True)
    if state != "active":
        raise Failed(f"clamav-freshclam is {state}")
    return "clamav-freshclam runs"


@check(
    "amavis.clamav.fails_closed",
    "Without a scanner no message is let through unchecked",
    negative=True,
    needs=NEEDS,
    remedy=CLOSED,
)
def fails_closed(target: Target) -> str:
    applied.antivirus(target)
    known = amavis_conf.settings(target)
    if known["no_virus_checks"].strip(" 0"):
        raise Failed("@bypass_virus_checks_maps lets every message pass")
    if not known["scanners"] or not known["scanner_needed"].strip(" 0"):
        raise Failed(f"scanners: {known['scanners'] or 'none'}, and the message passes when they fail")
    return f"{known['scanners']}; if it fails, the message waits in Postfix's queue"


@check(
    "amavis.workers.finds",
    "clamd finds EICAR's test virus",
    needs=NEEDS,
    remedy="systemctl status clamav-daemon; does it have a signature of EICAR?",
)
def finds(target: Target) -> str:
    applied.antivirus(target)
    found = asked(target, EICAR)
    if "FOUND" not in found:
        raise Failed(found)
    return f"{found}; it takes {amavis_conf.memory(target, 'clamav-daemon')} MB"


@check("amavis.workers.clean", "It takes an ordinary file for what it is", negative=True, needs=NEEDS)
def clean(target: Target) -> str:
    applied.antivirus(target)
    found = asked(target, b"Sent by python -m checks.")
    if not found.endswith("OK"):
        raise Failed(found)
    return found


def asked(target: Target, sample: bytes) -> str:
    socket = target.shell("sed -n 's/^LocalSocket  *//p' /etc/clamav/clamd.conf")
    return target.shell(ASK.format(socket=shlex.quote(socket), text=sample.hex())).replace("\0", "")
