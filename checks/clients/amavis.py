"""Amavis's settings as Amavis itself reads them: its files are Perl, and only Perl knows what they come to."""

import shlex
import smtplib

from checks.clients import host, mail
from checks.engine import Failed, Target
from checks.engine.ssh import Forward
from checks.engine.verdicts import words

PORTS = {10024: "Amavis", 10025: "re-injection", 10026: "Amavis", 10027: "Amavis", 10028: "Amavis", 3310: "clamd"}
DESTINY = "sub { +{ D_PASS, 'pass', D_DISCARD, 'discard', D_REJECT, 'reject', D_BOUNCE, 'bounce' }->{$_[0]} }"
# Read as the last of its files, so that it sees what all others left behind.
TELL = f"""
my $destiny = {DESTINY};
my $gentle = $policy_bank{{ORIGINATING}} || {{}};
my %said = (
  name => $myhostname,
  ports => join(' ', ref $inet_socket_port ? @$inet_socket_port : $inet_socket_port),
  processes => $max_servers,
  scanners => join(' ', map {{ $_->[0] }} @av_scanners),
  backups => join(' ', map {{ $_->[0] }} @av_scanners_backup),
  no_virus_checks => "@{{[map {{ ref $_ ? () : $_ }} @bypass_virus_checks_maps]}}",
  no_spam_checks => "@{{[map {{ ref $_ ? () : $_ }} @bypass_spam_checks_maps]}}",
  scanner_needed => $virus_scanners_failure_is_fatal,
  spam_scanners => join(' ', map {{ $_->[0] }} @spam_scanners),
  virus => $destiny->($final_virus_destiny),
  banned => $destiny->($final_banned_destiny),
  spam => $destiny->($final_spam_destiny),
  unread => exists $final_destiny_maps_by_ccat{{CC_UNCHECKED . ",2"}} ? $destiny->($final_unchecked_destiny) : 'pass',
  unopened => ref $banned_namepath_re ? 'banned' : 'pass',
  warns => $warnvirussender || $warnspamsender ? 'senders' : '',
  gentle_virus => $destiny->($gentle->{{final_virus_destiny}} // $final_virus_destiny),
  quarantine => $QUARANTINEDIR,
  local => join(' ', map {{ ref $_ eq 'ARRAY' ? @$_ : () }} @local_domains_maps),
);
print "$_=", $said{{$_}} // '', "\\n" for sort keys %said;
"""


def settings(target: Target) -> dict[str, str]:
    """What its configuration comes to, by the names in TELL; raises Failed where Amavis cannot read it."""
    found = target.once(
        f"printf '%s' {shlex.quote(TELL)} | AMAVIS_TEST_CONFIG=1 $(command -v amavisd amavisd-new | head -n 1) "
        "$(for file in /usr/share/amavis/conf.d/* /etc/amavis/conf.d/*; do echo -c $file; done) -c /dev/stdin"
    )
    pairs = dict(line.split("=", 1) for line in found.splitlines() if "=" in line)
    if "processes" not in pairs:
        raise Failed(f"Amavis cannot read its settings: {found}", "amavisd test-config")
    return pairs


def memory(target: Target, unit: str) -> int:
    """Megabytes that a unit's processes have for themselves, shared pages counted once."""
    found = target.shell(
        f"pid=$(systemctl show -P MainPID {unit}); for one in $pid $(pgrep -P $pid); do "
        "sed -n 's/^Pss: *\\([0-9]*\\).*/\\1/p' /proc/$one/smaps_rollup 2>/dev/null; done",
        may_fail=True,
    )
    return sum(int(line) for line in found.split()) // 1024


def greets(target: Target, port: int) -> str:
    """Whoever listens on that port of 127.0.0.1 over there speaks SMTP."""
    forward = Forward(target.server, "127.0.0.1", port)
    try:
        with smtplib.SMTP("127.0.0.1", forward.port, "localhost", timeout=10) as session:
            return mail.expect(session.noop(), "250", what=str(port))
    except (OSError, smtplib.SMTPException) as error:
        raise Failed(f"nobody answers on 127.0.0.1:{port}: {words(error)}") from error
    finally:
        forward.close()


def closed(target: Target, *ports: int) -> str:
    """Not reached from where we are, and not bound to any address but loopback."""
    found = [port for port in ports if not target.vantage.probe(target.address, port, timeout=2)]
    found += [p for where, p, _ in host.listeners(target) if p in ports and not where.startswith(host.LOOPBACK)]
    if found:
        raise Failed(", ".join(f"{PORTS[port]} ({port}) listens outside" for port in dict.fromkeys(found)))
    return f"{', '.join(map(str, ports))}: on 127.0.0.1 at most"
